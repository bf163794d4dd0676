package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/infrahq/infra/schema"
)

// A CaseResult is what became of a test of a rule.
type CaseResult struct {
	Rule    schema.PolicyRule
	Case    schema.Case
	Passed  bool
	Message string // what happened instead, where it did not pass; what the rule said, where it refused as wanted
}

// Test runs the cases of every rule of a revision's own policy, in order, each
// against that rule alone: what Step would make of a change of the repository, as
// it is, that does what the case says. So the groups of the repository count, and
// what somebody has already is allowed. Expiries are from the revision's date.
//
// A case that changes nothing does not pass, since it tests nothing.
func Test(r Revision) []CaseResult {
	if r.Snapshot == nil {
		return nil
	}
	before, _ := worlds(r, r)
	var out []CaseResult
	for _, rule := range r.Snapshot.Settings.Policy {
		j := judgeOf(rule)
		for _, c := range rule.Cases {
			result := CaseResult{Rule: rule, Case: c}
			result.Passed, result.Message = run(rule, j, c, r, before)
			out = append(out, result)
		}
	}
	return out
}

func run(of schema.PolicyRule, j judge, c schema.Case, r Revision, before *world) (passed bool, message string) {
	next, idle := changed(r, c)
	if idle != "" {
		return false, idle
	}
	var refusals []Refusal
	if j != nil {
		_, after := worlds(r, Revision{At: r.At, Snapshot: next})
		refusals = rule{of, j}.refusals(j.fresh(before, after), "")
	}
	switch {
	case len(refusals) == 0 && c.Refused:
		return false, "it would be allowed" + already(before, j, c)
	case len(refusals) == 0:
		return true, ""
	}
	message = refusals[0].Message
	if more := len(refusals) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	if !c.Refused {
		message = "it would be refused: " + message
	}
	return c.Refused, message
}

// changed is the snapshot after what a case does, or why that is nothing.
func changed(r Revision, c schema.Case) (next *schema.Snapshot, idle string) {
	s := *r.Snapshot
	switch {
	case c.Grant != nil:
		g := *c.Grant
		if c.Expires > 0 {
			g.Expires = r.At.Add(c.Expires)
		}
		g.Pos = cmp.Or(g.Pos, c.Pos)
		s.Grants = append(slices.Clip(s.Grants), g)
	case c.Remove != nil:
		s.Grants = slices.DeleteFunc(slices.Clone(s.Grants), func(g schema.Grant) bool {
			return g.Subject == c.Remove.Subject && g.Role == c.Remove.Role && g.Target == c.Remove.Target
		})
		if len(s.Grants) == len(r.Snapshot.Grants) {
			return nil, fmt.Sprintf("there is no such grant to remove: %s", c.Remove)
		}
	case c.Key != nil:
		k := *c.Key
		k.Name, k.ID = cmp.Or(k.Name, "(case)"), cmp.Or(k.ID, "(case)")
		if k.Created.IsZero() {
			k.Created = r.At
		}
		if c.Expires > 0 {
			k.Expires = r.At.Add(c.Expires)
		}
		k.Pos = cmp.Or(k.Pos, c.Pos)
		s.Keys = append(slices.Clip(s.Keys), k)
	default:
		return nil, "the case does nothing"
	}
	return &s, ""
}

// already says why a grant that was to be refused brings in nothing new.
func already(before *world, j judge, c schema.Case) string {
	if c.Grant == nil {
		return ""
	}
	g := c.Grant
	if g.Subject.Kind == schema.User {
		if before.table().Holds(g.Subject, g.Role, g.Target, before.at) {
			return fmt.Sprintf(": %s has it already", g.Subject.Name)
		}
	} else if _, had := before.granted()[grantID{g.Subject, g.Role, g.Target}]; had {
		return fmt.Sprintf(": group %s has it already", g.Subject.Name)
	}
	for _, declared := range before.snapshot.Groups {
		if g.Subject.Kind == schema.GroupKind && declared.Name == g.Subject.Name && len(declared.Users)+len(declared.Groups) == 0 {
			return fmt.Sprintf(": group %s has no members", g.Subject.Name)
		}
	}
	if j == nil {
		return ""
	}
	bare := *before.snapshot
	bare.Grants = nil
	r := Revision{At: before.at, Snapshot: &bare}
	next, _ := changed(r, c)
	if len(j.fresh(worlds(r, Revision{At: before.at, Snapshot: next}))) > 0 {
		return ": they have more already that is against the rule, and what was there before is not refused"
	}
	return ""
}
