package repo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestWhereABranchIsPushedTo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		configure func(r *gittest.Repo)
		want      repo.Upstream
	}{
		{"where it comes from", func(*gittest.Repo) {}, repo.Upstream{Local: "main", Remote: "origin", Branch: "main"}},
		{"to a fork, by default", func(r *gittest.Repo) { r.Git("config", "remote.pushDefault", "fork") },
			repo.Upstream{Local: "main", Remote: "origin", Branch: "main", PushRemote: "fork"}},
		{"to a fork, of this branch", func(r *gittest.Repo) {
			r.Git("config", "remote.pushDefault", "origin")
			r.Git("config", "branch.main.pushRemote", "fork")
		}, repo.Upstream{Local: "main", Remote: "origin", Branch: "main", PushRemote: "fork"}},
		{"to a fork, and this branch is not", func(r *gittest.Repo) {
			r.Git("config", "remote.pushDefault", "fork")
			r.Git("config", "branch.main.pushRemote", "origin")
		}, repo.Upstream{Local: "main", Remote: "origin", Branch: "main"}},
		{"a detached head", func(r *gittest.Repo) {
			r.Git("config", "remote.pushDefault", "fork")
			r.Checkout("HEAD~0")
		}, repo.Upstream{Remote: "origin", PushRemote: "fork"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := remote(t)
			clone.Git("remote", "add", "fork", origin.Bare())
			tt.configure(clone)
			if got, err := find(t, clone).Upstream(t.Context()); err != nil || got != tt.want {
				t.Errorf("%+v, want %+v: %v", got, tt.want, err)
			}
		})
	}
}

func TestANewBranchInAForkIsMadeOnWhatItWasForkedFrom(t *testing.T) {
	t.Parallel()
	origin, clone := remote(t)
	fork := origin.Bare()
	for name, configure := range map[string]func(o *repo.PushOptions){
		"another remote":    func(o *repo.PushOptions) { clone.Git("remote", "add", "fork", fork); o.PushRemote = "fork" },
		"an address":        func(o *repo.PushOptions) { o.PushRemote = "file://" + fork },
		"pushurl":           func(*repo.PushOptions) { clone.Git("config", "remote.origin.pushurl", fork) },
		"url.pushInsteadOf": func(*repo.PushOptions) { clone.Git("config", "url."+fork+".pushInsteadOf", origin.Dir) },
	} {
		clone.Try("config", "--unset", "remote.origin.pushurl")
		o := repo.PushOptions{Remote: "origin", Branch: "main", NewBranch: "infra/" + strings.ReplaceAll(name, " ", "-")}
		configure(&o)
		tip := origin.Commit(map[string]string{"other": name}) // of which the fork knows nothing
		pushed, err := find(t, clone).Push(t.Context(), o, line("mine"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		in := &gittest.Repo{Dir: fork}
		if got, _ := in.Try("rev-parse", o.NewBranch+"~1"); got != tip {
			t.Errorf("%s: the branch begins at %s, want %s", name, got, tip)
		}
		if out, err := origin.Try("rev-parse", "--verify", "--quiet", o.NewBranch); err == nil {
			t.Errorf("%s: the branch is where nobody may push to: %s", name, out)
		}
		if _, err := find(t, clone).Push(t.Context(), o, line("more")); !errors.Is(err, repo.ErrExists) {
			t.Errorf("%s: once more: error %v", name, err)
		}
		if got, _ := in.Try("rev-parse", o.NewBranch); got != pushed.Commit.Hash {
			t.Errorf("%s: the branch moved to %s", name, got)
		}
	}
	tidy(t, clone)
}

func TestBranchesThatLookLikeOptionsAreNotPushedTo(t *testing.T) {
	t.Parallel()
	_, clone := remote(t)
	for _, branch := range []string{"--upload-pack=x", "-f", "a b", "a..b", "x.lock", "refs/../main"} {
		for _, o := range []repo.PushOptions{{Remote: "origin", Branch: branch}, {Remote: "origin", Branch: "main", NewBranch: branch}} {
			if _, err := find(t, clone).Push(t.Context(), o, line("mine")); err == nil || !strings.Contains(err.Error(), branch) {
				t.Errorf("%+v: error %v", o, err)
			}
		}
	}
	o := repo.PushOptions{Remote: "--upload-pack=x", Branch: "main"}
	if _, err := find(t, clone).Push(t.Context(), o, line("mine")); err == nil {
		t.Error("a remote that looks like an option was pushed to")
	}
}
