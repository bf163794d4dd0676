// Package access is the meaning of a snapshot: who may do what, where, through
// what and until when.
//
// The files of a repository speak of grants and groups. A Table speaks of
// people: Resolve expands each group that is declared into its members, leaves
// a group that is not declared as what it is (the identity provider's, whose
// members infra does not know), and subtracts what is revoked. Every row of it
// keeps its reasons, so that each binding in a cluster can be traced to a line
// of a file.
//
// DesiredState lowers a table to what one cluster needs. No clock takes part in
// any of this: what has expired stays in the table and in the desired state, so
// that two servers with different clocks agree on every digest. The connector,
// which enforces, looks at its clock.
package access

import (
	"cmp"
	"slices"
	"time"

	"github.com/infrahq/infra/schema"
)

// A Table is the effective access of one snapshot: groups expanded, revocations
// subtracted. It is immutable and may be shared between goroutines.
type Table struct {
	rows          []Row
	bySubject     map[schema.Subject][]int // indexes into rows, ascending
	byDestination map[string][]Row         // whose destination is a name
	patterned     [][]Row                  // whose destination is a pattern, one list for each
	destinations  map[string]schema.Destination

	// What it was made of, for Compare.
	snapshot *schema.Snapshot
	revoked  schema.Revoked
}

// A Row says that a subject has a role on a target, and why. There is one row
// for each subject, role and target. The subject is a person, or a group that
// only the identity provider knows.
type Row struct {
	Subject schema.Subject
	Role    string
	Target  schema.Target
	Expires time.Time // the latest of its reasons; zero: never
	Reasons []Reason  // in order of the grants in the snapshot; never empty
}

// Expired says whether the row has ended at the given instant.
func (r Row) Expired(at time.Time) bool {
	return !r.Expires.IsZero() && !at.Before(r.Expires)
}

// A Reason is a grant, and the groups on the way from it to the row's subject,
// outermost first: none where the grant names that subject itself. Where a
// group contains somebody in several ways, it is the shortest.
type Reason struct {
	Grant schema.Grant
	Via   []string
}

// Resolve works out the effective access that a snapshot gives, less what is
// revoked: give s.Revoked, or its union with that of a newer tip.
//
// A revoked person has nothing; a revoked group neither has anything nor passes
// anything on to its members. Membership in a group of the identity provider
// cannot be revoked here, since infra does not know of it.
func Resolve(s *schema.Snapshot, r schema.Revoked) *Table {
	members := newExpansion(s.Groups, r)
	rights := collectRights(s.Grants, members)
	t := &Table{
		bySubject:     make(map[schema.Subject][]int, len(members.subjects)),
		byDestination: map[string][]Row{},
		destinations:  make(map[string]schema.Destination, len(s.Destinations)),
		snapshot:      s,
		revoked:       r,
	}
	for _, d := range s.Destinations {
		t.destinations[d.Name] = d
	}
	t.fill(rights, members)
	return t
}

// A right is a role on a target, and all grants of it.
type right struct {
	role   string
	target schema.Target
	grants []*schema.Grant // in order of the snapshot
}

// collectRights gathers the grants by what they give, in the order of rows, and
// expands whom they name.
func collectRights(grants []schema.Grant, members *expansion) []*right {
	type key struct {
		role   string
		target schema.Target
	}
	index := make(map[key]*right, len(grants))
	rights := make([]*right, 0, len(grants))
	for i := range grants {
		g := &grants[i]
		members.of(g.Subject)
		k := key{g.Role, g.Target}
		r, ok := index[k]
		if !ok {
			r = &right{role: g.Role, target: g.Target}
			index[k] = r
			rights = append(rights, r)
		}
		r.grants = append(r.grants, g)
	}
	slices.SortFunc(rights, func(a, b *right) int {
		return cmp.Or(a.target.Compare(b.target), cmp.Compare(a.role, b.role))
	})
	return rights
}

// fill makes the rows, right by right. A large repository has hundreds of
// thousands, so subjects are compared by their numbers, and rows that have the
// same one reason share it.
func (t *Table) fill(rights []*right, members *expansion) {
	ranks := members.ranks()
	count := 0
	for _, r := range rights {
		for _, g := range r.grants {
			count += len(members.of(g.Subject))
		}
	}
	t.rows = make([]Row, 0, count)
	numbers := make([]int32, 0, count) // of the subject of each row
	var shared slab
	type given struct {
		to     *member
		reason []Reason // one
	}
	var all []given
	var order []uint64 // the rank of each of all, and its index
	for _, r := range rights {
		all, order = all[:0], order[:0]
		for _, g := range r.grants {
			found := members.of(g.Subject)
			var reason []Reason
			for i := range found {
				m := &found[i]
				if i == 0 || m.way != found[i-1].way {
					reason = shared.one(Reason{Grant: *g, Via: m.via})
				}
				order = append(order, uint64(ranks[m.number])<<32|uint64(len(all)))
				all = append(all, given{m, reason})
			}
		}
		slices.Sort(order)
		last := -1
		for _, o := range order {
			g := &all[uint32(o)]
			if g.to.number == last {
				row := &t.rows[len(t.rows)-1]
				row.Expires = later(row.Expires, g.reason[0].Grant.Expires)
				row.Reasons = append(row.Reasons, g.reason[0])
				continue
			}
			last = g.to.number
			t.rows = append(t.rows, Row{Subject: g.to.subject, Role: r.role, Target: r.target, Expires: g.reason[0].Grant.Expires, Reasons: g.reason})
			numbers = append(numbers, int32(last))
		}
	}
	t.index(numbers, members)
}

// A slab makes many slices of one reason with few allocations.
type slab []Reason

func (s *slab) one(r Reason) []Reason {
	if len(*s) == cap(*s) {
		*s = make(slab, 0, 256)
	}
	*s = append(*s, r)
	n := len(*s)
	return (*s)[n-1 : n : n]
}

// index finds the rows of each subject, whose number it is told, and destination.
func (t *Table) index(numbers []int32, members *expansion) {
	held := make([]int, len(members.subjects)) // how many rows each subject has
	for _, number := range numbers {
		held[number]++
	}
	indexes := make([]int, 0, len(t.rows))
	of := make([][]int, len(held)) // each subject's part of indexes, by its number
	for number, n := range held {
		of[number] = indexes[len(indexes) : len(indexes) : len(indexes)+n]
		indexes = indexes[:len(indexes)+n]
	}
	for i, number := range numbers {
		of[number] = append(of[number], i)
	}
	for number, s := range members.subjects {
		if len(of[number]) > 0 {
			t.bySubject[s] = of[number]
		}
	}
	for from := 0; from < len(t.rows); {
		d := t.rows[from].Target.Destination
		to := from
		for to < len(t.rows) && t.rows[to].Target.Destination == d {
			to++
		}
		if schema.IsPattern(d) {
			t.patterned = append(t.patterned, t.rows[from:to])
		} else {
			t.byDestination[d] = t.rows[from:to]
		}
		from = to
	}
}

// later is the later of two expiries, of which zero is never.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if b.After(a) {
		return b
	}
	return a
}

// Rows are the rows in order of target, role and subject. What has expired is
// still listed. The slice is shared: do not change it.
func (t *Table) Rows() []Row { return t.rows }

// Of are the rows of one subject, in the order of Rows.
func (t *Table) Of(s schema.Subject) []Row {
	indexes := t.bySubject[s]
	rows := make([]Row, len(indexes))
	for n, i := range indexes {
		rows[n] = t.rows[i]
	}
	return rows
}

// Holds says whether a subject's own rows give it a role on exactly this target
// at an instant. It compares names and knows nothing of what a role contains.
func (t *Table) Holds(s schema.Subject, role string, target schema.Target, at time.Time) bool {
	return slices.ContainsFunc(t.Of(s), func(r Row) bool {
		return r.Role == role && r.Target == target && !r.Expired(at)
	})
}

// Renamed is what a destination of an earlier name is called now, if the name is one.
func (t *Table) Renamed(destination string) (now string, ok bool) {
	for name, d := range t.destinations {
		if slices.Contains(d.Formerly, destination) { // of one, in a snapshot without problems
			return name, true
		}
	}
	return "", false
}

// Destinations are the names of destinations that a grant or an entry in
// destinations/ uses, sorted; those that only a pattern would match are not
// among them, nor is the reserved schema.InfraDestination.
func (t *Table) Destinations() []string {
	names := map[string]bool{}
	for d := range t.byDestination {
		names[d] = true
	}
	for d := range t.destinations {
		names[d] = true
	}
	delete(names, schema.InfraDestination)
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
