package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// company is a repository of 1,000 people in 200 nested groups, with 10,000
// grants on 20 destinations.
func company() fstest.MapFS {
	fsys := fstest.MapFS{"infra.yaml": {Data: []byte("version: 1\n")}}
	var groups strings.Builder
	groups.WriteString("groups:\n")
	for g := range 200 {
		fmt.Fprintf(&groups, "  - name: team-%d\n    users:\n", g)
		for u := range 5 {
			fmt.Fprintf(&groups, "      - person-%d@example.com\n", (g*5+u)%1000)
		}
		if g%5 > 0 {
			fmt.Fprintf(&groups, "    groups: [team-%d]\n", g-1)
		}
	}
	fsys["groups/all.yaml"] = &fstest.MapFile{Data: []byte(groups.String())}
	roles := []string{"view", "edit", "logs", "exec", "admin"}
	for d := range 20 {
		var b strings.Builder
		b.WriteString("grants:\n")
		for i := range 500 {
			who := fmt.Sprintf("user: person-%d@example.com", (d*37+i*7)%1000)
			if i%10 == 0 {
				who = fmt.Sprintf("group: team-%d", (d+i)%200)
			}
			fmt.Fprintf(&b, "  - %s\n    role: %s\n    resource: cluster-%d.team-%d\n    reason: \"INC-%d\"\n", who, roles[i/3%5], d, i, i)
		}
		fsys[fmt.Sprintf("grants/cluster-%d.yaml", d)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return fsys
}

// twentyRules are of every kind.
func twentyRules() []schema.PolicyRule {
	var rules []schema.PolicyRule
	add := func(r schema.PolicyRule) {
		r.Name, r.Message = fmt.Sprintf("rule-%d", len(rules)), "no"
		rules = append(rules, r)
	}
	for i := range 5 {
		cluster := []string{fmt.Sprintf("cluster-%d", i), fmt.Sprintf("prod-%d-*", i)}
		add(schema.PolicyRule{Deny: &schema.Deny{Selector: schema.Selector{Roles: []string{"exec"}, Destinations: cluster, Users: []string{"*@contractor.example"}},
			Unless: &schema.Selector{Groups: []string{"oncall"}}}})
		add(schema.PolicyRule{Require: &schema.Require{Selector: schema.Selector{Roles: []string{"admin", "cluster-admin"}, Destinations: cluster}, Expiry: days(30), Reason: "^INC-[0-9]+"}})
		add(schema.PolicyRule{Limit: &schema.Limit{Selector: schema.Selector{Roles: []string{"cluster-admin"}}, AtMost: ptr(5)}})
	}
	add(schema.PolicyRule{Protect: &schema.Protect{Subject: subjectOf("g:team-1"), Role: "view", Target: schema.Target{Destination: "cluster-0"}}})
	add(schema.PolicyRule{Separate: []schema.Selector{{Roles: []string{"edit"}, Destinations: []string{"cluster-1"}}, {Roles: []string{"admin"}, Destinations: []string{"cluster-2"}}}})
	add(schema.PolicyRule{Declared: []schema.DeclaredKind{schema.DeclaredGroups, schema.DeclaredRoles}})
	add(schema.PolicyRule{Local: []string{"cluster-19"}})
	add(schema.PolicyRule{Keys: &schema.KeyRule{Bound: true, Lifetime: days(365)}})
	return rules
}

func BenchmarkStep(b *testing.B) {
	load := func(b *testing.B, fsys fstest.MapFS) *schema.Snapshot {
		s, problems, err := schema.Load(fsys, nil)
		if err != nil || len(problems) > 0 {
			b.Fatalf("%d problems, %v", len(problems), err)
		}
		return s
	}
	fsys := company()
	base := load(b, fsys)
	next := clone(base)
	next.Grants = append(next.Grants[100:], schema.Grant{Subject: subjectOf("g:team-7"), Role: "view", Target: schema.Target{Destination: "cluster-3"}})
	for _, rules := range [][]schema.PolicyRule{nil, twentyRules()} {
		b.Run(fmt.Sprintf("%d rules", len(rules)), func(b *testing.B) {
			base.Settings.Policy = rules
			b.ReportAllocs()
			for b.Loop() {
				policy.Step(policy.Revision{At: now, Snapshot: base}, policy.Revision{At: now, Snapshot: next})
			}
		})
	}
	b.Run("loading both", func(b *testing.B) {
		for b.Loop() {
			load(b, fsys)
			load(b, fsys)
		}
	})
}
