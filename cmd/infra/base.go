package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A base is what a change is compared with and judged against: the revision
// where its own commits begin.
type base struct {
	name     string          // what the reader calls it
	tip      repo.Commit     // what the name stands for; zero: nothing is there to compare with
	commit   repo.Commit     // where the head and tip part; tip itself where head has it
	revision policy.Revision // of commit; zero where that is no access repository yet
	judge    policy.Revision // the same, with the rules of tip: those that the merge will meet
	note     string          // what the reader does not expect of it; may be empty
	ofReview bool            // note is for every reader of a review, not for who called alone
}

// moved says that the branch has commits that the head does not have.
func (b base) moved() bool { return b.tip.Hash != b.commit.Hash }

// bad is the error for a base that does not load, or nil: what cannot be read
// can neither be compared with nor be judged by.
func (b base) bad() error {
	errs := b.judge.Problems.Errors()
	if len(errs) == 0 {
		return nil
	}
	return hint(fmt.Errorf("%w: the base %s has %s itself, so the change cannot be judged", errInvalid, b.name, count(len(errs), "error")),
		"infra validate %s", shell(b.name))
}

// base finds what the change up to head is compared with. An empty rev is the
// branch that changes are meant for. Like git diff BASE...HEAD it begins where the
// two part, so that what others did on the base since is none of the change.
func (c *clone) base(ctx context.Context, rev string, head repo.Commit) (base, error) {
	b, ref := base{name: rev}, rev
	if rev == "" {
		if c.history == nil {
			return base{name: "nothing", note: "there is no commit yet: everything is new"}, nil
		}
		m, err := c.checkout.Mainline(ctx)
		if err != nil {
			return base{}, err
		}
		if m.Name == "" {
			return base{}, hint(errors.New("no branch was found that the change could be meant for"), "name the base: a branch, a tag or a commit")
		}
		b.name, ref = m.Name, m.Ref
	}
	var err error
	if b.tip, err = c.resolve(ref); err != nil {
		return base{}, err
	}
	b.commit, err = c.history.MergeBase(b.tip.Hash, head.Hash)
	if errors.Is(err, repo.ErrUnrelated) {
		return base{}, hint(fmt.Errorf("%s and the change have no history in common, so nobody can say what the change is", b.name),
			"name another base, or bring the change onto it: git rebase --onto %s", shell(b.name))
	}
	if err != nil {
		return base{}, deepen(err)
	}
	if b.revision, err = c.accessRevision(b.commit); err != nil {
		return base{}, err
	}
	b.judge = b.revision
	if rev == "" {
		b.note = "comparing with " + b.name
	}
	if !b.moved() {
		if isNone(b.revision) {
			b.note, b.ofReview = b.name+" has no access repository here: everything is new, and no policy judges it", true
		}
		return b, nil
	}
	b.note = fmt.Sprintf("%s has moved on: this is compared with %.10s, where the change parts from it, and judged by the rules that %[1]s has now", b.name, b.commit.Hash)
	b.ofReview = true
	now, err := c.accessRevision(b.tip)
	if err != nil {
		return base{}, err
	}
	b.judge = governed(b.revision, now)
	return b, nil
}

// accessRevision reads a commit, which may be from before there was an access
// repository: then it is none.
func (c *clone) accessRevision(commit repo.Commit) (policy.Revision, error) {
	files, err := c.files(commit)
	if err != nil {
		return policy.Revision{}, err
	}
	switch err := schema.IsRepository(files); {
	case errors.Is(err, schema.ErrNoInfraYAML):
		return policy.Revision{}, nil
	case err != nil:
		return policy.Revision{}, err
	}
	return c.revision(commit)
}

// isNone says whether a commit is no access repository.
func isNone(r policy.Revision) bool { return r.Snapshot == nil && r.ID == "" }

// governed is a revision under the rules of a later one. A change is judged
// from where it began, be it before there was an access repository, but by the
// policy and the brakes that it will meet.
func governed(r, by policy.Revision) policy.Revision {
	if isNone(r) {
		r.Snapshot = &schema.Snapshot{}
	}
	r.Problems = slices.Concat(r.Problems, by.Problems.Errors())
	if r.Snapshot == nil || by.Snapshot == nil {
		return r
	}
	s := *r.Snapshot
	s.Settings.Policy, s.Settings.Brakes = by.Snapshot.Settings.Policy, by.Snapshot.Settings.Brakes
	r.Snapshot = &s
	return r
}

// inForce is the revision against which the next commit on the current branch
// will be judged, as far as can be known here. What is on the branch that
// changes are meant for was accepted. Commits on that very branch that are not
// pushed will be judged one by one, those on another branch as one change, at
// their merge.
func (c *clone) inForce(ctx context.Context) (policy.Revision, error) {
	here, err := c.revision(c.head.Commit)
	if err != nil {
		return policy.Revision{}, err
	}
	m, err := c.checkout.Mainline(ctx)
	if err != nil || m.Name == "" {
		return here, err
	}
	tip, err := c.resolve(m.Ref)
	if err != nil {
		return here, nil // a ref that is broken is git's to complain about
	}
	from, err := c.history.MergeBase(tip.Hash, c.head.Commit.Hash)
	if err != nil || from.Hash == c.head.Commit.Hash {
		return here, nil // a history that cannot be told is judged from here
	}
	accepted, err := c.accessRevision(from)
	if err != nil || len(accepted.Problems.Errors()) > 0 {
		return here, err
	}
	if c.head.Branch != m.Branch {
		if from.Hash == tip.Hash {
			return accepted, nil
		}
		by, err := c.accessRevision(tip)
		return governed(accepted, by), err
	}
	way, err := c.history.Since(from.Hash, c.head.Commit.Hash)
	if err != nil {
		return policy.Revision{}, err
	}
	accepted, _, err = policy.Fold(accepted, func(yield func(policy.Revision, error) bool) {
		for _, commit := range way.Commits {
			r, err := c.revision(commit)
			if !yield(r, errors.Join(err, ctx.Err())) || err != nil {
				return
			}
		}
	})
	return accepted, err
}

// notBefore is next at the accepted revision's time at least, as Fold has it: a
// commit that is dated earlier fools no rule.
func notBefore(accepted, next policy.Revision) policy.Revision {
	if next.At.Before(accepted.At) {
		next.At = accepted.At
	}
	return next
}
