// Package policy judges revisions: which one of a history is in force.
//
// Step judges one revision against the accepted one. Fold walks a history with
// it. Both are pure: no clock, no Git, nothing remembered. So two servers, a
// restarted one and a CI job agree, and "what was in force on 3 November" has
// one answer.
//
// Rules are those of the accepted revision, not of the one that is judged:
// nobody changes the rule and breaks it in one commit. A revision that is
// refused leaves no trace; the next one is judged by its whole difference to
// the last accepted one.
package policy

import (
	"iter"
	"slices"
	"time"

	"github.com/infrahq/infra/schema"
)

// A Revision is a commit as the judge sees it. The zero value stands for
// "none": what the first revision of all is judged against.
type Revision struct {
	ID       string    // the commit's hash
	Signer   string    // who signed it; empty: nobody, or not looked at
	At       time.Time // the committer's date, the only time that a rule may know
	Snapshot *schema.Snapshot
	Problems schema.Problems
}

// AheadLimit is how far ahead of the clock of who folds a commit may be dated. One
// that is dated later is not for Step before its time has come. What had ended so
// shortly before a revision's date is judged as if it were there still: in the
// clusters it may be.
const AheadLimit = 5 * time.Minute

// A Verdict is what became of one revision: accepted, perhaps with warnings,
// or refused.
type Verdict struct {
	Revision string // its ID
	Warnings schema.Problems
	Refusals []Refusal // empty: it was accepted
}

// Accepted says whether nothing was held against the revision.
func (v Verdict) Accepted() bool { return len(v.Refusals) == 0 }

// Kind tells what a refusal is: it decides the exit code, and what there is to do.
type Kind string

// The kinds of refusal.
const (
	Invalid Kind = "invalid" // the revision cannot be served at all
	Denied  Kind = "policy"  // a rule is against it
	Braked  Kind = "brake"   // it takes access from many, and nobody has said that this is meant
)

// A Refusal is one reason against a revision, with the way out.
type Refusal struct {
	Kind    Kind
	Rule    Rule
	Pos     schema.Pos // zero where no one place is at fault
	Message string
	Hint    string // what to do; may be empty

	// Of a brake.
	Destination string
	People      int              // who would lose access there
	Of          int              // who had any
	Who         []schema.Subject // who would lose access there, sorted
}

// String is the position where there is one, and the message.
func (r Refusal) String() string {
	if r.Pos == (schema.Pos{}) {
		return r.Message
	}
	return r.Pos.String() + ": " + r.Message
}

// Rule names what refused a revision: one of those below, or the name of a rule
// of the repository's own policy, which cannot be any of them.
type Rule string

// The rules that hold in every repository.
const (
	Readable    Rule = "readable"    // a revision with errors is not served
	Declaration Rule = "declaration" // a granted group does not lose its declaration
	Brake       Rule = "brake"       // a large removal is acknowledged
)

// Step judges next against the accepted revision: by whether it can be read, by
// the declarations of groups, by the accepted revision's own rules, and by its
// brakes, in this order. All refusals come at once, those of a rule sorted by
// place, and those of the brakes by destination; a rule that has very much to say
// sums up in its last refusal. What cannot be read is not judged further, and
// what is judged against no accepted snapshot is judged by that alone.
//
// The time at which both are looked at is next.At: what has expired by then (for
// rules that forbid: AheadLimit before) is there neither before nor after, so that
// time alone refuses nothing.
func Step(accepted, next Revision) Verdict {
	v := Verdict{Revision: next.ID}
	for _, p := range next.Problems.Errors() {
		v.Refusals = append(v.Refusals, Refusal{Kind: Invalid, Rule: Readable, Pos: p.Pos, Message: p.Message})
	}
	if len(v.Refusals) == 0 && next.Snapshot == nil {
		v.Refusals = []Refusal{{Kind: Invalid, Rule: Readable, Message: "nothing of it could be read"}}
	}
	if len(v.Refusals) > 0 {
		v.Refusals = atMost(v.Refusals, "errors")
		return v
	}
	if accepted.Snapshot != nil {
		before, after := worlds(accepted, next)
		v.Refusals = slices.Concat(
			atMost(lostDeclarations(accepted.Snapshot, next.Snapshot), "groups that lose their declaration"),
			judgeRules(before, after),
			brakes(before, after))
	}
	if v.Accepted() {
		v.Warnings = next.Problems.Warnings()
	}
	return v
}

// Fold walks commits, oldest first, and judges each against the last one that
// was accepted. It returns the last accepted revision and a verdict for each
// commit. An error of commits ends the walk and is returned with what was found
// until then: a commit that could not be read has no verdict.
//
// The accepted revision's At never goes back, whatever dates the commits bear:
// a rule that looks at time cannot be fooled by a commit that is dated earlier.
func Fold(accepted Revision, commits iter.Seq2[Revision, error]) (Revision, []Verdict, error) {
	var verdicts []Verdict
	for next, err := range commits {
		if err != nil {
			return accepted, verdicts, err
		}
		if next.At.Before(accepted.At) {
			next.At = accepted.At
		}
		v := Step(accepted, next)
		verdicts = append(verdicts, v)
		if v.Accepted() {
			accepted = next
		}
	}
	return accepted, verdicts, nil
}
