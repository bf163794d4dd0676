package repo_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestMainline(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commits(1)
	mainline := func() repo.Mainline {
		t.Helper()
		c, err := repo.FindCheckout(t.Context(), r.Dir)
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Mainline(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, tt := range []struct {
		name string
		do   []string
		want repo.Mainline
	}{
		{"no remote", []string{"status"}, repo.Mainline{Name: "main", Ref: "refs/heads/main", Branch: "main"}},
		{"a local branch of any name beside it", []string{"checkout", "-q", "-b", "topic"}, repo.Mainline{Name: "main", Ref: "refs/heads/main", Branch: "main"}},
		{"a remote that is not called origin", []string{"update-ref", "refs/remotes/company/master", first}, repo.Mainline{Name: "company/master", Ref: "refs/remotes/company/master", Branch: "master"}},
		{"origin wins", []string{"update-ref", "refs/remotes/origin/main", first}, repo.Mainline{Name: "origin/main", Ref: "refs/remotes/origin/main", Branch: "main"}},
		{"a default branch that does not exist", []string{"symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/access/live"}, repo.Mainline{Name: "origin/main", Ref: "refs/remotes/origin/main", Branch: "main"}},
		{"the remote says which", []string{"update-ref", "refs/remotes/origin/access/live", first}, repo.Mainline{Name: "origin/access/live", Ref: "refs/remotes/origin/access/live", Branch: "access/live"}},
	} {
		r.Git(tt.do...)
		if got := mainline(); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestMainlineOfARepositoryWithoutCommits(t *testing.T) {
	t.Parallel()
	c, err := repo.Init(t.Context(), filepath.Join(gittest.Folder(t), "new"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.Mainline(t.Context()); err != nil || m != (repo.Mainline{}) {
		t.Errorf("%+v and error %v", m, err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commits(1)
	r.Git("tag", "v1")
	r.Branch("topic")
	r.Commits(1)
	c, err := repo.FindCheckout(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	names, err := c.Names(t.Context())
	if err != nil || len(names) != 3 || names[0] != "topic" || !slices.Contains(names, "v1") || !slices.Contains(names, "main") {
		t.Errorf("%q and error %v", names, err)
	}
}
