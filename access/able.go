package access

import (
	"slices"
	"time"

	"github.com/infrahq/infra/schema"
)

// An Answer says whether a role allows something.
type Answer string

// The answers. The zero value is no.
const (
	AnswerNo      Answer = ""
	AnswerYes     Answer = "yes"
	AnswerUnknown Answer = "unknown" // nobody here knows the role's rules
)

// or is the better of two answers.
func (a Answer) or(b Answer) Answer {
	if a == AnswerYes || b == AnswerNo {
		return a
	}
	return b
}

// Allows says whether a role allows something on a destination. The reserved
// schema.InfraDestination is no cluster and never asked about.
type Allows func(role, destination string) Answer

// An Able is a row by which somebody may do something, or may be able to.
type Able struct {
	Row
	Answer Answer // yes or unknown
}

// WhoMay are the rows by which somebody may do, at an instant, what a role
// allows: on all of a target, or, where that is nil, on what the row itself
// reaches. They are in order of subject, with the reasons that count then.
func (t *Table) WhoMay(allows Allows, target *schema.Target, at time.Time) []Able {
	var out []Able
	for _, row := range t.rows {
		if row.Expired(at) || target != nil && !row.Target.Covers(*target) {
			continue
		}
		answer := t.Answer(row.Role, row.Target, allows, target)
		if answer == AnswerNo {
			continue
		}
		row.Reasons = slices.DeleteFunc(slices.Clone(row.Reasons), func(r Reason) bool { return expired(r.Grant, at) })
		out = append(out, Able{row, answer})
	}
	slices.SortStableFunc(out, func(a, b Able) int { return a.Subject.Compare(b.Subject) })
	return out
}

// Answer is the answer of a role that is granted on a target: asked about another
// target that it covers, or, where that is nil, about any destination that it
// means.
func (t *Table) Answer(role string, granted schema.Target, allows Allows, asked *schema.Target) Answer {
	where := granted.Destination
	if asked != nil {
		where = asked.Destination
	}
	switch {
	case where == schema.InfraDestination:
		return AnswerNo
	case !schema.IsPattern(where):
		return allows(role, where)
	}
	answer := AnswerNo
	for _, name := range t.Destinations() {
		if schema.MatchDestination(where, name) {
			answer = answer.or(allows(role, name))
		}
	}
	if answer == AnswerNo { // one that may come
		answer = allows(role, where)
	}
	return answer
}
