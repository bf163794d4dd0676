package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A separateJudge judges `separate`: nobody holds access of more than one of
// its selectors, through whatever grants and groups, on whatever targets. A role
// that reaches into two of them at once is against it by itself.
//
// A group of the identity provider is judged like a person. Whether somebody is
// in two such groups, or in one and granted the rest by name, nobody here knows.
type separateJudge []*picker

func newSeparate(selectors []schema.Selector) judge {
	var j separateJudge
	for _, s := range selectors {
		j = append(j, newPicker(s))
	}
	return j
}

// A clash is a subject within two selectors, by their places in the rule.
type clash struct {
	subject schema.Subject
	a, b    int
}

// A side is all that a subject has of one selector, in the order of the rows.
type side []holder

// longest is what lasts longest of it.
func (s side) longest() holder {
	best := s[0]
	for _, h := range s[1:] {
		if longer(h.lastsAs(), best.lastsAs()) {
			best = h
		}
	}
	return best
}

func (j separateJudge) clashes(w *world) map[clash][2]side {
	sides := make([]map[schema.Subject]side, len(j))
	for i, p := range j {
		sides[i] = map[schema.Subject]side{}
		for row, reason := range p.picks(w, false) {
			sides[i][row.Subject] = append(sides[i][row.Subject], holder{row, reason})
		}
	}
	out := map[clash][2]side{}
	for a := range sides {
		for b := a + 1; b < len(sides); b++ {
			for s, one := range sides[a] {
				if other, ok := sides[b][s]; ok {
					out[clash{s, a, b}] = [2]side{one, other}
				}
			}
		}
	}
	return out
}

func (j separateJudge) standing(w *world) []finding { return j.fresh(nil, w) }

// fresh are the clashes that are new or last longer, and those in which what
// somebody has of one side is more than it was.
func (j separateJudge) fresh(before, after *world) []finding {
	clashes := j.clashes(after)
	if len(clashes) == 0 {
		return nil
	}
	had := map[clash][2]side{}
	if before != nil {
		had = j.clashes(before)
	}
	var out []finding
	for c, sides := range clashes {
		shown := [2]holder{sides[0].longest(), sides[1].longest()}
		if old, ok := had[c]; ok && !longer(both(shown), both([2]holder{old[0].longest(), old[1].longest()})) {
			more := false
			for i := range sides {
				if h, grown := sides[i].beyond(before, old[i], shown[1-i].lastsAs(), old[1-i].longest().lastsAs()); grown && !more {
					shown[i], more = h, true
				}
			}
			if !more {
				continue
			}
		}
		out = append(out, j.finding(c, shown, before, after))
	}
	return out
}

// beyond is what lies in nothing of a side as it was before, or lasts longer than
// that, as far as the other side lasts.
func (s side) beyond(before *world, old side, other, oldOther time.Time) (holder, bool) {
	i := slices.IndexFunc(s, func(h holder) bool {
		return !slices.ContainsFunc(old, func(o holder) bool {
			target := o.row.Target
			target.Destination = before.now(target.Destination)
			return access.Contains(o.row.Role, h.row.Role) && target.Covers(h.row.Target) &&
				!longer(sooner(h.lastsAs(), other), sooner(o.lastsAs(), oldOther))
		})
	})
	if i < 0 {
		return holder{}, false
	}
	return s[i], true
}

// both is until when somebody is on both sides; zero: for ever.
func both(sides [2]holder) time.Time { return sooner(sides[0].lastsAs(), sides[1].lastsAs()) }

func (j separateJudge) finding(c clash, sides [2]holder, before, after *world) finding {
	one, other := sides[0], sides[1]
	f := finding{way: "only one of the two is allowed: take the other away in the same change"}
	pos, fresh := after.cause(before, one.row, one.reason)
	if at, isFresh := after.cause(before, other.row, other.reason); isFresh && !fresh {
		pos = at
	}
	f.pos = pos
	f.text = fmt.Sprintf("%s %s %s on %s%s", nameOf(c.subject), after.have(1), one.row.Role, one.row.Target, through(one.reason))
	if one.row == other.row {
		f.text += ", which is both " + describe(j[c.a].Selector) + " and " + describe(j[c.b].Selector)
		f.way = "give less of it, so that it is only one of the two"
		return f
	}
	f.text += fmt.Sprintf(", and %s on %s%s", other.row.Role, other.row.Target, through(other.reason))
	return f
}
