package policy

import (
	"fmt"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A protect judges `protect`: somebody holds the access, or access that contains
// it, and through the group where it is a group's. To let it end sooner than
// before is to take it away, too. What is lost because somebody was revoked is
// lost on purpose, and the grant stays beside the revocation.
type protect struct{ schema.Protect }

// A hold is the access that keeps to the rule and lasts longest.
type hold struct {
	reason *access.Reason
	until  time.Time
}

func (p protect) standing(w *world) []finding {
	if p.held(w, w.table()) != nil {
		return nil
	}
	return []finding{{text: "nobody has " + p.words(), way: "grant it"}}
}

func (p protect) fresh(before, after *world) []finding {
	lost := p.lost(before, after, p.held(before, before.held()), after.table())
	if lost == nil {
		// A revocation may be lifted again, and then the grant must still be there.
		lost = p.lost(before, after, p.held(before, before.bare()), after.bare())
	}
	return lost
}

// lost says that what was held is so no more, or for less long.
func (p protect) lost(before, after *world, had *hold, table *access.Table) []finding {
	if had == nil {
		return nil
	}
	line := "keep the grant: it is " + was(had.reason.Grant.Pos)
	if had.reason.Grant.Pos.File == "" {
		line = "keep the grant"
	}
	// The destination is followed where it got another name.
	now := p
	now.Target.Destination = before.heir(p.Target.Destination)
	has := now.held(after, table)
	switch {
	case has == nil:
		return []finding{{text: "nobody would have " + p.words() + " any more", way: line}}
	case longer(had.until, has.until):
		return []finding{{pos: has.reason.Grant.Pos, text: fmt.Sprintf("nobody would have %s from %s on", p.words(), stamp(has.until)), way: line}}
	}
	return nil
}

// words are the access that is protected.
func (p protect) words() string {
	if p.Subject.Kind == schema.GroupKind {
		return fmt.Sprintf("%s on %s through group %s", p.Role, p.Target, p.Subject.Name)
	}
	return fmt.Sprintf("%s on %s as %s", p.Role, p.Target, p.Subject.Name)
}

// held is what keeps to the rule; nil: nothing does.
func (p protect) held(w *world, t *access.Table) *hold {
	rows := t.Rows()
	through := newPicker(schema.Selector{})
	if p.Subject.Kind == schema.User {
		rows = t.Of(p.Subject)
	} else {
		through.Groups = []string{p.Subject.Name}
	}
	var best *hold
	for i := range rows {
		row := &rows[i]
		if row.Expired(w.at) || !access.Contains(row.Role, p.Role) || !row.Target.Covers(p.Target) {
			continue
		}
		for n := range row.Reasons {
			reason := &row.Reasons[n]
			if ended(reason.Grant.Expires, w.at) || !through.who(row, reason) {
				continue
			}
			if best == nil || longer(reason.Grant.Expires, best.until) {
				best = &hold{reason, reason.Grant.Expires}
			}
		}
	}
	return best
}
