package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A limitJudge judges `limit`, on each destination that an entry, a grant or a
// key names, or that the rule itself names. For those that only a pattern would
// match, which are not known, the grants on that pattern are counted by
// themselves, against atMost: whoever is granted something on it is there as soon
// as there is one.
//
// People count once, and where any of the access reaches into what is limited.
// More holders than before are new, fewer are not, and one in place of another is
// neither. A group of the identity provider cannot be counted: it is against
// atMost, and is nobody for atLeast. For atLeast, what is lost because somebody
// was revoked is lost on purpose, and so is what is lost with a destination whose
// entry is removed. Who holds until an expiry is counted until then: that time
// passes is refused to nobody, and to let somebody's access end sooner than before
// is to take it away.
type limitJudge struct {
	schema.Limit
	picker *picker
}

func newLimit(l schema.Limit) judge { return limitJudge{l, newPicker(l.Selector)} }

// A holder is somebody who counts, and what lasts longest of why.
type holder struct {
	row    *access.Row
	reason *access.Reason
}

// holders are those of one destination, by subject.
type holders map[schema.Subject]holder

// count says who holds the limited access, by what the revision that is judged
// calls the destination, and on patterns.
func (j limitJudge) count(w *world, t *access.Table, patterns []string) map[string]holders {
	known := append(slices.Clone(w.known()), w.kept...)
	for _, name := range j.Destinations {
		if !schema.IsPattern(name) {
			known = append(known, w.current(name))
		}
	}
	out := map[string]holders{}
	for _, name := range known {
		if j.picker.destination(w, name) {
			out[w.now(name)] = holders{}
		}
	}
	for _, pattern := range patterns {
		out[pattern] = holders{}
	}
	places := slices.Collect(maps.Keys(out))
	reached := map[string][]string{} // by the destination of a row
	for row, reason := range j.picker.picksIn(w, t.Rows(), false) {
		d := w.now(row.Target.Destination)
		names, ok := reached[d]
		if !ok {
			for _, place := range places {
				if schema.MatchDestination(d, place) {
					names = append(names, place)
				}
			}
			reached[d] = names
		}
		for _, name := range names {
			if h, ok := out[name][row.Subject]; !ok || longer(reason.Grant.Expires, h.reason.Grant.Expires) {
				out[name][row.Subject] = holder{row, reason}
			}
		}
	}
	return out
}

// patterns are those that something is granted on before or after, and of which
// the rule means all.
func (j limitJudge) patterns(before, after *world) []string {
	found := map[string]bool{}
	for _, w := range []*world{before, after} {
		if w == nil || j.AtMost == nil {
			continue
		}
		for _, row := range w.table().Rows() {
			if d := row.Target.Destination; schema.IsPattern(d) && !found[d] && j.all(d) {
				found[d] = true
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}

func (j limitJudge) all(pattern string) bool {
	return len(j.Destinations) == 0 || slices.ContainsFunc(j.Destinations, func(d string) bool {
		return schema.IsPattern(d) && schema.Match(d, pattern)
	})
}

func (j limitJudge) standing(w *world) []finding {
	return j.compare(nil, nil, nil, w)
}

func (j limitJudge) fresh(before, after *world) []finding {
	counted := j.count(before, before.table(), j.patterns(before, after))
	held := counted
	if j.AtLeast > 0 {
		held = j.count(before, before.held(), nil)
	}
	return j.compare(counted, held, before, after)
}

// compare gives what is against the rule and was less so before.
func (j limitJudge) compare(counted, held map[string]holders, before, after *world) []finding {
	var out []finding
	now := j.count(after, after.table(), j.patterns(before, after))
	said := map[string]bool{} // destinations on which too many hold
	// What is said of a destination is not said again of a pattern that means it.
	names := slices.SortedFunc(maps.Keys(now), func(a, b string) int {
		switch p := schema.IsPattern(a); {
		case p == schema.IsPattern(b):
			return cmp.Compare(a, b)
		case p:
			return 1
		}
		return -1
	})
	for _, name := range names {
		has := now[name]
		if schema.IsPattern(name) && matchesSome(name, said) {
			continue
		}
		if j.AtMost != nil {
			had, known := counted[name]
			many := j.uncounted(had, has, before, after)
			if n := has.people(); n > max(0, *j.AtMost) && (!known || n > had.people()) {
				many = append(many, j.tooMany(name, had, has, before, after))
			}
			out, said[name] = append(out, many...), len(many) > 0
		}
		if schema.IsPattern(name) {
			continue
		}
		had, known := held[name]
		if from, few := j.few(has.until(after.at), had.until(after.at), known, after); few {
			out = append(out, j.tooFew(name, had.until(from), has.until(from), from, after))
		}
	}
	return out
}

func matchesSome(pattern string, names map[string]bool) bool {
	for name, ok := range names {
		if ok && schema.MatchDestination(pattern, name) {
			return true
		}
	}
	return false
}

// few says from when on too few hold, and fewer than would have without the
// change: at once, or as soon as what it lets end has ended.
func (j limitJudge) few(has, had holders, known bool, after *world) (from time.Time, few bool) {
	if n := has.people(); n < j.AtLeast && (!known || n < had.people()) {
		return after.at, true
	}
	for _, h := range has {
		end := h.lastsAs()
		if end.IsZero() || few && !end.Before(from) {
			continue
		}
		if n := has.until(end).people(); n < j.AtLeast && n < had.until(end).people() {
			from, few = end, true
		}
	}
	return from, few
}

// until are those who hold at an instant.
func (h holders) until(at time.Time) holders {
	out := holders{}
	for s, one := range h {
		if !ended(one.lastsAs(), at) {
			out[s] = one
		}
	}
	return out
}

func (h holders) people() int {
	n := 0
	for s := range h {
		if s.Kind == schema.User {
			n++
		}
	}
	return n
}

// sorted are the subjects of a kind that the others are not among.
func (h holders) sorted(kind schema.SubjectKind, without holders) []schema.Subject {
	var out []schema.Subject
	for s := range h {
		if _, had := without[s]; s.Kind == kind && !had {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, schema.Subject.Compare)
	return out
}

func (j limitJudge) tooMany(name string, had, has holders, before, after *world) finding {
	fresh := has.sorted(schema.User, had)
	if before == nil || len(fresh) == 0 {
		fresh = has.sorted(schema.User, nil)
	}
	first := has[fresh[0]]
	pos, _ := after.cause(before, first.row, first.reason)
	n := has.people()
	f := finding{pos: pos, text: fmt.Sprintf("%s %s %s on %s, and at most %d may", howMany(n), after.have(n), j.words(), name, *j.AtMost)}
	if before != nil {
		var said []string
		for _, s := range fresh[:min(3, len(fresh))] {
			said = append(said, s.Name+through(has[s].reason))
		}
		if more := len(fresh) - len(said); more > 0 {
			said = append(said, fmt.Sprintf("%d more", more))
		}
		f.text += "; new: " + strings.Join(said, ", ")
		f.way = fmt.Sprintf("take it from %s in the same change", howMany(n-max(*j.AtMost, had.people())))
	}
	return f
}

// uncounted are the groups whose members nobody here knows.
func (j limitJudge) uncounted(had, has holders, before, after *world) []finding {
	var out []finding
	for _, s := range has.sorted(schema.GroupKind, nil) {
		h := has[s]
		if old, ok := had[s]; ok && !longer(h.reason.Grant.Expires, old.reason.Grant.Expires) {
			continue
		}
		pos, _ := after.cause(before, h.row, h.reason)
		out = append(out, finding{pos: pos, way: "declare the group in groups/ with its members",
			text: fmt.Sprintf("%s %s %s on %s%s, and it is not known how many people that is: at most %d may",
				nameOf(s), after.have(1), h.row.Role, h.row.Target, through(h.reason), *j.AtMost)})
	}
	return out
}

func (j limitJudge) tooFew(name string, had, has holders, from time.Time, after *world) finding {
	n := has.people()
	f := finding{text: fmt.Sprintf("%s %s %s on %s, and at least %d must", howMany(n), after.have(n), j.words(), name, j.AtLeast), way: "give it to somebody"}
	if !after.standing {
		f.way = fmt.Sprintf("give it to somebody else in the same change; where %s is to go, remove its entry in destinations/ with its grants", name)
	}
	if from.After(after.at) {
		f.text += " from " + stamp(from) + " on"
	}
	if lost := had.sorted(schema.User, has); len(lost) > 0 {
		g := had[lost[0]].reason.Grant
		f.text += fmt.Sprintf("; lost by %s (%s)", people(lost), was(g.Pos))
	}
	return f
}

// words are the access that is limited.
func (j limitJudge) words() string {
	s := j.Selector
	s.Destinations = nil
	return describe(s)
}

// howMany says a number of people.
func howMany(n int) string {
	switch n {
	case 0:
		return "nobody"
	case 1:
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// lastsAs is until when what a reason gives lasts; zero: for ever.
func (h holder) lastsAs() time.Time { return h.reason.Grant.Expires }
