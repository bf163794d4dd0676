package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// atFlag adds --at to a command that answers a question.
func (a *app) atFlag(cmd *cobra.Command, value *string) {
	cmd.Flags().StringVar(value, "at", "", "as of this `revision`, or this time: 2026-12-24T18:00:00Z, or 2026-12-24 for the end of that day")
	check(cmd.RegisterFlagCompletionFunc("at", a.completeRevisions(math.MaxInt)))
}

// A moment is the revision that a question is about, and the instant at which
// expiries are judged: now for the work tree, that of the commit for a revision.
type moment struct {
	clone    *clone      // of a revision; nil: none was asked for
	commit   repo.Commit // zero: the work tree
	snapshot *schema.Snapshot
	at       time.Time
}

// moment reads what --at says; empty: the work tree, now.
func (a *app) moment(ctx context.Context, at string) (moment, error) {
	root, err := a.root()
	if err != nil {
		return moment{}, err
	}
	m := moment{at: a.now().UTC()}
	if at == "" {
		r, err := load(os.DirFS(root), nil)
		m.snapshot = r.Snapshot
		return m, err
	}
	if m.clone, err = openClone(ctx, root); err != nil {
		return m, err
	}
	if err := m.find(at); err != nil {
		return m, fmt.Errorf("--at: %w", err)
	}
	r, err := m.clone.accessRevision(m.commit)
	switch {
	case err != nil:
		return m, err
	case isNone(r):
		return m, fmt.Errorf("--at: there was no access repository at commit %.10s yet", m.commit.Hash)
	case len(r.Problems.Errors()) > 0:
		return m, &problemsError{err: fmt.Errorf("%w at commit %.10s", errInvalid, m.commit.Hash), problems: r.Problems.Errors()}
	}
	m.snapshot = r.Snapshot
	a.say("at %s, as of commit %.10s", stamp(m.at), m.commit.Hash)
	return m, nil
}

// find sets the commit and the instant. What reads as a time is one, whatever
// branch or tag is called so.
func (m *moment) find(text string) error {
	t, err := instant(text, m.at.Location())
	if err != nil {
		if m.commit, err = m.clone.resolve(text); err != nil {
			if errors.Is(err, errNoRevision) {
				return hint(fmt.Errorf("%q is neither a revision nor a time", text),
					"git log --oneline --all shows the revisions; a time is written like 2026-12-24T18:00:00Z or 2026-12-24")
			}
			return err
		}
		if when := m.commit.Committer.When.UTC(); when.Before(m.at) { // who commits dates the commit
			m.at = when
		}
		return nil
	}
	if m.clone.history == nil {
		return hint(errors.New("there is no commit yet"), "git add . && git commit")
	}
	m.at = t
	m.commit, err = m.clone.history.At(m.clone.head.Commit.Hash, t)
	if errors.Is(err, repo.ErrNotFound) {
		return fmt.Errorf("there was no commit at %s yet", stamp(t))
	}
	return deepen(err)
}

// target reads a resource of which the repository knows: one that nothing names
// or reaches is more likely misspelt than empty.
func (m *moment) target(text string) (schema.Target, error) {
	t, err := schema.ParseTarget(text)
	if err != nil {
		return t, err
	}
	known := destinations(m.snapshot)
	reached := slices.ContainsFunc(known, func(d string) bool { return schema.MatchDestination(d, t.Destination) })
	if reached || schema.IsPattern(t.Destination) || t.Destination == schema.InfraDestination {
		return t, nil
	}
	return t, nearest(fmt.Errorf("no destination %q: no grant names or matches it, and no file in destinations/", t.Destination), t.Destination, known, "infra grants list shows what there is")
}

// role is one of which the repository knows.
func (m *moment) role(name string) error {
	known := append(roles(m.snapshot), schema.InfraRoles...)
	if slices.Contains(known, name) {
		return nil
	}
	return nearest(fmt.Errorf("no role %q: it is not built in, and no file names it", name), name, known, "infra grants --help names the roles")
}

// subject is somebody of whom the repository knows. call is the command without
// the subject.
func (m *moment) subject(who schema.Subject, call string) error {
	if err := who.Validate(); err != nil {
		return err
	}
	if m.snapshot.Knows(who) || m.snapshot.Revoked.Subject(who) {
		return nil
	}
	words, flag := people(m.snapshot), ""
	for _, u := range m.snapshot.Users {
		words = append(words, u.Name)
	}
	if who.Kind == schema.GroupKind {
		words, flag = groups(m.snapshot), "-g "
	}
	if err := mistaken(m.snapshot, who, call+" "+subjectArguments(other(who))); err != nil {
		return err
	}
	return nearest(fmt.Errorf("no file names %s", who), who.Name, words, "infra grants list shows who has what", call+" "+flag)
}

// nearest gives an error the hint that somebody meant one of the words, after a
// prefix where that makes a command; or else another one.
func nearest(err error, text string, words []string, otherwise string, prefix ...string) error {
	near := schema.Nearest(text, words)
	if near == "" {
		return hint(err, "%s", otherwise)
	}
	if len(prefix) > 0 {
		return hint(err, "%s%s", prefix[0], shell(near))
	}
	return hint(err, "did you mean %s?", near)
}

// subjectArguments is a subject as commands take it.
func subjectArguments(s schema.Subject) string {
	if s.Kind == schema.GroupKind {
		return "-g " + shell(s.Name)
	}
	return shell(s.Name)
}

// hasUnknownMembers says whether something is granted to a group whose members
// only the identity provider knows.
func hasUnknownMembers(s *schema.Snapshot) bool {
	declared := set{}
	for _, g := range s.Groups {
		declared[g.Name] = true
	}
	return slices.ContainsFunc(groups(s), func(name string) bool { return !declared[name] })
}
