package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A site is a folder with a checkout of an access repository, the remote that it
// was cloned from, and the home of the user.
type site struct {
	t      *testing.T
	base   string
	dir    string   // where infra runs; at first the top of the checkout
	prefix string   // of the access repository below the top of the checkout
	store  string   // a repository that gets all commits: where they are looked at
	remote string   // that gets what is pushed
	branch string   // of the remote
	env    []string // of the user
	under  []string // a program, with arguments, that runs infra
}

// siteTemplate makes a site once, of which each test has a copy: "BASE" in the
// checkout's configuration stands for its folder.
func siteTemplate(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	s := &site{t: t, base: base, dir: filepath.Join(base, "ann")}
	s.files(map[string]string{
		"home/.gitconfig":      "[user]\n\tname = Ann\n\temail = ann@example.com\n[init]\n\tdefaultBranch = main\n[maintenance]\n\tauto = false\n[protocol \"file\"]\n\tallow = always\n",
		"ann/infra.yaml":       "version: 1\n",
		"ann/README.md":        "Access.\n",
		"ann/notes/a.txt":      "one\n",
		"ann/notes/b.txt":      "one\n",
		"ann/grants/prod.yaml": "# Who may do what on prod.\ngrants:\n  - user: ann@example.com # on call\n    role: admin\n    resource: prod\n",
	})
	s.gitIn(base, "init", "-q", "--template=", "--bare", "remote.git")
	s.git("init", "-q", "--template=")
	s.git("remote", "add", "origin", "../remote.git")
	s.git("add", "README.md")
	s.git("commit", "-q", "-m", "begin")
	s.git("add", ".")
	s.git("commit", "-q", "-m", "infra")
	s.git("push", "-q", "-u", "origin", "main")
	s.git("config", "remote.origin.url", "BASE/remote.git")
	return base
}

func newSite(t *testing.T, template string) *site {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, base: base, dir: filepath.Join(base, "ann"), remote: filepath.Join(base, "remote.git"), branch: "main"}
	s.store = s.dir
	if err := os.CopyFS(base, os.DirFS(template)); err != nil {
		t.Fatal(err)
	}
	config := s.read("ann/.git/config")
	s.files(map[string]string{"ann/.git/config": strings.ReplaceAll(config, "BASE", base)})
	s.git("update-index", "-q", "--refresh") // a copy has times of its own
	return s
}

// environment is that of the user alone.
func (s *site) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "GIT_") || strings.HasPrefix(kv, "INFRA_") || strings.HasPrefix(kv, "XDG_") || strings.HasPrefix(kv, "EMAIL=")
	})
	return append(env, "HOME="+filepath.Join(s.base, "home"), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}

// infra runs the program as the user would, and returns all that it says.
func (s *site) infra(args ...string) (string, error) {
	s.t.Helper()
	args = slices.Concat(s.under, []string{"infra"}, args)
	cmd := exec.CommandContext(s.t.Context(), args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(s.environment(), "PWD="+s.dir) // as a shell has it, with symbolic links
	cmd.Env = append(cmd.Env, s.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *site) git(args ...string) string { s.t.Helper(); return s.gitIn(s.dir, args...) }

func (s *site) gitIn(dir string, args ...string) string {
	s.t.Helper()
	out, err := s.tryIn(dir, args...)
	if err != nil {
		s.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(out)
}

// stops runs a git command that is to stop half-way.
func (s *site) stops(args ...string) {
	s.t.Helper()
	if out, err := s.tryIn(s.dir, args...); err == nil {
		s.t.Fatalf("git %q was to stop:\n%s", args, out)
	}
}

func (s *site) tryIn(dir string, args ...string) (string, error) { return s.feed("", dir, args...) }

// feed is tryIn with something on stdin.
func (s *site) feed(in, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "git", args...)
	cmd.Stdin = strings.NewReader(in)
	cmd.Dir = dir
	cmd.Env = append(s.environment(), "GIT_OPTIONAL_LOCKS=0") // to look changes nothing
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return words.String() + out.String(), err
	}
	return out.String(), nil
}

// files writes files below the site.
func (s *site) files(files map[string]string) {
	s.t.Helper()
	for name, content := range files {
		path := filepath.Join(s.base, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			s.t.Fatal(err)
		}
	}
}

// write is files for one in the folder where infra runs.
func (s *site) write(name, content string) {
	s.t.Helper()
	below, err := filepath.Rel(s.base, filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	s.files(map[string]string{filepath.ToSlash(below): content})
}

// script writes a program for sh.
func (s *site) script(name, script string) {
	s.t.Helper()
	s.files(map[string]string{name: "#!/bin/sh\n" + script + "\n"})
	if err := os.Chmod(filepath.Join(s.base, filepath.FromSlash(name)), 0o777); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.base, filepath.FromSlash(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// shot commits everything in the checkout.
func (s *site) shot(message string) {
	s.t.Helper()
	s.git("add", "-A")
	s.git("commit", "-q", "-m", message)
}

// others is a commit of somebody else's that is on the remote and not here.
func (s *site) others() {
	s.t.Helper()
	s.gitIn(s.base, "clone", "-q", "--template=", "remote.git", "bob")
	s.files(map[string]string{"bob/grants/prod.yaml": s.read("bob/grants/prod.yaml") + "  - user: bea@example.com\n    role: edit\n    resource: prod\n"})
	s.gitIn(filepath.Join(s.base, "bob"), "commit", "-q", "-a", "-m", "grants: bea")
	s.gitIn(filepath.Join(s.base, "bob"), "push", "-q")
	if err := os.RemoveAll(filepath.Join(s.base, "bob")); err != nil {
		s.t.Fatal(err)
	}
}

// A picture is everything in a site that may matter to somebody.
type picture struct {
	head   string            // the commit that is checked out
	branch string            // which is checked out
	target string            // the tip of the remote's branch
	all    map[string]string // files to the byte, by path, in and beside the git folders
	index  map[string]string // what git says of its index and of the work tree, by path
}

func (s *site) picture() picture {
	s.t.Helper()
	p := picture{all: map[string]string{}, index: map[string]string{}}
	for _, about := range [][]string{
		{"status", "--porcelain=v2", "--branch", "--untracked-files=all", "-z"},
		{"ls-files", "--full-name", "--stage", "-v", "-z"},
		{"for-each-ref", "--format=%(refname) %(objectname)%00"},
	} {
		out, err := s.tryIn(s.dir, about...)
		if err != nil {
			continue // no repository, or one that git does not open: the bytes tell enough
		}
		for line := range strings.SplitSeq(out, "\x00") {
			line = strings.TrimSpace(line)
			switch word := strings.Fields(line + " ."); {
			case word[0] != "#":
				p.index[about[0]+" "+line] = ""
			case word[1] == "branch.oid" && word[2] != "(initial)":
				p.head = word[2]
			case word[1] == "branch.head":
				p.branch = word[2]
			}
		}
	}
	if target, err := s.tryIn(s.remote, "rev-parse", "--verify", "--quiet", "refs/heads/"+s.branch); err == nil {
		p.target = strings.TrimSpace(target)
	}
	err := filepath.WalkDir(s.base, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(s.base, path)
		switch {
		case err != nil:
			return err
		case name == "home":
			return fs.SkipDir
		case d.IsDir() && d.Name() == "objects":
			return fs.SkipDir // git collects what nothing names
		case d.Name() == "COMMIT_EDITMSG":
			return nil // the message of the last commit that was tried
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			p.all[name] = d.Type().String()
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		p.all[name] = fmt.Sprintf("%v %q", info.Mode(), content)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// moves are the files in git's folders that a commit, or a push, changes in its
// nature: the index, of which git is asked, and the branches.
var moves = regexp.MustCompile(`(^|/)(index|HEAD|ORIG_HEAD|MERGE_RR|sharedindex\.[0-9a-f]+|logs/HEAD|(logs/)?refs/(heads|remotes)/.*|logs|worktrees/[^/]*/(HEAD|logs/.*))$`)

// others is the picture but for what a commit that changes these files changes.
func (p picture) others(files ...string) map[string]string {
	rest := map[string]string{"branch": p.branch}
	for name, content := range p.all {
		if name = filepath.ToSlash(name); !moves.MatchString(name) && !endsIn(name, files) {
			rest[name] = content
		}
	}
	for line := range p.index {
		if !endsIn(line, files) && !strings.HasPrefix(line, "for-each-ref refs/remotes/") && !strings.HasPrefix(line, "for-each-ref refs/heads/"+p.branch+" ") {
			rest[line] = ""
		}
	}
	return rest
}

func endsIn(text string, files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool { return file != "" && strings.HasSuffix(text, file) })
}

// run runs another program of the user's.
func (s *site) run(dir string, args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, s.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%q: %v\n%s", args, err, out)
	}
}

// readOnly takes the right to write from the checkout. The superuser has it all the
// same, and runs infra without that.
func readOnly(s *site) {
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o555)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, _ error) error {
			if d.IsDir() {
				os.Chmod(path, 0o777)
			}
			return nil
		})
	})
	if os.Getuid() == 0 {
		s.under = []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}
	}
}

// objects reads objects of the store; what is missing is "".
func (s *site) objects(names ...string) []string {
	s.t.Helper()
	out, err := s.feed(strings.Join(names, "\n")+"\n", s.store, "cat-file", "--batch")
	if err != nil {
		s.t.Fatalf("reading %q: %v\n%s", names, err, out)
	}
	var all []string
	for range names {
		head, rest, _ := strings.Cut(out, "\n")
		if strings.HasSuffix(head, " missing") {
			all, out = append(all, ""), rest
			continue
		}
		n, err := strconv.Atoi(head[strings.LastIndex(head, " ")+1:])
		if err != nil || n >= len(rest) {
			s.t.Fatalf("reading %q: git printed %q", names, head)
		}
		all, out = append(all, rest[:n]), rest[n+1:]
	}
	return all
}
