// Package adopt turns the role bindings that a cluster has into grants that give
// exactly the same.
//
// New looks at every subject of every binding and says what becomes of it: a grant,
// nothing as it is granted already, or nothing as no grant would be the same, with
// the reason. What it is not sure of it leaves: a binding that stays does no harm.
// Prove then shows, by a way of its own, that with the grants and without the
// bindings that they stand for nobody has more or less than before.
//
// The package takes values and returns values; what reads a cluster or manifests, and
// what edits the files, is elsewhere.
package adopt

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// A Plan is what becomes of a cluster's bindings.
type Plan struct {
	Destination string
	Items       []Item         // one for each binding, in the order of Binding.Compare
	Grants      []schema.Grant // to add, each once, in order of target, role and subject
	Groups      []schema.Group // to declare, by name
	Roles       []schema.Role  // to list in the destination's entry, by name
	Steps       Steps
}

// Expected says whether a binding is one that every cluster has, or that the connector
// of the plan's destination makes, so that nobody needs to hear of it. One of
// Kubernetes' own into which somebody put people is not.
func (p Plan) Expected(b Binding) bool {
	return strings.HasPrefix(b.Name, reconciler.Prefix(p.Destination)) || b.Internal() && !b.ofInfra() && !b.namesPeople()
}

// An Item is a binding and what becomes of each subject that it names.
type Item struct {
	Binding  Binding
	Granted  string // the role, as grants name it; empty: none is the same
	Subjects []Adoption
	Enforced bool // bindings of infra in the cluster give the same to all whom it names
}

// Superseded says whether the grants stand for all that a binding gives, so that it
// can go once they are enforced.
func (i Item) Superseded() bool {
	return len(i.Subjects) > 0 && !slices.ContainsFunc(i.Subjects, func(a Adoption) bool { return a.Fate == Left })
}

// An Adoption is what becomes of one subject of a binding.
type Adoption struct {
	Subject reconciler.Subject
	Fate    Fate
	Grant   schema.Grant // that stands for it; with its place where it is there already
	Reason  string       // where it is Left
}

// Fate is what becomes of a subject of a binding.
type Fate string

// The fates.
const (
	Adopted Fate = "granted"   // by a grant that is to be added
	Had     Fate = "unchanged" // it is granted already
	Left    Fate = "left"      // no grant would give exactly the same
)

// Options say how a plan is made. The zero value makes no groups.
type Options struct {
	Groups  bool                    // declare people as a group where several bindings name the same ones
	Refused map[schema.Grant]string // grants, without place, that the repository cannot have, and why
}

// New plans the adoption of bindings by a destination of a repository that has no
// errors.
func New(o Objects, s *schema.Snapshot, destination string, options Options) Plan {
	p := &planner{
		Plan:    Plan{Destination: destination},
		options: options,
		entry:   schema.Destination{Name: destination},
		before:  s,
		table:   access.Resolve(s, s.Revoked),
		groups:  map[string]schema.Pos{},
	}
	for _, d := range s.Destinations {
		if d.Name == destination {
			p.entry = d
		}
	}
	for _, g := range s.Groups {
		p.groups[g.Name] = g.Pos
	}
	p.roles = newCatalogue(o, p.entry)
	for _, b := range o.Bindings {
		p.Items = append(p.Items, p.item(b))
	}
	slices.SortStableFunc(p.Items, func(a, b Item) int { return a.Binding.Compare(b.Binding) })
	if options.Groups {
		p.declare(o)
	}
	p.gather()
	p.enforced(o)
	return p.Plan
}

type planner struct {
	Plan
	options Options
	entry   schema.Destination
	before  *schema.Snapshot
	table   *access.Table
	groups  map[string]schema.Pos // that are declared
	roles   *catalogue
}

// item decides about a binding.
func (p *planner) item(b Binding) Item {
	i := Item{Binding: b}
	reason := b.Unclear
	switch {
	case reason != "":
	case b.ofInfra():
		reason = "it is infra's own"
	case b.Internal():
		reason = "it is Kubernetes' own"
	case b.Kind == RoleBinding && b.Namespace == "":
		reason = "it does not say its namespace"
	case b.inSystem():
		reason = "a role in a kube-* namespace is as good as cluster-admin: write that grant by hand"
	case b.Namespace != "" && (schema.Target{Destination: "x", Namespace: b.Namespace}).Validate() != nil:
		reason = fmt.Sprintf("namespace %q cannot be one", b.Namespace)
	default:
		i.Granted, reason = p.roles.granted(b)
		if reason != "" {
			i.Granted = ""
		}
	}
	seen := map[reconciler.Subject]bool{}
	for _, subject := range b.Subjects {
		if seen[subject] {
			continue
		}
		seen[subject] = true
		if reason != "" {
			i.Subjects = append(i.Subjects, Adoption{Subject: subject, Fate: Left, Reason: reason})
			continue
		}
		i.Subjects = append(i.Subjects, p.adopt(b, i.Granted, subject))
	}
	slices.SortFunc(i.Subjects, func(a, b Adoption) int { return a.Subject.Compare(b.Subject) })
	return i
}

// adopt decides about a subject of a binding.
func (p *planner) adopt(b Binding, role string, subject reconciler.Subject) Adoption {
	a := Adoption{Subject: subject, Fate: Left}
	who, reason := p.who(subject)
	if reason != "" {
		a.Reason = reason
		return a
	}
	g := schema.Grant{Subject: who, Role: role, Target: schema.Target{Destination: p.Destination, Namespace: b.Namespace}}
	if have, ok := p.has(g); ok {
		if !have.Expires.IsZero() {
			a.Reason = fmt.Sprintf("it is granted at %s, with an end that the binding does not have", have.Pos)
			return a
		}
		a.Fate, a.Grant = Had, have
		return a
	}
	if reason, refused := p.options.Refused[g]; refused {
		a.Reason = reason
		return a
	}
	a.Fate, a.Grant = Adopted, g
	return a
}

// who is a subject as the repository names it, or why it cannot.
func (p *planner) who(subject reconciler.Subject) (schema.Subject, string) {
	who, prefix := schema.Subject{Kind: schema.User}, p.entry.Subjects.UserPrefix
	switch subject.Kind {
	case "User":
	case "Group":
		who.Kind, prefix = schema.GroupKind, p.entry.Subjects.GroupPrefix
	case serviceAccount:
		return who, "infra grants to people and groups, not to ServiceAccounts"
	default:
		return who, fmt.Sprintf("a subject of kind %s is nobody", subject.Kind)
	}
	if strings.HasPrefix(subject.Name, systemPrefix) {
		return who, "names that begin with system: are Kubernetes' own"
	}
	name, ok := strings.CutPrefix(subject.Name, prefix)
	if !ok {
		return who, fmt.Sprintf("names of %s on %s begin with %q, and this one does not", who.Kind+"s", p.Destination, prefix)
	}
	who.Name = name
	if err := who.Validate(); err != nil {
		return who, err.Error()
	}
	if pos, declared := p.groups[name]; declared && who.Kind == schema.GroupKind {
		return who, fmt.Sprintf("group %q is declared at %s: a grant would be to those who are in it there", name, pos)
	}
	if p.before.Revoked.Subject(who) {
		return who, fmt.Sprintf("%s is revoked, so a grant would give nothing", who)
	}
	return who, ""
}

// has is the grant by which somebody has exactly this role there; of several, the one
// that lasts.
func (p *planner) has(g schema.Grant) (schema.Grant, bool) {
	for _, row := range p.table.Of(g.Subject) {
		if row.Role != g.Role || row.Target.Namespace != g.Target.Namespace || !schema.MatchDestination(row.Target.Destination, g.Target.Destination) {
			continue
		}
		for _, r := range row.Reasons {
			if r.Grant.Expires.Equal(row.Expires) {
				return r.Grant, true
			}
		}
	}
	return schema.Grant{}, false
}

// gather collects what is to be added.
func (p *planner) gather() {
	grants, fresh, custom := map[schema.Grant]bool{}, map[string]bool{}, map[string]bool{}
	for _, i := range p.Items {
		for _, a := range i.Subjects {
			isCustom := !slices.Contains(schema.BuiltinRoles, i.Granted)
			switch a.Fate {
			case Left:
				continue
			case Adopted:
				grants[a.Grant] = true
				fresh[i.Granted] = isCustom
			}
			custom[i.Granted] = isCustom
		}
	}
	p.Grants = slices.SortedFunc(maps.Keys(grants), func(a, b schema.Grant) int {
		if c := a.Target.Compare(b.Target); c != 0 {
			return c
		}
		if c := strings.Compare(a.Role, b.Role); c != 0 {
			return c
		}
		return a.Subject.Compare(b.Subject)
	})
	p.Steps = p.roles.steps(chosen(custom))
	p.Roles = p.roles.list(chosen(fresh), p.before)
}

func chosen(names map[string]bool) []string {
	var out []string
	for name, yes := range names {
		if yes {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// enforced finds the bindings whose access infra's own bindings give already.
func (p *planner) enforced(o Objects) {
	type holding struct {
		namespace, role string
		subject         reconciler.Subject
	}
	have := map[holding]bool{}
	for _, b := range o.Bindings {
		if strings.HasPrefix(b.Name, reconciler.Prefix(p.Destination)) && b.Role.Kind == ClusterRole {
			for _, s := range b.Subjects {
				have[holding{b.Namespace, b.Role.Name, s}] = true
			}
		}
	}
	for n := range p.Items {
		i := &p.Items[n]
		i.Enforced = i.Superseded() && !slices.ContainsFunc(i.Subjects, func(a Adoption) bool {
			return !have[holding{i.Binding.Namespace, reconciler.ClusterRole(i.Granted), a.Subject}]
		})
	}
}
