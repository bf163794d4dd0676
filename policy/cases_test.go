package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

func TestStanding(t *testing.T) {
	text := "group web: ann bob\ng:web edit prod\ncy admin prod until 60\ng:idp exec prod.web\nkey ci connector\ndee admin dev until -1"
	rules := []schema.PolicyRule{
		{Name: "no-edit", Message: "no", Pos: schema.Pos{File: "infra.yaml", Line: 7, Column: 5}, Deny: &schema.Deny{Selector: schema.Selector{Roles: []string{"edit"}}, Unless: &schema.Selector{Roles: []string{"edit"}, Groups: []string{"sre"}}}},
		{Name: "lent", Require: &schema.Require{Selector: schema.Selector{Roles: []string{"admin"}}, Expiry: days(30), Reason: "^INC"}},
		{Name: "stays", Protect: &schema.Protect{Subject: subjectOf("g:sre"), Role: "admin", Target: schema.Target{Destination: "prod"}}},
		{Name: "few", Limit: &schema.Limit{Selector: schema.Selector{Roles: []string{"edit"}}, AtMost: ptr(2), AtLeast: 4}},
		{Name: "eyes", Separate: []schema.Selector{{Roles: []string{"edit"}}, {Roles: []string{"admin"}}}},
		{Name: "known", Declared: []schema.DeclaredKind{schema.DeclaredGroups, schema.DeclaredDestinations}},
		{Name: "local", Local: []string{"prod"}},
		{Name: "keys", Keys: &schema.KeyRule{Bound: true}},
		{Name: "kept", Deny: &schema.Deny{Selector: schema.Selector{Destinations: []string{"audit"}}}},
	}
	var got []string
	for _, r := range policy.Standing(rules, revision(t, text)) {
		if r.Kind != policy.Denied {
			t.Errorf("kind %s", r.Kind)
		}
		got = append(got, string(r.Rule)+" "+r.String()+" | "+r.Hint)
	}
	want := []string{
		"no-edit repo:2: ann and bob have edit on prod through group web: no | allowed is edit through group sre; the rule is infra.yaml:7",
		"no-edit repo:3: cy has admin on prod, which includes edit: no | allowed is edit through group sre; the rule is infra.yaml:7",
		"lent repo:3: cy has admin on prod until 2027-01-23T12:00:00Z, and at most 30d are allowed | let it expire within 30d, by 2026-12-24T12:00:00Z; the rule is lent",
		"lent repo:3: cy has admin on prod without a reason | give the grant a reason that matches ^INC; the rule is lent",
		"lent repo:6: dee has admin on dev without a reason | give the grant a reason that matches ^INC; the rule is lent",
		"stays nobody has admin on prod through group sre | grant it; the rule is stays",
		"few 3 people have edit on prod, and at least 4 must | give it to somebody; the rule is few",
		"few nobody has edit on dev, and at least 4 must | give it to somebody; the rule is few",
		"few repo:2: 3 people have edit on prod, and at most 2 may | the rule is few",
		"eyes repo:3: cy has admin on prod, which is both edit and admin | give less of it, so that it is only one of the two; the rule is eyes",
		"known repo:2: ann and bob have edit on prod through group web, and destinations/ does not declare prod | declare it in destinations/prod.yaml; the rule is known",
		"known repo:3: cy has admin on prod, and destinations/ does not declare prod | declare it in destinations/prod.yaml; the rule is known",
		"known repo:4: group idp of the identity provider has exec on prod.web, and destinations/ does not declare prod | declare it in destinations/prod.yaml; the rule is known",
		"known repo:4: group idp of the identity provider has exec on prod.web, and groups/ does not declare it | declare the group in groups/ with its members; the rule is known",
		"local repo:2: ann and bob have edit on prod through group web, and not through a group of groups/prod/ | grant it to a group that groups/prod/ declares; the rule is local",
		"local repo:3: cy has admin on prod, and not through a group of groups/prod/ | grant it to a group that groups/prod/ declares; the rule is local",
		"local repo:4: group idp of the identity provider has exec on prod.web, and not through a group of groups/prod/ | grant it to a group that groups/prod/ declares; the rule is local",
		"keys repo:5: key ci of connector is valid for every destination | bind the key to its destination, by `destination:`; the rule is keys",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("standing (-want +got):\n%s", diff)
	}
}

func TestCases(t *testing.T) {
	text := "group web: ann\ng:web view prod\ngroup oncall: bob\ngroup empty:\ng:sre admin prod\ngroup sre: ann\ncy exec prod.pay\ngroup net: dee"
	deny := schema.PolicyRule{Message: "no", Deny: &schema.Deny{Selector: schema.Selector{Roles: []string{"exec"}, Destinations: []string{"prod"}, Namespaces: []string{"pay"}},
		Unless: &schema.Selector{Groups: []string{"oncall"}}}}
	lent := schema.PolicyRule{Message: "lent", Require: &schema.Require{Selector: schema.Selector{Roles: []string{"admin"}}, Expiry: days(1)}}
	stays := schema.PolicyRule{Message: "stays", Protect: &schema.Protect{Subject: subjectOf("g:sre"), Role: "admin", Target: schema.Target{Destination: "prod"}}}
	eyes := schema.PolicyRule{Message: "eyes", Separate: []schema.Selector{{Roles: []string{"admin"}}, {Roles: []string{"logs"}, Destinations: []string{"audit"}}}}
	keys := schema.PolicyRule{Message: "keys", Keys: &schema.KeyRule{Lifetime: days(365)}}
	grant := func(line string) schema.Case { g := grantOf(t, line); return schema.Case{Grant: &g} }
	remove := func(line string) schema.Case { g := grantOf(t, line); return schema.Case{Remove: &g} }
	lasting := func(c schema.Case, d time.Duration) schema.Case { c.Expires = d; return c }
	key := schema.Case{Key: &schema.Key{User: schema.ConnectorUser}}
	for _, test := range []struct {
		name    string
		rule    schema.PolicyRule
		of      schema.Case
		refused bool   // what becomes of it
		message string // where that is not what was wanted
	}{
		{"what is denied", deny, grant("dee edit prod.pay"), true, "it would be refused: dee would have edit on prod.pay, which includes exec: no"},
		{"what is not", deny, grant("dee view prod.pay"), false, "it would be allowed"},
		{"what is excepted, by the repository's groups", deny, grant("g:oncall exec prod.pay"), false, "it would be allowed"},
		{"a group, by its members", deny, grant("g:net exec prod.pay"), true, "it would be refused: dee would have exec on prod.pay through group net: no"},
		{"a group whose members have more already", deny, grant("g:web exec prod.pay"), false, "it would be allowed: they have more already that is against the rule, and what was there before is not refused"},
		{"what somebody has already", deny, grant("cy exec prod.pay"), false, "it would be allowed: cy has it already"},
		{"what a group has already", deny, grant("g:web view prod"), false, "it would be allowed: group web has it already"},
		{"a group without members", deny, grant("g:empty exec prod.pay"), false, "it would be allowed: group empty has no members"},
		{"an expiry from the revision's date", lent, lasting(grant("dee admin dev"), 24*time.Hour), false, "it would be allowed"},
		{"an expiry that is too late", lent, lasting(grant("dee admin dev"), 25*time.Hour), true,
			"it would be refused: dee would have admin on dev until 2026-11-25T13:00:00Z, and at most 1d are allowed: lent"},
		{"a removal", stays, remove("g:sre admin prod"), true, "it would be refused: nobody would have admin on prod through group sre any more: stays"},
		{"another removal", stays, remove("g:web view prod"), false, "it would be allowed"},
		{"somebody with a role through a group", eyes, grant("ann logs audit"), true, "it would be refused: ann would have admin on prod through group sre, and logs on audit: eyes"},
		{"somebody without", eyes, grant("bob logs audit"), false, "it would be allowed"},
		{"a key", keys, lasting(key, days(400)), true, "it would be refused: key (case) of connector would be valid until 2027-12-29T12:00:00Z, more than 365d after 2026-11-24T12:00:00Z: keys"},
		{"a key that is valid for ever", keys, key, true, "it would be refused: key (case) of connector would be valid for ever, and at most 365d are allowed: keys"},
		{"a key in order", keys, lasting(key, days(365)), false, "it would be allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			wanted, unwanted := test.of, test.of
			wanted.Refused, unwanted.Refused = test.refused, !test.refused
			rule := test.rule
			rule.Cases = []schema.Case{wanted, unwanted}
			r := revision(t, text, rule)
			before := cmp.Diff(nil, clone(r.Snapshot))
			results := policy.Test(r)
			if len(results) != 2 || !results[0].Passed || results[1].Passed || results[1].Message != test.message {
				t.Errorf("results %+v", results)
			}
			if test.refused && "it would be refused: "+results[0].Message != test.message {
				t.Errorf("where it is refused as wanted: %q", results[0].Message)
			}
			if after := cmp.Diff(nil, clone(r.Snapshot)); after != before {
				t.Error("the test changed the repository")
			}
		})
	}
}

func TestCasesThatChangeNothingDoNotPass(t *testing.T) {
	missing := grantOf(t, "g:sre admin prod")
	rule := schema.PolicyRule{Deny: &schema.Deny{}}
	for _, refused := range []bool{true, false} {
		rule.Cases = []schema.Case{{Remove: &missing, Refused: refused}, {Refused: refused}}
		results := policy.Test(revision(t, "ann view dev", rule))
		if len(results) != 2 {
			t.Fatalf("results %+v", results)
		}
		for i, want := range []string{`there is no such grant to remove: group "sre" admin on prod`, "the case does nothing"} {
			if results[i].Passed || results[i].Message != want {
				t.Errorf("%t, %q", results[i].Passed, results[i].Message)
			}
		}
	}
}
