package access

import (
	"slices"
	"time"

	"github.com/infrahq/infra/schema"
)

// A State says whether what a grant gives somebody counts.
type State string

// The states, the first that fits.
const (
	StateRevoked  State = "revoked"  // revoked.yaml names the subject, or a group on the way
	StateExpired  State = "expired"  // the grant has ended
	StateIncluded State = "included" // it counts, and adds nothing to something else that the subject has
	StateInForce  State = "in force"
)

// A Held is what one grant gives a subject, with every line that it comes by.
type Held struct {
	Grant      schema.Grant
	Steps      []Step // from the group that the grant names to the subject; empty: it names the subject
	State      State
	Revocation *schema.Revocation // by which it is revoked; else nil
	Included   *Row               // what says as much, for as long; else nil
}

// A Step is a group and the line by which the next one of the way, or the
// subject itself, is a member of it.
type Step struct {
	Group  string
	Member schema.Member
}

// Explain says what a snapshot gives one subject, and why, at an instant: one
// item for each grant that reaches it, in order of target, role and place, be it
// in force or not. Where a group contains the subject in several ways, it is the
// shortest that counts. Of a declared group it is what its members have by being
// in it.
func Explain(s *schema.Snapshot, who schema.Subject, at time.Time) []Held {
	near := vicinity(s, who)
	without := Resolve(near, schema.Revoked{})
	in := Resolve(near, s.Revoked)
	x := &explanation{members: s.Groups, revoked: s.Revoked, who: who}
	live := x.live(in.Of(who), at)
	inForce := map[grantID]*Row{} // the rows that revocations leave
	for _, row := range in.Of(who) {
		inForce[grantID{who, row.Role, row.Target}] = &row
	}
	var out []Held
	for _, row := range without.Of(who) {
		left := inForce[grantID{who, row.Role, row.Target}]
		for _, r := range row.Reasons {
			out = append(out, x.held(r, left, live, at))
		}
	}
	return out
}

// vicinity is a snapshot of the grants that reach a subject alone. A declared
// group that is asked about is no longer declared: it stands for itself.
func vicinity(s *schema.Snapshot, who schema.Subject) *schema.Snapshot {
	above := above(s, who)
	near := &schema.Snapshot{}
	for _, g := range s.Grants {
		if above[g.Subject] {
			near.Grants = append(near.Grants, g)
		}
	}
	for _, g := range s.Groups {
		if who != (schema.Subject{Kind: schema.GroupKind, Name: g.Name}) {
			near.Groups = append(near.Groups, g)
		}
	}
	return near
}

// An explanation is Explain at work.
type explanation struct {
	members []schema.Group
	revoked schema.Revoked
	who     schema.Subject
}

// live are the holdings that rows come to at an instant.
func (x *explanation) live(rows []Row, at time.Time) holdings {
	var out holdings
	for i := range rows {
		h := holding{row: &rows[i], target: rows[i].Target}
		switch {
		case h.row.Expired(at):
		case schema.IsPattern(h.target.Destination):
			out.patterned = append(out.patterned, h)
		default:
			out.named = append(out.named, h)
		}
	}
	return out
}

// held is one reason with its state. left is its row without what is revoked.
func (x *explanation) held(r Reason, left *Row, live holdings, at time.Time) Held {
	h := Held{Grant: r.Grant}
	i := -1
	if left != nil {
		i = slices.IndexFunc(left.Reasons, func(l Reason) bool { return l.Grant.Pos == r.Grant.Pos && l.Grant == r.Grant })
	}
	switch {
	case i < 0:
		h.State, h.Revocation = StateRevoked, x.revocation(r)
	case expired(r.Grant, at):
		r, h.State = left.Reasons[i], StateExpired
	default:
		r, h.State = left.Reasons[i], StateInForce
		list := slices.Concat(live.patterned, live.named)
		if j := slices.IndexFunc(list, func(l holding) bool { return l.row.Role == left.Role && l.row.Target == left.Target }); j >= 0 {
			if by := saidBy(live, &list[j], list[j].target); by != nil {
				h.State, h.Included = StateIncluded, by.row
			}
		}
	}
	h.Steps = x.steps(r.Via)
	return h
}

// revocation is the line that takes a reason away.
func (x *explanation) revocation(r Reason) *schema.Revocation {
	for i := range x.revoked.Revocations {
		v := &x.revoked.Revocations[i]
		if v.User != "" && x.who == (schema.Subject{Kind: schema.User, Name: v.User}) {
			return v
		}
		if v.Group != "" && (x.who == (schema.Subject{Kind: schema.GroupKind, Name: v.Group}) || slices.Contains(r.Via, v.Group)) {
			return v
		}
	}
	return nil
}

// steps finds the lines of a way through groups.
func (x *explanation) steps(via []string) []Step {
	var out []Step
	for i, name := range via {
		next := x.who
		if i+1 < len(via) {
			next = schema.Subject{Kind: schema.GroupKind, Name: via[i+1]}
		}
		step := Step{Group: name}
		if j := slices.IndexFunc(x.members, func(g schema.Group) bool { return g.Name == name }); j >= 0 {
			if m := memberOf(&x.members[j], next); m != nil {
				step.Member = *m
			}
		}
		out = append(out, step)
	}
	return out
}

func expired(g schema.Grant, at time.Time) bool { return Row{Expires: g.Expires}.Expired(at) }

// WhoCan are the rows by which somebody has a role on all of a target at an
// instant, in order of subject, with the reasons that count then. Who has a role
// that contains it has it too, unless it must be exactly that one.
func (t *Table) WhoCan(role string, target schema.Target, exact bool, at time.Time) []Row {
	var out []Row
	for _, row := range t.rows {
		if row.Role != role && (exact || !Contains(row.Role, role)) || !row.Target.Covers(target) || row.Expired(at) {
			continue
		}
		row.Reasons = slices.DeleteFunc(slices.Clone(row.Reasons), func(r Reason) bool { return expired(r.Grant, at) })
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b Row) int { return a.Subject.Compare(b.Subject) })
	return out
}
