package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A holderItem is a grant through which somebody has a role, as `who-can -o json`
// shows it.
type holderItem struct {
	grantItem
	MembersUnknown bool `json:"membersUnknown,omitempty"` // a group of the identity provider
}

func (a *app) whoCanCommand() *cobra.Command {
	var (
		exact bool
		at    string
		f     listFlags
	)
	cmd := &cobra.Command{
		Use:   "who-can ROLE RESOURCE",
		Short: "Say who has a role on a resource",
		Long: `Say who has a role on all of a resource, or a role that contains it: who has admin
may do what view allows, unless --exact says that it is that very role which is
meant. Grants on patterns, and on the whole cluster where the resource is one of
its namespaces, count too; what has expired or is revoked does not.

Groups of the repository are expanded to their members. A group of the identity
provider is listed as what it is: infra does not know its members.

The answer is about the work tree and now, or with --at about a revision, at the
time of its commit; or about a time, which is the newest commit of the current
branch then, by first parents.

Fields of -o json and yaml: user or group, membersUnknown (a group of the identity
provider), role, resource, expires, reason, via (the groups on the way, outermost
first), file, line.`,
		Example: `  infra who-can view example.payments
  infra who-can cluster-admin example --exact
  infra who-can edit example --at v1.2 -o json`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(roles, resources),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.moment(cmd.Context(), at)
			if err != nil {
				return err
			}
			if err := m.role(args[0]); err != nil {
				return err
			}
			target, err := m.target(args[1])
			if err != nil {
				return err
			}
			rows := access.Resolve(m.snapshot, m.snapshot.Revoked).WhoCan(args[0], target, exact, m.at)
			if err := a.printList(holderList(rows), f); err != nil {
				return err
			}
			if len(rows) == 0 {
				a.say("nobody has role %s on %s", args[0], target)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&exact, "exact", false, "only who has this very role, not one that contains it")
	a.atFlag(cmd, &at)
	f.register(cmd, holderItem{}, unnamedFormats...)
	return cmd
}

func holderList(rows []access.Row) list {
	l := list{columns: []column{{name: "Subject"}, {name: "Role"}, {name: "Resource"}, {name: "Expires"}, {name: "Through"},
		{name: "File"}, {name: "Reason", wide: true}}}
	items := []holderItem{}
	for _, row := range rows {
		for _, r := range row.Reasons {
			g := r.Grant
			i := holderItem{grantItem: grantItem{Role: g.Role, Resource: g.Target.String(), Expires: g.Expires,
				Reason: g.Reason, Via: r.Via, File: g.Pos.File, Line: g.Pos.Line}}
			through := strings.Join(r.Via, ", ")
			if i.User = row.Subject.Name; row.Subject.Kind == schema.GroupKind {
				i.User, i.Group, i.MembersUnknown = "", row.Subject.Name, true
				through = strings.TrimPrefix(through+"; members unknown", "; ")
			}
			items = append(items, i)
			ends := "never"
			if !g.Expires.IsZero() {
				ends = stamp(g.Expires)
			}
			l.rows = append(l.rows, []any{row.Subject.String(), g.Role, g.Target.String(), ends, through, place(g.Pos), g.Reason})
		}
	}
	l.values = items
	return l
}
