package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

func (a *app) offboardCommand() *cobra.Command {
	var (
		f     editFlags
		show  listFlags
		force bool
	)
	cmd := &cobra.Command{
		Use:   "offboard USER",
		Short: "Take a person out of everything",
		Long: `Take a person who leaves out of everything, in one commit: their grants, their places
in groups, their access keys and their declaration. The ids of the keys stay in
revoked.yaml. The commit's message lists what they held, and so does the command.

A group that has nobody left goes too, with what it is granted: its name alone would
stand for a group of the identity provider. What is in the policy and in CODEOWNERS
stays; the command says where they are named. What groups of the identity provider
give them ends there and not here.

Fields (docs/output.md): kind (grant, member, key or declaration), user, group,
role, resource, key, via (the groups on the way, outermost first), expires, expired,
reason, file, line.`,
		Example: `  infra offboard fisher@example.com
  infra offboard fisher@example.com --push -m "people: fisher leaves, HR-77"
  infra offboard fisher@example.com --dry-run`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(knownPeople),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := show.withoutPatch(f.dryRun); err != nil {
				return err
			}
			return a.offboard(cmd.Context(), f, show, &leaver{name: args[0], force: force, now: a.now()})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "succeed where no file names the person")
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	show.register(cmd, goneItem{}, unnamedFormats...)
	return cmd
}

func (a *app) offboard(ctx context.Context, f editFlags, show listFlags, l *leaver) error {
	f.hasOutput = true
	root, err := a.root()
	if err != nil {
		return err
	}
	c, err := a.openToEdit(ctx, root, f)
	if err != nil {
		return err
	}
	defer c.unlock()
	became, err := a.editIn(ctx, c, f, l.propose)
	if err != nil {
		return err
	}
	if became != nothingToDo {
		if err := a.printList(goneList(l.held, l.now), show); err != nil {
			return err
		}
	}
	owned, err := ownedBy(os.DirFS(c.checkout.Root()), l.name)
	if err != nil {
		return err
	}
	for _, note := range append(l.notes, owned...) {
		a.say("%s", note)
	}
	return nil
}

// ownedBy says where the CODEOWNERS file of a checkout names a person.
func ownedBy(top fs.FS, name string) ([]string, error) {
	at, text, err := review.OwnersAt(top)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range review.LinesOfOwner(text, name) {
		out = append(out, fmt.Sprintf("%s:%d still names %s", at, n, name))
	}
	return out, nil
}

// A leaver is a person who leaves. Their leave is proposed anew where the branch has
// moved.
type leaver struct {
	name  string
	force bool
	now   time.Time
	held  []goneItem // what they had
	notes []string   // what a person has to look at
}

func (l *leaver) propose(files fs.FS, s *schema.Snapshot) (proposal, error) {
	l.held, l.notes = heldBy(s, l.name, l.now), nil
	if err := schema.ValidateUser(l.name); err != nil {
		return proposal{}, err
	}
	edit, err := schema.Offboard(files, l.name)
	if err != nil {
		return proposal{}, err
	}
	if edit.Outcome == schema.Unchanged {
		return l.nothing(s)
	}
	if err := l.look(files, edit); err != nil {
		return proposal{}, err
	}
	what := cmp.Or(goneCount(l.held), "they were declared, and nothing else")
	return proposal{
		edit:    edit,
		subject: "offboard " + l.name,
		said:    fmt.Sprintf("%s is out of everything: %s", l.name, what),
		body:    l.name + " held:\n\n" + goneBody(l.held, func(goneItem) string { return "" }),
	}, nil
}

// nothing is the answer where no file gives the person anything. No command to paste
// is in it: it would take everything from somebody else.
func (l *leaver) nothing(s *schema.Snapshot) (proposal, error) {
	who := subjectOf(l.name, false)
	p := proposal{said: fmt.Sprintf("no file gives %s anything", l.name)}
	if l.force || s.Revoked.Subject(who) {
		return p, nil
	}
	if slices.Contains(groups(s), l.name) {
		return p, hint(fmt.Errorf("%q is a group, not a person", l.name), "infra groups remove %s", shell(l.name))
	}
	return p, nearest(fmt.Errorf("no file gives %s anything", l.name), l.name, knownPeople(s), "infra grants list --inherited shows who there is")
}

// look notes what the leave takes along, and what it leaves.
func (l *leaver) look(files fs.FS, edit schema.Edit) error {
	for _, g := range edit.Groups {
		l.notes = append(l.notes, fmt.Sprintf("group %q (%s) had nobody else, and went with what it was granted", g.Name, place(g.Pos)))
	}
	after := overlay(files, edit.Files)
	left, err := schema.Mentions(after, schema.AUser, l.name)
	if err != nil {
		return err
	}
	for _, m := range left {
		l.notes = append(l.notes, fmt.Sprintf("%s still names %s", place(m.Pos), l.name))
	}
	for _, g := range edit.Groups {
		named, err := schema.Mentions(after, schema.AGroup, g.Name)
		if err != nil {
			return err
		}
		for _, m := range named {
			l.notes = append(l.notes, fmt.Sprintf("%s still names group %q", place(m.Pos), g.Name))
		}
	}
	s, _, err := schema.Load(after, nil)
	if err != nil {
		return fmt.Errorf("reading what the edit would give: %w", err)
	}
	if unknown := undeclaredGroups(s); len(unknown) > 0 {
		l.notes = append(l.notes, fmt.Sprintf("groups of the identity provider may still give access, and are left there: %s", strings.Join(unknown, ", ")))
	}
	return nil
}

// undeclaredGroups are those that are granted something, and of which the identity
// provider knows the members.
func undeclaredGroups(s *schema.Snapshot) []string {
	declared := declaredGroups(s)
	return slices.DeleteFunc(groups(s), func(name string) bool { return slices.Contains(declared, name) })
}
