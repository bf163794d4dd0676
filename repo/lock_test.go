package repo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestLockHoldsOthersOff(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	unlock, err := find(t, r).Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := find(t, r).Lock(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a second one, given up: %v", err)
	}
	late, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	if _, err := find(t, r).Commit(late, edit("a", "2\n")); !errors.Is(err, repo.ErrLocked) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one, too late: %v", err)
	}
	got := make(chan error)
	go func() {
		_, err := find(t, r).Commit(t.Context(), edit("a", "2\n"))
		got <- err
	}()
	unlock()
	unlock() // as deferred ones do
	if err := <-got; err != nil {
		t.Errorf("a second one, after the first: %v", err)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, ".git", "infra.lock")); err == nil {
		t.Error("the lock's file was left")
	}
}

func TestCommitIsRefusedWhereTheBranchMoved(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	change := edit("a", "1\nmine\n")
	change.Base = r.Commit(map[string]string{"a": "1\n"})
	c := find(t, r)
	r.Commit(map[string]string{"a": "1\ntheirs\n"})
	before := state(t, r)
	if _, err := c.Commit(t.Context(), change); !errors.Is(err, repo.ErrMoved) {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}

// What a process left that was killed is taken back by the next, unless it is the
// user's by now.
func TestLockTakesBackWhatWasHalfDone(t *testing.T) {
	t.Parallel()
	const journal = `[{"Path":"a","Existed":true,"Perm":420,"ModTime":"2026-01-02T03:04:05Z","Old":"MQo=","New":"Mgo="},` + // 1, 2
		`{"Path":"new/b","Existed":false,"New":"Ygo="},` + // b
		`{"Path":"gone","Existed":true,"Perm":420,"ModTime":"2026-01-02T03:04:05Z","Old":"Zwo="}]` // g
	for _, tt := range []struct {
		name string
		left func(r *gittest.Repo)
		want map[string]string // to the content; "": no file
	}{
		{"before the first file", func(*gittest.Repo) {}, map[string]string{"a": "1\n", "new/b": "", "gone": "g\n"}},
		{"between two files", func(r *gittest.Repo) {
			r.Write(map[string]string{"a": "2\n", ".infra-ABCDEFGHIJKLMNOPQRSTUVWXYZ": "half"})
		}, map[string]string{"a": "1\n", "new/b": "", "gone": "g\n"}},
		{"before the commit", func(r *gittest.Repo) {
			r.Write(map[string]string{"a": "2\n", "new/b": "b\n"})
			os.Remove(filepath.Join(r.Dir, "gone"))
			r.Git("add", "-N", "new/b")
		}, map[string]string{"a": "1\n", "new/b": "", "gone": "g\n"}},
		{"after the commit", func(r *gittest.Repo) {
			r.Write(map[string]string{"a": "2\n", "new/b": "b\n"})
			os.Remove(filepath.Join(r.Dir, "gone"))
			r.Commit(nil)
			r.Git("read-tree", "HEAD~1") // git was killed before it wrote the index
		}, map[string]string{"a": "2\n", "new/b": "b\n", "gone": ""}},
		{"and the user went on", func(r *gittest.Repo) {
			r.Write(map[string]string{"a": "mine\n", "new/b": "b\n"})
			r.Git("add", "-N", "new/b")
		}, map[string]string{"a": "mine\n", "new/b": "", "gone": "g\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n", "gone": "g\n", "staged": "1\n"})
			tt.left(r)
			r.Write(map[string]string{"staged": "2\n", ".git/infra-undo.json": journal})
			r.Git("add", "staged")
			unlock, err := find(t, r).Lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			unlock()
			for name, want := range tt.want {
				got, err := os.ReadFile(filepath.Join(r.Dir, name))
				if string(got) != want || (err == nil) != (want != "") {
					t.Errorf("%s is %q, %v, want %q", name, got, err, want)
				}
			}
			status := "M  staged"
			if tt.want["a"] == "mine\n" {
				status = "M a\n" + status // as Git trims it
			}
			if got := r.Git("status", "--porcelain", "--untracked-files=all"); got != status {
				t.Errorf("status %q, want %q", got, status)
			}
			if _, err := os.Stat(filepath.Join(r.Dir, ".git", "infra-undo.json")); err == nil {
				t.Error("the journal is there still")
			}
		})
	}
}

func TestAJournalThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	r.Write(map[string]string{".git/infra-undo.json": "nonsense"})
	if _, err := find(t, r).Lock(t.Context()); err == nil {
		t.Error("it was passed over")
	}
	if _, err := os.Stat(filepath.Join(r.Dir, ".git", "infra.lock")); err == nil {
		t.Error("the lock's file was left")
	}
}
