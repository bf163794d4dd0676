package policy

import (
	"iter"
	"slices"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A picker is a selector of a rule, made ready to look at many rows. What it
// asks for is asked for together: users and groups both, where both are said.
//
// There are three ways to pick, because a rule must not be evaded and an
// exception must not be stretched:
//   - deny, limit and separate pick access that reaches into what they name, and
//     a role stands for every role that contains it (access.Contains);
//   - require picks access that reaches into what it names, by the very names of
//     roles, since it asks something of the grants that say these roles;
//   - unless picks only access that lies in it as a whole, by the very names.
//
// A pattern of a rule means kube-* namespaces too, which a pattern in a grant
// never does; in an exception it does not. A destination that has another name
// now is still what a rule names (formerly), but not what an exception does.
// People in a group of the identity provider are not seen by users: nobody here
// knows who they are.
type picker struct {
	schema.Selector
	exact  bool // roles by their very names, not also those that contain them
	within bool // only what lies in it as a whole

	users, groups, roles map[string]bool // names that were matched already
	contained            map[string]bool // roles of which it is known whether one that they contain is picked
}

func newPicker(s schema.Selector) *picker {
	return &picker{Selector: s, users: map[string]bool{}, groups: map[string]bool{}, roles: map[string]bool{}, contained: map[string]bool{}}
}

func newExactPicker(s schema.Selector) *picker {
	p := newPicker(s)
	p.exact = true
	return p
}

// newException is nil where there is none.
func newException(s *schema.Selector) *picker {
	if s == nil {
		return nil
	}
	p := newExactPicker(*s)
	p.within = true
	return p
}

// picks goes through the access that is picked, each reason of a row by itself,
// in the order of the rows. What has surely expired is left out, unless expired is set.
func (p *picker) picks(w *world, expired bool) iter.Seq2[*access.Row, *access.Reason] {
	return p.picksIn(w, w.table().Rows(), expired)
}

func (p *picker) picksIn(w *world, rows []access.Row, expired bool) iter.Seq2[*access.Row, *access.Reason] {
	return func(yield func(*access.Row, *access.Reason) bool) {
		// Rows of one destination, and of one target and role, follow each other:
		// what these are is looked at once.
		destination, place := false, false
		for i := range rows {
			row := &rows[i]
			if i == 0 || row.Target.Destination != rows[i-1].Target.Destination {
				destination = p.destination(w, row.Target.Destination)
			}
			if !destination {
				continue
			}
			if i == 0 || row.Role != rows[i-1].Role || row.Target != rows[i-1].Target {
				place = p.scope(row)
			}
			if !place || !expired && row.Expired(w.surely()) {
				continue
			}
			for n := range row.Reasons {
				reason := &row.Reasons[n]
				if !expired && ended(reason.Grant.Expires, w.surely()) || !p.who(row, reason) {
					continue
				}
				if !yield(row, reason) {
					return
				}
			}
		}
	}
}

// excepts says whether the exception, if there is one, is for this access.
func (p *picker) excepts(w *world, row *access.Row, reason *access.Reason) bool {
	return p != nil && p.who(row, reason) && p.destination(w, row.Target.Destination) && p.scope(row)
}

// scope says whether the role of a row, and where on its destination it is, are
// picked.
func (p *picker) scope(row *access.Row) bool {
	namespace := row.Target.Namespace
	if p.Scope == schema.ScopeCluster && namespace != "" || p.Scope == schema.ScopeNamespace && namespace == "" {
		return false
	}
	return p.role(row.Role, row.Target.Destination) && p.namespace(namespace)
}

func (p *picker) role(role, destination string) bool {
	switch {
	case len(p.Roles) == 0 || remember(p.roles, p.Roles, role):
		return true
	case p.exact:
		return false
	case destination == schema.InfraDestination:
		return includes(role, p.Roles, schema.InfraRoles)
	case access.Contains(role, ""): // it contains whatever there is
		return true
	}
	fits, ok := p.contained[role]
	if !ok {
		fits = includes(role, p.Roles, schema.BuiltinRoles)
		p.contained[role] = fits
	}
	return fits
}

// includes says whether a role contains one that the patterns match.
func includes(role string, patterns, roles []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return access.Contains(role, r) && matchAny(patterns, r) })
}

func (p *picker) destination(w *world, name string) bool {
	switch {
	case p.within:
		return len(p.Destinations) == 0 || slices.ContainsFunc(p.Destinations, func(pattern string) bool {
			return schema.MatchDestination(pattern, name)
		})
	case name == schema.InfraDestination:
		return slices.Contains(p.Destinations, name)
	case len(p.Destinations) == 0 || p.reaches(name):
		return true
	}
	// It may be named by what it was called before.
	for now, before := range w.former() {
		if schema.MatchDestination(name, now) && slices.ContainsFunc(before, p.reaches) {
			return true
		}
	}
	return false
}

func (p *picker) reaches(destination string) bool {
	return slices.ContainsFunc(p.Destinations, func(pattern string) bool {
		return schema.Target{Destination: pattern}.Overlaps(schema.Target{Destination: destination})
	})
}

func (p *picker) namespace(name string) bool {
	return len(p.Namespaces) == 0 || name == "" && !p.within || slices.ContainsFunc(p.Namespaces, func(pattern string) bool {
		switch {
		case p.within:
			return schema.MatchNamespace(pattern, name)
		case !schema.IsPattern(name):
			return schema.Match(pattern, name)
		case !schema.IsPattern(pattern):
			return schema.MatchNamespace(name, pattern)
		}
		return schema.Target{Destination: "d", Namespace: pattern}.Overlaps(schema.Target{Destination: "d", Namespace: name})
	})
}

// who says whether the subject of a row, and the groups on the way to it, are picked.
func (p *picker) who(row *access.Row, reason *access.Reason) bool {
	isGroup := row.Subject.Kind == schema.GroupKind // of the identity provider: others are expanded
	if p.Undeclared && !isGroup {
		return false
	}
	if len(p.Users) > 0 && (isGroup || !remember(p.users, p.Users, row.Subject.Name)) {
		return false
	}
	if len(p.Groups) == 0 || isGroup && remember(p.groups, p.Groups, row.Subject.Name) {
		return true
	}
	return slices.ContainsFunc(reason.Via, func(name string) bool { return remember(p.groups, p.Groups, name) })
}

func remember(known map[string]bool, patterns []string, name string) bool {
	fits, ok := known[name]
	if !ok {
		fits = matchAny(patterns, name)
		known[name] = fits
	}
	return fits
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return schema.Match(pattern, name) })
}
