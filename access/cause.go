package access

import (
	"slices"

	"github.com/infrahq/infra/schema"
)

// A grantID is what identifies a grant, with its destination under the name that
// it has now.
type grantID struct {
	subject schema.Subject
	role    string
	target  schema.Target
}

// ordered are the reasons of a row with the one that counts first: it lasts
// longest, comes by a line that the other side does not have, and by the
// shortest way.
func (c *comparison) ordered(on *side, s schema.Subject, reasons []Reason) []Reason {
	if len(reasons) == 1 {
		return reasons
	}
	best, bestIsNew := 0, c.isOnly(on, s, reasons[0])
	for i := 1; i < len(reasons); i++ {
		a, b := &reasons[i], &reasons[best]
		if endsLater(b.Grant.Expires, a.Grant.Expires) {
			continue
		}
		isNew := c.isOnly(on, s, *a)
		if endsLater(a.Grant.Expires, b.Grant.Expires) || isNew && !bestIsNew || isNew == bestIsNew && len(a.Via) < len(b.Via) {
			best, bestIsNew = i, isNew
		}
	}
	if best == 0 {
		return reasons
	}
	return slices.Concat(reasons[best:best+1], reasons[:best], reasons[best+1:])
}

func (c *comparison) isOnly(on *side, s schema.Subject, r Reason) bool {
	_, _, only := c.difference(on, s, r)
	return only
}

// cause is the line by which a reason of one side does not hold, or not for so
// long, on the other; and whether that is a line of the old files.
func (c *comparison) cause(on *side, s schema.Subject, r Reason) (pos schema.Pos, inOld bool) {
	if pos, of, ok := c.difference(on, s, r); ok {
		return pos, !of.isNew
	}
	return r.Grant.Pos, !on.isNew
}

// difference is the line that tells a reason from the other side, on either
// side. There is none where the other side has it too.
func (c *comparison) difference(on *side, s schema.Subject, r Reason) (schema.Pos, *side, bool) {
	other := c.old
	if !on.isNew {
		other = c.new
	}
	if pos, ok := c.revocation(other, on, s, r); ok {
		return pos, other, true
	}
	id := grantID{r.Grant.Subject, r.Grant.Role, r.Grant.Target}
	if !on.isNew {
		id.target.Destination = c.places.now(id.target.Destination)
	}
	twin := c.grantsOf(other)[id]
	switch {
	case twin == nil:
		return r.Grant.Pos, on, true
	case endsLater(r.Grant.Expires, twin.Expires):
		if on.isNew {
			return r.Grant.Pos, on, true
		}
		return twin.Pos, other, true
	}
	for i, from := range r.Via {
		to := s
		if i+1 < len(r.Via) {
			to = schema.Subject{Kind: schema.GroupKind, Name: r.Via[i+1]}
		}
		group := c.groupOf(on, from)
		if group == nil {
			break
		}
		member := memberOf(group, to)
		if member == nil || memberOf(c.groupOf(other, from), to) != nil {
			continue
		}
		return member.Pos, on, true
	}
	return schema.Pos{}, nil, false
}

// revocation is the line of the other side that takes a reason away, and that
// the side of the reason does not have.
func (c *comparison) revocation(other, on *side, s schema.Subject, r Reason) (schema.Pos, bool) {
	for i := range other.revoked.Revocations {
		v := &other.revoked.Revocations[i]
		hit := s.Kind == schema.User && v.User == s.Name || s.Kind == schema.GroupKind && v.Group == s.Name ||
			v.Group != "" && slices.Contains(r.Via, v.Group)
		if hit && !slices.ContainsFunc(on.revoked.Revocations, func(o schema.Revocation) bool { return o.User == v.User && o.Group == v.Group && o.Key == v.Key }) {
			return v.Pos, true
		}
	}
	return schema.Pos{}, false
}

// grantsOf are the grants of a side, of several that are the same the one that
// ends last.
func (c *comparison) grantsOf(s *side) map[grantID]*schema.Grant {
	if s.grants == nil {
		s.grants = make(map[grantID]*schema.Grant, len(s.snapshot.Grants))
		for i := range s.snapshot.Grants {
			g := &s.snapshot.Grants[i]
			id := grantID{g.Subject, g.Role, g.Target}
			if !s.isNew {
				id.target.Destination = c.places.now(id.target.Destination)
			}
			if first := s.grants[id]; first == nil || endsLater(g.Expires, first.Expires) {
				s.grants[id] = g
			}
		}
	}
	return s.grants
}

func (c *comparison) groupOf(s *side, name string) *schema.Group {
	if s.groups == nil {
		s.groups = make(map[string]*schema.Group, len(s.snapshot.Groups))
		for i := range s.snapshot.Groups {
			s.groups[s.snapshot.Groups[i].Name] = &s.snapshot.Groups[i]
		}
	}
	return s.groups[name]
}

func memberOf(g *schema.Group, s schema.Subject) *schema.Member {
	if g == nil {
		return nil
	}
	members := g.Users
	if s.Kind == schema.GroupKind {
		members = g.Groups
	}
	for i := range members {
		if members[i].Name == s.Name {
			return &members[i]
		}
	}
	return nil
}

// size is how many people the subject of a grant stands for.
func (t *Table) size(s schema.Subject) int {
	people := 0
	for _, m := range t.members[s] {
		if m.subject.Kind == schema.User {
			people++
		}
	}
	return people
}
