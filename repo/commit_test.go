package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func find(t *testing.T, r *gittest.Repo) *repo.Checkout {
	t.Helper()
	c, err := repo.FindCheckout(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func edit(files ...string) repo.Change {
	c := repo.Change{Files: map[string][]byte{}, Message: "edit\n"}
	for i := 0; i < len(files); i += 2 {
		c.Files[files[i]] = []byte(files[i+1])
	}
	return c
}

// state is everything of the user's that an edit must leave alone, to the byte,
// by path: the work tree, the index, the refs, what is in progress. Git is not
// asked, because it writes to the index when it looks.
func state(t *testing.T, r *gittest.Repo) map[string]string {
	t.Helper()
	s := map[string]string{}
	err := filepath.WalkDir(r.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(r.Dir, path)
		switch {
		case err != nil:
			return err
		case name == filepath.Join(".git", "objects"):
			return fs.SkipDir // git collects what nothing names
		case name == filepath.Join(".git", "COMMIT_EDITMSG"):
			return nil // the message of the last commit that was tried
		case !d.Type().IsRegular():
			s[name] = d.Type().String()
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		s[name] = fmt.Sprintf("%v %q", info.Mode(), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hook gives the repository a hook, as a script for sh.
func hook(t *testing.T, r *gittest.Repo, name, script string) {
	t.Helper()
	path := filepath.Join(r.Dir, ".git", "hooks", name)
	err := errors.Join(
		os.MkdirAll(filepath.Dir(path), 0o777),
		os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o777))
	if err != nil {
		t.Fatal(err)
	}
}

// clean fails the test where git sees something that is not committed.
func clean(t *testing.T, r *gittest.Repo) {
	t.Helper()
	if s := r.Git("status", "--porcelain"); s != "" {
		t.Errorf("not committed, or not noted in the index:\n%s", s)
	}
}

func TestCommitLeavesTheUsersWorkAlone(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n", "staged": "1\n", "open": "1\n", "gone": "1\n"})
	c := find(t, r)
	r.Write(map[string]string{"staged": "2\n", "new staged": "x\n"})
	r.Git("add", "staged", "new staged")
	r.Write(map[string]string{"staged": "3\n", "open": "2\n", "untracked": "x\n"})
	before := r.Git("status", "--porcelain", "-z")
	diff := r.Git("diff", "--cached")

	change := edit("a", "2\n", "grants/new file.yaml", "n\n", ":(glob)*", "magic\n")
	change.Files["gone"] = nil
	patch, err := c.Patch(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, r.Git("status", "--porcelain", "-z")); d != "" {
		t.Errorf("a patch changed something:\n%s", d)
	}
	made, err := c.Commit(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	if made.Hash != r.Head() || made.Message != "edit\n" {
		t.Errorf("commit %+v", made)
	}
	want := ":(glob)*\na\ngone\ngrants/new file.yaml"
	if d := cmp.Diff(want, r.Git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD")); d != "" {
		t.Errorf("committed (-want +got):\n%s", d)
	}
	if d := cmp.Diff(r.Git("diff", "--no-renames", "HEAD~1", "HEAD"), strings.TrimSpace(patch)); d != "" {
		t.Errorf("patch (-commit +patch):\n%s", d)
	}
	if d := cmp.Diff(before, r.Git("status", "--porcelain", "-z")); d != "" {
		t.Errorf("status (-before +after):\n%s", d)
	}
	if d := cmp.Diff(diff, r.Git("diff", "--cached")); d != "" {
		t.Errorf("staged (-before +after):\n%s", d)
	}
}

func TestCommitRefusesAndChangesNothing(t *testing.T) {
	t.Parallel()
	declines := func(r *gittest.Repo) { hook(t, r, "pre-commit", "echo not today >&2; exit 1") }
	conflict := func(r *gittest.Repo) { // on x, with a commit of main
		r.Branch("x")
		r.Commit(map[string]string{"b": "x\n"})
		r.Checkout("main")
		r.Commit(map[string]string{"b": "main\n"})
		r.Checkout("x")
	}
	stop := func(r *gittest.Repo, args ...string) {
		if out, err := r.Try(args...); err == nil {
			t.Errorf("git %q was to stop: %s", args, out)
		}
	}
	tests := []struct {
		name    string
		prepare func(r *gittest.Repo)
		path    string
		is      error
		words   string
	}{
		{"a file is changed in the work tree", func(r *gittest.Repo) { r.Write(map[string]string{"a": "mine"}) }, "a", repo.ErrDirty, "a has uncommitted changes"},
		{"a file is staged", func(r *gittest.Repo) { r.Write(map[string]string{"a": "mine"}); r.Git("add", "a") }, "a", repo.ErrDirty, "a has"},
		{"a file is not tracked", func(r *gittest.Repo) { r.Write(map[string]string{"b": "mine"}) }, "b", repo.ErrDirty, "does not track"},
		{"a merge is in progress", func(r *gittest.Repo) {
			r.Branch("x")
			r.Commit(map[string]string{"x": ""})
			r.Checkout("main")
			r.Git("merge", "--no-ff", "--no-commit", "x")
		}, "a", repo.ErrInProgress, "a merge is in progress"},
		{"a merge has a conflict", func(r *gittest.Repo) { conflict(r); stop(r, "merge", "main") }, "a", repo.ErrInProgress, "a merge is in progress"},
		{"a rebase is in progress", func(r *gittest.Repo) { conflict(r); stop(r, "rebase", "main") }, "a", repo.ErrInProgress, "a rebase is in progress"},
		{"a rebase of the old kind is in progress", func(r *gittest.Repo) { conflict(r); stop(r, "rebase", "--apply", "main") }, "a", repo.ErrInProgress, "a rebase is in progress"},
		{"a cherry-pick is in progress", func(r *gittest.Repo) { conflict(r); stop(r, "cherry-pick", "main") }, "a", repo.ErrInProgress, "a cherry-pick is in progress"},
		{"a revert is in progress", func(r *gittest.Repo) { r.Git("revert", "--no-commit", "HEAD") }, "a", repo.ErrInProgress, "a revert is in progress"},
		{"one of several cherry-picks was committed by hand", func(r *gittest.Repo) {
			conflict(r)
			stop(r, "cherry-pick", "main", "main~1")
			r.Commit(map[string]string{"b": "both\n"})
		}, "a", repo.ErrInProgress, "a series of cherry-picks or reverts is in progress"},
		{"git skips a file", func(r *gittest.Repo) { r.Git("update-index", "--skip-worktree", "a") }, "a", repo.ErrDirty, "outside of the sparse checkout"},
		{"git skips a file that is changed", func(r *gittest.Repo) {
			r.Git("update-index", "--skip-worktree", "a")
			r.Write(map[string]string{"a": "mine\n"})
		}, "a", repo.ErrDirty, "outside of the sparse checkout"},
		{"git assumes that a file is unchanged", func(r *gittest.Repo) {
			r.Git("update-index", "--assume-unchanged", "a")
			r.Write(map[string]string{"a": "mine\n"})
		}, "a", repo.ErrDirty, "assume"},
		{"git ignores a file", func(r *gittest.Repo) { r.Write(map[string]string{".git/info/exclude": "b\n", "b": "mine\n"}) }, "b", repo.ErrDirty, "ignore"},
		{"a file may be executed, and was not", func(r *gittest.Repo) { chmod(t, r, "a", 0o755) }, "a", repo.ErrDirty, "a has uncommitted changes"},
		{"the folder is a link out of the repository", func(r *gittest.Repo) { os.Symlink("/tmp", filepath.Join(r.Dir, "out")) }, "out/x", repo.ErrPath, "symbolic link"},
		{"the path leaves the repository", func(*gittest.Repo) {}, "../x", repo.ErrPath, ""},
		{"the path is git's own", func(*gittest.Repo) {}, ".git/config", repo.ErrPath, ""},
		{"nothing would change", func(*gittest.Repo) {}, "same", repo.ErrUnchanged, ""},
		{"a hook declines", declines, "a", nil, "not today"},
		{"a hook declines a new file", declines, "new/file", nil, "not today"},
		{"a hook rewrites a file and declines", func(r *gittest.Repo) {
			hook(t, r, "pre-commit", "echo theirs > a; git add a; echo not today >&2; exit 1")
		}, "a", nil, "not today"},
		{"a hook declines the message", func(r *gittest.Repo) { hook(t, r, "commit-msg", "echo too short; exit 1") }, "new/file", nil, "too short"},
		{"signing fails", func(r *gittest.Repo) {
			r.Git("config", "gpg.program", "false")
			r.Git("config", "commit.gpgsign", "true")
		}, "new", nil, "sign"},
		{"another git holds the index", func(r *gittest.Repo) { os.WriteFile(filepath.Join(r.Dir, ".git", "index.lock"), nil, 0o666) }, "a", nil, "index.lock"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n", "same": "new\n"})
			c := find(t, r)
			tt.prepare(r)
			before := state(t, r)
			_, err := c.Commit(t.Context(), edit(tt.path, "new\n"))
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want %v with %q", err, tt.is, tt.words)
			}
			if d := cmp.Diff(before, state(t, r)); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
		})
	}
}

func chmod(t *testing.T, r *gittest.Repo, name string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(filepath.Join(r.Dir, name), mode); err != nil {
		t.Fatal(err)
	}
}

func TestCommitDeclinedBeforeTheFirstCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	c := find(t, r)
	hook(t, r, "pre-commit", "echo not today >&2; exit 1")
	before := state(t, r)
	_, err := c.Commit(t.Context(), edit("infra.yaml", "version: 1\n", "grants/a.yaml", "a\n"))
	if err == nil || err.Error() != "git commit: not today" {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}

func TestCommitOnUnbornAndDetachedHead(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	c := find(t, r)
	first, err := c.Commit(t.Context(), edit("infra.yaml", "version: 1\n"))
	if err != nil || len(first.Parents) != 0 {
		t.Fatalf("unborn: %+v, %v", first, err)
	}
	r.Git("checkout", "--quiet", "--detach")
	second, err := c.Commit(t.Context(), edit("infra.yaml", "version: 2\n"))
	if err != nil || len(second.Parents) != 1 {
		t.Errorf("detached: %+v, %v", second, err)
	}
}

func TestAFileCalledHeadIsNoCommit(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	want := r.Commit(map[string]string{"HEAD": "a file\n"})
	if h, err := find(t, r).Head(t.Context()); err != nil || h.Commit.Hash != want {
		t.Errorf("head %+v, %v, want commit %s", h, err, want)
	}
}

func TestCancelledCommitLeavesNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	c := find(t, r)
	before := state(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Commit(ctx, edit("a", "2\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}

func TestFindCheckoutTellsWhereThereIsNone(t *testing.T) {
	t.Parallel()
	if _, err := repo.FindCheckout(t.Context(), gittest.Folder(t)); !errors.Is(err, repo.ErrNotRepository) {
		t.Errorf("error %v", err)
	}
	c, err := repo.Init(t.Context(), filepath.Join(gittest.Folder(t), "new"))
	if err != nil {
		t.Fatal(err)
	}
	if h, err := c.Head(t.Context()); err != nil || h.Branch != "main" || h.Commit.Hash != "" {
		t.Errorf("head %+v, %v", h, err)
	}
}

// held is a hook that tells in a folder that it runs, and holds git up until git
// is gone.
func held(folder string) string {
	return "echo > " + filepath.Join(folder, "started") + "; exec >/dev/null 2>&1; while kill -0 $PPID; do sleep 0.05; done"
}

// cancelled is a context that ends once something happens in the folder.
func cancelled(t *testing.T, folder string) context.Context {
	t.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(folder); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-w.Events
		cancel()
	}()
	t.Cleanup(func() {
		w.Close()
		<-done
	})
	return ctx
}

func TestCommitCancelledInAHookLeavesNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	c := find(t, r)
	folder := gittest.Folder(t)
	hook(t, r, "pre-commit", held(folder))
	before := state(t, r)
	if _, err := c.Commit(cancelled(t, folder), edit("a", "2\n", "new/x", "x\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}

func TestCommitCancelledAfterTheBranchMovedIsWhole(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, message, want string }{
		{"as it is", ":", "edit\n"},
		{"with a message that a hook changes", "echo 'Change-Id: I1' >> $1", "edit\nChange-Id: I1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n", "gone": "1\n"})
			c := find(t, r)
			folder := gittest.Folder(t)
			hook(t, r, "commit-msg", tt.message)
			hook(t, r, "reference-transaction", `[ "$1" = committed ] || exit 0; `+held(folder))
			change := edit("a", "2\n", "new/x", "x\n")
			change.Files["gone"] = nil
			made, err := c.Commit(cancelled(t, folder), change)
			if err != nil {
				t.Fatal(err)
			}
			if made.Hash != r.Head() || made.Message != tt.want {
				t.Errorf("commit %+v, HEAD %s", made, r.Head())
			}
			if got := r.Git("show", "HEAD:a"); got != "2" {
				t.Errorf("committed %q", got)
			}
			clean(t, r)
		})
	}
}

func TestLineEndingsAreGits(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Git("config", "core.autocrlf", "true")
	r.Commit(map[string]string{"a": "1\r\n2\r\n"})
	c := find(t, r)
	if _, err := c.Commit(t.Context(), edit("a", "1\r\n3\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := r.Git("cat-file", "blob", "HEAD:a"); got != "1\n3" {
		t.Errorf("committed %q", got)
	}
	if got := r.Read("a"); got != "1\r\n3\r\n" {
		t.Errorf("work tree %q", got)
	}
}
