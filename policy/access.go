package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// An accessJudge is a judge of rules that are about each access by itself: a
// row of the table, and a reason of it. It gives everything in a world that is
// against the rule.
//
// What somebody had is the measure of what is new: access that lies in access of
// theirs that was against the rule before, and does not last longer, is not. So
// taking some of it away is never refused, and whoever joins a group that was
// granted long ago gains what is new to them.
type accessJudge func(w *world) []breach

// A breach is access that is against a rule.
type breach struct {
	demand      string // which of the rule's demands is not met
	destination string // of a demand that is about one that the row's pattern matches
	row         *access.Row
	reason      *access.Reason
	until       time.Time // when it ends by itself; zero: never

	extra string // said behind role and target
	tail  string // said at the end
	way   string
}

func (j accessJudge) standing(w *world) []finding { return sum(nil, w, merge(j(w))) }

func (j accessJudge) fresh(before, after *world) []finding {
	breaches := merge(j(after))
	if len(breaches) == 0 {
		return nil
	}
	type what struct {
		demand, destination string
		subject             schema.Subject
	}
	had := map[what][]breach{}
	for _, b := range merge(j(before)) {
		k := what{b.demand, before.now(b.destination), b.row.Subject}
		had[k] = append(had[k], b)
	}
	return sum(before, after, slices.DeleteFunc(breaches, func(b breach) bool {
		return slices.ContainsFunc(had[what{b.demand, b.destination, b.row.Subject}], func(old breach) bool {
			target := old.row.Target
			target.Destination = before.now(target.Destination)
			return !longer(b.until, old.until) && access.Contains(old.row.Role, b.row.Role) && target.Covers(b.row.Target)
		})
	}))
}

// merge leaves one breach for each row and demand: the one that lasts longest.
func merge(breaches []breach) []breach {
	type what struct {
		demand, destination string
		row                 *access.Row
	}
	index := map[what]int{}
	var out []breach
	for _, b := range breaches {
		k := what{b.demand, b.destination, b.row}
		i, ok := index[k]
		switch {
		case !ok:
			index[k] = len(out)
			out = append(out, b)
		case longer(b.until, out[i].until):
			out[i] = b
		}
	}
	return out
}

// sum says breaches, those together that one line brings about.
func sum(before, after *world, breaches []breach) []finding {
	type line struct {
		pos                                 schema.Pos
		role, via, demand, destination, way string
		target                              schema.Target
		extra, tail                         string
	}
	subjects := map[line][]schema.Subject{}
	var order []line
	for _, b := range breaches {
		pos, _ := after.cause(before, b.row, b.reason)
		l := line{pos: pos, role: b.row.Role, via: through(b.reason), demand: b.demand, destination: b.destination,
			way: b.way, target: b.row.Target, extra: b.extra, tail: b.tail}
		if subjects[l] == nil {
			order = append(order, l)
		}
		subjects[l] = append(subjects[l], b.row.Subject)
	}
	out := make([]finding, 0, len(order))
	for _, l := range order {
		text := fmt.Sprintf("%s %s %s on %s%s%s%s", people(subjects[l]), after.have(len(subjects[l])), l.role, l.target, l.extra, l.via, l.tail)
		out = append(out, finding{pos: l.pos, text: text, way: l.way})
	}
	return out
}

// have is the verb for what n people have in this world.
func (w *world) have(n int) string {
	switch {
	case !w.standing:
		return "would have"
	case n <= 1: // nobody has
		return "has"
	}
	return "have"
}

func (w *world) is() string {
	if w.standing {
		return "is"
	}
	return "would be"
}

// people names a few of many.
func people(subjects []schema.Subject) string {
	const named = 3
	names := make([]string, 0, len(subjects))
	what := "people"
	for _, s := range subjects {
		names = append(names, nameOf(s))
		if s.Kind == schema.GroupKind {
			what = "people and groups"
		}
	}
	switch n := len(names); {
	case n == 1:
		return names[0]
	case n <= named+1: // "and 1 more" would be as long as the name
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return fmt.Sprintf("%d %s (%s and %d more)", n, what, strings.Join(names[:named], ", "), n-named)
	}
}

// nameOf says who a subject is in a sentence. A group that is a subject here is
// one whose members nobody here knows.
func nameOf(s schema.Subject) string {
	if s.Kind == schema.GroupKind {
		return "group " + s.Name + " of the identity provider"
	}
	return s.Name
}

// through says the groups on the way from a grant to its subject.
func through(r *access.Reason) string {
	n := len(r.Via)
	if n == 0 {
		return ""
	}
	text := " through group " + r.Via[n-1]
	for i := n - 2; i > 0; i-- {
		text += ", in " + r.Via[i]
	}
	if n > 1 {
		text += ", from " + r.Via[0]
	}
	return text
}

// stamp is an instant as files have it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span is a duration as infra.yaml has it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
