package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A world is a snapshot as rules look at it: who has what at an instant. What is
// asked of it is worked out once, when it is asked for first.
//
// The two worlds of a Step have the same instant, the date of the revision that
// is judged: so nothing is refused because time has passed.
type world struct {
	snapshot *schema.Snapshot
	at       time.Time
	standing bool // it is spoken of as it is, not as a change would make it

	adopted map[string]string // destinations of this one that the revision that is judged has under another name
	renamed map[string]string // those of them whose other name meant nothing before
	gone    schema.Revoked    // what the revision that is judged revokes beside this one
	kept    []string          // destinations of the accepted revision that are not meant to be gone

	tables       [3]*access.Table
	formerly     map[string][]string
	destinations []string
	declared     map[string]schema.Destination
	grants       map[grantID]time.Time
	memberships  map[membership]schema.Pos
}

type grantID struct {
	subject schema.Subject
	role    string
	target  schema.Target
}

// A membership is a line in a group's list.
type membership struct {
	group  string
	member schema.Subject
}

// worlds are what a Step compares.
func worlds(accepted, next Revision) (before, after *world) {
	before = &world{snapshot: accepted.Snapshot, at: next.At, adopted: map[string]string{}, renamed: map[string]string{}}
	after = &world{snapshot: next.Snapshot, at: next.At}
	known := after.known()
	is := func(names []string, name string) bool {
		_, found := slices.BinarySearch(names, name)
		return found
	}
	for _, d := range next.Snapshot.Destinations {
		former := 0 // of what was known, that becomes this one
		for _, name := range d.Formerly {
			if is(before.known(), name) {
				former++
			}
		}
		for _, name := range d.Formerly {
			if is(known, name) {
				continue
			}
			before.adopted[name] = d.Name
			if former <= 1 && !is(before.known(), d.Name) {
				before.renamed[name] = d.Name
			}
		}
	}
	for _, name := range before.known() {
		now := before.heir(name)
		_, declared := before.byName()[name]
		if !is(known, now) && !declared {
			after.kept = append(after.kept, now)
		}
	}
	before.gone.Revocations = revokedSince(accepted.Snapshot.Revoked, next.Snapshot.Revoked)
	return before, after
}

func revokedSince(before, after schema.Revoked) []schema.Revocation {
	type what struct{ user, group, key string }
	had := map[what]bool{}
	for _, v := range before.Revocations {
		had[what{v.User, v.Group, v.Key}] = true
	}
	var fresh []schema.Revocation
	for _, v := range after.Revocations {
		if !had[what{v.User, v.Group, v.Key}] {
			fresh = append(fresh, v)
		}
	}
	return fresh
}

// surely is the instant by which what has ended is gone in the clusters too: a
// commit that is dated a little ahead must not bring in what ends before that
// date, and is there until then.
func (w *world) surely() time.Time { return w.at.Add(-AheadLimit) }

// table is who has what.
func (w *world) table() *access.Table {
	if w.tables[0] == nil {
		w.tables[0] = access.Resolve(w.snapshot, w.snapshot.Revoked)
	}
	return w.tables[0]
}

// held is who has what, less what the revision that is judged revokes: what is
// lost by that is lost on purpose, and counts as never held.
func (w *world) held() *access.Table {
	if len(w.gone.Revocations) == 0 {
		return w.table()
	}
	if w.tables[1] == nil {
		w.tables[1] = access.Resolve(w.snapshot, w.snapshot.Revoked.Union(w.gone))
	}
	return w.tables[1]
}

// bare is who would have what if nobody were revoked.
func (w *world) bare() *access.Table {
	if len(w.snapshot.Revoked.Revocations) == 0 {
		return w.table()
	}
	if w.tables[2] == nil {
		w.tables[2] = access.Resolve(w.snapshot, schema.Revoked{})
	}
	return w.tables[2]
}

// heir is the destination that the revision that is judged has instead of one.
func (w *world) heir(destination string) string {
	if name, ok := w.adopted[destination]; ok {
		return name
	}
	return destination
}

// now is what the revision that is judged calls a destination. Where it becomes
// one with another that was known before, they stay apart: what was there on the
// one is no measure of what is new on the other.
func (w *world) now(destination string) string {
	if name, ok := w.renamed[destination]; ok {
		return name
	}
	return destination
}

// current is what a destination is called here: another name than the given one
// where that is a former one.
func (w *world) current(destination string) string {
	for now, before := range w.former() {
		if slices.Contains(before, destination) {
			return now
		}
	}
	return destination
}

// former are the names that destinations had before.
func (w *world) former() map[string][]string {
	if w.formerly == nil {
		w.formerly = map[string][]string{}
		for _, d := range w.snapshot.Destinations {
			if len(d.Formerly) > 0 {
				w.formerly[d.Name] = d.Formerly
			}
		}
	}
	return w.formerly
}

// known are the destinations that an entry, a grant or a key names, sorted;
// schema.InfraDestination too, where something is granted on it. A destination
// that loses its last grant stays known for as long as it has no entry whose
// removal says that it is gone.
func (w *world) known() []string {
	if w.destinations == nil {
		names := map[string]bool{}
		for _, d := range w.snapshot.Destinations {
			names[d.Name] = true
		}
		for i := range w.snapshot.Grants {
			if d := w.snapshot.Grants[i].Target.Destination; !schema.IsPattern(d) {
				names[d] = true
			}
		}
		for _, k := range w.snapshot.Keys {
			if k.Destination != "" {
				names[k.Destination] = true
			}
		}
		w.destinations = slices.Sorted(maps.Keys(names))
	}
	return w.destinations
}

// byName are the entries in destinations/.
func (w *world) byName() map[string]schema.Destination {
	if w.declared == nil {
		w.declared = make(map[string]schema.Destination, len(w.snapshot.Destinations))
		for _, d := range w.snapshot.Destinations {
			w.declared[d.Name] = d
		}
	}
	return w.declared
}

// cause is the line of this world that brings a row in against the one before:
// a grant, or the line that makes somebody a member of a group that is granted
// it already. It is not fresh where nothing of it is new, or there is nothing
// before.
func (w *world) cause(before *world, row *access.Row, reason *access.Reason) (pos schema.Pos, fresh bool) {
	g := reason.Grant
	if before == nil {
		return g.Pos, false
	}
	if end, had := before.granted()[grantID{g.Subject, g.Role, g.Target}]; !had || longer(g.Expires, end) {
		return g.Pos, true
	}
	for i, group := range reason.Via {
		m := membership{group, row.Subject}
		if i+1 < len(reason.Via) {
			m.member = schema.Subject{Kind: schema.GroupKind, Name: reason.Via[i+1]}
		}
		if _, had := before.members()[m]; !had {
			return w.members()[m], true
		}
	}
	return g.Pos, false
}

// granted are the grants that have not ended, with the latest end of each.
func (w *world) granted() map[grantID]time.Time {
	if w.grants == nil {
		w.grants = make(map[grantID]time.Time, len(w.snapshot.Grants))
		for _, g := range w.snapshot.Grants {
			if ended(g.Expires, w.surely()) {
				continue
			}
			g.Target.Destination = w.now(g.Target.Destination)
			id := grantID{g.Subject, g.Role, g.Target}
			if end, had := w.grants[id]; !had || longer(g.Expires, end) {
				w.grants[id] = g.Expires
			}
		}
	}
	return w.grants
}

func (w *world) members() map[membership]schema.Pos {
	if w.memberships == nil {
		w.memberships = map[membership]schema.Pos{}
		for _, g := range w.snapshot.Groups {
			for _, m := range g.Users {
				w.memberships[membership{g.Name, schema.Subject{Kind: schema.User, Name: m.Name}}] = m.Pos
			}
			for _, m := range g.Groups {
				w.memberships[membership{g.Name, schema.Subject{Kind: schema.GroupKind, Name: m.Name}}] = m.Pos
			}
		}
	}
	return w.memberships
}

// ended says whether an expiry has passed; zero never does.
func ended(expires, at time.Time) bool { return !expires.IsZero() && !at.Before(expires) }

// longer says whether what ends at a lasts longer than what ends at b; zero
// never ends.
func longer(a, b time.Time) bool {
	return !b.IsZero() && (a.IsZero() || a.After(b))
}

// sooner is the earlier of two ends; zero never ends.
func sooner(a, b time.Time) time.Time {
	if longer(a, b) {
		return b
	}
	return a
}

// was is a line of the accepted revision, in words.
func was(p schema.Pos) string {
	if p.File == "" {
		return "of the accepted revision"
	}
	p.Column = 0
	return p.String() + " of the accepted revision"
}
