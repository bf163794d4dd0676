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
	byDestination map[string][]int         // of rows whose destination is a name
	patterned     []int                    // of rows whose destination is a pattern
	destinations  map[string]schema.Destination

	// What it was made of, for Compare.
	snapshot *schema.Snapshot
	revoked  schema.Revoked
	members  map[schema.Subject][]member // of every subject of a grant
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
	type key struct {
		subject schema.Subject
		role    string
		target  schema.Target
	}
	index := map[key]int{}
	t := &Table{
		bySubject:     map[schema.Subject][]int{},
		byDestination: map[string][]int{},
		destinations:  map[string]schema.Destination{},
		snapshot:      s,
		revoked:       r,
		members:       members.known,
	}
	for _, grant := range s.Grants {
		for _, m := range members.of(grant.Subject) {
			k := key{m.subject, grant.Role, grant.Target}
			reason := Reason{Grant: grant, Via: m.via}
			i, ok := index[k]
			if !ok {
				index[k] = len(t.rows)
				t.rows = append(t.rows, Row{Subject: m.subject, Role: grant.Role, Target: grant.Target,
					Expires: grant.Expires, Reasons: []Reason{reason}})
				continue
			}
			row := &t.rows[i]
			row.Expires = later(row.Expires, grant.Expires)
			row.Reasons = append(row.Reasons, reason)
		}
	}
	slices.SortFunc(t.rows, func(a, b Row) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Role, b.Role), a.Subject.Compare(b.Subject))
	})
	for i, row := range t.rows {
		t.bySubject[row.Subject] = append(t.bySubject[row.Subject], i)
		if d := row.Target.Destination; schema.IsPattern(d) {
			t.patterned = append(t.patterned, i)
		} else {
			t.byDestination[d] = append(t.byDestination[d], i)
		}
	}
	for _, d := range s.Destinations {
		t.destinations[d.Name] = d
	}
	return t
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
