package repo_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func hashes(p repo.Path) []string {
	var all []string
	for _, c := range p.Commits {
		all = append(all, c.Hash)
	}
	return all
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
