package schema

import (
	"maps"
	"slices"
)

// checkPolicy looks for names in infra.yaml that mean nothing, or nothing any
// more: a rule about a name that is misspelt guards nothing, and does not say so.
func (c *checker) checkPolicy() {
	if len(c.named) == 0 {
		return
	}
	destinations, former := c.knownDestinations()
	near := newSpelling(slices.Collect(maps.Keys(destinations)))
	roles := newSpelling(c.listedRoles())
	for _, n := range c.named {
		switch n.kind {
		case "user":
			if !n.try {
				c.nearUser(n.name, n.pos)
			}
		case "group":
			c.nearGroup(n.name, n.pos)
		case "role":
			if indexOf(BuiltinRoles, n.name) >= 0 || roles.has(n.name) {
				continue
			}
			meant := Nearest(n.name, BuiltinRoles)
			if meant == "" {
				meant = roles.of(n.name)
			}
			if meant != "" {
				c.warnf(n.pos, "role %s: did you mean %q?", quoted(n.name), meant)
			}
		case "destination":
			if n.try {
				continue
			}
			if now, renamed := former[n.name]; renamed {
				c.warnf(n.pos, "destination %s is now called %q", quoted(n.name), now)
			} else if meant := near.of(n.name); meant != "" && !destinations[n.name] {
				c.warnf(n.pos, "nothing else knows destination %s: did you mean %q?", quoted(n.name), meant)
			}
		}
	}
}

// knownDestinations are those that the other files name, and the present names
// of former ones.
func (c *checker) knownDestinations() (known map[string]bool, former map[string]string) {
	known, former = map[string]bool{InfraDestination: true}, map[string]string{}
	for _, d := range c.snapshot.Destinations {
		known[d.Name] = true
		for _, name := range d.Formerly {
			former[name] = d.Name
		}
	}
	for _, g := range c.grants {
		if d := g.Target.Destination; !IsPattern(d) {
			known[d] = true
		}
	}
	return known, former
}

func (c *checker) listedRoles() []string {
	var names []string
	for _, d := range c.snapshot.Destinations {
		for _, r := range d.Roles {
			names = append(names, r.Name)
		}
	}
	return names
}
