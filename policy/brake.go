package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// brakes holds a change that takes access from many people on a destination,
// unless it brings an acknowledgement for that destination and so many people.
//
// Somebody loses access where a role that they had on a scope lies in nothing
// that they have afterwards and for as long. People are those whom the cluster hears of: with
// another prefix they are others. A destination is followed where it got another
// name. What is revoked by the change, or had expired by its date, is not lost by
// it. A group of the identity provider counts as one. On destinations that only
// a pattern would match nobody is known to lose anything.
//
// How much is too much is what the accepted revision says.
func brakes(before, after *world) []Refusal {
	b := &braking{before: before, after: after, had: byDestination(before.held().Rows()), has: after.table(),
		lost: map[string][]*access.Row{}, hasNow: map[schema.Subject][]access.Row{}}
	for _, row := range gone(before.held().Rows(), b.has.Rows(), before) {
		d := row.Target.Destination
		b.lost[d] = append(b.lost[d], row)
	}
	fresh := freshAcknowledgements(before.snapshot, after.snapshot)
	var out []Refusal
	for _, place := range b.places() {
		if r, held := b.judge(place, fresh); held {
			out = append(out, r)
		}
	}
	return out
}

type braking struct {
	before, after *world
	had           map[string][]access.Row  // rows before, by their destination or pattern
	lost          map[string][]*access.Row // those of them that are not there any more, likewise
	has           *access.Table
	hasNow        map[schema.Subject][]access.Row
}

// A place is a destination of the revision that is judged, and what the accepted
// one calls it: several names where several become one.
type place struct {
	name   string
	former []string
}

func (b *braking) places() []place {
	names := map[string][]string{}
	for _, w := range []*world{b.before, b.after} {
		for _, d := range w.known() {
			now := w.heir(d)
			if !slices.Contains(names[now], d) {
				names[now] = append(names[now], d)
			}
		}
	}
	var out []place
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p := place{name: name}
		for _, f := range names[name] {
			// Its new name is none of the old ones, though a pattern may reach it.
			if _, known := slices.BinarySearch(b.before.known(), f); known || len(names[name]) == 1 {
				p.former = append(p.former, f)
			}
		}
		out = append(out, p)
	}
	return out
}

// judge holds the change where too many lose access on one destination. Where
// several become one, each of them is judged by itself, by its own brake: who is
// on a large one does not hide who loses everything on a small one. The one where
// most lose access is told.
func (b *braking) judge(p place, acknowledgements []schema.Acknowledgement) (Refusal, bool) {
	var most Refusal
	for _, former := range p.former {
		if r, held := b.judgeFormer(p, former, acknowledgements); held && r.People > most.People {
			most = r
		}
	}
	return most, most.People > 0
}

func (b *braking) judgeFormer(p place, former string, acknowledgements []schema.Acknowledgement) (Refusal, bool) {
	limit := b.before.snapshot.Settings.Brakes.Of(former)
	names, now := b.subjects(b.before, former), b.subjects(b.after, p.name)
	losers, lose := map[schema.Subject]*access.Row{}, "would lose some or all of it"
	for _, row := range b.candidates(former, p.name, names != now) {
		heard := names.heard(row.Subject)
		if losers[heard] != nil {
			continue
		}
		if kept, asLong := b.keeps(row, now.named(heard), p.name); !asLong {
			losers[heard] = row
			if kept {
				lose = "would lose some or all of it, at once or sooner than before"
			}
		}
	}
	if len(losers) == 0 || len(losers) < limit.People {
		return Refusal{}, false
	}
	had := map[schema.Subject]bool{}
	for pattern, rows := range b.had {
		if !schema.MatchDestination(pattern, former) {
			continue
		}
		for i := range rows {
			if !rows[i].Expired(b.before.at) {
				had[names.heard(rows[i].Subject)] = true
			}
		}
	}
	if len(losers)*100 <= limit.Percent*len(had) {
		return Refusal{}, false
	}
	short := "" // an acknowledgement that is not enough
	for _, a := range acknowledgements {
		switch {
		case a.Destination != p.name && a.Destination != former:
		case a.Removals >= len(losers):
			return Refusal{}, false
		default:
			short = fmt.Sprintf("; the acknowledgement at %s is of %d", a.Pos, a.Removals)
		}
	}
	return Refusal{
		Kind: Braked, Rule: Brake,
		Message: fmt.Sprintf("%d of the %d people with access to %s %s: %s%s; %d or more who are over %d %% are held until that is acknowledged%s",
			len(losers), len(had), p.name, lose, someOf(losers), mostly(losers), limit.People, limit.Percent, short),
		Hint:        fmt.Sprintf("if that is meant, say so in the same change: infra acknowledge %s --removals %d --reason \"...\"", p.name, len(losers)),
		Destination: p.name, People: len(losers), Of: len(had), Who: subjectsOf(losers),
	}, true
}

// candidates are the rows before that may be lost on a destination: those that
// are gone, or all where the destination or its people are called otherwise.
func (b *braking) candidates(name, now string, otherwise bool) []*access.Row {
	var out []*access.Row
	if name == now && !otherwise {
		for pattern, rows := range b.lost {
			if schema.MatchDestination(pattern, name) {
				out = append(out, rows...)
			}
		}
	} else {
		for pattern, rows := range b.had {
			for i := range rows {
				if schema.MatchDestination(pattern, name) && !rows[i].Expired(b.before.at) {
					out = append(out, &rows[i])
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *access.Row) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Role, b.Role), a.Subject.Compare(b.Subject))
	})
	return out
}

// keeps says whether a subject has afterwards what a row gave on a destination, and
// whether for as long.
func (b *braking) keeps(row *access.Row, s schema.Subject, destination string) (kept, asLong bool) {
	old := schema.Target{Destination: destination, Namespace: row.Target.Namespace}
	rows, ok := b.hasNow[s]
	if !ok {
		rows = b.has.Of(s)
		b.hasNow[s] = rows
	}
	for _, r := range rows {
		if !r.Expired(b.after.at) && access.Contains(r.Role, row.Role) && r.Target.Covers(old) {
			kept, asLong = true, asLong || !longer(row.Expires, r.Expires)
		}
	}
	return kept, asLong
}

// A naming is how a cluster hears of subjects.
type naming schema.SubjectNames

func (b *braking) subjects(w *world, destination string) naming {
	return naming(w.byName()[destination].Subjects)
}

func (n naming) prefix(s schema.Subject) string {
	if s.Kind == schema.GroupKind {
		return n.GroupPrefix
	}
	return n.UserPrefix
}

func (n naming) heard(s schema.Subject) schema.Subject {
	s.Name = n.prefix(s) + s.Name
	return s
}

// named is the subject of which a cluster hears; the zero subject where it
// cannot hear of any by that name.
func (n naming) named(heard schema.Subject) schema.Subject {
	name, ok := strings.CutPrefix(heard.Name, n.prefix(heard))
	if !ok {
		return schema.Subject{}
	}
	heard.Name = name
	return heard
}

// subjectsOf are the losers as the accepted revision names them.
func subjectsOf(losers map[schema.Subject]*access.Row) []schema.Subject {
	subjects := map[schema.Subject]bool{}
	for _, row := range losers {
		subjects[row.Subject] = true
	}
	return slices.SortedFunc(maps.Keys(subjects), schema.Subject.Compare)
}

func someOf(losers map[schema.Subject]*access.Row) string {
	names := []string{}
	for _, s := range subjectsOf(losers) {
		names = append(names, nameOf(s))
	}
	if more := len(names) - 3; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), more)
	}
	return strings.Join(names, ", ")
}

// mostly names the grant that most of the losers had their access by.
func mostly(losers map[schema.Subject]*access.Row) string {
	counts := map[grantID]int{}
	pos := map[grantID]schema.Pos{}
	for _, row := range losers {
		g := row.Reasons[0].Grant
		id := grantID{g.Subject, g.Role, g.Target}
		counts[id]++
		if p, ok := pos[id]; !ok || g.Pos.Compare(p) < 0 {
			pos[id] = g.Pos
		}
	}
	grants := slices.SortedFunc(maps.Keys(counts), func(a, b grantID) int {
		return cmp.Or(counts[b]-counts[a], pos[a].Compare(pos[b]), a.target.Compare(b.target), cmp.Compare(a.role, b.role), a.subject.Compare(b.subject))
	})
	g := grants[0]
	if counts[g] < 2 {
		return ""
	}
	return fmt.Sprintf("; %d by the %s of group %s on %s (%s)", counts[g], g.role, g.subject.Name, g.target, was(pos[g]))
}

// gone are the rows before that have no row of the same subject, role and target
// after it, or one that ends sooner. Both are in the order of access.Table.Rows. What has expired is on
// neither side.
func gone(before, after []access.Row, w *world) []*access.Row {
	var out []*access.Row
	i := 0
	for n := range before {
		row := &before[n]
		if row.Expired(w.at) {
			continue
		}
		order := -1
		for i < len(after) {
			if order = compareRows(&after[i], row); order >= 0 && !(order == 0 && after[i].Expired(w.at)) {
				break
			}
			order = -1
			i++
		}
		if order != 0 || longer(row.Expires, after[i].Expires) {
			out = append(out, row)
		}
	}
	return out
}

func compareRows(a, b *access.Row) int {
	return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Role, b.Role), a.Subject.Compare(b.Subject))
}

// byDestination cuts rows, which are in order of their target, by destination.
func byDestination(rows []access.Row) map[string][]access.Row {
	out := map[string][]access.Row{}
	for from := 0; from < len(rows); {
		to, d := from+1, rows[from].Target.Destination
		for to < len(rows) && rows[to].Target.Destination == d {
			to++
		}
		out[d] = rows[from:to:to]
		from = to
	}
	return out
}

// freshAcknowledgements are those that a change brings in: as often as they are
// there more than before, wherever the files lie.
func freshAcknowledgements(before, after *schema.Snapshot) []schema.Acknowledgement {
	same := func(a schema.Acknowledgement) schema.Acknowledgement {
		a.Pos = schema.Pos{}
		return a
	}
	had := map[schema.Acknowledgement]int{}
	for _, a := range before.Acknowledgements {
		had[same(a)]++
	}
	var fresh []schema.Acknowledgement
	for _, a := range after.Acknowledgements {
		if had[same(a)]--; had[same(a)] < 0 {
			fresh = append(fresh, a)
		}
	}
	return fresh
}
