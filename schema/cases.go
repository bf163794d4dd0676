package schema

import "strings"

// readCases reads the tests of a rule.
func (f *parsedFile) readCases(r *reader, n *node) []Case {
	var cases []Case
	r.each(n, "cases", func(item *node) {
		if f.caseCount++; f.caseCount > maxCases {
			return
		}
		cases = append(cases, f.readCase(r, item))
	})
	return cases
}

func (f *parsedFile) readCase(r *reader, n *node) Case {
	c := Case{Pos: r.pos(n)}
	var act *node
	ok := r.mapping(n, "a case", []string{"grant", "remove", "key", "want"}, func(key string, k, v *node) {
		if key == "want" {
			c.Refused = r.oneOf(v, key, []string{"refused", "allowed"}) == "refused"
			return
		}
		if act != nil {
			r.errorf(r.pos(k), "a case does one thing, and this one has %q already, on line %d: make two cases", act.Value, act.Line)
			return
		}
		act = k
		switch key {
		case "grant":
			g := f.readCaseGrant(r, v, "grant", []string{"expires", "reason"}, func(g *Grant, key string, v *node) {
				if key == "expires" {
					c.Expires = r.duration(v, key)
				} else {
					g.Reason = r.reason(v)
				}
			})
			c.Grant = &g
		case "remove":
			g := f.readCaseGrant(r, v, "remove", nil, nil)
			c.Remove = &g
		case "key":
			k := f.readCaseKey(r, v, &c)
			c.Key = &k
		}
	})
	if !ok {
		return c
	}
	if act == nil {
		r.errorf(c.Pos, "a case that does nothing: give it one of grant, remove, key")
	}
	r.missing(n, "a case", "want")
	return c
}

// readCaseGrant reads a grant of a policy: a subject, a role and a target, and
// what more the rest reads.
func (f *parsedFile) readCaseGrant(r *reader, n *node, what string, more []string, rest func(g *Grant, key string, v *node)) Grant {
	g := Grant{Pos: r.pos(n)}
	before := r.errors
	named := len(f.named)
	var role *node
	ok := r.mapping(n, what, append([]string{"user", "group", "role", "resource"}, more...), func(key string, k, v *node) {
		switch key {
		case "user", "group":
			if g.Subject.Kind != "" {
				r.errorf(r.pos(k), "%s is of a user or of a group, not of both", what)
				return
			}
			g.Subject = Subject{Kind: SubjectKind(key)}
			g.Subject.Name = r.name(v, key, func(s string) error { return Subject{g.Subject.Kind, s}.Validate() })
			f.name(r, v, key, g.Subject.Name)
		case "role":
			role, g.Role = v, r.name(v, key, ValidateRole)
			f.name(r, v, key, g.Role)
		case "resource":
			g.Target = r.target(v)
			f.name(r, v, "destination", g.Target.Destination)
		default:
			rest(&g, key, v)
		}
	})
	if !ok {
		return g
	}
	if g.Subject.Kind == "" && !hasKey(n, "user") {
		r.errorf(g.Pos, "%s without \"user\" or \"group\"", what)
	}
	r.missing(n, what, "role", "resource")
	if r.errors == before && g.Target.Destination == InfraDestination && indexOf(InfraRoles, g.Role) < 0 {
		r.errorf(r.pos(role), "role %s: grants on %q, the server itself, have one of the roles %s",
			quoted(g.Role), InfraDestination, strings.Join(InfraRoles, ", "))
	}
	for i := named; i < len(f.named) && what != "protect"; i++ {
		f.named[i].try = true
	}
	return g
}

func (f *parsedFile) readCaseKey(r *reader, n *node, c *Case) Key {
	k := Key{Pos: r.pos(n)}
	ok := r.mapping(n, "key", []string{"user", "destination", "expires"}, func(key string, _, v *node) {
		switch key {
		case "user":
			k.User = r.name(v, key, ValidateUser)
		case "destination":
			k.Destination = r.name(v, key, validateOwnDestination)
		case "expires":
			c.Expires = r.duration(v, key)
		}
	})
	if ok {
		r.missing(n, "key", "user")
	}
	return k
}
