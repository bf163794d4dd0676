package repo_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func open(t *testing.T, location string, o repo.Options) *repo.Source {
	t.Helper()
	s, err := repo.Open(location, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fetch(t *testing.T, s *repo.Source, have string) *repo.History {
	t.Helper()
	h, err := s.Fetch(t.Context(), "main", have)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func hashes(p repo.Path) []string {
	var all []string
	for _, c := range p.Commits {
		all = append(all, c.Hash)
	}
	return all
}

// everyKind runs a test on the same repository as a folder and behind http.
func everyKind(t *testing.T, r *gittest.Repo, f func(t *testing.T, s *repo.Source)) {
	t.Run("folder", func(t *testing.T) { f(t, open(t, r.Dir, repo.Options{})) })
	t.Run("http", func(t *testing.T) {
		f(t, open(t, gittest.Serve(t, r, gittest.HostOptions{}).URL, repo.Options{}))
	})
}

func TestFetchReadsCommitsAndFiles(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"infra.yaml": "version: 1\n", "grants/a.yaml": "a\n", "grants/b/c.yaml": ""})
	r.Write(map[string]string{"run.sh": "#!/bin/sh\n"})
	r.Git("add", "run.sh")
	r.Git("update-index", "--chmod=+x", "run.sh")
	second := r.Commit(map[string]string{"grants/a.yaml": "changed\n"})

	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		h := fetch(t, s, first)
		ada := repo.Person{Name: "Ada", Email: "ada@example.com", When: gittest.Start.Add(2 * time.Minute)}
		want := repo.Commit{Hash: second, Parents: []string{first}, Author: ada, Committer: ada, Message: "commit of 03:02\n"}
		if diff := cmp.Diff(want, h.Tip()); diff != "" {
			t.Errorf("tip (-want +got):\n%s", diff)
		}
		for _, hash := range []string{first, second} {
			files, err := h.Files(hash)
			if err != nil {
				t.Fatal(err)
			}
			if err := fstest.TestFS(files, "infra.yaml", "grants/a.yaml", "grants/b/c.yaml"); err != nil {
				t.Error(err)
			}
		}
		old, _ := h.Files(first)
		if b, err := fs.ReadFile(old, "grants/a.yaml"); err != nil || string(b) != "a\n" {
			t.Errorf("the first commit's file is %q, %v", b, err)
		}
		now, _ := h.Files(second)
		info, err := fs.Stat(now, "grants/a.yaml")
		if err != nil || info.Size() != 8 {
			t.Errorf("size of a file: %v, %v", info, err)
		}
		same1, _ := fs.Stat(old, "infra.yaml")
		same2, _ := fs.Stat(now, "infra.yaml")
		if same1.Sys() != same2.Sys() || same1.Sys() == info.Sys() {
			t.Errorf("Sys does not tell contents apart: %v, %v, %v", same1.Sys(), same2.Sys(), info.Sys())
		}
		if _, err := h.Files(strings.Repeat("0", 40)); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("files of an unknown commit: %v", err)
		}
		if tip, err := s.Tip(t.Context(), ""); err != nil || tip != second {
			t.Errorf("the tip of HEAD is %q, %v", tip, err)
		}
		for _, rev := range []string{"HEAD", "@", "main", second, second[:7], strings.ToUpper(second[:8])} {
			if c, err := h.Resolve(rev); err != nil || c.Hash != second {
				t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
			}
		}
		for _, rev := range []string{"HEAD~1", "main^", "main~", first[:9], "@^1^0"} {
			if c, err := h.Resolve(rev); err != nil || c.Hash != first {
				t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
			}
		}
		for _, rev := range []string{"", "nothing", "HEAD~2", "HEAD^2", "--all", "~1", "HEAD~99999999999999999999", "../HEAD", "abcd"} {
			if c, err := h.Resolve(rev); !errors.Is(err, repo.ErrNotFound) {
				t.Errorf("Resolve(%q) = %s, %v, want not found", rev, c.Hash, err)
			}
		}
	})
}

func TestResolveKnowsTagsOfAFolder(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(nil)
	r.Git("tag", "plain")
	r.Git("tag", "-a", "-m", "words", "annotated")
	r.Git("tag", "-a", "-m", "words", "nested", "annotated")
	r.Commit(nil)
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	for _, rev := range []string{"plain", "annotated", "nested", "tags/plain", "refs/tags/annotated"} {
		if c, err := h.Resolve(rev); err != nil || c.Hash != first {
			t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
		}
	}
}

// Line 1 of what must not work.
func TestSymlinkAndSubmoduleShowAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(r.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	target := r.Commit(map[string]string{"plain": "x"})
	r.Git("update-index", "--add", "--cacheinfo", "160000,"+target+",module")
	r.Git("commit", "--quiet", "-m", "module")
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		h := fetch(t, s, "")
		files, err := h.Files(h.Tip().Hash)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := fs.ReadDir(files, ".")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]fs.FileMode{}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || info.Mode().Type() != e.Type() {
				t.Errorf("%s: %v, %v", e.Name(), info, err)
			}
			got[e.Name()] = e.Type()
		}
		want := map[string]fs.FileMode{"link": fs.ModeSymlink, "module": fs.ModeIrregular, "plain": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
		for _, name := range []string{"link", "module", "link/passwd", "module/x", "plain/x"} {
			if b, err := fs.ReadFile(files, name); err == nil {
				t.Errorf("%s was read: %q", name, b)
			}
		}
	})
}

// Line 1 of what must not work.
func TestHostileTreeNamesAreRefused(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"x": "x"})
	blob := r.Git("rev-parse", "HEAD:x")
	raw, err := hexBytes(blob)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..", ".", ".git", ".GIT", "git~1", ".git ", "a/b", `a\b`, "..\\x"} {
		file := filepath.Join(gittest.Folder(t), "tree")
		if err := os.WriteFile(file, []byte("100644 "+name+"\x00"+raw), 0o666); err != nil {
			t.Fatal(err)
		}
		tree := r.Git("hash-object", "-t", "tree", "--literally", "-w", file)
		commit := r.Git("commit-tree", "-m", "hostile", tree)
		r.Git("update-ref", "refs/heads/main", commit)
		h := fetch(t, open(t, r.Dir, repo.Options{}), "")
		files, err := h.Files(commit)
		if err != nil {
			continue // refused even earlier
		}
		if entries, err := fs.ReadDir(files, "."); err == nil {
			t.Errorf("a tree with %q was read: %v", name, entries)
		}
	}
}

func hexBytes(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i += 2 {
		hi, lo := strings.IndexByte("0123456789abcdef", s[i]), strings.IndexByte("0123456789abcdef", s[i+1])
		b.WriteByte(byte(hi<<4 | lo))
	}
	return b.String(), nil
}

func TestSince(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	a := r.Commit(map[string]string{"a": ""})
	b := r.Commit(map[string]string{"b": ""})
	r.Branch("side")
	side := r.Commit(map[string]string{"side": ""})
	r.Checkout("main")
	c := r.Commit(map[string]string{"c": ""})
	merge := r.Merge("side")
	d := r.Commit(map[string]string{"d": ""})
	foreign := r.Git("commit-tree", "-m", "unrelated", "HEAD^{tree}")

	tests := []struct {
		name          string
		accepted, tip string
		want          []string
		relation      repo.Relation
		err           error
	}{
		{"nothing new", d, d, nil, repo.Same, nil},
		{"nothing was accepted before, the tip starts", "", d, []string{d}, repo.Start, nil},
		{"a line, oldest first", a, c, []string{b, c}, repo.Linear, nil},
		{"a merged side branch is one change", b, d, []string{c, merge, d}, repo.Linear, nil},
		{"the accepted one lies beside the line, the tip is one change", side, d, []string{d}, repo.OffLine, nil},
		{"an older tip", d, b, nil, "", repo.ErrRewritten},
		{"unrelated history", d, foreign, nil, "", repo.ErrRewritten},
		{"a commit that nobody knows", strings.Repeat("1", 40), d, nil, "", repo.ErrRewritten},
		{"an unknown tip", a, strings.Repeat("1", 40), nil, "", repo.ErrNotFound},
	}
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := h.Since(tt.accepted, tt.tip)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, hashes(p)); diff != "" || p.Relation != tt.relation {
				t.Errorf("%s (-want +got):\n%s", p.Relation, diff)
			}
		})
	}
}

func TestFetchGoesBackAsFarAsNeeded(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	a := r.Commits(1)
	b := r.Commits(400)
	c := r.Commits(100)
	tip := r.Commits(20)
	s := open(t, gittest.Serve(t, r, gittest.HostOptions{}).URL, repo.Options{})
	for _, tt := range []struct {
		name, have string
		between    int
		all        bool // down to the first
	}{{"20 behind", c, 20, false}, {"120 behind", b, 120, false}, {"520 behind", a, 520, true}} {
		h := fetch(t, s, tt.have)
		p, err := h.Since(tt.have, tip)
		if err != nil || len(p.Commits) != tt.between || p.Relation != repo.Linear {
			t.Errorf("%s: %d commits, %s, %v", tt.name, len(p.Commits), p.Relation, err)
		}
		if _, err := h.Commit(a); errors.Is(err, repo.ErrNotFound) == tt.all {
			t.Errorf("%s: the first commit: %v", tt.name, err)
		}
	}
	if _, err := fetch(t, s, strings.Repeat("1", 40)).Since(strings.Repeat("1", 40), tip); !errors.Is(err, repo.ErrRewritten) {
		t.Errorf("an unknown commit: %v", err)
	}
}

// Line 10 of what must not work.
func TestForcePushUnrelatedHistoryAndOlderTipAreRewrites(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"a": "1"})
	second := r.Commit(map[string]string{"a": "2"})
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		for _, tt := range []struct {
			name string
			do   func()
		}{
			{"an older tip is pushed again", func() { r.Rewrite(first) }},
			{"another commit is forced", func() { r.Rewrite(first); r.Commit(map[string]string{"a": "3"}) }},
			{"unrelated history is forced", func() { r.Rewrite(r.Git("commit-tree", "-m", "new", "HEAD^{tree}")) }},
		} {
			tt.do()
			h := fetch(t, s, second)
			if h.Tip().Hash != r.Head() {
				t.Errorf("%s: the tip is %s, not %s", tt.name, h.Tip().Hash, r.Head())
			}
			if _, err := h.Since(second, h.Tip().Hash); !errors.Is(err, repo.ErrRewritten) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		r.Rewrite(second)
	})
}

// Line 10 of what must not work.
func TestDeletedBranchIsNotFound(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	r.Git("branch", "gone")
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		if _, err := s.Tip(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		r.Git("branch", "-D", "gone")
		defer r.Git("branch", "gone")
		if _, err := s.Tip(t.Context(), "gone"); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("tip: %v", err)
		}
		if _, err := s.Fetch(t.Context(), "gone", ""); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("fetch: %v", err)
		}
	})
}

func TestEmptyRepositoryHasNoTip(t *testing.T) {
	t.Parallel()
	everyKind(t, gittest.New(t), func(t *testing.T, s *repo.Source) {
		if _, err := s.Fetch(t.Context(), "", ""); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("fetch: %v", err)
		}
	})
}

func TestFoldersOfEveryKindAreRead(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1"})
	tip := r.Commit(map[string]string{"a": "2"})
	linked := filepath.Join(gittest.Folder(t), "linked")
	r.Git("worktree", "add", "--quiet", "--detach", linked, "HEAD")
	shared := filepath.Join(gittest.Folder(t), "shared")
	r.Git("clone", "--quiet", "--shared", r.Dir, shared)
	sparse := filepath.Join(gittest.Folder(t), "sparse")
	r.Git("clone", "--quiet", "--sparse", r.Dir, sparse)
	packed := gittest.New(t)
	packed.Git("pull", "--quiet", r.Dir, "main")
	packed.Git("gc", "--quiet")
	packed.Git("pack-refs", "--all")
	for name, dir := range map[string]string{
		"a work tree": r.Dir, "bare": r.Bare(), "a linked worktree": linked, "objects of another": shared,
		"sparse": sparse, "packed": packed.Dir, "as a file URL": "file://" + r.Dir,
	} {
		t.Run(name, func(t *testing.T) {
			h := fetch(t, open(t, dir, repo.Options{}), "")
			files, err := h.Files(tip)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := fs.ReadFile(files, "a"); err != nil || string(b) != "2" {
				t.Errorf("read %q, %v", b, err)
			}
			if c, err := h.Resolve("HEAD"); err != nil || c.Hash != tip {
				t.Errorf("HEAD is %v, %v", c, err)
			}
		})
	}
}

func TestReadsSurviveGarbageCollection(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1", "b": "2"})
	r.Git("gc", "--quiet")
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	files, err := h.Files(h.Tip().Hash)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(files, "a"); err != nil {
		t.Fatal(err)
	}
	r.Commit(map[string]string{"c": "3"})
	r.Git("repack", "-a", "-d", "--quiet")
	r.Git("prune-packed")
	if b, err := fs.ReadFile(files, "b"); err != nil || string(b) != "2" {
		t.Errorf("after gc: %q, %v", b, err)
	}
}

func TestShallowCloneSaysThatItCannotTell(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commits(1)
	tip := r.Commits(5)
	clone := filepath.Join(gittest.Folder(t), "clone")
	r.Git("clone", "--quiet", "--depth=2", "file://"+r.Dir, clone)
	h := fetch(t, open(t, clone, repo.Options{}), "")
	if _, err := h.Since(first, tip); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("since: %v", err)
	}
	if _, err := h.Resolve("HEAD~3"); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("resolve: %v", err)
	}
}

func TestHistoryIsReadByManyAtOnce(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"a/b": "1", "c": "2"})
	r.Commit(map[string]string{"a/b": "3"})
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		h := fetch(t, s, first)
		done := make(chan error)
		for range 8 {
			go func() {
				var err error
				for range 20 {
					files, e := h.Files(h.Tip().Hash)
					if e == nil {
						_, e = fs.ReadFile(files, "a/b")
					}
					_, e2 := h.Since(first, h.Tip().Hash)
					_, e3 := h.Resolve(first[:8])
					err = errors.Join(err, e, e2, e3)
				}
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// Line 14 of what must not work.
func TestTroublesomeGitHosts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		host gittest.HostOptions
		o    repo.Options
		want string // in the error
		is   error
	}{
		{"hangs at once", gittest.HostOptions{Wrap: gittest.Hang("")}, repo.Options{Timeout: 100 * time.Millisecond}, "no complete answer within 100ms", context.DeadlineExceeded},
		{"hangs before the pack", gittest.HostOptions{Wrap: gittest.Hang("git-upload-pack")}, repo.Options{Timeout: 2 * time.Second}, "no complete answer within 2s", context.DeadlineExceeded},
		{"cuts off its refs", gittest.HostOptions{Wrap: gittest.CutOff("info/refs", 40)}, repo.Options{}, "cut off", nil},
		{"cuts off the pack", gittest.HostOptions{Wrap: gittest.CutOff("git-upload-pack", 60)}, repo.Options{}, "cut off", nil},
		{"answers with HTML", gittest.HostOptions{Wrap: gittest.Answer(200, "text/html; charset=utf-8", "<html>sign in</html>")}, repo.Options{}, "it answers with text/html", nil},
		{"answers with an error page", gittest.HostOptions{Wrap: gittest.Answer(502, "text/html", "<html>secret</html>")}, repo.Options{}, "502 Bad Gateway", nil},
		{"answers with nothing", gittest.HostOptions{Wrap: gittest.Answer(200, "application/x-git-upload-pack-advertisement", "")}, repo.Options{}, "cut off", nil},
		{"answers with nonsense", gittest.HostOptions{Wrap: gittest.Answer(200, "application/x-git-upload-pack-advertisement", "zzzzzzzz")}, repo.Options{}, "", nil},
		{"asks for a password", gittest.HostOptions{User: "u", Password: "p"}, repo.Options{}, "asks for a user name and a password", nil},
		{"does not take the password", gittest.HostOptions{User: "u", Password: "p"}, repo.Options{Username: "u", Password: "hunter2"}, "does not accept", nil},
		{"has no such repository", gittest.HostOptions{Wrap: gittest.Answer(404, "text/plain", "")}, repo.Options{}, "no such repository", repo.ErrNotFound},
		{"has a certificate of its own authority", gittest.HostOptions{TLS: true}, repo.Options{}, "certificate is not trusted", nil},
		{"has a certificate that ran out", gittest.HostOptions{TLS: true, Expired: true}, repo.Options{}, "certificate is not trusted", nil},
		{"sends more than fits", gittest.HostOptions{}, repo.Options{MaxBytes: 100}, "larger than the limit of 100 bytes", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": strings.Repeat("text ", 100)})
			s := open(t, gittest.Serve(t, r, tt.host).URL, tt.o)
			_, err := s.Fetch(t.Context(), "main", "")
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want one with %q, %v", err, tt.want, tt.is)
			}
			for _, secret := range []string{"hunter2", "<html>"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells too much: %v", err)
				}
			}
		})
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	asked := make(chan struct{}, 10)
	host := gittest.Serve(t, r, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			asked <- struct{}{}
			gittest.Hang("")(git).ServeHTTP(w, req)
		})
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := open(t, host.URL, repo.Options{}).Fetch(ctx, "main", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestCredentialsAndCABundleOpenAHost(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	tip := r.Commit(nil)
	host := gittest.Serve(t, r, gittest.HostOptions{TLS: true, User: "u", Password: "hunter2"})
	withURL := strings.Replace(host.URL, "https://", "https://u:hunter2@", 1)
	for name, s := range map[string]*repo.Source{
		"in the URL":     open(t, withURL, repo.Options{CABundle: host.CA}),
		"in the options": open(t, host.URL, repo.Options{CABundle: host.CA, Username: "u", Password: "hunter2"}),
	} {
		if got, err := s.Tip(t.Context(), "main"); err != nil || got != tip {
			t.Errorf("credentials %s: %s, %v", name, got, err)
		}
		if s.String() != host.URL {
			t.Errorf("credentials %s: shown as %s", name, s)
		}
	}
	if _, err := repo.Open(host.URL, repo.Options{CABundle: []byte("nonsense")}); err == nil {
		t.Error("a CA bundle without a certificate was taken")
	}
}

func TestRedirectToAnotherHostGetsNoCredentials(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	seen := make(chan string, 10)
	target := gittest.Serve(t, r, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			seen <- req.Header.Get("Authorization")
			git.ServeHTTP(w, req)
		})
	}})
	first := gittest.Serve(t, r, gittest.HostOptions{User: "u", Password: "p", Wrap: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, target.URL+strings.TrimPrefix(req.URL.String(), "/repo"), http.StatusFound)
		})
	}})
	if _, err := open(t, first.URL, repo.Options{Username: "u", Password: "p"}).Fetch(t.Context(), "main", ""); err != nil {
		t.Fatal(err)
	}
	close(seen)
	for a := range seen {
		if a != "" {
			t.Errorf("the other host saw %q", a)
		}
	}
}

// Line 16 of what must not work.
func TestLocationsThatAreRefused(t *testing.T) {
	t.Parallel()
	plain := gittest.Folder(t)
	for location, want := range map[string]string{
		"":                                    "no path or URL",
		"--upload-pack=touch /tmp/x":          "looks like an option",
		"-c":                                  "looks like an option",
		"ext::sh -c touch% /tmp/x":            "would run a program",
		"fd::17":                              "would run a program",
		"EXT::sh":                             "would run a program",
		"https://h/x\n":                       "control character",
		"ssh://git@example.com/x":             "ssh is not supported yet",
		"git@example.com:x/y":                 "ssh is not supported yet",
		"example.com:x/y":                     "ssh is not supported yet",
		"git://example.com/x":                 "does not speak git",
		"ftp://user:hunter2@example.com/x":    "does not speak ftp",
		"https://user:hunter2@/x":             "names no host",
		"https://user:hunter2@exa mple/x":     "malformed",
		"https://-oProxyCommand=x/y":          "names no host",
		"https://u:hunter2@h/x?token=hunter2": "query",
		"file://host/x":                       "file:///path",
		plain:                                 "not a git repository",
		filepath.Join(plain, "missing"):       "no such file",
	} {
		_, err := repo.Open(location, repo.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q): %v, want %q and no password", location, err, want)
		}
	}
}

// Line 16 of what must not work.
func TestBranchNamesThatAreRefused(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	s := open(t, r.Dir, repo.Options{})
	for _, branch := range []string{"--upload-pack=x", "-", "a b", "a..b", "a\nb", "../../config", "a:b", "x.lock", "a//b", "a~1", "@{-1}"} {
		if _, err := s.Fetch(t.Context(), branch, ""); err == nil || errors.Is(err, repo.ErrNotFound) {
			t.Errorf("branch %q: %v", branch, err)
		}
		if err := s.Follow(t.Context(), repo.FollowOptions{Branch: branch}, nil); err == nil {
			t.Errorf("branch %q was followed", branch)
		}
	}
}

func TestFormatsThatCannotBeReadAreSaid(t *testing.T) {
	t.Parallel()
	dir := gittest.Folder(t)
	if out, err := exec.Command("git", "init", "--quiet", "--object-format=sha256", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := repo.Open(dir, repo.Options{}); err == nil || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("sha256: %v", err)
	}
}
