package policy

import (
	"fmt"
	"strings"

	"github.com/infrahq/infra/schema"
)

// newDeny judges `deny`: nobody gains access that reaches into what is denied,
// unless it lies as a whole in what is excepted. It looks at each reason by
// itself: who has the same access through the excepted group and through another
// one is refused for the other one.
func newDeny(d schema.Deny) judge {
	denied, except := newPicker(d.Selector), newException(d.Unless)
	way := ""
	if d.Unless != nil {
		way = "allowed is " + describe(*d.Unless)
	}
	return accessJudge(func(w *world) []breach {
		var out []breach
		for row, reason := range denied.picks(w, false) {
			if except.excepts(w, row, reason) {
				continue
			}
			b := breach{row: row, reason: reason, until: reason.Grant.Expires, way: way}
			if len(d.Roles) > 0 && !matchAny(d.Roles, row.Role) {
				b.extra = ", which includes " + strings.Join(d.Roles, ", ")
				if len(d.Roles) > 1 {
					b.extra = ", which includes some of " + strings.Join(d.Roles, ", ")
				}
			}
			if len(d.Namespaces) > 0 && row.Target.Namespace == "" {
				b.extra += fmt.Sprintf(" (all namespaces, so %s too)", strings.Join(d.Namespaces, ", "))
			}
			out = append(out, b)
		}
		return out
	})
}

// describe says what a selector picks.
func describe(s schema.Selector) string {
	var parts []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, what+strings.Join(names, " or "))
		}
	}
	if len(s.Roles) > 0 {
		parts = append(parts, strings.Join(s.Roles, " or "))
	}
	add("on ", s.Destinations)
	add("in namespace ", s.Namespaces)
	switch s.Scope {
	case schema.ScopeCluster:
		parts = append(parts, "on a whole destination")
	case schema.ScopeNamespace:
		parts = append(parts, "on namespaces only")
	}
	add("to user ", s.Users)
	add("through group ", s.Groups)
	if s.Undeclared {
		parts = append(parts, "to groups that are not declared")
	}
	if len(s.Roles) == 0 {
		parts = append([]string{"access"}, parts...)
	}
	return strings.Join(parts, " ")
}
