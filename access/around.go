package access

import (
	"slices"
	"time"

	"github.com/infrahq/infra/schema"
)

// Around is what a snapshot says about one subject and nothing else: the grants
// that reach it, the groups on the way with it as their only member, its keys,
// and what is revoked of these. A declared group stands for itself, as in Explain.
// Destinations are all there, since they may be renamed. It is what to Compare
// where the changes of others do not matter.
func Around(s *schema.Snapshot, who schema.Subject) *schema.Snapshot {
	above := above(s, who)
	near := &schema.Snapshot{Destinations: s.Destinations}
	for _, g := range s.Grants {
		if above[g.Subject] {
			near.Grants = append(near.Grants, g)
		}
	}
	isAbove := func(kind schema.SubjectKind) func(schema.Member) bool {
		return func(m schema.Member) bool { return above[schema.Subject{Kind: kind, Name: m.Name}] }
	}
	for _, g := range s.Groups {
		id := schema.Subject{Kind: schema.GroupKind, Name: g.Name}
		if id == who || !above[id] {
			continue
		}
		g.Users, g.Groups = only(g.Users, isAbove(schema.User)), only(g.Groups, isAbove(schema.GroupKind))
		near.Groups = append(near.Groups, g)
	}
	if who.Kind == schema.User {
		near.Keys = only(s.Keys, func(k schema.Key) bool { return k.User == who.Name })
		near.Users = only(s.Users, func(u schema.DeclaredUser) bool { return u.Name == who.Name })
	}
	near.Revoked.Revocations = only(s.Revoked.Revocations, func(v schema.Revocation) bool {
		return v.User != "" && above[schema.Subject{Kind: schema.User, Name: v.User}] ||
			v.Group != "" && above[schema.Subject{Kind: schema.GroupKind, Name: v.Group}] ||
			v.Key != "" && slices.ContainsFunc(near.Keys, func(k schema.Key) bool { return k.ID == v.Key })
	})
	return near
}

// On is what a snapshot says about some targets: all of it, but for the grants
// that do not overlap with any of them.
func On(s *schema.Snapshot, targets []schema.Target) *schema.Snapshot {
	near := *s
	near.Grants = only(s.Grants, func(g schema.Grant) bool {
		return slices.ContainsFunc(targets, g.Target.Overlaps)
	})
	return &near
}

func only[T any](items []T, keep func(T) bool) []T {
	var out []T
	for _, item := range items {
		if keep(item) {
			out = append(out, item)
		}
	}
	return out
}

// above is a subject and the declared groups that it is in, however far up.
func above(s *schema.Snapshot, who schema.Subject) map[schema.Subject]bool {
	above := map[schema.Subject]bool{who: true}
	for queue := []schema.Subject{who}; len(queue) > 0; queue = queue[1:] {
		for i := range s.Groups {
			g := schema.Subject{Kind: schema.GroupKind, Name: s.Groups[i].Name}
			if !above[g] && memberOf(&s.Groups[i], queue[0]) != nil {
				above[g] = true
				queue = append(queue, g)
			}
		}
	}
	return above
}

// A MemberChange says that somebody got into a declared group, or out of it.
type MemberChange struct {
	Member schema.Subject
	Left   bool
	Pos    schema.Pos // of the line, of the old files where Left
}

// Members are the differences between two snapshots in who is directly in a
// group, in order of the lines, those who left last.
func Members(old, new *schema.Snapshot, group string) []MemberChange {
	var out []MemberChange
	add := func(from, to []schema.Member, kind schema.SubjectKind, left bool) {
		for _, m := range from {
			if !slices.ContainsFunc(to, func(o schema.Member) bool { return o.Name == m.Name }) {
				out = append(out, MemberChange{schema.Subject{Kind: kind, Name: m.Name}, left, m.Pos})
			}
		}
	}
	before, after := groupNamed(old, group), groupNamed(new, group)
	add(after.Users, before.Users, schema.User, false)
	add(after.Groups, before.Groups, schema.GroupKind, false)
	add(before.Users, after.Users, schema.User, true)
	add(before.Groups, after.Groups, schema.GroupKind, true)
	return out
}

// groupNamed is a declared group; without members where it is not declared.
func groupNamed(s *schema.Snapshot, name string) schema.Group {
	if s != nil {
		if i := slices.IndexFunc(s.Groups, func(g schema.Group) bool { return g.Name == name }); i >= 0 {
			return s.Groups[i]
		}
	}
	return schema.Group{}
}

// A Lapse is access that ended by itself.
type Lapse struct {
	At     time.Time
	Change Change // of Kind Lost
}

// Lapses are what a table's expiries take away after an instant, until another and
// at it, oldest first. What another row says as much of is not lost.
func (t *Table) Lapses(after, until time.Time) []Lapse {
	ends := map[time.Time][]schema.Subject{}
	for i := range t.rows {
		if e := t.rows[i].Expires; !e.IsZero() && e.After(after) && !e.After(until) {
			ends[e.UTC()] = append(ends[e.UTC()], t.rows[i].Subject)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	var out []Lapse
	c := newComparison(t, t, time.Time{})
	for e, subjects := range ends {
		c.at, c.old.at, c.changes = e, e.Add(-1), nil
		slices.SortFunc(subjects, schema.Subject.Compare)
		for _, s := range slices.Compact(subjects) {
			c.person(s)
		}
		for _, change := range c.sorted() {
			out = append(out, Lapse{e, change})
		}
	}
	slices.SortStableFunc(out, func(a, b Lapse) int { return a.At.Compare(b.At) })
	return out
}
