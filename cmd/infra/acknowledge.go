package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

func (a *app) acknowledgeCommand() *cobra.Command {
	var (
		f        editFlags
		removals int
		why      string
		baseRev  string
	)
	cmd := &cobra.Command{
		Use:   "acknowledge DESTINATION",
		Short: "Say that a large removal is meant",
		Long: `Say that a large removal of access on a destination is meant, which a brake holds:
a file in acknowledgements/ says how many people may lose access, and why.

The number is worked out from the change at hand, up to the work tree, since the
branch that changes are meant for (or --base), and is exactly what the brake
says; --removals says it instead.

An acknowledgement counts once: in the commit, or the merge of a pull request, that
brings it in together with the removal, or after it. So where the removal is
committed already, the acknowledgement is committed too; where it is only in the
work tree, the acknowledgement is left beside it, to be committed with it. Before
the removal it can be committed only on a branch that is merged as one change, by
a merge or squashed, not rebased. "infra grants remove --acknowledge REASON" does
both at once.`,
		Example: `  infra acknowledge dev --reason "dev is being rebuilt"
  infra acknowledge dev --removals 40 --reason "dev is being rebuilt"`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(destinations),
		RunE: func(cmd *cobra.Command, args []string) error {
			if why == "" {
				return usage(cmd, "--reason is missing: why is it meant")
			}
			if cmd.Flags().Changed("removals") && removals < 1 {
				return usage(cmd, "--removals: %d is no number of people", removals)
			}
			ack := schema.Acknowledgement{Destination: args[0], Removals: removals, Reason: why}
			return a.acknowledge(cmd.Context(), ack, baseRev, f)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&removals, "removals", 0, "at most so many `people` lose access (default: as many as the change takes it from)")
	flags.StringVar(&why, "reason", "", "why, on one line: a ticket, an incident")
	flags.StringVar(&baseRev, "base", "", "the `revision` since which the change counts: what is in force (default: the branch that changes are meant for)")
	check(cmd.RegisterFlagCompletionFunc("base", a.completeRevisions(1)))
	f.register(cmd)
	return cmd
}

// acknowledge writes an acknowledgement. Removals of zero are worked out.
func (a *app) acknowledge(ctx context.Context, ack schema.Acknowledgement, baseRev string, f editFlags) error {
	root, err := a.root()
	if err != nil {
		return err
	}
	c, err := a.openToEdit(ctx, root, f)
	if err != nil {
		return err
	}
	defer c.unlock()
	over := a.busy("counting who loses access")
	r, err := a.removalAt(ctx, c, ack.Destination, baseRev)
	over()
	if err != nil {
		return err
	}
	switch {
	case ack.Removals == 0 && r.refusal.People == 0:
		return r.nothingHeld(ack)
	case ack.Removals == 0:
		ack.Removals = r.refusal.People
	case ack.Removals < r.refusal.People:
		a.say("this is not enough: %s", r.refusal.Message)
	}
	if r.refusal.People > 0 {
		a.say("%s of %d would lose access on %s:", persons(r.refusal.People), r.refusal.Of, ack.Destination)
		for _, who := range r.refusal.Who {
			a.say("  %s", who)
		}
	}
	f.noCommit = f.noCommit || !r.committed && !f.dryRun
	_, err = a.editIn(ctx, c, f, func(files fs.FS, _ *schema.Snapshot) (proposal, error) {
		edit, err := schema.Acknowledge(files, ack, a.now())
		if err != nil {
			return proposal{}, err
		}
		return proposal{
			edit:    edit,
			subject: fmt.Sprintf("acknowledgements: %s may lose access on %s", persons(ack.Removals), ack.Destination),
			said:    fmt.Sprintf("it is acknowledged that %s lose access on %s", persons(ack.Removals), ack.Destination),
			next:    "commit it together with the removal: git add acknowledgements, and git commit",
		}, nil
	})
	return err
}

// A removal is what a change takes away on a destination.
type removal struct {
	accepted, next policy.Revision
	refusal        policy.Refusal   // of the brake; zero: nothing is held there
	others         []policy.Refusal // of brakes of other destinations
	committed      bool             // an acknowledgement of its own commit counts
}

// removalAt finds what the brake holds of the change at hand.
func (a *app) removalAt(ctx context.Context, c *clone, destination, baseRev string) (removal, error) {
	r := removal{}
	next, err := load(os.DirFS(c.root), c.cache)
	if err != nil || c.history == nil {
		return removal{next: next, accepted: next}, err
	}
	if baseRev == "" {
		r.accepted, err = c.inForce(ctx)
	} else {
		var b base
		if b, err = c.base(ctx, baseRev, c.head.Commit); err == nil {
			r.accepted, err = b.judge, b.bad()
		}
	}
	if err != nil {
		return r, err
	}
	next.At = a.now().UTC()
	r.next = notBefore(r.accepted, next)
	r.refusal, r.others = brakeOn(destination, policy.Step(r.accepted, r.next))
	head, err := c.revision(c.head.Commit)
	if err != nil {
		return r, err
	}
	head.At = r.next.At
	ofHead, _ := brakeOn(destination, policy.Step(r.accepted, head))
	if r.committed = ofHead.People > 0; !r.committed && r.refusal.People == 0 {
		// A removal that is still to come, in a commit of its own: that may be, on a
		// branch that is merged as one change.
		m, err := c.checkout.Mainline(ctx)
		if err != nil {
			return r, err
		}
		r.committed = m.Name != "" && m.Branch != c.head.Branch
	}
	return r, nil
}

// brakeOn is what a verdict holds on a destination, and elsewhere.
func brakeOn(destination string, v policy.Verdict) (here policy.Refusal, elsewhere []policy.Refusal) {
	brakes, _ := held(v.Refusals)
	for _, r := range brakes {
		if r.Destination == destination {
			here = r
		} else {
			elsewhere = append(elsewhere, r)
		}
	}
	return here, elsewhere
}

// nothingHeld is the error where there is nothing to acknowledge.
func (r removal) nothingHeld(ack schema.Acknowledgement) error {
	fact := fmt.Errorf("nothing is held on %s, so there is nothing to acknowledge", ack.Destination)
	if len(r.others) > 0 {
		return hint(fact, "infra acknowledge %s --reason %s", r.others[0].Destination, shell(ack.Reason))
	}
	return hint(fact, "if the removal is still to come, say of how many with --removals; if it is in force nowhere yet, say with --base since which commit it counts")
}

func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}
