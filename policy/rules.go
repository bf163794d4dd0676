package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/infrahq/infra/schema"
)

// A rule is a rule of the repository's policy, made ready: patterns and regular
// expressions are looked at once.
type rule struct {
	schema.PolicyRule
	judge judge
}

// A judge knows one kind of rule.
type judge interface {
	// standing is everything that a snapshot has against the rule.
	standing(w *world) []finding
	// fresh is what a change brings in against it: what is there after it and
	// was not before, lasts longer than before, or is more than before. Where
	// lines moved, or groups, files and destinations got another name, nothing
	// is new.
	fresh(before, after *world) []finding
}

// A finding is one thing that is against a rule.
type finding struct {
	pos  schema.Pos // in the revision that is judged; zero where no line of it is at fault
	text string
	way  string // what to do instead; may be empty
}

// rules are those of a snapshot, in the order of the file.
func rules(of []schema.PolicyRule) []rule {
	out := make([]rule, 0, len(of))
	for _, r := range of {
		if j := judgeOf(r); j != nil {
			out = append(out, rule{r, j})
		}
	}
	return out
}

func judgeOf(r schema.PolicyRule) judge {
	switch {
	case r.Deny != nil:
		return newDeny(*r.Deny)
	case r.Require != nil:
		return newRequire(*r.Require)
	case r.Protect != nil:
		return protect{*r.Protect}
	case r.Limit != nil:
		return newLimit(*r.Limit)
	case len(r.Separate) > 0:
		return newSeparate(r.Separate)
	case len(r.Declared) > 0:
		return newDeclared(r.Declared)
	case len(r.Local) > 0:
		return newLocal(r.Local)
	case r.Keys != nil:
		return keyJudge{*r.Keys}
	}
	return nil
}

// refusals says findings in the rule's name, sorted by place, with the rule's own
// sentence. The revision is the one that the rule is of, in words.
func (r rule) refusals(findings []finding, of string) []Refusal {
	out := make([]Refusal, 0, len(findings))
	for _, f := range findings {
		message := f.text
		if r.Message != "" {
			message += ": " + r.Message
		}
		out = append(out, Refusal{Kind: Denied, Rule: Rule(r.Name), Pos: f.pos, Message: message, Hint: r.hint(f.way, of)})
	}
	slices.SortFunc(out, func(a, b Refusal) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Message, b.Message))
	})
	return atMost(out, fmt.Sprintf("against rule %s", r.Name))
}

// hint is the way out, and where the rule is.
func (r rule) hint(way, of string) string {
	where := r.Name
	if r.Pos.Line > 0 {
		where = fmt.Sprintf("%s:%d", r.Pos.File, r.Pos.Line)
	}
	hint := "the rule is " + where + of
	switch {
	case way != "":
		return way + "; " + hint
	case of != "":
		return hint + ", and a change of it comes first, by itself"
	}
	return hint
}

// listed is how many refusals by one rule are said one by one.
const listed = 100

// atMost cuts a long list of refusals by one rule, and says so in its last one.
func atMost(refusals []Refusal, what string) []Refusal {
	more := len(refusals) - listed
	if more <= 1 {
		return refusals
	}
	last := refusals[listed]
	last.Pos, last.Hint = schema.Pos{}, ""
	last.Message = fmt.Sprintf("%d more %s", more, what)
	return append(refusals[:listed:listed], last)
}

// judgeRules are the refusals by the accepted revision's rules.
func judgeRules(before, after *world) []Refusal {
	var out []Refusal
	for _, r := range rules(before.snapshot.Settings.Policy) {
		out = append(out, r.refusals(r.judge.fresh(before, after), " of the accepted revision")...)
	}
	return out
}
