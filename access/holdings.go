package access

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/schema"
)

// A holding is a row that has not expired, and what it reaches: its target with
// the destination under the name that it has now.
type holding struct {
	row     *Row
	target  schema.Target
	matched bool // the other side has the very same
}

// holdings are those of one subject: on patterns of destinations and on
// destinations, each in order of target and role.
type holdings struct{ patterned, named []holding }

// held are the holdings of a subject.
func (c *comparison) held(s *side, subject schema.Subject) holdings {
	indexes := s.bySubject[subject]
	out := holdings{named: make([]holding, 0, len(indexes))}
	at := s.at
	if at.IsZero() {
		at = c.at
	}
	for _, i := range indexes {
		row := &s.rows[i]
		switch h := (holding{row: row, target: row.Target}); {
		case row.Expired(at):
		case schema.IsPattern(row.Target.Destination):
			out.patterned = append(out.patterned, h)
		default:
			if !s.isNew {
				h.target.Destination = c.places.now(h.target.Destination)
			}
			out.named = append(out.named, h)
		}
	}
	if !s.isNew && len(c.places.became) > 0 {
		slices.SortStableFunc(out.named, compareHoldings)
	}
	return out
}

func compareHoldings(a, b holding) int {
	return cmp.Or(a.target.Compare(b.target), cmp.Compare(a.row.Role, b.row.Role))
}

// at are the holdings that reach a destination by a name that it had then, each as
// one on just that destination.
func (h holdings) at(destination, then string) holdings {
	var out holdings
	for _, one := range h.patterned {
		if schema.MatchDestination(one.target.Destination, then) {
			one.target.Destination = destination
			out.named = append(out.named, one)
		}
	}
	for _, one := range h.named {
		if one.target.Destination == destination {
			out.named = append(out.named, one)
		}
	}
	slices.SortStableFunc(out.named, compareHoldings)
	return out
}

// near are the holdings that may reach a destination, or some of a pattern.
func (h holdings) near(destination string) [2][]holding {
	if schema.IsPattern(destination) {
		return [2][]holding{h.patterned, h.named}
	}
	byName := func(h holding, name string) int { return cmp.Compare(h.target.Destination, name) }
	from, _ := slices.BinarySearchFunc(h.named, destination, byName)
	to := from
	for to < len(h.named) && h.named[to].target.Destination == destination {
		to++
	}
	return [2][]holding{h.patterned, h.named[from:to]}
}

// match marks what both sides have: nothing changes by it.
func match(old, new []holding) {
	for i, j := 0, 0; i < len(old) && j < len(new); {
		switch order := compareHoldings(old[i], new[j]); {
		case order < 0:
			i++
		case order > 0:
			j++
		default:
			if old[i].row.Expires.Equal(new[j].row.Expires) {
				old[i].matched, new[j].matched = true, true
			}
			i, j = i+1, j+1
		}
	}
}

func (h holding) asRow() Row {
	row := *h.row
	row.Target = h.target
	return row
}

// longest is the holding that covers a role on a target for the longest; nil:
// none does. Of several it is the one on that very role and target, or the first.
func longest(held holdings, role string, target schema.Target) *holding {
	var best *holding
	for _, list := range held.near(target.Destination) {
		for i := range list {
			h := &list[i]
			if !h.target.Covers(target) || !Contains(h.row.Role, role) {
				continue
			}
			exact := h.row.Role == role && h.target == target
			if best == nil || endsLater(h.row.Expires, best.row.Expires) || exact && !endsLater(best.row.Expires, h.row.Expires) {
				best = h
			}
		}
	}
	return best
}

// said says whether, on a target of h, another of mine says as much and more; of
// those that say the same, the one of the widest destination does.
func said(mine holdings, h *holding, target schema.Target) bool {
	return saidBy(mine, h, target) != nil
}

// saidBy is the first that does; nil: none.
func saidBy(mine holdings, h *holding, target schema.Target) *holding {
	for _, list := range mine.near(target.Destination) {
		for i := range list {
			m := &list[i]
			if m.row == h.row || !m.target.Covers(target) || !Contains(m.row.Role, h.row.Role) || endsLater(h.row.Expires, m.row.Expires) {
				continue
			}
			same := m.row.Role == h.row.Role && m.target.Namespace == h.target.Namespace && m.row.Expires.Equal(h.row.Expires)
			if !same || compareWidth(m.row.Target.Destination, h.row.Target.Destination) < 0 {
				return m
			}
		}
	}
	return nil
}

// compareWidth puts a pattern before all that it covers: what covers another has
// fewer characters of its own, or the same with more gaps. Zero is only for the
// same.
func compareWidth(a, b string) int {
	gaps := func(s string) int { return strings.Count(s, "*") }
	return cmp.Or(cmp.Compare(len(a)-gaps(a), len(b)-gaps(b)), -cmp.Compare(gaps(a), gaps(b)), cmp.Compare(a, b))
}

// endsLater says whether an expiry is later than another; zero is never.
func endsLater(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}
