package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/kube"
	"github.com/infrahq/infra/schema"
)

// A question is what explain is asked: what somebody has, where, and whether that
// allows something.
type question struct {
	who     schema.Subject
	request *kube.Request  // nil: whatever they have
	target  *schema.Target // nil: everywhere
}

// read takes what is asked about a verb from the flags.
func (q *question) read(cmd *cobra.Command, asked requestFlags) error {
	if !asked.asked() {
		return nil
	}
	r, err := asked.request(cmd)
	q.request = &r
	return err
}

// on takes the resource from the arguments, which may be none.
func (q *question) on(cmd *cobra.Command, m moment, args []string) error {
	if len(args) == 0 {
		return nil
	}
	target, err := m.target(args[0])
	if err == nil && q.request != nil {
		err = m.place(cmd, *q.request, target)
	}
	q.target = &target
	return err
}

// answer is what the subject holds, as far as it is asked about.
func (q *question) answer(m moment) []heldItem {
	held := access.Explain(m.snapshot, q.who, m.at)
	if q.request == nil {
		return heldItems(q.who, slices.DeleteFunc(held, func(h access.Held) bool {
			return q.target != nil && !h.Grant.Target.Overlaps(*q.target)
		}))
	}
	allows, table := m.allows(*q.request), access.Resolve(m.snapshot, m.snapshot.Revoked)
	var answers []access.Answer
	held = slices.DeleteFunc(held, func(h access.Held) bool {
		t := h.Grant.Target
		if q.target != nil && !t.Covers(*q.target) || q.target == nil && t.Namespace != "" && q.request.OfCluster() {
			return true
		}
		answer := table.Answer(h.Grant.Role, t, allows, q.target)
		if answer != access.AnswerNo {
			answers = append(answers, answer)
		}
		return answer == access.AnswerNo
	})
	items := heldItems(q.who, held)
	for i := range items {
		items[i].Allowed = answers[i]
	}
	return items
}

// withAllowed adds what is known of each role to the table.
func withAllowed(l list, items []heldItem) list {
	l.columns = slices.Insert(l.columns, 4, column{name: "Allowed"})
	for i, row := range l.rows {
		said := ""
		if i == 0 || l.of[i] != l.of[i-1] {
			said = string(items[l.of[i]].Allowed)
		}
		l.rows[i] = slices.Insert(slices.Clone(row), 4, any(said))
	}
	return l
}

// sayHeld says what the list does not show.
func (a *app) sayHeld(m moment, q question, items []heldItem) {
	on := ""
	if q.target != nil {
		on = " on " + q.target.String()
	}
	live := slices.DeleteFunc(slices.Clone(items), func(i heldItem) bool {
		return i.State != access.StateInForce && i.State != access.StateIncluded
	})
	switch {
	case q.request != nil:
		a.sayAllowed(q, live, on)
	case len(live) == 0:
		a.say("%s may do nothing%s", q.who, on)
	}
	for _, v := range m.snapshot.Revoked.Revocations {
		if subjectOf(v.User, false) == q.who || subjectOf(v.Group, true) == q.who {
			a.say("%s is revoked: %s", q.who, place(v.Pos))
		}
	}
	if q.who.Kind == schema.User && hasUnknownMembers(m.snapshot) {
		a.say("what groups of the identity provider give is not among this: infra does not know their members")
	}
	var targets []schema.Target
	for _, i := range items {
		if t, err := schema.ParseTarget(i.Resource); err == nil {
			targets = append(targets, t)
		}
	}
	if q.target != nil {
		targets = []schema.Target{*q.target}
	}
	a.sayModes(m.snapshot, targets)
	if q.request != nil {
		a.sayBeyond(*q.request)
	}
}

// sayAllowed is the answer in a sentence.
func (a *app) sayAllowed(q question, live []heldItem, on string) {
	if q.target == nil && len(live) > 0 {
		on = " there"
	}
	switch {
	case slices.ContainsFunc(live, func(i heldItem) bool { return i.Allowed == access.AnswerYes }):
		a.say("%s may %s%s", q.who, q.request, on)
	case len(live) > 0:
		a.say("whether %s may %s%s is unknown: the rules of the role are", q.who, q.request, on)
	default:
		a.say("%s may not %s%s by what is granted here", q.who, q.request, on)
	}
}
