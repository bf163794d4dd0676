package policy

import "github.com/infrahq/infra/schema"

// Standing is what the snapshot of a revision has against the given rules
// already, at its date: in the order of the rules, and by place. Step does not
// refuse a change for it; a rule that is new may find much that was there before.
// Positions are in the revision. Without a snapshot there is nothing to say.
func Standing(of []schema.PolicyRule, r Revision) []Refusal {
	if r.Snapshot == nil {
		return nil
	}
	w := &world{snapshot: r.Snapshot, at: r.At, standing: true}
	var out []Refusal
	for _, rule := range rules(of) {
		out = append(out, rule.refusals(rule.judge.standing(w), "")...)
	}
	return out
}
