package policy

import "github.com/infrahq/infra/schema"

// Standing is what the snapshot of a revision has against the given rules
// already. Step does not refuse a change for it; a rule that is new may find
// much that was there before.
func Standing(rules []schema.PolicyRule, r Revision) []Refusal { return nil }

// A CaseResult is what became of a test of a rule.
type CaseResult struct {
	Rule    schema.PolicyRule
	Case    schema.Case
	Passed  bool
	Message string // what happened instead, where it did not pass; what the rule said, where it refused as wanted
}

// Test runs the cases of every rule of a revision's own policy, in order, each
// against that rule alone.
func Test(r Revision) []CaseResult { return nil }
