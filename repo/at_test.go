package repo_test

import (
	"errors"
	"testing"
	"time"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestAt(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commits(1)
	r.Git("checkout", "-q", "-b", "side")
	r.Commits(1)
	r.Git("checkout", "-q", "main")
	merge := r.Merge("side")
	last := r.Commits(1)
	src, err := repo.Open(r.Dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := src.Fetch(t.Context(), "main", "")
	if err != nil {
		t.Fatal(err)
	}
	when := func(hash string) time.Time {
		c, err := h.Commit(hash)
		if err != nil {
			t.Fatal(err)
		}
		return c.Committer.When
	}
	for _, tt := range []struct {
		name string
		at   time.Time
		want string
	}{
		{"at the very second", when(first), first},
		{"a commit beside the line is none", when(merge).Add(-time.Second), first},
		{"a merge", when(merge), merge},
		{"between two", when(last).Add(-time.Second), merge},
		{"later than all", when(last).AddDate(1, 0, 0), last},
	} {
		if c, err := h.At(last, tt.at); err != nil || c.Hash != tt.want {
			t.Errorf("%s: %s and error %v, want %s", tt.name, c.Hash, err, tt.want)
		}
	}
	if _, err := h.At(last, when(first).Add(-time.Second)); !errors.Is(err, repo.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
}
