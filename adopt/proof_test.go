package adopt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/infrahq/infra/adopt"
	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// dice makes a cluster by dice.
type dice struct{ *rand.Rand }

func (d dice) pick(from ...string) string { return from[d.IntN(len(from))] }

func (d dice) subject() reconciler.Subject {
	switch d.IntN(5) {
	case 0:
		return group(d.pick("sre", "team", "system:authenticated"))
	case 1:
		return reconciler.Subject{Kind: "ServiceAccount", Namespace: "web", Name: "ci"}
	}
	return user(d.pick("ann@example.com", "bob@example.com", "had@example.com", "ends@example.com", "member@example.com", "Ann@example.com", "gone@example.com"))
}

func (d dice) objects() adopt.Objects {
	o := adopt.Objects{Roles: roles, Complete: d.IntN(4) > 0}
	for n := range 1 + d.IntN(8) {
		b := adopt.Binding{Name: fmt.Sprintf("b%d", n), Kind: adopt.ClusterRoleBinding}
		b.Role = reconciler.RoleRef{Kind: "ClusterRole", Name: d.pick("cluster-admin", "admin", "edit", "view", "infra:logs", "restart", "labelled", "metrics", "taken", "away")}
		if d.IntN(3) > 0 {
			b.Kind, b.Namespace = adopt.RoleBinding, d.pick("web", "api", "kube-system")
			if d.IntN(3) == 0 {
				b.Role = reconciler.RoleRef{Kind: "Role", Name: d.pick("deploy", "differs", "taken", "view", "away")}
			}
		}
		for range d.IntN(4) {
			b.Subjects = append(b.Subjects, d.subject())
		}
		o.Bindings = append(o.Bindings, b)
	}
	return o
}

func TestAnyPlanIsProvedAndAnythingLessIsNot(t *testing.T) {
	adopted, caught := 0, 0
	for seed := range uint64(1000) {
		d := dice{rand.New(rand.NewPCG(seed, 5))}
		o, s := d.objects(), before()
		p := adopt.New(o, s, "prod", adopt.Options{Groups: d.IntN(2) == 0})
		made := after(s, p)
		if _, err := adopt.Prove(o, p, s, made); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if again := adopt.New(o, made, "prod", adopt.Options{Groups: d.IntN(2) == 0}); len(again.Grants) > 0 {
			t.Fatalf("seed %d: the second time there is %v to grant", seed, again.Grants)
		}
		adopted += len(p.Grants)
		if len(p.Grants) == 0 {
			continue
		}
		fails := func(what string, p adopt.Plan, made *schema.Snapshot, wantLoss bool) {
			t.Helper()
			_, err := adopt.Prove(o, p, s, made)
			unequal, ok := errors.AsType[*adopt.UnequalError](err)
			if !ok || wantLoss != (len(unequal.Losses) > 0) {
				t.Fatalf("seed %d: %s: %v", seed, what, err)
			}
			caught++
		}
		less, more := *made, *made
		at := len(s.Grants) + d.IntN(len(p.Grants))
		// Where every binding of it is left beside it, a grant could go unnoticed.
		stands := slices.ContainsFunc(p.Items, func(i adopt.Item) bool {
			return i.Superseded() && slices.ContainsFunc(i.Subjects, func(a adopt.Adoption) bool { return a.Grant == made.Grants[at] })
		})
		if less.Grants = slices.Delete(slices.Clone(made.Grants), at, at+1); stands && !alsoLeft(p, made.Grants[at]) {
			fails("a grant is missing", p, &less, true)
		}
		extra := schema.Grant{Subject: schema.Subject{Kind: schema.User, Name: "eve@example.com"}, Role: "view", Target: schema.Target{Destination: "prod"}}
		more.Grants = append(slices.Clone(made.Grants), extra)
		fails("a grant too many", p, &more, false)
		extra.Target.Destination = "other"
		more.Grants = append(slices.Clone(made.Grants), extra)
		fails("a grant elsewhere", p, &more, false)
	}
	t.Logf("%d grants, %d mistakes caught", adopted, caught)
	if adopted < 1000 || caught < 1500 {
		t.Error("the dice are too tame")
	}
}

// alsoLeft says whether a binding that stays gives the same as a grant.
func alsoLeft(p adopt.Plan, g schema.Grant) bool {
	return slices.ContainsFunc(p.Items, func(i adopt.Item) bool {
		return !i.Superseded() && slices.ContainsFunc(i.Subjects, func(a adopt.Adoption) bool { return a.Grant == g })
	})
}

func TestTheProofDoesNotTrustALabelThatIsMissing(t *testing.T) {
	o := adopt.Objects{Complete: true, Roles: roles, Bindings: []adopt.Binding{clusterBinding("x", "restart", user("ann"))}}
	s := before()
	p := adopt.New(o, s, "prod", adopt.Options{})
	made := after(s, p)
	p.Steps.Label = nil
	_, err := adopt.Prove(o, p, s, made)
	if err == nil || !strings.Contains(err.Error(), "User/ann loses patch deployments.apps on the whole cluster") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheProofSeesRulesAndNotNames(t *testing.T) {
	o := adopt.Objects{Complete: true, Roles: roles, Bindings: []adopt.Binding{ofRole(binding("web", "x", "deploy", user("ann")))}}
	s := before()
	p := adopt.New(o, s, "prod", adopt.Options{})
	made := after(s, p)
	p.Steps.Make[0].Rules = rules("create", "proxy", "delete")
	_, err := adopt.Prove(o, p, s, made)
	if err == nil || !strings.Contains(err.Error(), "User/ann gains delete deployments.apps in web") {
		t.Errorf("the error is %v", err)
	}
}
