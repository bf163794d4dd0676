package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A grantItem is a grant as `grants list -o json` shows it, or, with
// --inherited, what a subject has through one grant.
type grantItem struct {
	User     string    `json:"user,omitempty"`
	Group    string    `json:"group,omitempty"`
	Role     string    `json:"role"`
	Resource string    `json:"resource"`
	Expires  time.Time `json:"expires,omitzero"`
	Expired  bool      `json:"expired,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Via      []string  `json:"via,omitempty"`
	File     string    `json:"file"`
	Line     int       `json:"line"`
}

// A grantFilter is what the flags of `grants list` leave over. Empty fields let
// everything through.
type grantFilter struct {
	user, group, destination, resource, role string
	after, until                             time.Time // when it ends: not before the one, before the other
}

func (a *app) grantsListCommand() *cobra.Command {
	var (
		f         grantFilter
		inherited bool
		expiring  string
		ended     bool
		show      listFlags
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List grants",
		Long: `List grants as they are written, or, with --inherited, the access that they
give: groups expanded to their members, revocations taken away.

With --expiring, those that end within this time, the next to end first; with
--expired, those that have ended.

Fields (docs/output.md): user or group, role, resource, expires, expired,
reason, via (with --inherited: the groups on the way, outermost first), file,
line. What -o name prints is what "infra grants remove" takes.`,
		Example: `  infra grants list
  infra grants list --user fisher@example.com --inherited
  infra grants list --destination example -o json
  infra grants list --expiring 14d
  infra grants list --user fisher@example.com -o name | xargs -L1 infra grants remove`,
		Args: arguments,
		RunE: func(*cobra.Command, []string) error {
			if inherited && show.output == "name" {
				return hint(errors.New("-o name names grants, which --inherited does not list"), "leave one of them out")
			}
			if err := f.expiring(expiring, ended, a.now()); err != nil {
				return err
			}
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			items := written(s)
			if inherited {
				items = effective(s)
			}
			items = slices.DeleteFunc(items, func(g reason) bool { return !f.lets(g) })
			if expiring != "" || ended {
				slices.SortStableFunc(items, func(x, y reason) int { return x.grant.Expires.Compare(y.grant.Expires) })
			}
			return a.printList(grantList(items, inherited, a.now()), show)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.user, "user", "", "only of this `person`")
	flags.StringVar(&f.group, "group", "", "only of this `group`")
	flags.StringVar(&f.destination, "destination", "", "only on this `destination` and its namespaces")
	flags.StringVar(&f.resource, "resource", "", "only on exactly this `resource`: a destination, or destination.namespace")
	flags.StringVar(&f.role, "role", "", "only this `role`")
	flags.BoolVar(&inherited, "inherited", false, "what people have in effect, through groups too")
	flags.StringVar(&expiring, "expiring", "", "only what ends within this `time` from now: 8h, 14d, 2w")
	flags.BoolVar(&ended, "expired", false, "only what has ended")
	cmd.MarkFlagsMutuallyExclusive("user", "group")
	cmd.MarkFlagsMutuallyExclusive("expiring", "expired")
	show.register(cmd, grantItem{}, listFormats...)
	a.complete(cmd, "user", people)
	a.complete(cmd, "group", groups)
	a.complete(cmd, "destination", destinations)
	a.complete(cmd, "resource", resources)
	a.complete(cmd, "role", roles)
	return cmd
}

// A reason is one line of the list: whom a grant reaches, and how.
type reason struct {
	subject schema.Subject
	grant   schema.Grant
	via     []string
}

// written are the grants as the files have them.
func written(s *schema.Snapshot) []reason {
	var out []reason
	for _, g := range s.Grants {
		out = append(out, reason{subject: g.Subject, grant: g})
	}
	return sorted(out)
}

// effective is the access that a snapshot gives, one item for each reason.
func effective(s *schema.Snapshot) []reason {
	var out []reason
	for _, row := range access.Resolve(s, s.Revoked).Rows() {
		for _, r := range row.Reasons {
			out = append(out, reason{subject: row.Subject, grant: r.Grant, via: r.Via})
		}
	}
	return sorted(out)
}

func sorted(rs []reason) []reason {
	slices.SortStableFunc(rs, func(x, y reason) int {
		return cmp.Or(x.grant.Target.Compare(y.grant.Target), cmp.Compare(x.grant.Role, y.grant.Role),
			x.subject.Compare(y.subject), x.grant.Pos.Compare(y.grant.Pos), slices.Compare(x.via, y.via))
	})
	return rs
}

// expiring reads --expiring and --expired.
func (f *grantFilter) expiring(span string, ended bool, now time.Time) error {
	if ended {
		f.until = now
		return nil
	}
	if span == "" {
		return nil
	}
	d, err := duration(span)
	if err != nil {
		return fmt.Errorf("--expiring: %w", err)
	}
	f.after, f.until = now, now.Add(d)
	return nil
}

func (f grantFilter) lets(r reason) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(f.role, r.grant.Role) &&
		is(f.destination, r.grant.Target.Destination) &&
		is(f.resource, r.grant.Target.String()) &&
		(f.until.IsZero() || expired(r.grant.Expires, f.until) && !expired(r.grant.Expires, f.after)) &&
		(f.user == "" || r.subject == schema.Subject{Kind: schema.User, Name: f.user}) &&
		(f.group == "" || r.subject == schema.Subject{Kind: schema.GroupKind, Name: f.group})
}

func grantList(rs []reason, inherited bool, now time.Time) list {
	l := list{columns: []column{{name: "Subject"}, {name: "Role"}, {name: "Resource"}, {name: "Expires"}}}
	if inherited {
		l.columns = append(l.columns, column{name: "Through"})
	}
	l.columns = append(l.columns, column{name: "Reason", wide: true}, column{name: "File", wide: true})
	items := []grantItem{}
	for _, r := range rs {
		g := r.grant
		i := grantItem{
			Role: g.Role, Resource: g.Target.String(), Expires: g.Expires, Expired: expired(g.Expires, now),
			Reason: g.Reason, Via: r.via, File: g.Pos.File, Line: g.Pos.Line,
		}
		if r.subject.Kind == schema.GroupKind {
			i.Group = r.subject.Name
		} else {
			i.User = r.subject.Name
		}
		items = append(items, i)
		row := []any{r.subject.String(), g.Role, g.Target.String(), until(g.Expires, now)}
		if inherited {
			row = append(row, strings.Join(r.via, ", "))
		}
		l.rows = append(l.rows, append(row, g.Reason, place(g.Pos)))
		l.names = append(l.names, grantArguments(r.subject, g.Role, g.Target))
	}
	l.values = items
	return l
}

// grantArguments is a grant as `grants add` and `grants remove` take it. An empty
// role stands for every one.
func grantArguments(s schema.Subject, role string, t schema.Target) string {
	words := []string{s.Name, t.String()}
	if s.Kind == schema.GroupKind {
		words = append([]string{"-g"}, words...)
	}
	if role != "" {
		words = append(words, "--role", role)
	}
	return shell(words...)
}
