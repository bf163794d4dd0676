package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/infrahq/infra/schema"
)

// destinations compares what is said of destinations. One is there where it has
// an entry or a grant; without an entry it is as an empty entry says.
func (c *comparison) destinations() {
	for name, pos := range c.places.new {
		entry, before := c.new.entry(name), c.formerEntry(name)
		change := Change{Name: name, Pos: pos, Destinations: []string{name}}
		_, was := c.places.old[name]
		renamed := c.places.of(name)
		switch {
		case !was && renamed == nil:
			change.Kind, change.Fields = DestinationAdded, different(nil, destinationParts(entry))
		default:
			after := destinationParts(entry)
			if before.Roles != nil && entry.Roles == nil {
				i := slices.IndexFunc(after, func(p part) bool { return p.name == "roles" })
				after[i].text = anyRole
			}
			change.Kind, change.Fields = DestinationChanged, different(destinationParts(before), after)
			change.Danger = destinationDanger(before, entry)
			change.People = c.affected(name, before, entry)
			if renamed != nil {
				change.Fields = append([]Field{{"name", renamed.old, name}}, change.Fields...)
			}
			if len(change.Fields) == 0 {
				continue
			}
		}
		c.add(change)
	}
	for name, pos := range c.places.old {
		if _, is := c.places.new[name]; !is && c.places.became[name] == "" {
			c.add(Change{Kind: DestinationRemoved, Name: name, Pos: pos, InOld: true, Destinations: []string{name},
				Fields: different(destinationParts(c.old.entry(name)), nil)})
		}
	}
}

// of is the renamed destination of this new name; nil: it is none.
func (p *places) of(name string) *place {
	if i := slices.IndexFunc(p.renamed, func(r place) bool { return r.name == name }); i >= 0 {
		return &p.renamed[i]
	}
	return nil
}

// entry is what a table knows of a destination.
func (t *Table) entry(name string) schema.Destination {
	d := t.destinations[name]
	d.Mode = cmp.Or(d.Mode, schema.ModeEnforce)
	return d
}

// formerEntry is what the old table knows of a destination that has this name
// now.
func (c *comparison) formerEntry(name string) schema.Destination {
	if renamed := c.places.of(name); renamed != nil {
		name = renamed.old
	}
	return c.old.entry(name)
}

func destinationParts(d schema.Destination) []part {
	roles := make([]string, len(d.Roles))
	for i, r := range d.Roles {
		roles[i] = r.Name
	}
	slices.Sort(roles)
	listed := strings.Join(roles, ", ")
	if d.Roles != nil && listed == "" {
		listed = "none but the built-in ones"
	}
	parts := []part{
		{"mode", string(d.Mode)},
		{"formerly", strings.Join(slices.Sorted(slices.Values(d.Formerly)), ", ")},
		{"user prefix", d.Subjects.UserPrefix},
		{"group prefix", d.Subjects.GroupPrefix},
		{"roles", listed},
	}
	for _, label := range slices.Sorted(maps.Keys(d.Labels)) {
		parts = append(parts, part{"label " + label, d.Labels[label]})
	}
	return parts
}

// destinationDanger is that of a destination where what is taken away stays, where
// what was granted meanwhile counts now, or where names mean somebody else.
func destinationDanger(before, after schema.Destination) Danger {
	if (before.Mode == schema.ModeEnforce) != (after.Mode == schema.ModeEnforce) || before.Subjects != after.Subjects {
		return Administers
	}
	return Ordinary
}

// affected counts whose bindings get another name on a destination, or are made
// from now on, or no longer.
func (c *comparison) affected(destination string, before, after schema.Destination) int {
	switched := (before.Mode == schema.ModeEnforce) != (after.Mode == schema.ModeEnforce)
	if !switched && before.Subjects == after.Subjects {
		return 0
	}
	seen := map[schema.Subject]bool{}
	c.new.on(destination, func(row *Row) {
		renamed := before.Subjects.UserPrefix != after.Subjects.UserPrefix
		if row.Subject.Kind == schema.GroupKind {
			renamed = before.Subjects.GroupPrefix != after.Subjects.GroupPrefix
		}
		if (switched || renamed) && !row.Expired(c.at) {
			seen[row.Subject] = true
		}
	})
	return len(seen)
}

// anyRole is what is said of a destination that lists roles no longer.
const anyRole = "any that the cluster has"

// roles compares the rules of custom roles that a destination has on both sides,
// and of those that it lists no longer though it takes any role now.
func (c *comparison) roles() {
	for i := range c.new.snapshot.Destinations {
		d := &c.new.snapshot.Destinations[i]
		before := c.formerEntry(d.Name)
		for _, role := range d.Roles {
			j := slices.IndexFunc(before.Roles, func(r schema.Role) bool { return r.Name == role.Name })
			if j >= 0 && !sameRules(before.Roles[j].Rules, role.Rules) {
				c.add(c.roleChange(d.Name, before.Roles[j], role))
			}
		}
	}
	for name, pos := range c.places.new {
		if c.new.destinations[name].Roles != nil {
			continue
		}
		for _, before := range c.formerEntry(name).Roles {
			if before.Rules == nil {
				continue
			}
			if change := c.roleChange(name, before, schema.Role{Name: before.Name, Pos: pos}); change.People > 0 {
				c.add(change)
			}
		}
	}
}

func (c *comparison) roleChange(destination string, before, after schema.Role) Change {
	change := Change{Kind: RoleChanged, Name: after.Name, Role: after.Name, Pos: after.Pos, Destinations: []string{destination}}
	whole := schema.Target{Destination: destination}
	allowed := func(r schema.Role, t schema.Target) assessment { return assess(r.Name, t, [][]schema.Rule{r.Rules}) }
	change.Powers = allowed(after, whole).powers
	change.Outlives = outlives(change.Powers)
	change.Fields = different(
		[]part{{"powers", join(allowed(before, whole).powers)}, {"rules", rulesText(before.Rules)}},
		[]part{{"powers", join(change.Powers)}, {"rules", rulesText(after.Rules)}})
	holders := map[schema.Subject]bool{}
	c.new.on(destination, func(row *Row) {
		if row.Role != after.Name || row.Expired(c.at) {
			return
		}
		holders[row.Subject] = true
		was, is := allowed(before, row.Target), allowed(after, row.Target)
		more := slices.ContainsFunc(is.powers, func(p Power) bool { return !slices.Contains(was.powers, p) }) || is.danger > was.danger
		// To bind one role more is no other power, and may be all that there is.
		more = more || is.danger >= Administers && !within(after.Rules, before.Rules)
		if more {
			change.Danger = max(change.Danger, is.danger)
		}
	})
	change.People = len(holders)
	return change
}

// within says whether all rules are among others as they are.
func within(rules, others []schema.Rule) bool {
	return !slices.ContainsFunc(rules, func(r schema.Rule) bool {
		return !slices.ContainsFunc(others, func(o schema.Rule) bool { return sameRules([]schema.Rule{r}, []schema.Rule{o}) })
	})
}

// sameRules says whether two lists of rules are the same but for their order.
func sameRules(a, b []schema.Rule) bool {
	return (a == nil) == (b == nil) && rulesText(a) == rulesText(b)
}

// rulesText are rules in words, sorted; nobody knows what nil rules are.
func rulesText(rules []schema.Rule) string {
	if rules == nil {
		return "unknown"
	}
	lines := make([]string, len(rules))
	for i, r := range rules {
		list := func(items []string) string {
			return strings.Join(slices.Compact(slices.Sorted(slices.Values(items))), ", ")
		}
		var b strings.Builder
		b.WriteString(list(r.Verbs))
		if len(r.Resources) > 0 {
			fmt.Fprintf(&b, " %s", list(r.Resources))
		}
		if groups := list(r.APIGroups); groups != "" {
			fmt.Fprintf(&b, " of %s", groups)
		}
		if len(r.ResourceNames) > 0 {
			fmt.Fprintf(&b, " named %s", list(r.ResourceNames))
		}
		if len(r.NonResourceURLs) > 0 {
			fmt.Fprintf(&b, " at %s", list(r.NonResourceURLs))
		}
		lines[i] = b.String()
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "; ")
}

func join(powers []Power) string {
	texts := make([]string, len(powers))
	for i, p := range powers {
		texts[i] = string(p)
	}
	return strings.Join(texts, ", ")
}
