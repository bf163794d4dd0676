package repo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func find(t *testing.T, r *gittest.Repo) *repo.Checkout {
	t.Helper()
	r.Git("config", "user.name", "Ada")
	r.Git("config", "user.email", "ada@example.com")
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

// state is everything of the user's that an edit must leave alone.
func state(t *testing.T, r *gittest.Repo) map[string]string {
	t.Helper()
	s := map[string]string{
		"HEAD":   func() string { h, _ := r.Try("rev-parse", "--verify", "-q", "HEAD"); return h }(),
		"status": r.Git("status", "--porcelain", "-z", "--untracked-files=all"),
		"index":  r.Git("ls-files", "--stage", "-v", "-z"),
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			s["file "+e.Name()] = r.Read(e.Name())
		}
	}
	return s
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
	hook := func(r *gittest.Repo) {
		path := filepath.Join(r.Dir, ".git", "hooks", "pre-commit")
		os.MkdirAll(filepath.Dir(path), 0o777)
		os.WriteFile(path, []byte("#!/bin/sh\necho not today >&2\nexit 1\n"), 0o777)
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
		{"the folder is a link out of the repository", func(r *gittest.Repo) { os.Symlink("/tmp", filepath.Join(r.Dir, "out")) }, "out/x", repo.ErrPath, "symbolic link"},
		{"the path leaves the repository", func(*gittest.Repo) {}, "../x", repo.ErrPath, ""},
		{"the path is git's own", func(*gittest.Repo) {}, ".git/config", repo.ErrPath, ""},
		{"nothing would change", func(*gittest.Repo) {}, "same", repo.ErrUnchanged, ""},
		{"a hook declines", hook, "a", nil, "not today"},
		{"a hook declines a new file", hook, "new/file", nil, "not today"},
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

func TestCommitCancelledInAHookLeavesNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	c := find(t, r)
	started := filepath.Join(gittest.Folder(t), "started")
	if err := os.WriteFile(filepath.Join(r.Dir, ".git", "hooks", "pre-commit"),
		[]byte("#!/bin/sh\necho > "+started+"\nexec sleep 3\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	before := state(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(started); err == nil {
				cancel()
			}
		}
	}()
	if _, err := c.Commit(ctx, edit("a", "2\n", "new/x", "x\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	cancel()
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
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
