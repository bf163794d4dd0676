package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/schema"
)

// declare turns people who are bound together, in several bindings, into groups: each
// is granted what all of them were to be granted.
func (p *planner) declare(o Objects) {
	sets := map[string][]int{} // names of people to the items that name exactly them
	for n, i := range p.Items {
		if people := adoptedPeople(i); len(people) > 1 {
			key := strings.Join(people, "\n")
			sets[key] = append(sets[key], n)
		}
	}
	taken := p.takenNames(o)
	for n, i := range p.Items {
		people := adoptedPeople(i)
		items := sets[strings.Join(people, "\n")]
		if len(items) < 2 || items[0] != n {
			continue
		}
		name := p.groupOf(people)
		if name == "" {
			name = free(i.Binding.Name, taken)
			g := schema.Group{Name: name, Destination: p.Destination}
			for _, person := range people {
				g.Users = append(g.Users, schema.Member{Name: person})
			}
			p.Groups = append(p.Groups, g)
		}
		for _, at := range items {
			p.regrant(&p.Items[at], schema.Subject{Kind: schema.GroupKind, Name: name})
		}
	}
	slices.SortFunc(p.Groups, func(a, b schema.Group) int { return strings.Compare(a.Name, b.Name) })
}

// regrant gives a group what the people of a binding were to be granted, unless the
// repository cannot have that.
func (p *planner) regrant(i *Item, group schema.Subject) {
	g := schema.Grant{Subject: group, Role: i.Granted, Target: schema.Target{Destination: p.Destination, Namespace: i.Binding.Namespace}}
	if p.options.Refused[g] != "" {
		return
	}
	for n := range i.Subjects {
		if a := &i.Subjects[n]; a.Fate == Adopted && a.Grant.Subject.Kind == schema.User {
			a.Grant.Subject = group
		}
	}
}

// adoptedPeople are the people whom a binding gives something that is to be granted,
// sorted.
func adoptedPeople(i Item) []string {
	var people []string
	for _, a := range i.Subjects {
		if a.Fate == Adopted && a.Grant.Subject.Kind == schema.User {
			people = append(people, a.Grant.Subject.Name)
		}
	}
	slices.Sort(people)
	return people
}

// groupOf is a declared group that is exactly these people and may be granted on the
// destination; empty: there is none.
func (p *planner) groupOf(people []string) string {
	for _, g := range p.before.Groups {
		if len(g.Groups) > 0 || g.Destination != "" && g.Destination != p.Destination || p.before.Revoked.Subject(schema.Subject{Kind: schema.GroupKind, Name: g.Name}) {
			continue
		}
		var members []string
		for _, m := range g.Users {
			members = append(members, m.Name)
		}
		slices.Sort(members)
		if slices.Equal(slices.Compact(members), people) {
			return g.Name
		}
	}
	return ""
}

// takenNames are the names that mean a group somewhere, in lower case: to declare one
// of them would change who that is.
func (p *planner) takenNames(o Objects) map[string]bool {
	taken := map[string]bool{}
	for _, g := range p.before.Grants {
		taken[strings.ToLower(g.Subject.Name)] = true
	}
	for _, g := range p.before.Groups {
		taken[strings.ToLower(g.Name)] = true
		for _, m := range g.Groups {
			taken[strings.ToLower(m.Name)] = true
		}
	}
	for _, b := range o.Bindings {
		for _, s := range b.Subjects {
			taken[strings.ToLower(s.Name)] = true
			taken[strings.ToLower(strings.TrimPrefix(s.Name, p.entry.Subjects.GroupPrefix))] = true
		}
	}
	return taken
}

// free is a group's name that is like a binding's and that nothing has.
func free(binding string, taken map[string]bool) string {
	if schema.ValidateGroup(binding) != nil {
		binding = "imported"
	}
	name := binding
	for i := 2; taken[strings.ToLower(name)]; i++ {
		name = fmt.Sprintf("%s-%d", binding, i)
	}
	taken[strings.ToLower(name)] = true
	return name
}
