package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// Names that random revisions are made of.
var (
	someUsers        = []string{"ann", "bob", "cy", "dee", "eve@contractor.example", "fay", "gus", "hal", "ida", "jon", "kim", "leo", "mia", "ned"}
	someGroups       = []string{"web", "sre", "all", "idp", "ops"}
	someDestinations = []string{"prod", "prod-eu", "dev"}
	someRoles        = []string{"view", "edit", "admin", "exec", "logs", "cluster-admin", "deploy"}
	someTargets      = []string{"prod", "prod-eu", "dev", "prod", "dev", "*", "prod-*"}
	someNamespaces   = []string{"", "", "", "web", "pay-a", "kube-system", "pay-*", "*"}
)

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func sometimes(r *rand.Rand, text string) string {
	if r.IntN(3) > 0 {
		return ""
	}
	return text
}

func someOf(r *rand.Rand, of ...string) []string {
	var out []string
	for _, s := range of {
		if s != "" && r.IntN(3) == 0 {
			out = append(out, s)
		}
	}
	return out
}

func randomSubject(r *rand.Rand) schema.Subject {
	if r.IntN(2) == 0 {
		return schema.Subject{Kind: schema.GroupKind, Name: pick(r, someGroups)}
	}
	return schema.Subject{Kind: schema.User, Name: pick(r, someUsers)}
}

func randomExpiry(r *rand.Rand) time.Time {
	if r.IntN(2) == 0 {
		return time.Time{}
	}
	return now.Add(time.Duration(r.IntN(20)-5) * 24 * time.Hour)
}

func randomTarget(r *rand.Rand) schema.Target {
	return schema.Target{Destination: pick(r, someTargets), Namespace: pick(r, someNamespaces)}
}

func randomGrant(r *rand.Rand) schema.Grant {
	return schema.Grant{Subject: randomSubject(r), Role: pick(r, someRoles), Target: randomTarget(r), Expires: randomExpiry(r),
		Reason: pick(r, []string{"", "INC-1", "because"}), Pos: schema.Pos{File: "grants", Line: 1 + r.IntN(1000)}}
}

func randomGroup(r *rand.Rand, name string) schema.Group {
	g := schema.Group{Name: name, Destination: sometimes(r, pick(r, someDestinations)), Pos: schema.Pos{File: "groups", Line: 1 + r.IntN(1000)}}
	for _, u := range someUsers {
		if r.IntN(2) == 0 {
			g.Users = append(g.Users, schema.Member{Name: u, Pos: schema.Pos{File: "groups", Line: 1 + r.IntN(1000)}})
		}
	}
	for _, nested := range someOf(r, someGroups...) {
		if r.IntN(3) == 0 {
			g.Groups = append(g.Groups, schema.Member{Name: nested})
		}
	}
	return g
}

func randomSelector(r *rand.Rand) schema.Selector {
	return schema.Selector{
		Roles:        someOf(r, "exec", "edit", "admin", "deploy", "c*"),
		Destinations: someOf(r, "prod", "prod-*", "dev", "*"),
		Namespaces:   someOf(r, sometimes(r, "pay-*"), sometimes(r, "web"), sometimes(r, "*"), sometimes(r, "kube-*")),
		Scope:        pick(r, []schema.Scope{"", "", "", schema.ScopeCluster, schema.ScopeNamespace}),
		Users:        someOf(r, sometimes(r, "*@contractor.example"), sometimes(r, "a*")),
		Groups:       someOf(r, sometimes(r, "web"), sometimes(r, "*p*")),
		Undeclared:   r.IntN(8) == 0,
	}
}

// ruleKinds are how many kinds of rules randomRule makes.
const ruleKinds = 8

func randomRule(r *rand.Rand, kind int) schema.PolicyRule {
	unless := func() *schema.Selector {
		if r.IntN(2) == 0 {
			return nil
		}
		s := randomSelector(r)
		return &s
	}
	rule := schema.PolicyRule{Message: "no", Name: fmt.Sprintf("%s-%d", []string{"deny", "require", "protect", "limit", "separate", "declared", "local", "keys"}[kind], r.IntN(5))}
	switch kind {
	case 0:
		rule.Deny = &schema.Deny{Selector: randomSelector(r), Unless: unless()}
	case 1:
		rule.Require = &schema.Require{Selector: randomSelector(r), Unless: unless(), Expiry: days(r.IntN(10)), Reason: sometimes(r, "^INC"), Group: r.IntN(4) == 0}
	case 2:
		rule.Protect = &schema.Protect{Subject: randomSubject(r), Role: pick(r, someRoles), Target: randomTarget(r)}
	case 3:
		rule.Limit = &schema.Limit{Selector: randomSelector(r), AtMost: ptr(3 + r.IntN(9)), AtLeast: r.IntN(3)}
	case 4:
		rule.Separate = []schema.Selector{randomSelector(r), randomSelector(r), randomSelector(r)}
	case 5:
		rule.Declared = []schema.DeclaredKind{pick(r, []schema.DeclaredKind{schema.DeclaredUsers, schema.DeclaredGroups, schema.DeclaredDestinations, schema.DeclaredRoles})}
	case 6:
		rule.Local = []string{pick(r, []string{"prod", "dev", "prod-*"})}
	case 7:
		rule.Keys = &schema.KeyRule{Bound: r.IntN(2) == 0, Lifetime: days(r.IntN(20))}
	}
	return rule
}

func randomKey(r *rand.Rand) schema.Key {
	id := fmt.Sprint(r.IntN(6))
	return schema.Key{Name: id, ID: id, User: pick(r, []string{schema.ConnectorUser, "ann"}), Destination: sometimes(r, pick(r, someDestinations)),
		Created: now, Expires: randomExpiry(r)}
}

// randomSnapshot has rules of every kind.
func randomSnapshot(r *rand.Rand) *schema.Snapshot {
	s := &schema.Snapshot{}
	for range r.IntN(12) {
		s.Grants = append(s.Grants, randomGrant(r))
	}
	for _, name := range someOf(r, someGroups...) {
		s.Groups = append(s.Groups, randomGroup(r, name))
	}
	for _, name := range someOf(r, someUsers...) {
		s.Users = append(s.Users, schema.DeclaredUser{Name: name})
	}
	for _, name := range someOf(r, someDestinations...) {
		s.Destinations = append(s.Destinations, randomDestination(r, name))
	}
	for kind := range ruleKinds {
		if r.IntN(4) > 0 {
			s.Settings.Policy = append(s.Settings.Policy, randomRule(r, kind))
		}
	}
	for range r.IntN(3) {
		s.Keys = append(s.Keys, randomKey(r))
	}
	s.Settings.Brakes = randomBrakes(r)
	return s
}

func randomBrakes(r *rand.Rand) schema.Brakes {
	return schema.Brakes{Default: &schema.Brake{People: 1 + r.IntN(10), Percent: r.IntN(100)}}
}

func randomDestination(r *rand.Rand, name string) schema.Destination {
	d := schema.Destination{Name: name, Subjects: schema.SubjectNames{UserPrefix: sometimes(r, sometimes(r, "oidc:"))}}
	if r.IntN(2) == 0 {
		d.Roles = []schema.Role{{Name: "deploy"}}
	}
	return d
}

// mutate makes another snapshot, which differs in one or a few things.
func mutate(r *rand.Rand, from *schema.Snapshot) *schema.Snapshot {
	s := clone(from)
	for range 1 + r.IntN(3) {
		switch r.IntN(18) {
		case 0, 1, 2:
			s.Grants = append(s.Grants, randomGrant(r))
		case 3, 4:
			s.Grants = without(r, s.Grants)
		case 5:
			if n := len(s.Grants); n > 0 {
				s.Grants[r.IntN(n)].Expires = randomExpiry(r)
			}
		case 6:
			name := pick(r, someGroups)
			s.Groups = slices.DeleteFunc(s.Groups, func(g schema.Group) bool { return g.Name == name })
			s.Groups = append(s.Groups, randomGroup(r, name))
		case 7:
			s.Groups = without(r, s.Groups)
		case 8:
			v := schema.Revocation{User: pick(r, someUsers)}
			if r.IntN(3) == 0 {
				v = schema.Revocation{Group: pick(r, someGroups)}
			}
			s.Revoked.Revocations = append(s.Revoked.Revocations, v)
		case 9:
			s.Revoked.Revocations = without(r, s.Revoked.Revocations)
		case 10, 11:
			s.Acknowledgements = append(s.Acknowledgements, schema.Acknowledgement{Destination: pick(r, someDestinations), Removals: 1 + r.IntN(15)})
		case 12:
			s.Settings.Policy = without(r, s.Settings.Policy)
		case 13:
			s.Settings.Policy = append(s.Settings.Policy, randomRule(r, r.IntN(ruleKinds)))
		case 14:
			s.Settings.Brakes = randomBrakes(r)
		case 15:
			s.Keys = append(without(r, s.Keys), randomKey(r))
		case 16:
			rename(s, pick(r, someDestinations), pick(r, someDestinations))
		case 17:
			s.Users = without(r, s.Users)
		}
	}
	return s
}

// rename gives a destination another name, with everything that names it.
func rename(s *schema.Snapshot, old, name string) {
	if old == name {
		return
	}
	for i := range s.Grants {
		if s.Grants[i].Target.Destination == old {
			s.Grants[i].Target.Destination = name
		}
	}
	s.Destinations = slices.DeleteFunc(s.Destinations, func(d schema.Destination) bool { return d.Name == old || d.Name == name })
	s.Destinations = append(s.Destinations, schema.Destination{Name: name, Formerly: []string{old}})
}

func without[T any](r *rand.Rand, of []T) []T {
	if len(of) == 0 {
		return of
	}
	i := r.IntN(len(of))
	return slices.Delete(of, i, i+1)
}

// randomHistory makes commits, each from the one before it, of which some cannot
// be read and some bear dates that jump back.
func randomHistory(r *rand.Rand, n int) []policy.Revision {
	out := make([]policy.Revision, n)
	s := randomSnapshot(r)
	at := now.Add(-days(3))
	for i := range out {
		out[i] = policy.Revision{ID: fmt.Sprint(i), At: at.Add(time.Duration(r.IntN(5)-2) * 12 * time.Hour), Snapshot: s}
		if r.IntN(15) == 0 {
			out[i].Problems = schema.Problems{{Severity: schema.Error, Message: "broken"}}
		}
		at = at.Add(time.Duration(r.IntN(10)) * time.Hour)
		s = mutate(r, s)
	}
	return out
}
