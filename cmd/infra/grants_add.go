package main

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) grantsAddCommand() *cobra.Command {
	var (
		f                      editFlags
		isGroup                bool
		role, span, at, reason string
	)
	cmd := &cobra.Command{
		Use:   "add SUBJECT RESOURCE",
		Short: "Give a person or a group a role",
		Long: `Give a person or a group a role on a cluster or a namespace, and commit that.

What is granted already changes nothing. With another expiry or reason these
change; without --for, --expires and --reason they stay, unless the grant has
expired: then it is renewed, without an end.

A role that is not built in means a ClusterRole of the cluster with the label
app.infrahq.com/include-role=true.`,
		Example: `  infra grants add fisher@example.com example --role admin
  infra grants add -g engineering example --role view
  infra grants add ops@example.com example.payments --role admin --for 8h --reason "INC-1234: queue stuck"`,
		Args:              arguments,
		ValidArgsFunction: a.completeSubject(&isGroup),
		RunE: func(cmd *cobra.Command, args []string) error {
			if role == "" {
				return usage(cmd, "--role is missing: which role shall %s have", args[0])
			}
			now := a.now()
			expires, err := expiry(span, at, now)
			if err != nil {
				return err
			}
			target, err := schema.ParseTarget(args[1])
			if err != nil {
				return err
			}
			g := schema.Grant{Subject: subjectOf(args[0], isGroup), Role: role, Target: target, Expires: expires, Reason: reason}
			saysEnd, saysReason := cmd.Flags().Changed("for") || cmd.Flags().Changed("expires"), cmd.Flags().Changed("reason")
			_, err = a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				call := "infra grants add " + grantArguments(other(g.Subject), g.Role, g.Target)
				if err := mistaken(s, g.Subject, call); err != nil {
					return proposal{}, err
				}
				if err := misspelt(s, g); err != nil {
					return proposal{}, err
				}
				return addGrant(files, s, g, saysEnd, saysReason, now)
			})
			return err
		},
	}
	flags := cmd.Flags()
	subjectFlags(cmd, &isGroup)
	flags.StringVar(&role, "role", "", "the `role` to give")
	flags.StringVar(&span, "for", "", "end after this `time`: 8h, 30d, 2w")
	flags.StringVar(&at, "expires", "", "end at this `time`: 2026-12-24T18:00:00Z, or 2026-12-24 for the end of that day")
	flags.StringVar(&reason, "reason", "", "why, on one line: a ticket, an incident")
	f.register(cmd)
	f.registerPush(cmd)
	a.complete(cmd, "role", roles)
	return cmd
}

// misspelt refuses a role that is nearly a built-in one, where nobody says that
// the cluster has it. Any other name means a labelled ClusterRole.
func misspelt(s *schema.Snapshot, g schema.Grant) error {
	if slices.Contains(roles(s), g.Role) {
		return nil
	}
	near := schema.Nearest(g.Role, schema.BuiltinRoles)
	if near == "" {
		return nil
	}
	return hint(fmt.Errorf("unknown role %q: did you mean %q?", g.Role, near), "infra grants add %s", grantArguments(g.Subject, near, g.Target))
}

// addGrant proposes a grant. What the flags did not say stays as an existing
// grant that is still good has it.
func addGrant(files fs.FS, s *schema.Snapshot, g schema.Grant, saysEnd, saysReason bool, now time.Time) (proposal, error) {
	old, found := current(s, g)
	if found && !expired(old.Expires, now) {
		if !saysEnd {
			g.Expires = old.Expires
		}
		if !saysReason {
			g.Reason = old.Reason
		}
	}
	edit, err := schema.AddGrant(files, g, now)
	if err != nil {
		return proposal{}, err
	}
	p := proposal{edit: edit, said: fmt.Sprintf("%s has role %s on %s%s", g.Subject, g.Role, g.Target, ending(g.Expires))}
	verb := "add"
	switch edit.Outcome {
	case schema.Unchanged:
		p.said += " already"
	case schema.Renewed:
		verb = "renew"
		p.said += " again, which had expired"
	case schema.Changed:
		verb = "change"
		p.said += changed(edit.Before[0], g)
	}
	p.subject = fmt.Sprintf("grants: %s %s %s on %s%s", verb, g.Subject, g.Role, g.Target, ending(g.Expires))
	return p, nil
}

// current is the grant that there is of the same subject, role and target; of
// several, the one that lasts longest.
func current(s *schema.Snapshot, g schema.Grant) (schema.Grant, bool) {
	var best schema.Grant
	found := false
	for _, o := range s.Grants {
		if o.Subject != g.Subject || o.Role != g.Role || o.Target != g.Target {
			continue
		}
		if !found || o.Expires.IsZero() || !best.Expires.IsZero() && o.Expires.After(best.Expires) {
			best, found = o, true
		}
	}
	return best, found
}

// changed says what is other than it was.
func changed(old, now schema.Grant) string {
	var out []string
	if !old.Expires.Equal(now.Expires) {
		was := "without an end"
		if !old.Expires.IsZero() {
			was = "until " + stamp(old.Expires)
		}
		out = append(out, "it was "+was)
	}
	if old.Reason != now.Reason {
		out = append(out, fmt.Sprintf("the reason was %q", old.Reason))
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}

func ending(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + stamp(t)
}
