// Package gittest makes real Git repositories and real Git hosts for tests.
//
//	r := gittest.New(t)
//	first := r.Commit(map[string]string{"infra.yaml": "version: 1\n"})
//	host := gittest.Serve(t, r, gittest.HostOptions{})
//	src, err := repo.Open(host.URL, repo.Options{})
//
// It runs the git program of the system, with a configuration of its own: the
// user's is not read, dates count up by a minute from a fixed one, and so the
// same calls give the same hashes everywhere. What fails, fails the test.
package gittest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A Repo is a repository with a work tree, on branch main, in a folder that goes
// when the test ends. Its methods must not be called by several goroutines at once.
type Repo struct {
	Dir string // of the work tree

	t   testing.TB
	now time.Time // of the last commit
}

// Start is the date before the first commit.
var Start = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// New makes an empty repository.
func New(t testing.TB) *Repo {
	t.Helper()
	r := &Repo{Dir: Folder(t), t: t, now: Start}
	r.Git("init", "--quiet", "--template=", "-b", "main") // without the samples of hooks
	return r
}

// Folder is a temporary folder without symbolic links in its path, as git shows it.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Env is the environment in which git knows an identity and nothing else of
// the user or the machine, as entries NAME=value to append to os.Environ().
func Env() []string {
	return []string{
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=maintenance.auto", "GIT_CONFIG_VALUE_0=false", // or every commit looks for garbage
		"LC_ALL=C",
	}
}

// Git runs git in the work tree and returns what it printed, trimmed.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	out, err := r.Try(args...)
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Try is Git for a command that may fail; it returns both outputs.
func (r *Repo) Try(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	date := r.now.Format(time.RFC3339)
	cmd.Env = slices.Concat(os.Environ(), Env(), []string{"GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date})
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Write writes files into the work tree, with the folders that they need.
func (r *Repo) Write(files map[string]string) {
	r.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(r.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o666); err != nil {
			r.t.Fatal(err)
		}
	}
}

// Read reads a file of the work tree.
func (r *Repo) Read(name string) string {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir, filepath.FromSlash(name)))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// Commit writes files, commits everything in the work tree, and returns the
// commit's hash. Without files it makes an empty commit.
func (r *Repo) Commit(files map[string]string) string {
	r.t.Helper()
	r.Write(files)
	r.now = r.now.Add(time.Minute)
	r.Git("add", "--all")
	r.Git("commit", "--quiet", "--allow-empty", "-m", fmt.Sprintf("commit of %s", r.now.Format("15:04")))
	return r.Head()
}

// Commits makes n empty commits and returns the hash of the last.
func (r *Repo) Commits(n int) string {
	r.t.Helper()
	var in strings.Builder
	tip, _ := r.Try("rev-parse", "--verify", "--quiet", "HEAD")
	for i := range n {
		r.now = r.now.Add(time.Minute)
		fmt.Fprintf(&in, "commit HEAD\ncommitter Ada <ada@example.com> %d +0000\ndata 2\n%02d\n", r.now.Unix(), i%100)
		if i == 0 && tip != "" {
			fmt.Fprintf(&in, "from %s\n", tip)
		}
		in.WriteString("\n")
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = r.Dir, strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	return r.Head()
}

// Head is the hash of the commit that is checked out.
func (r *Repo) Head() string {
	r.t.Helper()
	// Asked after every commit: to read the file is a hundred times as quick as to run git.
	git := filepath.Join(r.Dir, ".git")
	if head, err := os.ReadFile(filepath.Join(git, "HEAD")); err == nil {
		ref, _ := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
		if hash, err := os.ReadFile(filepath.Join(git, filepath.FromSlash(ref))); err == nil {
			return strings.TrimSpace(string(hash))
		}
	}
	return r.Git("rev-parse", "HEAD") // detached, or packed
}

// Branch makes a branch here and checks it out.
func (r *Repo) Branch(name string) {
	r.t.Helper()
	r.Git("checkout", "--quiet", "-b", name)
}

// Checkout checks out a branch or a commit.
func (r *Repo) Checkout(rev string) {
	r.t.Helper()
	r.Git("checkout", "--quiet", rev)
}

// Merge merges a branch into the one that is checked out, always with a merge
// commit, and returns its hash.
func (r *Repo) Merge(branch string) string {
	r.t.Helper()
	r.now = r.now.Add(time.Minute)
	r.Git("merge", "--quiet", "--no-ff", "-m", "merge "+branch, branch)
	return r.Head()
}

// Rewrite moves the branch that is checked out back to rev, as before a
// force-push. The commits after it stay in the object store.
func (r *Repo) Rewrite(rev string) {
	r.t.Helper()
	r.Git("reset", "--quiet", "--hard", rev)
}

// Bare clones the repository into a bare one, whose path it returns.
func (r *Repo) Bare() string {
	r.t.Helper()
	dir := filepath.Join(Folder(r.t), "bare.git")
	r.Git("clone", "--quiet", "--bare", r.Dir, dir)
	return dir
}

// Clone clones what is at an address, as a person would who wants to work on it.
func Clone(t testing.TB, address string) *Repo {
	t.Helper()
	r := &Repo{Dir: filepath.Join(Folder(t), "clone"), t: t, now: Start}
	cmd := exec.Command("git", "clone", "--quiet", "--template=", address, r.Dir)
	cmd.Env = append(os.Environ(), Env()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	return r
}
