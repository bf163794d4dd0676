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
	_, only := c.difference(on, s, r)
	return only
}

// A cause is the line by which a reason of one side does not hold, or not for so
// long, on the other.
type cause struct {
	pos   schema.Pos
	on    *side  // whose line it is
	group string // whose people it reaches; empty: it is about one subject
}

// cause of a reason that holds on one side. Where both have it, it is its grant.
func (c *comparison) cause(on *side, s schema.Subject, r Reason) cause {
	if found, ok := c.difference(on, s, r); ok {
		return found
	}
	return cause{r.Grant.Pos, on, groupIn(r)}
}

// groupIn is the group that a reason's grant names, if it names one on the way.
func groupIn(r Reason) string {
	if len(r.Via) == 0 {
		return ""
	}
	return r.Via[0]
}

// difference is what tells a reason from the other side, on either side. There
// is none where the other side has it too.
func (c *comparison) difference(on *side, s schema.Subject, r Reason) (cause, bool) {
	other := c.old
	if !on.isNew {
		other = c.new
	}
	if v := c.revocation(other, on, s, r); v != nil {
		return cause{v.Pos, other, v.Group}, true
	}
	id := grantID{r.Grant.Subject, r.Grant.Role, r.Grant.Target}
	if !on.isNew {
		id.target.Destination = c.places.now(id.target.Destination)
	}
	twin := c.grantsOf(other)[id]
	switch {
	case twin == nil:
		return cause{r.Grant.Pos, on, groupIn(r)}, true
	case endsLater(r.Grant.Expires, twin.Expires):
		if on.isNew {
			return cause{r.Grant.Pos, on, groupIn(r)}, true
		}
		return cause{twin.Pos, other, groupIn(r)}, true
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
		found := cause{pos: member.Pos, on: on}
		switch {
		case c.groupOf(other, from) == nil: // all of the group are new in it
			found.group = from
		case i+1 < len(r.Via):
			found.group = r.Via[i+1]
		}
		return found, true
	}
	return cause{}, false
}

// revocation is the line of the other side that takes a reason away, and that
// the side of the reason does not have; nil: there is none.
func (c *comparison) revocation(other, on *side, s schema.Subject, r Reason) *schema.Revocation {
	for i := range other.revoked.Revocations {
		v := &other.revoked.Revocations[i]
		hit := s.Kind == schema.User && v.User == s.Name || s.Kind == schema.GroupKind && v.Group == s.Name ||
			v.Group != "" && slices.Contains(r.Via, v.Group)
		if hit && !slices.ContainsFunc(on.revoked.Revocations, func(o schema.Revocation) bool { return o.User == v.User && o.Group == v.Group && o.Key == v.Key }) {
			return v
		}
	}
	return nil
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

// size is how many people a group of a side stands for.
func (s *side) size(group string) int {
	if s.members == nil {
		s.members = newExpansion(s.snapshot.Groups, s.revoked)
	}
	people := 0
	for _, m := range s.members.of(schema.Subject{Kind: schema.GroupKind, Name: group}) {
		if m.subject.Kind == schema.User {
			people++
		}
	}
	return people
}
