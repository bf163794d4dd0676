package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

func TestProtect(t *testing.T) {
	sre := schema.PolicyRule{Message: "nobody else can repair it", Protect: &schema.Protect{Subject: subjectOf("g:sre"), Role: "admin", Target: schema.Target{Destination: "prod"}}}
	ann := schema.PolicyRule{Protect: &schema.Protect{Subject: subjectOf("ann"), Role: "admin", Target: schema.Target{Destination: "prod", Namespace: "web"}}}
	gone := []string{"nobody would have admin on prod through group sre any more: nobody else can repair it"}
	runRules(t, []ruleTest{
		{"the grant is removed", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod", gone},
		{"a stronger role stands for it", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ g:sre cluster-admin *", nil},
		{"a weaker role does not", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ g:sre edit prod", gone},
		{"a part of the target does not", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ g:sre admin prod.*", gone},
		{"the same people without the group", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ ann admin prod", gone},
		{"the group within another one", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ group all: g:sre\n+ g:all admin prod", nil},
		{"the group loses its last member", sre, "group sre: ann\ng:sre admin prod", "- group sre: ann\n+ group sre:", gone},
		{"a member leaves, and others stay", sre, "group sre: ann bob\ng:sre admin prod", "- group sre: ann bob\n+ group sre: bob", nil},
		{"the identity provider's group", sre, "g:sre admin prod", "- g:sre admin prod", gone},
		{"it is to end", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ g:sre admin prod until 3",
			[]string{"repo:3: nobody would have admin on prod through group sre from 2026-11-27T12:00:00Z on: nobody else can repair it"}},
		{"what lasts longest goes", sre, "group sre: ann\ng:sre admin * until 2\ng:sre admin prod", "- g:sre admin prod",
			[]string{"repo:2: nobody would have admin on prod through group sre from 2026-11-26T12:00:00Z on: nobody else can repair it"}},
		{"it was to end, and ends later", sre, "group sre: ann\ng:sre admin prod until 2", "- g:sre admin prod until 2\n+ g:sre admin prod until 3", nil},
		{"it had ended already", sre, "group sre: ann\ng:sre admin prod until -1", "- g:sre admin prod until -1", nil},
		{"it was not there before", sre, "", "+ ann view dev", nil},
		{"all of its people are revoked", sre, "group sre: ann\ng:sre admin prod", "+ revoke ann", nil},
		{"the group is revoked", sre, "group sre: ann\ng:sre admin prod", "+ revoke g:sre", nil},
		{"the group is revoked, and its grant goes too", sre, "group sre: ann\ng:sre admin prod", "+ revoke g:sre\n- g:sre admin prod", gone},
		{"the grant goes while the group is revoked", sre, "group sre: ann\ng:sre admin prod\nrevoke g:sre", "- g:sre admin prod", gone},
		{"and with the revocation", sre, "group sre: ann\ng:sre admin prod\nrevoke g:sre", "- revoke g:sre\n- g:sre admin prod", gone},
		{"a revocation is lifted", sre, "group sre: ann\ng:sre admin prod\nrevoke g:sre", "- revoke g:sre", nil},
		{"who is revoked leaves, and others stay", sre, "group sre: ann bob\ng:sre admin prod\nrevoke ann", "- group sre: ann bob\n+ group sre: bob", nil},
		{"a person is revoked, and the others are removed", sre, "group sre: ann bob\ng:sre admin prod", "+ revoke ann\n- g:sre admin prod", gone},
		{"the destination gets another name", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ destination production formerly prod\n+ g:sre admin production", nil},
		{"and loses it", sre, "group sre: ann\ng:sre admin prod", "- g:sre admin prod\n+ destination production formerly prod", gone},
		{"a person has it through whatever it be", ann, "ann admin prod.web", "- ann admin prod.web\n+ group web: ann\n+ g:web admin prod.w*", nil},
		{"a person loses it", ann, "ann admin prod.web", "- ann admin prod.web", []string{"nobody would have admin on prod.web as ann any more"}},
	})
}

func TestLimit(t *testing.T) {
	limit := func(l schema.Limit) schema.PolicyRule { return schema.PolicyRule{Message: "few", Limit: &l} }
	admins := schema.Selector{Roles: []string{"admin"}, Destinations: []string{"*"}}
	two := limit(schema.Limit{Selector: admins, AtMost: ptr(2)})
	one := limit(schema.Limit{Selector: admins, AtLeast: 1})
	runRules(t, []ruleTest{
		{"as many as may", two, "ann admin prod", "+ bob admin prod", nil},
		{"one too many", two, "ann admin prod\nbob admin prod", "+ cy admin prod",
			[]string{"repo:3: 3 people would have admin on prod, and at most 2 may; new: cy: few"}},
		{"on each destination by itself", two, "ann admin prod\nbob admin prod", "+ cy admin dev\n+ dee admin dev", nil},
		{"a person counts once", two, "ann admin prod\nbob admin prod", "+ ann admin prod.web\n+ ann cluster-admin prod\n+ group a: bob\n+ g:a admin prod", nil},
		{"a role that contains it counts, on namespaces too", two, "ann admin prod\nbob admin prod", "+ cy cluster-admin prod.web",
			[]string{"repo:3: 3 people would have admin on prod, and at most 2 may; new: cy: few"}},
		{"a pattern counts on every destination that is known", two, "ann admin prod\nbob admin prod\nann view dev", "+ group x: cy dee\n+ g:x admin *",
			[]string{"repo:5: 4 people would have admin on prod, and at most 2 may; new: cy through group x, dee through group x: few"}},
		{"a pattern counts where no destination is known", two, "", "+ group x: ann bob cy\n+ g:x admin prod-*\n+ g:idp admin dev-*",
			[]string{"repo:3: 3 people would have admin on prod-*, and at most 2 may; new: ann through group x, bob through group x, cy through group x: few",
				"repo:4: group idp of the identity provider would have admin on dev-*, and it is not known how many people that is: at most 2 may: few"}},
		{"two patterns, one in the other", two, "ann admin *\nbob admin *", "+ cy admin prod-*",
			[]string{"repo:3: 3 people would have admin on prod-*, and at most 2 may; new: cy: few"}},
		{"there were too many on a pattern before: a smaller one comes", two, "a admin *\nb admin *\nc admin *", "+ d view prod-*", nil},
		{"a pattern from which the last known destination goes", two, "destination prod-a\ngroup x: ann bob cy\ng:x admin prod-a", "- destination prod-a\n- g:x admin prod-a\n+ g:x admin prod-*",
			[]string{"repo:4: 3 people would have admin on prod-*, and at most 2 may; new: ann through group x, bob through group x, cy through group x: few"}},
		{"joining a group", two, "group a: ann bob\ng:a admin prod", "- group a: ann bob\n+ group a: ann bob cy",
			[]string{"repo:3: 3 people would have admin on prod, and at most 2 may; new: cy through group a: few"}},
		{"there were too many before: one in place of another", two, "a admin prod\nb admin prod\nc admin prod", "- c admin prod\n+ d admin prod", nil},
		{"there were too many before: one more", two, "a admin prod\nb admin prod\nc admin prod", "+ d admin prod",
			[]string{"repo:4: 4 people would have admin on prod, and at most 2 may; new: d: few"}},
		{"none at all", limit(schema.Limit{Selector: admins, AtMost: ptr(0)}), "", "+ ann admin prod",
			[]string{"repo:2: 1 person would have admin on prod, and at most 0 may; new: ann: few"}},
		{"a group that cannot be counted", two, "group all: ann", "+ g:idp admin prod\n+ g:all admin dev",
			[]string{"repo:2: group idp of the identity provider would have admin on prod, and it is not known how many people that is: at most 2 may: few"}},
		{"a group that cannot be counted was there before", two, "g:idp admin prod", "- g:idp admin prod\n+ g:idp admin prod.web", nil},
		{"a group that cannot be counted was there before, and lasts longer", two, "g:idp admin prod until 2", "+ g:idp admin prod.web",
			[]string{"repo:2: group idp of the identity provider would have admin on prod.web, and it is not known how many people that is: at most 2 may: few"}},
		{"what has ended does not count", two, "ann admin prod\nbob admin prod until -1", "+ cy admin prod", nil},
		{"the destination gets another name", two, "a admin prod\nb admin prod\nc admin prod",
			"- a admin prod\n- b admin prod\n- c admin prod\n+ destination production formerly prod\n+ a admin production\n+ b admin production\n+ c admin production", nil},
		{"the last one goes", one, "ann admin prod\nbob view prod", "- ann admin prod",
			[]string{"nobody would have admin on prod, and at least 1 must; lost by ann (repo:1 of the accepted revision): few"}},
		{"another one comes", one, "ann admin prod\nbob view prod", "- ann admin prod\n+ g:x admin prod\n+ group x: cy", nil},
		{"a group that cannot be counted is nobody", one, "ann admin prod\nbob view prod", "- ann admin prod\n+ g:x admin prod",
			[]string{"nobody would have admin on prod, and at least 1 must; lost by ann (repo:1 of the accepted revision): few"}},
		{"the last grant of all goes", one, "ann admin prod", "- ann admin prod",
			[]string{"nobody would have admin on prod, and at least 1 must; lost by ann (repo:1 of the accepted revision): few"}},
		{"the last grant of all goes, from a destination that goes", one, "ann admin prod\ndestination prod", "- ann admin prod\n- destination prod", nil},
		{"but one that the rule names does not go", limit(schema.Limit{Selector: schema.Selector{Roles: []string{"admin"}, Destinations: []string{"prod"}}, AtLeast: 1}),
			"ann admin prod\ndestination prod", "- ann admin prod\n- destination prod",
			[]string{"nobody would have admin on prod, and at least 1 must; lost by ann (repo:1 of the accepted revision): few"}},
		{"one that the rule names gets another name", limit(schema.Limit{Selector: schema.Selector{Roles: []string{"admin"}, Destinations: []string{"prod"}}, AtLeast: 1}),
			"ann admin prod", "- ann admin prod\n+ destination production formerly prod\n+ ann admin production", nil},
		{"and loses its last one", limit(schema.Limit{Selector: schema.Selector{Roles: []string{"admin"}, Destinations: []string{"prod"}}, AtLeast: 1}),
			"ann admin prod", "- ann admin prod\n+ destination production formerly prod",
			[]string{"nobody would have admin on production, and at least 1 must; lost by ann (repo:1 of the accepted revision): few"}},
		{"the last one is to end", one, "ann admin prod", "- ann admin prod\n+ ann admin prod until 2",
			[]string{"nobody would have admin on prod, and at least 1 must from 2026-11-26T12:00:00Z on; lost by ann (repo:1 of the accepted revision): few"}},
		{"one who stays for less long comes for the last one", one, "ann admin prod until 9", "- ann admin prod until 9\n+ bob admin prod until 2\n+ cy admin prod until 3",
			[]string{"nobody would have admin on prod, and at least 1 must from 2026-11-27T12:00:00Z on; lost by ann (repo:1 of the accepted revision): few"}},
		{"one who stays for as long comes for the last one", one, "ann admin prod until 2", "- ann admin prod until 2\n+ bob admin prod until 3", nil},
		{"one is to end, and another one stays", one, "ann admin prod\nbob admin prod", "- ann admin prod\n+ ann admin prod until 2", nil},
		{"the last one is revoked", one, "ann admin prod\nbob view prod", "+ revoke ann", nil},
		{"a new destination has nobody", one, "ann admin prod", "+ bob view dev", []string{"nobody would have admin on dev, and at least 1 must: few"}},
		{"there were too few before", limit(schema.Limit{Selector: admins, AtLeast: 3}), "a admin prod\nb admin prod", "+ a view prod", nil},
		{"there were too few before, and one goes", limit(schema.Limit{Selector: admins, AtLeast: 3}), "a admin prod\nb admin prod", "- b admin prod",
			[]string{"1 person would have admin on prod, and at least 3 must; lost by b (repo:2 of the accepted revision): few"}},
	})
}

func TestSeparate(t *testing.T) {
	eyes := schema.PolicyRule{Message: "four eyes", Separate: []schema.Selector{
		{Roles: []string{"edit"}, Destinations: []string{"prod"}}, {Roles: []string{"admin"}, Destinations: []string{"audit"}}}}
	runRules(t, []ruleTest{
		{"one of the two", eyes, "", "+ ann edit prod\n+ bob admin audit", nil},
		{"both at once", eyes, "", "+ ann edit prod\n+ ann admin audit", []string{"repo:2: ann would have edit on prod, and admin on audit: four eyes"}},
		{"the other one, through a group", eyes, "ann edit prod", "+ group x: ann\n+ g:x cluster-admin audit.web",
			[]string{"repo:3: ann would have edit on prod, and cluster-admin on audit.web through group x: four eyes"}},
		{"by joining a group", eyes, "ann edit prod\ng:x admin audit\ngroup x: bob", "- group x: bob\n+ group x: bob ann",
			[]string{"repo:4: ann would have edit on prod, and admin on audit through group x: four eyes"}},
		{"one grant that reaches both", eyes, "", "+ ann cluster-admin *",
			[]string{"repo:2: ann would have cluster-admin on *, which is both edit on prod and admin on audit: four eyes"}},
		{"the same group of the identity provider", eyes, "g:idp edit prod", "+ g:idp admin audit",
			[]string{"repo:2: group idp of the identity provider would have edit on prod, and admin on audit: four eyes"}},
		{"two groups of the identity provider cannot be judged", eyes, "g:one edit prod", "+ g:two admin audit", nil},
		{"what was both before", eyes, "ann edit prod\nann admin audit", "+ ann edit prod.web", nil},
		{"what was both before may not become more", eyes, "ann edit prod.sandbox\nann admin audit", "+ ann edit prod",
			[]string{"repo:3: ann would have edit on prod, and admin on audit: four eyes"}},
		{"nor a stronger role", eyes, "ann edit prod\nann admin audit", "+ ann cluster-admin audit",
			[]string{"repo:3: ann would have edit on prod, and cluster-admin on audit: four eyes"}},
		{"what was both before may become less", eyes, "ann admin prod\nann admin audit", "- ann admin prod\n+ ann edit prod.web", nil},
		{"what was both before, and the destination gets another name", eyes, "ann edit prod\nann admin audit",
			"- ann admin audit\n+ destination checks formerly audit\n+ ann admin checks", nil},
		{"what was both before may not last longer", eyes, "ann edit prod until 3\nann admin audit", "- ann edit prod until 3\n+ ann edit prod until 4",
			[]string{"repo:3: ann would have edit on prod, and admin on audit: four eyes"}},
		{"nor by another way", eyes, "ann edit prod until 3\nann admin audit", "+ ann edit prod.web",
			[]string{"repo:3: ann would have edit on prod.web, and admin on audit: four eyes"}},
		{"what lasts longer on one side only", eyes, "ann edit prod until 3\nann admin audit until 4", "- ann admin audit until 4\n+ ann admin audit", nil},
		{"one takes the place of the other", eyes, "ann edit prod", "- ann edit prod\n+ ann admin audit", nil},
		{"one has ended", eyes, "ann edit prod until -1", "+ ann admin audit", nil},
	})
}

func TestDeclared(t *testing.T) {
	declared := func(kinds ...schema.DeclaredKind) schema.PolicyRule {
		return schema.PolicyRule{Message: "known", Declared: kinds}
	}
	users, groups := declared(schema.DeclaredUsers), declared(schema.DeclaredGroups)
	destinations, roles := declared(schema.DeclaredDestinations), declared(schema.DeclaredRoles)
	runRules(t, []ruleTest{
		{"a person who is declared", users, "user ann", "+ ann view dev", nil},
		{"a person who is not, by name and in a group, of the server too", users, "group x: bob", "+ ann view dev\n+ g:x view infra",
			[]string{"repo:2: ann would have view on dev, and users/ does not declare them: known",
				"repo:3: bob would have view on infra through group x, and users/ does not declare them: known"}},
		{"a declaration goes while the access stays", users, "user ann\nann view dev", "- user ann",
			[]string{"repo:2: ann would have view on dev, and users/ does not declare them: known"}},
		{"who was there before keeps it and gains nothing", users, "ann view dev", "+ ann edit dev.web\n+ ann view dev.x",
			[]string{"repo:2: ann would have edit on dev.web, and users/ does not declare them: known"}},
		{"a group that is not declared, nested too", groups, "g:x view dev\ngroup x: ann", "- group x: ann\n+ group x: ann g:idp\n+ g:ops view dev",
			[]string{"repo:3: group idp of the identity provider would have view on dev through group x, and groups/ does not declare it: known",
				"repo:4: group ops of the identity provider would have view on dev, and groups/ does not declare it: known"}},
		{"a destination that is not declared", destinations, "destination dev", "+ ann view dev\n+ ann view prod\n+ ann view *\n+ ann view infra",
			[]string{"repo:3: ann would have view on prod, and destinations/ does not declare prod: known"}},
		{"a key for one", destinations, "", "+ key ci connector for prod\n+ key me ann",
			[]string{"repo:2: key ci would be for prod, and destinations/ does not declare prod: known"}},
		{"a key for one that was there", destinations, "key ci connector for prod until 4", "- key ci connector for prod until 4\n+ key ci connector for prod until 4", nil},
		{"a destination's entry goes", destinations, "destination dev\nann view dev", "- destination dev",
			[]string{"repo:2: ann would have view on dev, and destinations/ does not declare dev: known"}},
		{"roles", roles, "destination dev roles deploy", "+ ann deploy dev\n+ ann view dev\n+ ann admin infra\n+ ann ship dev",
			[]string{"repo:5: ann would have ship on dev, and dev does not list that role: known"}},
		{"roles on a pattern, on every known destination", roles, "destination dev-a roles deploy\nbob view dev-b\nbob view prod", "+ ann deploy dev-*",
			[]string{"repo:4: ann would have deploy on dev-*, and dev-b does not list that role: known"}},
		{"a new destination under an old pattern", roles, "destination dev-a roles deploy\nann deploy dev-*", "+ destination dev-b",
			[]string{"repo:2: ann would have deploy on dev-*, and dev-b does not list that role: known"}},
		{"roles on a destination that gets another name", roles, "destination dev\nann deploy dev", "- destination dev\n- ann deploy dev\n+ destination development formerly dev\n+ ann deploy development", nil},
	})
}

func TestLocal(t *testing.T) {
	local := schema.PolicyRule{Message: "prod owns its groups", Local: []string{"prod", "pay-*"}}
	runRules(t, []ruleTest{
		{"a group of the destination", local, "group prod/ops: ann", "+ g:ops admin prod", nil},
		{"a group of another one", local, "group pay-a/ops: ann", "+ g:ops admin pay-b",
			[]string{"repo:2: ann would have admin on pay-b through group ops, and not through a group of groups/pay-b/: prod owns its groups"}},
		{"a person, a group of everywhere, and an unknown one", local, "group ops: ann", "+ bob view prod\n+ g:ops view prod\n+ g:idp view prod.web\n+ bob view dev",
			[]string{"repo:2: bob would have view on prod, and not through a group of groups/prod/: prod owns its groups",
				"repo:3: ann would have view on prod through group ops, and not through a group of groups/prod/: prod owns its groups",
				"repo:4: group idp of the identity provider would have view on prod.web, and not through a group of groups/prod/: prod owns its groups"}},
		{"a pattern that reaches it", local, "group prod/ops: ann", "+ ann view *",
			[]string{"repo:2: ann would have view on *, and not through a group of the destination's own folder below groups/: prod owns its groups"}},
		{"a group moves out of the folder", local, "group prod/ops: ann\ng:ops view prod", "- group prod/ops: ann\n+ group ops: ann",
			[]string{"repo:2: ann would have view on prod through group ops, and not through a group of groups/prod/: prod owns its groups"}},
		{"what was there before", local, "bob view prod", "+ ann view dev", nil},
	})
}

func TestKeys(t *testing.T) {
	keys := schema.PolicyRule{Message: "keys", Keys: &schema.KeyRule{Bound: true, Lifetime: days(365)}}
	runRules(t, []ruleTest{
		{"bound, and for a year", keys, "", "+ key ci connector for prod created 0 until 365", nil},
		{"not bound", keys, "", "+ key ci connector created 0 until 365", []string{"repo:2: key ci of connector would be valid for every destination: keys"}},
		{"a person's is not asked to be", keys, "", "+ key me ann created 0 until 3", nil},
		{"for ever", keys, "", "+ key ci connector for prod created 0", []string{"repo:2: key ci of connector would be valid for ever, and at most 365d are allowed: keys"}},
		{"for too long", keys, "", "+ key ci connector for prod created -1 until 365",
			[]string{"repo:2: key ci of connector would be valid until 2027-11-24T12:00:00Z, more than 365d after 2026-11-23T12:00:00Z: keys"}},
		{"a day of creation that is made up", keys, "", "+ key ci connector for prod created 700 until 800",
			[]string{"repo:2: key ci of connector would be valid until 2029-02-01T12:00:00Z, more than 365d after 2026-11-24T12:00:00Z: keys"}},
		{"no day of creation", keys, "", "+ key ci connector for prod until 365", nil},
		{"one that was there gets another name", keys, "key ci connector", "- key ci connector\n+ key ci connector because renamed", nil},
		{"one that was there lasts longer", keys, "key ci connector until 3", "- key ci connector until 3\n+ key ci connector until 4",
			[]string{"repo:2: key ci of connector would be valid for every destination: keys"}},
		{"one becomes somebody else's", keys, "key ci connector for prod", "- key ci connector for prod\n+ key ci ann for prod",
			[]string{"repo:2: key ci of ann would be valid for ever, and at most 365d are allowed: keys"}},
		{"one loses its destination", keys, "key ci connector for prod until 3", "- key ci connector for prod until 3\n+ key ci connector until 3",
			[]string{"repo:2: key ci of connector would be valid for every destination: keys"}},
		{"one that is revoked, and one that has ended", keys, "", "+ key ci connector\n+ revoke k:ci\n+ key old connector until -1", nil},
	})
}

// A commit may be dated five minutes ahead. What ends before that date, and after
// the clock, is there until then.
func TestWhatEndsJustBeforeTheCommitIsJudged(t *testing.T) {
	selector := schema.Selector{Roles: []string{"cluster-admin"}, Destinations: []string{"prod"}}
	for _, test := range []struct {
		name string
		rule schema.PolicyRule
		add  string
	}{
		{"deny", schema.PolicyRule{Deny: &schema.Deny{Selector: selector}}, "ann cluster-admin prod"},
		{"limit", schema.PolicyRule{Limit: &schema.Limit{Selector: selector, AtMost: ptr(0)}}, "ann cluster-admin prod"},
		{"separate", schema.PolicyRule{Separate: []schema.Selector{selector, {Destinations: []string{"dev"}}}}, "ann cluster-admin prod\nann view dev"},
		{"declared", schema.PolicyRule{Declared: []schema.DeclaredKind{schema.DeclaredUsers}}, "ann cluster-admin prod"},
		{"local", schema.PolicyRule{Local: []string{"prod"}}, "ann cluster-admin prod"},
		{"keys", schema.PolicyRule{Keys: &schema.KeyRule{Bound: true}}, "key ci connector"},
	} {
		for _, ago := range []time.Duration{time.Minute, 10 * time.Minute} {
			next := revision(t, test.add)
			for i := range next.Snapshot.Grants {
				next.Snapshot.Grants[i].Expires = now.Add(-ago)
			}
			for i := range next.Snapshot.Keys {
				next.Snapshot.Keys[i].Expires = now.Add(-ago)
			}
			v := policy.Step(revision(t, "", test.rule), next)
			if want := ago > 5*time.Minute; v.Accepted() != want {
				t.Errorf("%s, of what ended %s before: accepted %t, want %t: %v", test.name, ago, v.Accepted(), want, said(v.Refusals))
			}
		}
	}
}

func TestManyRefusalsOfOneRuleAreCounted(t *testing.T) {
	var change strings.Builder
	for i := range 250 {
		fmt.Fprintf(&change, "+ p%03d view dev\n", i)
	}
	rule := schema.PolicyRule{Message: "no", Deny: &schema.Deny{}}
	base := revision(t, "", rule)
	v := policy.Step(base, revision(t, edit(t, "", change.String())))
	got := said(v.Refusals)
	if len(got) != 101 || got[0] != "repo:2: p000 would have view on dev: no" || got[100] != "150 more against rule rule-1" {
		t.Errorf("%d refusals, the first %q, the last %q", len(got), got[0], got[len(got)-1])
	}
}

func TestAllRefusalsComeAtOnceInOrder(t *testing.T) {
	var people strings.Builder
	for i := range 20 {
		fmt.Fprintf(&people, "p%02d view dev\n", i)
	}
	text := people.String() + "group sre: ann\ng:sre admin prod"
	deny := schema.PolicyRule{Name: "second", Deny: &schema.Deny{Selector: schema.Selector{Destinations: []string{"prod"}}}}
	known := schema.PolicyRule{Name: "first", Declared: []schema.DeclaredKind{schema.DeclaredGroups}}
	next := edit(t, text, "- group sre: ann\n+ zoe view prod\n+ bob view prod")
	for i := range 20 {
		next = edit(t, next, fmt.Sprintf("- p%02d view dev", i))
	}
	v := policy.Step(revision(t, text, known, deny), revision(t, next))
	var rules []policy.Rule
	for _, r := range v.Refusals {
		rules = append(rules, r.Rule)
	}
	if got, want := fmt.Sprint(rules), "[declaration first second second second brake]"; got != want {
		t.Errorf("refused by %s, want %s: %v", got, want, said(v.Refusals))
	}
}

func TestStepNeverPanics(t *testing.T) {
	broken := schema.Problems{{Severity: schema.Error, Message: "broken"}}
	empty := &schema.Snapshot{Settings: schema.Settings{Policy: []schema.PolicyRule{{}, {Name: "x", Deny: &schema.Deny{}}}}}
	cyclic := read(t, "group a: g:b\ngroup b: g:a\ng:a view dev\ndestination dev formerly dev\ndestination x formerly y\ndestination y formerly x")
	revisions := []policy.Revision{{}, {Problems: broken}, {Snapshot: empty}, {Snapshot: empty, Problems: broken}, {Snapshot: cyclic}, {Snapshot: &schema.Snapshot{}}}
	for i, a := range revisions {
		for j, b := range revisions {
			v := policy.Step(a, b)
			if v.Accepted() && (b.Snapshot == nil || len(b.Problems) > 0) {
				t.Errorf("%d after %d: accepted what could not be read", j, i)
			}
		}
		policy.Standing(empty.Settings.Policy, a)
		policy.Test(a)
	}
}
