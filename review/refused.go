package review

import (
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// A refusedRule is a rule that is against the change, with all that it has
// against it and one way out.
type refusedRule struct {
	kind     policy.Kind
	rule     policy.Rule
	hint     string
	refusals []policy.Refusal
}

// refused are the refusals by rule, in the order in which the rules first come.
// An error of the files that is among the problems is said there.
func (r Review) refused() []refusedRule {
	type problem struct {
		pos     schema.Pos
		message string
	}
	said := map[problem]bool{}
	for _, p := range r.Problems {
		said[problem{p.Pos, p.Message}] = true
	}
	type key struct {
		kind policy.Kind
		rule policy.Rule
		hint string
	}
	at := map[key]int{}
	var out []refusedRule
	for _, f := range r.Refusals {
		if f.Kind == policy.Invalid && said[problem{f.Pos, f.Message}] {
			continue
		}
		k := key{f.Kind, f.Rule, f.Hint}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, refusedRule{kind: f.Kind, rule: f.Rule, hint: f.Hint})
		}
		out[i].refusals = append(out[i].refusals, f)
	}
	return out
}

// title says who refuses.
func (r refusedRule) title() phrase {
	switch r.kind {
	case policy.Invalid:
		return say("Cannot be served")
	case policy.Braked:
		return say("Held by the brake")
	}
	return say("Refused by the rule ", named(string(r.rule)))
}
