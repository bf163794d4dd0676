package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// errEdit is for an edit that would bring in problems, warnings too.
var errEdit = errors.New("the edit would bring that in: nothing was changed")

// loadFor reads what an edit is made on: without errors, but for an urgent one,
// which takes what can be read.
func (a *app) loadFor(f editFlags, fsys fs.FS, cache *schema.Cache) (policy.Revision, error) {
	r, err := load(fsys, cache)
	bad, broken := errors.AsType[*problemsError](err)
	if !f.urgent || !broken {
		return r, err
	}
	a.say("in spite of %s in the repository: infra validate shows them", count(len(bad.problems), "error"))
	s, problems, err := schema.Load(fsys, cache)
	return policy.Revision{ID: workTreeName, Snapshot: s, Problems: problems}, err
}

// judge reads what an edit would make of the repository, and refuses what the
// server would refuse, and what would be a new warning. before is what the clone's tree is.
// It returns the proposal, with the acknowledgement of what it takes away where
// that is asked for, and what the work tree would be.
func (a *app) judge(ctx context.Context, c *clone, f editFlags, before policy.Revision, p proposal) (proposal, policy.Revision, error) {
	if f.urgent {
		after, err := trial{cache: c.cache, before: before}.read(c.tree, p.edit.Files)
		return p, after, err
	}
	over := a.busy("judging the edit")
	t, err := c.trial(ctx, f, before, a.now().UTC())
	over()
	if err != nil {
		return p, policy.Revision{}, err
	}
	after, fresh, stands, err := t.of(p.edit.Files)
	if err != nil {
		return p, policy.Revision{}, err
	}
	brakes, others := held(fresh)
	if len(brakes) > 0 && !others && f.acknowledge != "" {
		if p, err = acknowledged(c.tree, p, brakes, f.acknowledge, a.now()); err != nil {
			return p, policy.Revision{}, err
		}
		if after, fresh, stands, err = t.of(p.edit.Files); err != nil {
			return p, policy.Revision{}, err
		}
		brakes, others = held(fresh)
	}
	switch {
	case others:
		return p, policy.Revision{}, refused(fresh)
	case len(brakes) > 0 && f.noCommit:
		for _, r := range brakes {
			a.say("held once it is committed: %s", r.Message)
		}
		p.next = brakes[0].Hint
	case len(brakes) > 0:
		err := refused(brakes)
		if f.acknowledges {
			err = hint(err, "if this is meant, repeat it with --acknowledge 'the reason'")
		}
		return p, policy.Revision{}, err
	}
	had := append(before.Problems.Warnings(), schema.Expired(before.Snapshot, a.now())...)
	brought := p.brought
	if brought == nil {
		brought = schema.Problems.New
	}
	if more := brought(append(after.Problems.Warnings(), schema.Expired(after.Snapshot, a.now())...), had); len(more) > 0 {
		return p, policy.Revision{}, &problemsError{err: errEdit, problems: more}
	}
	if stands {
		a.say("this branch is refused already, without the edit: infra validate --base says why")
	}
	return p, after, nil
}

// A trial is what an edit is judged against.
type trial struct {
	cache    *schema.Cache
	tree     fs.FS           // the work tree
	accepted policy.Revision // what the server will judge against
	before   policy.Revision // what is to be committed, without the edit
	files    fs.FS           // of before
	split    bool            // before is HEAD, as the rest of the work tree is not committed with the edit
}

// trial finds out what an edit is to be judged against.
func (c *clone) trial(ctx context.Context, f editFlags, before policy.Revision, now time.Time) (trial, error) {
	before.At = now
	t := trial{cache: c.cache, tree: c.tree, accepted: before, before: before, files: c.tree}
	if c.history == nil {
		return t, nil
	}
	head, err := c.revision(c.head.Commit)
	if err != nil || len(head.Problems.Errors()) > 0 {
		return t, err // what is broken is mended by what is not committed yet
	}
	if t.accepted, err = c.inForce(ctx); err != nil {
		return t, err
	}
	t.before = notBefore(t.accepted, before)
	if f.noCommit {
		return t, nil
	}
	head.At = t.before.At
	t.before, t.split = head, true
	t.files, err = c.files(c.head.Commit)
	return t, err
}

// of is what the work tree would be with an edit, and what speaks against the
// edit. What spoke against the repository before is not the edit's fault, and
// must not keep anybody from mending a part of it: stands says that there is some.
func (t trial) of(edit map[string][]byte) (after policy.Revision, fresh []policy.Refusal, stands bool, err error) {
	after, err = t.read(t.tree, edit)
	if err != nil {
		return after, nil, false, err
	}
	if bad := after.Problems.Errors(); len(bad) > 0 {
		return after, nil, false, &problemsError{err: errEdit, problems: bad}
	}
	next := after
	if t.split {
		if next, err = t.read(t.files, edit); err != nil {
			return after, nil, false, err
		}
	}
	verdict := policy.Step(t.accepted, next)
	if verdict.Accepted() {
		return after, nil, false, nil
	}
	had := policy.Step(t.accepted, t.before).Refusals
	for _, r := range verdict.Refusals {
		if !slices.ContainsFunc(had, func(h policy.Refusal) bool { return sameRefusal(h, r) }) {
			fresh = append(fresh, r)
		}
	}
	return after, fresh, len(fresh) < len(verdict.Refusals), nil
}

func (t trial) read(files fs.FS, edit map[string][]byte) (policy.Revision, error) {
	s, problems, err := schema.Load(overlay(files, edit), t.cache)
	if err != nil {
		return policy.Revision{}, fmt.Errorf("reading what the edit would give: %w", err)
	}
	return policy.Revision{ID: "the edit", At: t.before.At, Snapshot: s, Problems: problems}, nil
}

// sameRefusal says whether what is refused now was refused before: wherever the
// line is, and of a brake, for as many people.
func sameRefusal(before, now policy.Refusal) bool {
	if before.Kind != now.Kind || before.Rule != now.Rule || before.Destination != now.Destination {
		return false
	}
	if now.Kind == policy.Braked {
		return now.People <= before.People
	}
	return before.Message == now.Message
}

// acknowledged is a proposal that says, too, that what it takes away is meant.
func acknowledged(files fs.FS, p proposal, brakes []policy.Refusal, reason string, now time.Time) (proposal, error) {
	all := map[string][]byte{}
	maps.Copy(all, p.edit.Files)
	for _, r := range brakes {
		edit, err := schema.Acknowledge(overlay(files, all), schema.Acknowledgement{Destination: r.Destination, Removals: r.People, Reason: reason}, now)
		if err != nil {
			return p, fmt.Errorf("acknowledging: %w", err)
		}
		maps.Copy(all, edit.Files)
	}
	p.edit.Files = all
	return p, nil
}
