package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/kube"
	"github.com/infrahq/infra/schema"
)

// A holderItem is a grant through which somebody has a role, as `who-can -o json`
// shows it.
type holderItem struct {
	grantItem
	MembersUnknown bool          `json:"membersUnknown,omitempty"` // a group of the identity provider
	Allowed        access.Answer `json:"allowed,omitempty"`        // with --verb: whether the role allows it
}

func (a *app) whoCanCommand() *cobra.Command {
	var (
		exact bool
		at    string
		asked requestFlags
		f     listFlags
	)
	cmd := &cobra.Command{
		Use:   "who-can ROLE RESOURCE",
		Short: "Say who has a role on a resource, or may do something there",
		Long: `Say who has a role on all of a resource, or a role that contains it: who has admin
may do what view allows, unless --exact says that it is that very role which is
meant. Grants on patterns, and on the whole cluster where the resource is one of
its namespaces, count too; what has expired or is revoked does not.

With --verb and --resource (or --url) instead of a ROLE, say whose roles allow that:
infra who-can --verb get --resource pods [RESOURCE]. Without a RESOURCE, it is
wherever they hold. The rules of the built-in roles are those of Kubernetes ` + kube.Version + `, and
those of a custom role what destinations/ says. Where nobody here knows them, the
answer is "unknown": of a role without rules in destinations/, and of admin, edit and
view for an API group that Kubernetes itself does not have.

Groups of the repository are expanded to their members. A group of the identity
provider is listed as what it is: infra does not know its members. Nor does it know
what others have bound in the cluster.

The answer is about the work tree and now, or with --at about a revision, at the
time of its commit; or about a time, which is the newest commit of the current
branch then, by first parents.

Fields of -o json and yaml: user or group, membersUnknown (a group of the identity
provider), role, resource, expires, reason, via (the groups on the way, outermost
first), file, line; with --verb allowed (yes or unknown).`,
		Example: `  infra who-can view example.payments
  infra who-can cluster-admin example --exact
  infra who-can edit example --at v1.2 -o json
  infra who-can --verb create --resource pods/exec example.payments
  infra who-can --verb delete --resource deployments.apps`,
		Args: func(cmd *cobra.Command, args []string) error {
			if asked.asked() && len(args) > 1 {
				return usage(cmd, "one argument too many: %q; with --verb there is no ROLE", args[0])
			}
			if asked.asked() {
				return nil
			}
			return arguments(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if asked.asked() {
				return a.completeArguments(resources)(cmd, args, toComplete)
			}
			return a.completeArguments(roles, resources)(cmd, args, toComplete)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if asked.asked() {
				return a.whoMay(cmd, asked, args, at, f)
			}
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
			var able []access.Able
			for _, row := range rows {
				able = append(able, access.Able{Row: row})
			}
			if err := a.printList(holderList(able), f); err != nil {
				return err
			}
			if len(rows) == 0 {
				a.say("nobody has role %s on %s", args[0], target)
			}
			a.sayModes(m.snapshot, []schema.Target{target})
			return nil
		},
	}
	cmd.Flags().BoolVar(&exact, "exact", false, "only who has this very role, not one that contains it")
	asked.register(a, cmd)
	cmd.MarkFlagsMutuallyExclusive("exact", "verb")
	a.atFlag(cmd, &at)
	f.register(cmd, holderItem{}, unnamedFormats...)
	return cmd
}

// whoMay answers who may make a request, on a resource or wherever.
func (a *app) whoMay(cmd *cobra.Command, asked requestFlags, args []string, at string, f listFlags) error {
	r, err := asked.request(cmd)
	if err != nil {
		return err
	}
	m, err := a.moment(cmd.Context(), at)
	if err != nil {
		return err
	}
	target, err := m.askedTarget(cmd, r, args)
	if err != nil {
		return err
	}
	able := access.Resolve(m.snapshot, m.snapshot.Revoked).WhoMay(m.allows(r), target, m.at)
	if target == nil && r.OfCluster() {
		able = slices.DeleteFunc(able, func(b access.Able) bool { return b.Target.Namespace != "" })
	}
	l := holderList(able)
	l.columns = append(l.columns, column{name: "Allowed"})
	for i := range l.rows {
		l.rows[i] = append(l.rows[i], string(l.values.([]holderItem)[i].Allowed))
	}
	if err := a.printList(l, f); err != nil {
		return err
	}
	on, targets := "", []schema.Target{}
	if target != nil {
		on, targets = " on "+target.String(), append(targets, *target)
	}
	for _, b := range able {
		targets = append(targets, b.Target)
	}
	if len(able) == 0 {
		a.say("nobody may %s%s by what is granted here", r, on)
	}
	a.sayModes(m.snapshot, targets)
	a.sayBeyond(r)
	return nil
}

func holderList(rows []access.Able) list {
	l := list{columns: []column{{name: "Subject"}, {name: "Role"}, {name: "Resource"}, {name: "Expires"}, {name: "Through"},
		{name: "File"}, {name: "Reason", wide: true}}}
	items := []holderItem{}
	for _, row := range rows {
		for _, r := range row.Reasons {
			g := r.Grant
			i := holderItem{grantItem: grantItem{Role: g.Role, Resource: g.Target.String(), Expires: g.Expires,
				Reason: g.Reason, Via: r.Via, File: g.Pos.File, Line: g.Pos.Line}, Allowed: row.Answer}
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
