package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A delivery is where an edit goes.
type delivery struct {
	repo.PushOptions
	from string // what people call the remote on whose tip the edit is made
}

// to is the remote that is pushed to.
func (d delivery) to() string { return cmp.Or(d.PushRemote, d.Remote) }

// toName is what people call it.
func (d delivery) toName() string { return cmp.Or(d.PushRemote, d.from) }

// send is edit for a change that is to arrive: it is made on the tip of a branch of
// the remote and pushed, whatever the work tree looks like. Where somebody else was
// quicker, it is proposed and judged anew on the new tip.
func (a *app) send(ctx context.Context, c *clone, f editFlags, propose func(fs.FS, *schema.Snapshot) (proposal, error)) (outcome, error) {
	d, err := a.deliveryOf(ctx, c, f)
	if err != nil {
		return 0, err
	}
	var how pull
	if f.proposes() {
		if how, err = pullOf(ctx, c.checkout, d, f); err != nil {
			return 0, unsent(err, d)
		}
	}
	c.checkout.Stderr = a.listener()
	e := errand{app: a, clone: c, flags: f, propose: propose, delivery: d}
	pushed, err := e.push(ctx)
	d = e.delivery
	switch {
	case errors.Is(err, repo.ErrUnchanged):
		a.say("%s: nothing to do on %s of %s", e.proposal.said, d.Branch, d.from)
		return nothingToDo, nil
	case err != nil:
		return 0, unsent(err, d)
	case d.NewBranch == "":
		a.say("%s, as of commit %.10s, pushed to %s of %s", e.proposal.said, pushed.Commit.Hash, d.Branch, d.from)
		a.sayBehind(c, pushed)
		return done, nil
	}
	a.say("%s, once branch %s of %s is merged (commit %.10s)", e.proposal.said, d.NewBranch, d.toName(), pushed.Commit.Hash)
	switch {
	case f.proposes():
	case e.mode != schema.ChangePullRequest:
		a.advise("open a pull request for %s", d.NewBranch)
		return done, nil
	default:
		if how, err = pullOf(ctx, c.checkout, d, f); err != nil {
			return done, err
		}
	}
	return done, a.openPull(ctx, c.checkout, d, f, how, pushed.Commit)
}

// sayBehind tells of a checkout that did not follow its branch.
func (a *app) sayBehind(c *clone, pushed repo.Pushed) {
	switch {
	case !pushed.Behind:
	case c.checkout.UsesGit():
		a.advise("git pull, as this checkout has work of yours and was left alone")
	default:
		a.say("this checkout has work of yours, or cannot follow without git, and was left alone")
	}
}

// An errand is one edit on its way to a remote.
type errand struct {
	app      *app
	clone    *clone
	flags    editFlags
	propose  func(fs.FS, *schema.Snapshot) (proposal, error)
	delivery delivery

	// As of the tip on which the edit was made last.
	proposal proposal
	mode     schema.ChangeMode
}

// errUnnamed ends a push whose branch is yet to be called after the edit.
var errUnnamed = errors.New("the branch has no name yet")

// push pushes the edit. A branch that nobody has named gets the name of the edit, or
// the next that is not taken.
func (e *errand) push(ctx context.Context) (repo.Pushed, error) {
	const most = 20
	for try := 1; ; try++ {
		pushed, err := e.clone.checkout.Push(ctx, e.delivery.PushOptions, func(tip *repo.History) (repo.Change, error) { return e.edit(ctx, tip) })
		switch {
		case errors.Is(err, errUnnamed):
			try = 0
		case errors.Is(err, repo.ErrExists) && e.flags.branch == "" && try < most:
			e.app.say("branch %s of %s is there already, perhaps with the same edit: this one gets another name", e.delivery.NewBranch, e.delivery.toName())
		default:
			return pushed, err
		}
		e.delivery.NewBranch = branchName(e.proposal.subject, try+1)
	}
}

// edit makes the edit on a tip of the branch that gets it.
func (e *errand) edit(ctx context.Context, tip *repo.History) (repo.Change, error) {
	at, err := e.clone.standingAt(tip, e.delivery.Branch)
	if err != nil {
		return repo.Change{}, err
	}
	before, err := e.app.loadFor(e.flags, at.tree, at.cache)
	if err != nil {
		return repo.Change{}, fmt.Errorf("%s of %s: %w", e.delivery.Branch, e.delivery.from, err)
	}
	e.mode = before.Snapshot.Settings.Changes
	if e.proposal, err = proposed(e.propose(at.tree, before.Snapshot)); err != nil {
		return repo.Change{}, err
	}
	if len(e.proposal.edit.Files) == 0 {
		return repo.Change{}, repo.ErrUnchanged
	}
	if e.flags.proposes() && e.delivery.NewBranch == "" {
		return repo.Change{}, errUnnamed
	}
	if e.proposal, _, err = e.app.judge(ctx, at, e.flags, before, e.proposal); err != nil {
		return repo.Change{}, err
	}
	return placed(at, e.proposal, e.flags), nil
}

// errNoRemote is for an edit that has nowhere to go.
var errNoRemote = errors.New("there is no remote to push to")

// deliveryOf finds out where an edit goes: to the upstream of the branch that is
// checked out, or, on a new branch or where it is urgent, to the branch that changes
// are meant for. A new branch can be one of a fork that the user pushes to.
func (a *app) deliveryOf(ctx context.Context, c *clone, f editFlags) (delivery, error) {
	up, err := c.checkout.Upstream(ctx)
	d := delivery{PushOptions: repo.PushOptions{Remote: up.Remote, Branch: up.Branch, NewBranch: f.branch, Folder: c.prefix, Timeout: a.timeout}}
	d.Busy = func(what string) func() { return a.busy("%s", what) }
	switch {
	case err != nil:
	case f.branch != "" || f.proposes():
		d.PushRemote = up.PushRemote
		if a.hosted == nil {
			err = d.meantFor(ctx, c.checkout)
		}
	case f.urgent: // also past a fork: it is to be where the server reads
		err = d.mainline(ctx, c.checkout)
	case up.PushRemote != "" && up.Remote != "":
		err = hint(fmt.Errorf("this checkout pushes to %s and not to %s, so the edit would not arrive", up.PushRemote, up.Remote),
			"--pr pushes it to a new branch of %s, for a pull request", up.PushRemote)
	}
	if d.from = d.Remote; a.hosted != nil {
		d.from = a.hosted.address.URL
	}
	switch {
	case err != nil:
		return d, err
	case d.Remote == "" && up.Several:
		return d, hint(errors.New("there are several remotes, none of them called origin, and the branch goes with none"), "git branch --set-upstream-to REMOTE/BRANCH")
	case d.Remote == "":
		return d, hint(errNoRemote, "git remote add origin URL, or --no-push to commit it here")
	case d.Branch == "":
		return d, hint(errors.New("no branch is checked out, so none is known to push to"), "git checkout main, or --no-push to commit it here")
	}
	return d, nil
}

// mainline makes the edit on the branch that changes are meant for, of the same
// remote if the branch that is checked out goes with one of that name.
func (d *delivery) mainline(ctx context.Context, c *repo.Checkout) error {
	m, err := c.Mainline(ctx)
	if err != nil || d.Remote != "" && d.Branch == m.Branch {
		return err
	}
	if remote, ok := strings.CutSuffix(m.Name, "/"+m.Branch); ok && m.Name != "" {
		d.Remote, d.Branch = remote, m.Branch
	}
	return nil
}

// forkedFrom is the remote that a fork goes with where origin is the fork, as those
// who make forks call it, and the programs that do it for them.
const forkedFrom = "upstream"

// meantFor makes the edit on the branch that changes are meant for.
func (d *delivery) meantFor(ctx context.Context, c *repo.Checkout) error {
	m, err := c.Mainline(ctx)
	if err != nil {
		return err
	}
	remote, ok := strings.CutSuffix(m.Name, "/"+m.Branch)
	if !ok || m.Name == "" {
		return nil
	}
	push := cmp.Or(d.PushRemote, d.Remote)
	if d.Remote, d.Branch = remote, m.Branch; push == remote {
		d.PushRemote = ""
	}
	if d.PushRemote != "" || remote != "origin" {
		return nil
	}
	remotes, err := c.Remotes(ctx)
	if err == nil && slices.Contains(remotes, forkedFrom) {
		d.Remote, d.PushRemote = forkedFrom, remote
	}
	return err
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
func unsent(err error, d delivery) error {
	switch {
	case errors.Is(err, repo.ErrRefused) && d.NewBranch == "":
		return hint(err, "if %s takes pull requests only: --pr pushes the edit to a new branch, and gives the address to open", d.Branch)
	case errors.Is(err, repo.ErrRefused):
		return hint(err, "where you may push nothing to %s: git config remote.pushDefault FORK, and --pr pushes there", d.toName())
	case errors.Is(err, repo.ErrExists):
		return hint(err, "take another name for --branch")
	case errors.Is(err, repo.ErrNoRemote):
		return hint(err, "git remote -v shows those there are; remote.pushDefault and branch.*.pushRemote name where is pushed to")
	case errors.Is(err, repo.ErrUnknownOutcome) && repo.IsAddress(d.from):
		return hint(err, "ask again when it answers: infra log shows what arrived")
	case errors.Is(err, repo.ErrUnknownOutcome):
		return hint(err, "git fetch %s when it answers again, and look for the commit there", shell(d.to()))
	case errors.Is(err, repo.ErrNotFound) && remedy(err) == "":
		return hint(err, "git push -u %s %s makes it; where it should be there, git ls-remote %[1]s shows what answers", shell(d.Remote), shell(d.Branch))
	}
	return unreachable(err)
}
