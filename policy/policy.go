// Package policy judges revisions: which one of a history is in force.
//
// Step judges one revision against the accepted one. Fold walks a history with
// it. Both are pure: no clock, no Git, nothing remembered. So two servers, a
// restarted one and a CI job agree, and "what was in force on 3 November" has
// one answer.
package policy

import (
	"iter"
	"time"

	"github.com/infrahq/infra/schema"
)

// A Revision is a commit as the judge sees it.
type Revision struct {
	ID       string    // the commit's hash
	Signer   string    // who signed it; empty: nobody, or not looked at
	At       time.Time // the committer's date, the only time that a rule may know
	Snapshot *schema.Snapshot
	Problems schema.Problems
}

// A Verdict is what became of one revision.
type Verdict struct {
	Revision string // its ID
	Accepted bool
	Warnings schema.Problems // of an accepted one
	Refusals []Refusal       // why it was refused; empty where it was accepted
}

// A Refusal is one reason against a revision, with the way out.
type Refusal struct {
	Rule    Rule
	Pos     schema.Pos // zero where no one place is at fault
	Message string
	Hint    string // what to do; may be empty
}

// Rule names what refused a revision.
type Rule string

// The rules that always hold.
const (
	Readable    Rule = "readable"    // a revision with errors is not served
	Declaration Rule = "declaration" // a granted group does not lose its declaration
)

// Step judges next against the accepted revision. The zero accepted revision
// stands for "none yet".
func Step(accepted, next Revision) Verdict { panic("skeleton") }

// Fold walks commits, oldest first, and judges each against the last one that
// was accepted; one that is refused is passed over. It returns the last accepted
// revision, with At never before that of the one accepted earlier, and a verdict
// for each commit. An error of commits ends the walk and is returned with what
// was found until then: a commit that could not be read has no verdict.
func Fold(accepted Revision, commits iter.Seq2[Revision, error]) (Revision, []Verdict, error) {
	panic("skeleton")
}
