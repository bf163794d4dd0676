package repo_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestWriteChangesTheWorkTreeAlone(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n", "run.sh": "1\n", "folder/gone": "1\n", "staged": "1\n"})
	chmod(t, r, "run.sh", 0o755)
	r.Commit(nil)
	c := find(t, r)
	r.Write(map[string]string{"staged": "2\n"})
	r.Git("add", "staged")
	want := state(t, r)
	change := edit("a", "2\n", "run.sh", "2\n", "grants/new.yaml", "n\n")
	change.Files["folder/gone"] = nil
	if err := c.Write(t.Context(), change); err != nil {
		t.Fatal(err)
	}

	want["a"] = `-rw-r--r-- "2\n"`
	want["run.sh"] = `-rwxr-xr-x "2\n"`
	want["grants"], want["grants/new.yaml"] = "d---------", `-rw-r--r-- "n\n"`
	delete(want, "folder")
	delete(want, "folder/gone")
	if d := cmp.Diff(want, state(t, r)); d != "" {
		t.Errorf("after the edit (-want +got):\n%s", d)
	}
}

func TestWriteRefusesAndChangesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		prepare func(r *gittest.Repo)
		path    string
		is      error
	}{
		{"a file is changed", func(r *gittest.Repo) { r.Write(map[string]string{"a": "mine"}) }, "a", repo.ErrDirty},
		{"a file is staged", func(r *gittest.Repo) { r.Write(map[string]string{"a": "mine"}); r.Git("add", "a") }, "a", repo.ErrDirty},
		{"a file is not tracked", func(r *gittest.Repo) { r.Write(map[string]string{"b": "mine"}) }, "b", repo.ErrDirty},
		{"a file was deleted", func(r *gittest.Repo) { os.Remove(filepath.Join(r.Dir, "a")) }, "a", repo.ErrDirty},
		{"a merge is in progress", func(r *gittest.Repo) {
			r.Branch("x")
			r.Commit(map[string]string{"x": ""})
			r.Checkout("main")
			r.Git("merge", "--no-ff", "--no-commit", "x")
		}, "a", repo.ErrInProgress},
		{"a file is a link", func(r *gittest.Repo) { os.Symlink("same", filepath.Join(r.Dir, "link")) }, "link", repo.ErrPath},
		{"the path leaves the repository", func(*gittest.Repo) {}, "../x", repo.ErrPath},
		{"nothing would change", func(*gittest.Repo) {}, "same", repo.ErrUnchanged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n", "same": "new\n"})
			c := find(t, r)
			tt.prepare(r)
			before := state(t, r)
			if err := c.Write(t.Context(), edit(tt.path, "new\n")); !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %v", err, tt.is)
			}
			if d := cmp.Diff(before, state(t, r)); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
		})
	}
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n", "folder/gone": "1\n"})
	chmod(t, r, "a", 0o755)
	r.Commit(nil)
	c := find(t, r)
	before := state(t, r)
	info, err := os.Stat(filepath.Join(r.Dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	// The last file cannot be written: its folder was made a file before.
	change := edit("a", "2\n", "grants/b/new", "n\n", "x", "n\n", "x/y", "n\n")
	change.Files["folder/gone"] = nil
	err = c.Write(t.Context(), change)
	if err == nil || !strings.Contains(err.Error(), "writing x/y: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
	if now, err := os.Stat(filepath.Join(r.Dir, "a")); err != nil || !now.ModTime().Equal(info.ModTime()) {
		t.Errorf("a was changed at %v, before it was %v; %v", now.ModTime(), info.ModTime(), err)
	}
}
