package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// renameHelp is what the help of a rename says of each thing.
var renameHelp = map[schema.Thing]struct{ short, long, example string }{
	schema.AUser: {
		"Give a person another name everywhere",
		`Give a person another name, and commit that: in grants, groups and keys, in users/ and
revoked.yaml, and in the policy, its cases and the brakes. Every other byte stays.

A cluster knows a person by this name alone: it has to be the one that the identity
provider says from now on. So the rules in force judge the new name as somebody new.`,
		"  infra users rename ann@example.com ann.lee@example.com",
	},
	schema.AGroup: {
		"Give a group another name everywhere",
		`Give a group another name, and commit that: where it is declared, granted something,
nested or revoked, and in the policy and its cases. Every other byte stays. A file
that is called like the group and is its alone moves.

A declared group is its members, so nobody gains or loses anything. A group of the
identity provider has to have the new name there, too.`,
		"  infra groups rename engineering platform",
	},
	schema.ADestination: {
		"Give a destination another name everywhere",
		`Give a destination another name, and commit that: in grants, keys, the policy and the
brakes. Its files move, and so do the rules of CODEOWNERS that name them. The old
name stays in "formerly" of destinations/NEW.yaml, so that the connector goes on with
the bindings that are there.

Nobody gains or loses anything, but where a pattern of destinations fits one of the
two names alone. Then the command says who would, and refuses; --force does it.`,
		"  infra destinations rename staging-eu staging-europe",
	},
}

func (a *app) renameCommand(what schema.Thing, known vocabulary) *cobra.Command {
	var (
		f     editFlags
		force bool
		help  = renameHelp[what]
	)
	cmd := &cobra.Command{
		Use:               "rename OLD NEW",
		Short:             help.short,
		Long:              help.long,
		Example:           help.example,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(known),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := &renaming{Rename: schema.Rename{What: what, Old: args[0], New: args[1]}, force: force, now: a.now()}
			return a.rename(cmd.Context(), f, r, known)
		},
	}
	if what == schema.ADestination {
		cmd.Flags().BoolVar(&force, "force", false, "even where somebody gains or loses by a pattern that fits one of the names alone")
	}
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	return cmd
}

func (a *app) rename(ctx context.Context, f editFlags, r *renaming, known vocabulary) error {
	root, err := a.root()
	if err != nil {
		return err
	}
	c, err := a.openToEdit(ctx, root, f)
	if err != nil {
		return err
	}
	defer c.unlock()
	r.prefix = c.prefix
	became, err := a.editIn(ctx, c, f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
		return r.propose(files, s, known(s))
	})
	switch {
	case errors.Is(err, errPolicy) && r.ruled:
		return hint(err, "rules in force that name %s judge this: change them first, in a change of its own", r.Old)
	case err != nil || became == nothingToDo:
		return err
	}
	for _, note := range r.notes {
		a.say("%s", note)
	}
	if r.What == schema.ADestination && became == done {
		a.advise("call its connector %s at once: helm upgrade ... --set connector.config.name=%s", r.New, r.New)
	}
	return nil
}

// A renaming is a rename at work. It is proposed anew where the branch has moved.
type renaming struct {
	schema.Rename
	force  bool
	now    time.Time
	prefix string   // of the access repository in its checkout
	ruled  bool     // the policy or a brake names what is renamed
	notes  []string // what a person has to look at
}

func (r *renaming) propose(files fs.FS, s *schema.Snapshot, known []string) (proposal, error) {
	r.notes = nil
	if r.Old == r.New {
		return proposal{said: r.Old + " is called so"}, nil
	}
	if err := r.Validate(); err != nil {
		return proposal{}, err
	}
	if err := r.names(files, s, known); err != nil {
		return proposal{}, err
	}
	edit, err := r.Edit(files)
	if errors.Is(err, schema.ErrNameInUse) {
		return proposal{}, hint(err, "take another name, or move that file away first")
	}
	if err != nil {
		return proposal{}, err
	}
	if err := r.moveOwners(files, edit); err != nil {
		return proposal{}, err
	}
	if err := r.look(files, edit); err != nil {
		return proposal{}, err
	}
	if err := r.prove(files, s, edit); err != nil {
		return proposal{}, err
	}
	p := proposal{
		edit:    edit.Edit,
		subject: fmt.Sprintf("%ss: rename %s to %s", r.What, r.Old, r.New),
		said:    fmt.Sprintf("%s %s is now called %s, in %s", r.What, r.Old, r.New, count(edit.Count, "place")),
		brought: func(after, before schema.Problems) schema.Problems { return r.Brought(after, before, edit.Moved) },
	}
	for _, from := range slices.Sorted(maps.Keys(edit.Moved)) {
		r.notes = append(r.notes, fmt.Sprintf("moved %s to %s", from, edit.Moved[from]))
	}
	return p, nil
}

// names refuses an old name that nothing has, and a new one that something has. A
// rule may have the new one: the rules in force have to know it before.
func (r *renaming) names(files fs.FS, s *schema.Snapshot, known []string) error {
	all, err := schema.Mentions(files, r.What, r.Old)
	if err != nil {
		return err
	}
	r.ruled = slices.ContainsFunc(all, schema.Mention.IsRule)
	old := slices.DeleteFunc(all, schema.Mention.IsRule)
	call := fmt.Sprintf("infra %ss rename ", r.What)
	if len(old) == 0 {
		if err := r.otherKind(s); err != nil {
			return err
		}
		err := fmt.Errorf("no file names a %s %s", r.What, r.Old)
		if near := schema.Nearest(r.Old, known); near != "" {
			return hint(err, "%s%s", call, shell(near, r.New))
		}
		return hint(err, "infra grants list shows who has what, and where")
	}
	taken, err := given(files, r.What, r.New)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return hint(fmt.Errorf("there is a %s %s already: %s", r.What, r.New, place(taken[0].Pos)), "take another name: two that become one could not be told apart again")
	}
	return nil
}

// otherKind refuses the name of a group where people are renamed, and the other way
// round.
func (r *renaming) otherKind(s *schema.Snapshot) error {
	switch {
	case r.What == schema.AUser && slices.Contains(groups(s), r.Old):
		return hint(fmt.Errorf("%q is a group, not a person", r.Old), "infra groups rename %s", shell(r.Old, r.New))
	case r.What == schema.AGroup && slices.Contains(knownPeople(s), r.Old):
		return hint(fmt.Errorf("%q is a person, not a group", r.Old), "infra users rename %s", shell(r.Old, r.New))
	}
	return nil
}

// given are the places that name a thing, but for rules, which give it nothing.
func given(files fs.FS, what schema.Thing, name string) ([]schema.Mention, error) {
	all, err := schema.Mentions(files, what, name)
	return slices.DeleteFunc(all, schema.Mention.IsRule), err
}

// look notes what the rename leaves for a person to look at.
func (r *renaming) look(files fs.FS, edit schema.Renaming) error {
	for _, m := range edit.Left {
		r.notes = append(r.notes, fmt.Sprintf("%s still names %s, beside %s: take it out in another change", place(m.Pos), r.Old, r.New))
	}
	apart, err := r.Apart(files)
	if err != nil {
		return err
	}
	for _, m := range apart {
		fits, not := r.Old, r.New
		if r.Fits(m.Text, r.New) {
			fits, not = not, fits
		}
		r.notes = append(r.notes, fmt.Sprintf("%s: %q fits %s, and not %s", place(m.Pos), m.Text, fits, not))
	}
	return nil
}
