package schema

import (
	"maps"
	"slices"
)

func (f *parsedFile) readUser(r *reader, n *node) {
	before := r.errors
	u := DeclaredUser{Pos: r.pos(n)}
	ok := r.mapping(n, "a user", []string{"name", "displayName"}, func(key string, _, v *node) {
		switch key {
		case "name":
			u.Name = r.name(v, key, ValidateUser)
		case "displayName":
			u.DisplayName = r.line(v, "the display name")
		}
	})
	if !ok {
		return
	}
	r.missing(n, "a user", "name")
	if r.errors == before {
		f.users = append(f.users, u)
	}
}

// checkUsers looks for people who are declared twice, and, where people are
// declared at all, for names that are one mistake away from a declared one.
func (c *checker) checkUsers() {
	c.users = make(map[string]Pos, len(c.snapshot.Users))
	for _, u := range c.snapshot.Users {
		if first, ok := c.users[u.Name]; ok {
			c.errorf(u.Pos, "user %s twice: first at %s", quoted(u.Name), first)
			continue
		}
		c.users[u.Name] = u.Pos
	}
	if len(c.users) == 0 {
		return
	}
	for _, g := range c.grants {
		if g.Subject.Kind == User {
			c.nearUser(g.Subject.Name, g.subjectPos)
		}
	}
	for _, g := range c.snapshot.Groups {
		for _, m := range g.Users {
			c.nearUser(m.Name, m.Pos)
		}
	}
	for _, k := range c.snapshot.Keys {
		if k.User != ConnectorUser {
			c.nearUser(k.User, k.Pos)
		}
	}
}

// nearUser warns of a name that is not declared and looks like one that is.
func (c *checker) nearUser(name string, p Pos) {
	if _, declared := c.users[name]; declared || len(c.users) == 0 {
		return
	}
	if c.nearUsers == nil {
		c.nearUsers = newSpelling(slices.Collect(maps.Keys(c.users)))
	}
	if near := c.nearUsers.of(name); near != "" {
		c.warnf(p, "user %s is not declared: did you mean %s?", quoted(name), quoted(near))
	}
}
