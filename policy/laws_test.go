package policy_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// foldWith folds a history in pieces. After a piece that ends in a restart, only
// the accepted revision's hash and date are known, and its files are read again.
func foldWith(t *testing.T, commits []policy.Revision, piece func(left int) int, restart func() bool) (policy.Revision, []policy.Verdict) {
	t.Helper()
	var accepted policy.Revision
	var verdicts []policy.Verdict
	for rest := commits; len(rest) > 0; {
		n := piece(len(rest))
		next, some, err := policy.Fold(accepted, walk(rest[:n]))
		if err != nil {
			t.Fatal(err)
		}
		if next.At.Before(accepted.At) {
			t.Fatalf("the accepted date went back from %s to %s", accepted.At, next.At)
		}
		accepted, verdicts, rest = next, append(verdicts, some...), rest[n:]
		if accepted.Snapshot != nil && restart() {
			accepted = policy.Revision{ID: accepted.ID, At: accepted.At, Snapshot: clone(accepted.Snapshot)}
		}
	}
	return accepted, verdicts
}

func TestFoldIsAPureFunctionOfTheHistory(t *testing.T) {
	t.Parallel()
	never := func() bool { return false }
	seen := map[string]int{}
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 4))
		commits := randomHistory(r, 12)
		whole, want := foldWith(t, commits, func(left int) int { return left }, never)
		for name, cut := range map[string]struct {
			piece   func(int) int
			restart func() bool
		}{
			"commit by commit":       {func(int) int { return 1 }, never},
			"with restarts anywhere": {func(left int) int { return 1 + r.IntN(left) }, func() bool { return r.IntN(2) == 0 }},
		} {
			accepted, got := foldWith(t, commits, cut.piece, cut.restart)
			if accepted.ID != whole.ID || !accepted.At.Equal(whole.At) {
				t.Fatalf("seed %d, %s: accepted %s of %s, want %s of %s", seed, name, accepted.ID, accepted.At, whole.ID, whole.At)
			}
			if !reflect.DeepEqual(want, got) {
				t.Fatalf("seed %d, %s: other verdicts:\n%s", seed, name, cmp.Diff(want, got))
			}
		}
		for _, v := range want {
			if v.Accepted() {
				seen["accepted"]++
			}
			for _, refusal := range v.Refusals {
				kind, _, _ := strings.Cut(string(refusal.Rule), "-")
				seen[kind]++
			}
		}
	}
	for _, what := range []string{"accepted", "readable", "declaration", "brake", "deny", "require", "protect", "limit", "separate", "declared", "local", "keys"} {
		if seen[what] < 20 {
			t.Errorf("the histories show %s only %d times", what, seen[what])
		}
	}
}

func TestTimeAndMovedLinesRefuseNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		s := mutate(r, randomSnapshot(r))
		accepted := policy.Revision{ID: "before", At: now.Add(time.Duration(r.IntN(40)-20) * 12 * time.Hour), Snapshot: s}
		moved := clone(s)
		r.Shuffle(len(moved.Grants), func(i, j int) { moved.Grants[i], moved.Grants[j] = moved.Grants[j], moved.Grants[i] })
		slices.Reverse(moved.Groups)
		for i := range moved.Grants {
			moved.Grants[i].Pos = schema.Pos{File: "elsewhere", Line: i}
		}
		for range 5 {
			at := now.Add(time.Duration(r.IntN(60)-30) * 12 * time.Hour)
			for what, snapshot := range map[string]*schema.Snapshot{"the same": s, "the same in other places": moved} {
				if v := policy.Step(accepted, policy.Revision{At: at, Snapshot: snapshot}); !v.Accepted() {
					t.Fatalf("seed %d: %s at %s: %v", seed, what, at, said(v.Refusals))
				}
			}
		}
	}
}

// A change that leaves nothing against the rules is not refused by them. Rules
// that look at what was lost compare with what there was, so they have no part in
// it.
func TestWhatIsInOrderIsNotRefused(t *testing.T) {
	t.Parallel()
	orderly := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 6))
		s := randomSnapshot(r)
		s.Settings.Policy = slices.DeleteFunc(s.Settings.Policy, func(rule schema.PolicyRule) bool {
			return rule.Protect != nil || rule.Limit != nil && rule.Limit.AtLeast > 0 || r.IntN(2) == 0
		})
		next := policy.Revision{At: now, Snapshot: mutate(r, s)}
		standing := map[policy.Rule]bool{}
		for _, refusal := range policy.Standing(s.Settings.Policy, next) {
			standing[refusal.Rule] = true
		}
		for _, refusal := range policy.Step(policy.Revision{Snapshot: s}, next).Refusals {
			if refusal.Kind == policy.Denied && refusal.Rule != policy.Declaration && !standing[refusal.Rule] {
				t.Fatalf("seed %d: refused by %s, with nothing against it: %s", seed, refusal.Rule, refusal)
			}
		}
		if len(standing) < len(s.Settings.Policy) {
			orderly++
		}
	}
	if orderly < 300 {
		t.Errorf("only %d of the changes keep to a rule", orderly)
	}
}

// naive says who holds what by asking of each place and role by itself: no
// tables, no patterns of rules, no groups of the identity provider.
type naive struct{ *schema.Snapshot }

func (n naive) members(group string, seen map[string]bool) []string {
	var out []string
	for _, g := range n.Groups {
		if g.Name != group || seen[group] {
			continue
		}
		seen[group] = true
		for _, m := range g.Users {
			out = append(out, m.Name)
		}
		for _, m := range g.Groups {
			out = append(out, n.members(m.Name, seen)...)
		}
	}
	return out
}

// holds says whether a person has a role in a namespace, or on the destination
// as a whole where that is empty.
func (n naive) holds(person, role, destination, namespace string) bool {
	stronger := map[string][]string{"logs": {"view", "edit", "admin"}, "exec": {"edit", "admin"}, "view": {"edit", "admin"}, "edit": {"admin"}}
	for _, g := range n.Grants {
		who := g.Subject.Name == person && g.Subject.Kind == schema.User ||
			g.Subject.Kind == schema.GroupKind && slices.Contains(n.members(g.Subject.Name, map[string]bool{}), person)
		what := g.Role == role || g.Role == "cluster-admin" || slices.Contains(stronger[role], g.Role)
		in := g.Target.Namespace == "" || namespace != "" && schema.MatchNamespace(g.Target.Namespace, namespace)
		ended := !g.Expires.IsZero() && !now.Before(g.Expires.Add(5*time.Minute))
		if who && what && in && !ended && schema.MatchDestination(g.Target.Destination, destination) {
			return true
		}
	}
	return false
}

// within says whether a person holds any of what a selector names on a
// destination.
func (n naive) within(person string, s schema.Selector, destination string) bool {
	fits := func(patterns []string, name string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return schema.Match(p, name) })
	}
	if !fits(s.Users, person) || !fits(s.Destinations, destination) {
		return false
	}
	for _, role := range someRoles {
		for _, namespace := range []string{"", "web", "pay-a", "kube-system"} {
			inside := len(s.Namespaces) == 0 || namespace != "" && fits(s.Namespaces, namespace)
			if fits(s.Roles, role) && inside && n.holds(person, role, destination, namespace) {
				return true
			}
		}
	}
	return false
}

func (n naive) anywhere(person string, s schema.Selector) bool {
	return slices.ContainsFunc(someDestinations, func(d string) bool { return n.within(person, s, d) })
}

func TestRulesAreWhatANaiveModelSays(t *testing.T) {
	t.Parallel()
	against := func(s *schema.Snapshot, rule schema.PolicyRule) bool {
		return len(policy.Standing([]schema.PolicyRule{rule}, policy.Revision{At: now, Snapshot: s})) > 0
	}
	seen := map[string]int{}
	check := func(seed uint64, what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Fatalf("seed %d: %s: against the rule: %t, and the naive model says %t", seed, what, got, want)
		}
		seen[fmt.Sprintf("%.4s %t", what, want)]++
	}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := &schema.Snapshot{}
		for _, name := range someGroups {
			s.Groups = append(s.Groups, randomGroup(r, name))
		}
		for _, name := range someDestinations {
			s.Destinations = append(s.Destinations, schema.Destination{Name: name})
		}
		for range r.IntN(5) {
			s.Grants = append(s.Grants, randomGrant(r))
		}
		plain := func() schema.Selector {
			p := randomSelector(r)
			p.Scope, p.Groups, p.Undeclared = "", nil, false
			return p
		}
		model := naive{s}
		one, other := plain(), plain()
		for _, person := range someUsers {
			mine := func(p schema.Selector) schema.Selector {
				p.Users = []string{person}
				return p
			}
			check(seed, "deny "+person, against(s, schema.PolicyRule{Deny: &schema.Deny{Selector: mine(one)}}), model.anywhere(person, mine(one)))
			check(seed, "separate "+person, against(s, schema.PolicyRule{Separate: []schema.Selector{mine(one), mine(other)}}),
				model.anywhere(person, mine(one)) && model.anywhere(person, mine(other)))
		}
		for _, destination := range someDestinations {
			on := one
			on.Destinations = []string{destination}
			n := 0
			for _, person := range someUsers {
				if model.within(person, on, destination) {
					n++
				}
			}
			check(seed, "most on "+destination, against(s, schema.PolicyRule{Limit: &schema.Limit{Selector: on, AtMost: ptr(n)}}), false)
			check(seed, "less on "+destination, against(s, schema.PolicyRule{Limit: &schema.Limit{Selector: on, AtMost: ptr(max(0, n-1))}}), n > 0)
			check(seed, "least on "+destination, against(s, schema.PolicyRule{Limit: &schema.Limit{Selector: on, AtLeast: n + 1}}), true)
		}
	}
	for _, what := range []string{"deny true", "deny false", "sepa true", "sepa false", "less true"} {
		if seen[what] < 100 {
			t.Errorf("only %d times %s", seen[what], what)
		}
	}
}
