package policy

import (
	"fmt"
	"time"

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

func (j separateJudge) clashes(w *world) map[clash][2]holder {
	sides := make([]holders, len(j))
	for i, p := range j {
		sides[i] = holders{}
		for row, reason := range p.picks(w, false) {
			if h, ok := sides[i][row.Subject]; !ok || longer(reason.Grant.Expires, h.reason.Grant.Expires) {
				sides[i][row.Subject] = holder{row, reason}
			}
		}
	}
	out := map[clash][2]holder{}
	for a := range sides {
		for b := a + 1; b < len(sides); b++ {
			for s, one := range sides[a] {
				if other, ok := sides[b][s]; ok {
					out[clash{s, a, b}] = [2]holder{one, other}
				}
			}
		}
	}
	return out
}

func (j separateJudge) standing(w *world) []finding { return j.fresh(nil, w) }

func (j separateJudge) fresh(before, after *world) []finding {
	clashes := j.clashes(after)
	if len(clashes) == 0 {
		return nil
	}
	had := map[clash][2]holder{}
	if before != nil {
		had = j.clashes(before)
	}
	var out []finding
	for c, sides := range clashes {
		if old, ok := had[c]; ok && !longer(both(sides), both(old)) {
			continue
		}
		out = append(out, j.finding(c, sides, before, after))
	}
	return out
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
