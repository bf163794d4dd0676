// Package access is the meaning of a snapshot: who may do what, where, through
// what and until when.
package access

import (
	"time"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/schema"
)

// A Table is the effective access of one snapshot: groups expanded, revocations
// subtracted. It is immutable.
type Table struct {
	rows         []Row
	destinations map[string]schema.Destination
}

// A Row says that a subject has a role on a target, and why. There is one row
// for each subject, role and target; a subject is a person, or a group that only
// the identity provider knows.
type Row struct {
	Subject schema.Subject
	Role    string
	Target  schema.Target
	Expires time.Time // the latest of its reasons; zero: never
	Reasons []Reason  // sorted by position; never empty
}

// A Reason is a grant, and the groups on the way from its subject to the row's,
// outermost first; none where the grant names the subject itself.
type Reason struct {
	Grant schema.Grant
	Via   []string
}

// Resolve works out the effective access that a snapshot gives, less what is
// revoked by the snapshot or in addition to it.
func Resolve(s *schema.Snapshot, r schema.Revoked) *Table { panic("skeleton") }

// Rows are the rows in order of target, role and subject. What has expired is
// still listed. The slice is shared: do not change it.
func (t *Table) Rows() []Row { return t.rows }

// DesiredState is what one cluster needs of the table, sealed.
func (t *Table) DesiredState(destination string) api.DesiredState { panic("skeleton") }

// Names are the destinations that a grant or a destination's own entry names,
// sorted. Patterns are not among them.
func (t *Table) Names() []string { panic("skeleton") }
