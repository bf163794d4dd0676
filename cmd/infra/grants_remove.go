package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

func (a *app) grantsRemoveCommand() *cobra.Command {
	var (
		f              editFlags
		isGroup, force bool
		role           string
	)
	cmd := &cobra.Command{
		Use:   "remove SUBJECT RESOURCE",
		Short: "Take a role away",
		Long: `Take a role away from a person or a group, or, without --role, every role that
they have on exactly that resource, and commit that.

What is not there cannot be removed: the command fails and says what the subject
does have on that resource. With --force it succeeds.`,
		Example: `  infra grants remove ops@example.com example.payments --role admin
  infra grants remove -g engineering example`,
		Args:              arguments,
		ValidArgsFunction: a.completeSubject(&isGroup),
		RunE: func(cmd *cobra.Command, args []string) error {
			target, err := schema.ParseTarget(args[1])
			if err != nil {
				return err
			}
			who := subjectOf(args[0], isGroup)
			_, err = a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return removeGrant(files, s, who, role, target, force)
			})
			return err
		},
	}
	subjectFlags(cmd, &isGroup)
	cmd.Flags().StringVar(&role, "role", "", "the `role` to take away (default: every one)")
	cmd.Flags().BoolVar(&force, "force", false, "succeed where there is nothing to remove")
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	a.complete(cmd, "role", roles)
	return cmd
}

func removeGrant(files fs.FS, s *schema.Snapshot, who schema.Subject, role string, target schema.Target, force bool) (proposal, error) {
	what := "role " + role
	if role == "" {
		what = "any role"
	}
	p := proposal{said: fmt.Sprintf("%s does not have %s on %s", who, what, target)}
	edit, err := schema.RemoveGrant(files, who, role, target)
	missing, notFound := errors.AsType[*schema.NotFoundError](err)
	switch {
	case notFound && force:
		return p, nil
	case notFound:
		call := "infra grants remove " + grantArguments(other(who), role, target)
		if err := mistaken(s, who, call); err != nil {
			return proposal{}, err
		}
		return proposal{}, absent(s, p.said, who, target, missing.Held)
	case err != nil:
		return proposal{}, err
	}
	gone := set{}
	for _, g := range edit.Before {
		gone[g.Role] = true
	}
	p.edit = edit
	p.subject = fmt.Sprintf("grants: remove %s %s on %s", who, strings.Join(gone.sorted(), ", "), target)
	p.said = fmt.Sprintf("%s no longer has %s on %s", who, what, target)
	if through := inherited(s, who, role, target); through != "" {
		p.said = fmt.Sprintf("%s no longer has %s on %s by a grant of their own, but keeps it through group %s", who, what, target, through)
	}
	return p, nil
}

// absent is the error for a grant that is not there: what the subject does have
// on that resource, else on that destination, and the command that works. held
// is sorted.
func absent(s *schema.Snapshot, fact string, who schema.Subject, target schema.Target, held []schema.Grant) error {
	here := slices.DeleteFunc(slices.Clone(held), func(g schema.Grant) bool { return g.Target != target })
	if len(here) == 0 {
		for _, row := range access.Resolve(s, s.Revoked).Of(who) {
			if via := row.Reasons[0].Via; row.Target == target && len(via) > 0 {
				return hint(fmt.Errorf("%s: %s has role %s on %s through group %q", fact, who, row.Role, target, via[0]),
					"infra grants remove %s takes it from the whole group", grantArguments(row.Reasons[0].Grant.Subject, row.Role, target))
			}
		}
		here = held
	}
	if len(here) == 0 {
		return hint(fmt.Errorf("%s: %s has no role there", fact, who), "infra grants list %s", shell("--"+string(who.Kind), who.Name))
	}
	have := set{}
	for _, g := range here {
		have[fmt.Sprintf("role %s on %s", g.Role, g.Target)] = true
	}
	return hint(fmt.Errorf("%s: %s has %s", fact, who, strings.Join(have.sorted(), ", ")),
		"infra grants remove %s", grantArguments(who, here[0].Role, here[0].Target))
}

// inherited is the group through which a subject keeps a role, or "".
func inherited(s *schema.Snapshot, who schema.Subject, role string, target schema.Target) string {
	for _, row := range access.Resolve(s, s.Revoked).Of(who) {
		if row.Target != target || role != "" && row.Role != role {
			continue
		}
		for _, r := range row.Reasons {
			if len(r.Via) > 0 {
				return fmt.Sprintf("%q", r.Via[0])
			}
		}
	}
	return ""
}
