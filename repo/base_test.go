package repo_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestMergeBase(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	a := r.Commit(map[string]string{"a": ""})
	b := r.Commit(map[string]string{"b": ""})
	r.Branch("side")
	side := r.Commit(map[string]string{"side": ""})
	r.Checkout("main")
	c := r.Commit(map[string]string{"c": ""})
	merged := r.Merge("side")
	r.Checkout("side")
	later := r.Commit(map[string]string{"later": ""})
	crossed := r.Git("commit-tree", "-m", "crossed", "-p", side, "-p", c, "HEAD^{tree}")
	foreign := r.Git("commit-tree", "-m", "unrelated", "HEAD^{tree}")
	r.Git("update-ref", "refs/heads/crossed", crossed)
	unknown := strings.Repeat("1", 40)

	tests := []struct {
		name string
		x, y string
		want string
		err  error
	}{
		{"the same commit", b, b, b, nil},
		{"an ancestor", a, merged, a, nil},
		{"an ancestor by a merge", side, merged, side, nil},
		{"two branches", side, c, b, nil},
		{"a branch that went on after it was merged", later, merged, side, nil},
		{"nothing in common", a, foreign, "", repo.ErrUnrelated},
		{"a commit that nobody knows", a, unknown, "", repo.ErrNotFound},
	}
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, pair := range [][2]string{{tt.x, tt.y}, {tt.y, tt.x}} {
				got, err := h.MergeBase(pair[0], pair[1])
				if got.Hash != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
					t.Errorf("%s and error %v, want %s and %v", got.Hash, err, tt.want, tt.err)
				}
			}
		})
	}
	// Merged into each other: git names both, side and c, and either will do.
	got, err := h.MergeBase(merged, crossed)
	if all := strings.Fields(r.Git("merge-base", "--all", merged, crossed)); err != nil || len(all) != 2 || !strings.Contains(strings.Join(all, " "), got.Hash) {
		t.Errorf("crossed: %s and error %v, want one of %s", got.Hash, err, all)
	}
}

func TestMergeBaseOfAShallowCloneSaysThatItCannotTell(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commits(1)
	r.Branch("side")
	r.Commits(3)
	r.Checkout("main")
	r.Commits(3)
	clone := filepath.Join(gittest.Folder(t), "clone")
	r.Git("clone", "--quiet", "--depth=2", "--no-single-branch", "file://"+r.Dir, clone)
	h := fetch(t, open(t, clone, repo.Options{}), "")
	side, err := h.Resolve("origin/side")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.MergeBase(h.Tip().Hash, side.Hash); !errors.Is(err, repo.ErrShallow) {
		t.Errorf("two branches: %v", err)
	}
	parent, err := h.Resolve("HEAD~1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.MergeBase(h.Tip().Hash, parent.Hash); err != nil || got.Hash != parent.Hash {
		t.Errorf("what the clone does hold: %s and error %v", got.Hash, err)
	}
}
