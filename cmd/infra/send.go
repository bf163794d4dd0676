package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// send is edit for a change that is to arrive: it is made on the tip of a branch of
// the remote and pushed, whatever the work tree looks like. Where somebody else was
// quicker, it is proposed and judged anew on the new tip.
func (a *app) send(ctx context.Context, c *clone, f editFlags, propose func(fs.FS, *schema.Snapshot) (proposal, error)) (outcome, error) {
	o, err := sendTo(ctx, c, f)
	if err != nil {
		return 0, err
	}
	o.Busy = func(what string) func() { return a.busy("%s", what) }
	c.checkout.Stderr = a.listener()
	var p proposal
	pushed, err := c.checkout.Push(ctx, o, func(tip *repo.History) (repo.Change, error) {
		at, err := c.standingAt(tip, o.Branch)
		if err != nil {
			return repo.Change{}, err
		}
		before, err := a.loadFor(f, at.tree, at.cache)
		if err != nil {
			return repo.Change{}, fmt.Errorf("%s of %s: %w", o.Branch, o.Remote, err)
		}
		if p, err = proposed(propose(at.tree, before.Snapshot)); err != nil {
			return repo.Change{}, err
		}
		if len(p.edit.Files) == 0 {
			return repo.Change{}, repo.ErrUnchanged
		}
		if p, _, err = a.judge(ctx, at, f, before, p); err != nil {
			return repo.Change{}, err
		}
		return placed(at, p, f), nil
	})
	switch {
	case errors.Is(err, repo.ErrUnchanged):
		a.say("%s: nothing to do on %s of %s", p.said, o.Branch, o.Remote)
		return nothingToDo, nil
	case err != nil:
		return 0, unsent(err, o)
	case o.NewBranch != "":
		a.say("%s, once branch %s of %s is merged (commit %.10s)", p.said, o.NewBranch, o.Remote, pushed.Commit.Hash)
		a.advise("open a pull request for %s", o.NewBranch)
		return done, nil
	}
	a.say("%s, as of commit %.10s, pushed to %s of %s", p.said, pushed.Commit.Hash, o.Branch, o.Remote)
	if pushed.Behind && c.checkout.UsesGit() {
		a.advise("git pull, as this checkout has work of yours and was left alone")
	} else if pushed.Behind {
		a.say("this checkout has work of yours, or cannot follow without git, and was left alone")
	}
	return done, nil
}

var errNoRemote = errors.New("there is no remote to push to")

// sendTo finds out where an edit goes: to the upstream of the branch that is
// checked out, or, on a new branch or where it is urgent, to the branch that
// changes are meant for.
func sendTo(ctx context.Context, c *clone, f editFlags) (repo.PushOptions, error) {
	up, err := c.checkout.Upstream(ctx)
	if err != nil {
		return repo.PushOptions{}, err
	}
	o := repo.PushOptions{Remote: up.Remote, Branch: up.Branch, NewBranch: f.branch, Folder: c.prefix}
	if f.branch != "" || f.urgent {
		m, err := c.checkout.Mainline(ctx)
		if err != nil {
			return o, err
		}
		there := f.branch == "" && up.Remote != "" && up.Branch == m.Branch
		if remote, ok := strings.CutSuffix(m.Name, "/"+m.Branch); ok && m.Name != "" && !there {
			o.Remote, o.Branch = remote, m.Branch
		}
	}
	switch {
	case o.Remote == "" && up.Several:
		return o, hint(errors.New("there are several remotes, none of them called origin, and the branch goes with none"), "git branch --set-upstream-to REMOTE/BRANCH")
	case o.Remote == "":
		return o, hint(errNoRemote, "git remote add origin URL, or --no-push to commit it here")
	case o.Branch == "":
		return o, hint(errors.New("no branch is checked out, so none is known to push to"), "git checkout main, or --no-push to commit it here")
	}
	return o, nil
}

// standingAt is the clone as if the tip of a branch were checked out, cleanly.
func (c *clone) standingAt(tip *repo.History, branch string) (*clone, error) {
	at := *c
	at.history, at.head = tip, repo.Head{Branch: branch, Commit: tip.Tip()}
	var err error
	at.tree, err = at.files(tip.Tip())
	return &at, err
}

// unsent gives an error of a push its remedy.
func unsent(err error, o repo.PushOptions) error {
	switch {
	case errors.Is(err, repo.ErrRefused) && o.NewBranch == "":
		return hint(err, "if %s takes pull requests only: --branch NAME pushes the edit to a new branch", o.Branch)
	case errors.Is(err, repo.ErrExists):
		return hint(err, "take another name for --branch")
	case errors.Is(err, repo.ErrUnknownOutcome):
		return hint(err, "git fetch %s when it answers again, and look for the commit there", o.Remote)
	case errors.Is(err, repo.ErrNotFound) && remedy(err) == "":
		return hint(err, "git push -u %s %s makes it", o.Remote, shell(o.Branch))
	}
	return err
}
