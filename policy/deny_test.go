package policy_test

import (
	"testing"

	"github.com/infrahq/infra/schema"
)

func TestDeny(t *testing.T) {
	deny := func(d schema.Deny) schema.PolicyRule { return schema.PolicyRule{Message: "no", Deny: &d} }
	payments := schema.Deny{Selector: schema.Selector{Roles: []string{"exec"}, Destinations: []string{"prod", "prod-*"}, Namespaces: []string{"payments"}},
		Unless: &schema.Selector{Groups: []string{"payments-oncall"}}}
	contractors := schema.Deny{Selector: schema.Selector{Destinations: []string{"prod"}, Users: []string{"*@contractor.example"}}}
	runRules(t, []ruleTest{
		{"what is denied, by its own name", deny(payments), "", "+ ann exec prod.payments",
			[]string{"repo:2: ann would have exec on prod.payments: no"}},
		{"a role that contains it", deny(payments), "", "+ ann edit prod.payments",
			[]string{"repo:2: ann would have edit on prod.payments, which includes exec: no"}},
		{"a role that does not", deny(payments), "", "+ ann view prod.payments", nil},
		{"cluster-admin contains everything, also other people's roles", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"deploy-*"}}}), "",
			"+ ann cluster-admin dev\n+ bob admin dev", []string{"repo:2: ann would have cluster-admin on dev, which includes deploy-*: no"}},
		{"a grant on the whole destination reaches the namespace", deny(payments), "", "+ ann exec prod",
			[]string{"repo:2: ann would have exec on prod (all namespaces, so payments too): no"}},
		{"a pattern of namespaces that may match it", deny(payments), "", "+ ann exec prod.pay*",
			[]string{"repo:2: ann would have exec on prod.pay*: no"}},
		{"a pattern of destinations that may match it", deny(payments), "", "+ ann exec *-eu.payments",
			[]string{"repo:2: ann would have exec on *-eu.payments: no"}},
		{"another namespace, another destination", deny(payments), "", "+ ann exec prod.web\n+ ann exec dev.payments", nil},
		{"a pattern of the rule means kube-* too, one of a grant does not", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"edit"}, Namespaces: []string{"kube-*"}}}), "",
			"+ ann edit dev.kube-system\n+ ann edit dev.*", []string{"repo:2: ann would have edit on dev.kube-system: no"}},
		{"through the excepted group", deny(payments), "group payments-oncall: ann", "+ g:payments-oncall exec prod.payments", nil},
		{"the excepted group on the way", deny(payments), "group all: g:payments-oncall\ngroup payments-oncall: ann", "+ g:all exec prod.payments", nil},
		{"through the excepted group and another one", deny(payments), "group payments-oncall: ann\ngroup web: ann",
			"+ g:payments-oncall exec prod.payments\n+ g:web exec prod.payments",
			[]string{"repo:4: ann would have exec on prod.payments through group web: no"}},
		{"the excepted group of the identity provider", deny(payments), "", "+ g:payments-oncall exec prod.payments", nil},
		{"an exception is by the very name of the role", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"view"}}, Unless: &schema.Selector{Roles: []string{"view"}}}), "",
			"+ ann view dev\n+ bob edit dev", []string{"repo:3: bob would have edit on dev, which includes view: no"}},
		{"an exception is for what lies in it as a whole", deny(schema.Deny{Unless: &schema.Selector{Destinations: []string{"dev", "dev-*"}, Namespaces: []string{"web-*"}}}), "",
			"+ ann view dev.web-a\n+ ann view dev-*.web-*\n+ ann view dev\n+ ann view d*.web-a",
			[]string{"repo:4: ann would have view on dev: no", "repo:5: ann would have view on d*.web-a: no"}},
		{"people by a pattern, whether by name or in a group", deny(contractors), "group web: eve@contractor.example ann",
			"+ g:web view prod\n+ mal@contractor.example view prod\n+ mal@contractor.example view dev",
			[]string{"repo:2: eve@contractor.example would have view on prod through group web: no", "repo:3: mal@contractor.example would have view on prod: no"}},
		{"joining a group that was granted long ago", deny(contractors), "g:web view prod\ngroup web: ann",
			"- group web: ann\n+ group web: ann eve@contractor.example",
			[]string{"repo:3: eve@contractor.example would have view on prod through group web: no"}},
		{"a group that gets into a granted one", deny(contractors), "g:all view prod\ngroup web: eve@contractor.example\ngroup all: ann",
			"- group all: ann\n+ group all: ann g:web",
			[]string{"repo:4: eve@contractor.example would have view on prod through group web, from all: no"}},
		{"groups by a pattern, on the way or nested", deny(schema.Deny{Selector: schema.Selector{Groups: []string{"team-*"}}}), "group team-web: ann\ngroup all: g:team-web bob",
			"+ g:all view dev\n+ g:team-idp view dev",
			[]string{"repo:3: ann would have view on dev through group team-web, from all: no", "repo:4: group team-idp of the identity provider would have view on dev: no"}},
		{"groups that are not declared", deny(schema.Deny{Selector: schema.Selector{Undeclared: true}}), "group web: ann",
			"+ g:web view dev\n+ g:ops view dev", []string{"repo:3: group ops of the identity provider would have view on dev: no"}},
		{"only on whole destinations", deny(schema.Deny{Selector: schema.Selector{Scope: schema.ScopeCluster}}), "",
			"+ ann view dev\n+ ann view dev.*", []string{"repo:2: ann would have view on dev: no"}},
		{"only on namespaces", deny(schema.Deny{Selector: schema.Selector{Scope: schema.ScopeNamespace}}), "",
			"+ ann view dev\n+ ann view dev.web", []string{"repo:3: ann would have view on dev.web: no"}},
		{"the server itself is meant by its very name only", deny(schema.Deny{Selector: schema.Selector{Destinations: []string{"*"}}}), "", "+ ann admin infra", nil},
		{"the server itself", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"view"}, Destinations: []string{"infra"}}, Unless: &schema.Selector{Groups: []string{"sre"}}}),
			"group sre: bob", "+ ann admin infra\n+ g:sre admin infra\n+ ann view dev", []string{"repo:2: ann would have admin on infra, which includes view: no"}},
		{"roles of the server do not contain those of clusters", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"exec"}, Destinations: []string{"*", "infra"}}}), "", "+ ann admin infra", nil},
		{"what was there before is not refused, and may move", deny(contractors), "mal@contractor.example view prod\nann view dev",
			"- mal@contractor.example view prod\n- ann view dev\n+ ann view dev\n+ mal@contractor.example view prod", nil},
		{"what was there may become less", deny(payments), "ann admin prod", "- ann admin prod\n+ ann edit prod.payments", nil},
		{"what was there may not become more", deny(payments), "ann edit prod.payments", "+ ann admin prod.payments",
			[]string{"repo:2: ann would have admin on prod.payments, which includes exec: no"}},
		{"what was there may not last longer", deny(payments), "ann exec prod.payments until 2", "- ann exec prod.payments until 2\n+ ann exec prod.payments until 3",
			[]string{"repo:2: ann would have exec on prod.payments: no"}},
		{"nor by another way", deny(payments), "ann exec prod.payments until 2\ngroup x: ann", "+ g:x exec prod.payments",
			[]string{"repo:3: ann would have exec on prod.payments through group x: no"}},
		{"what was there may end sooner", deny(payments), "ann exec prod.payments", "- ann exec prod.payments\n+ ann exec prod.payments until 3", nil},
		{"what has ended is not there", deny(payments), "", "+ ann exec prod.payments until -1", nil},
		{"what has ended may not come back", deny(payments), "ann exec prod.payments until -1", "- ann exec prod.payments until -1\n+ ann exec prod.payments until 1",
			[]string{"repo:2: ann would have exec on prod.payments: no"}},
		{"who is revoked has nothing", deny(payments), "", "+ ann exec prod.payments\n+ revoke ann", nil},
		{"a revocation that is lifted brings it in", deny(payments), "ann exec prod.payments\nrevoke ann", "- revoke ann",
			[]string{"repo:1: ann would have exec on prod.payments: no"}},
		{"a group that gets another name", deny(contractors), "group web: mal@contractor.example\ng:web view prod",
			"- group web: mal@contractor.example\n- g:web view prod\n+ group net: mal@contractor.example\n+ g:net view prod", nil},
		{"a destination with another name is what the rule names", deny(contractors), "ann view prod", "- ann view prod\n+ destination production formerly prod\n+ mal@contractor.example view production",
			[]string{"repo:3: mal@contractor.example would have view on production: no"}},
		{"also for a pattern that reaches it", deny(contractors), "destination x formerly prod", "+ mal@contractor.example view x*",
			[]string{"repo:2: mal@contractor.example would have view on x*: no"}},
		{"what was there on a destination that gets another name", deny(contractors), "mal@contractor.example view prod", "- mal@contractor.example view prod\n+ destination production formerly prod\n+ mal@contractor.example view production", nil},
		{"what was there on one that becomes another", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"admin"}}}), "ann admin prod\nbob view audit",
			"- ann admin prod\n+ destination audit formerly prod\n+ ann admin audit", []string{"repo:4: ann would have admin on audit: no"}},
		{"nor where nobody was granted that one by its name", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"admin"}}}), "ann admin dev\nkey ci connector for prod",
			"- ann admin dev\n+ destination prod formerly dev\n+ ann admin prod", []string{"repo:4: ann would have admin on prod: no"}},
		{"nor on two that become one under a new name", deny(schema.Deny{Selector: schema.Selector{Roles: []string{"admin"}}}), "ann admin dev\nbob view prod",
			"- ann admin dev\n- bob view prod\n+ destination one formerly dev,prod\n+ ann admin one\n+ bob view one", []string{"repo:4: ann would have admin on one: no"}},
		{"many by one line are summed up", deny(schema.Deny{}), "group web: a b c d e", "+ g:web view dev",
			[]string{"repo:2: 5 people (a, b, c and 2 more) would have view on dev through group web: no"}},
	})
}

func TestRequire(t *testing.T) {
	admins := schema.Selector{Roles: []string{"admin", "cluster-admin"}, Destinations: []string{"prod"}}
	require := func(r schema.Require) schema.PolicyRule {
		if r.Roles == nil {
			r.Selector = admins
		}
		return schema.PolicyRule{Message: "lent only", Require: &r}
	}
	expiry, ticket := schema.Require{Expiry: days(30)}, schema.Require{Reason: "^INC-[0-9]+"}
	runRules(t, []ruleTest{
		{"an expiry, and there is none", require(expiry), "", "+ ann admin prod",
			[]string{"repo:2: ann would have admin on prod without an expiry, and at most 30d are allowed: lent only"}},
		{"an expiry, and it is too late", require(expiry), "", "+ ann admin prod.web until 31",
			[]string{"repo:2: ann would have admin on prod.web until 2026-12-25T12:00:00Z, and at most 30d are allowed: lent only"}},
		{"an expiry that is just in time", require(expiry), "", "+ ann admin prod until 30", nil},
		{"roles by their very names", require(schema.Require{Expiry: days(30), Selector: schema.Selector{Roles: []string{"edit"}}}), "", "+ ann admin prod", nil},
		{"a pattern that reaches the destination is asked too", require(expiry), "", "+ ann admin p*",
			[]string{"repo:2: ann would have admin on p* without an expiry, and at most 30d are allowed: lent only"}},
		{"extending what was in order", require(expiry), "ann admin prod until 10", "- ann admin prod until 10\n+ ann admin prod until 40",
			[]string{"repo:2: ann would have admin on prod until 2027-01-03T12:00:00Z, and at most 30d are allowed: lent only"}},
		{"extending what was not", require(expiry), "ann admin prod until 40", "- ann admin prod until 40\n+ ann admin prod until 50",
			[]string{"repo:2: ann would have admin on prod until 2027-01-13T12:00:00Z, and at most 30d are allowed: lent only"}},
		{"shortening what was not", require(expiry), "ann admin prod", "- ann admin prod\n+ ann admin prod until 50", nil},
		{"less of what was not", require(expiry), "ann cluster-admin prod", "- ann cluster-admin prod\n+ ann admin prod.web", nil},
		{"joining a group that has it without an expiry", require(expiry), "g:sre admin prod\ngroup sre: bob", "- group sre: bob\n+ group sre: bob ann",
			[]string{"repo:3: ann would have admin on prod through group sre without an expiry, and at most 30d are allowed: lent only"}},
		{"unless it is excepted", require(schema.Require{Expiry: days(30), Unless: &schema.Selector{Groups: []string{"sre"}}}), "group sre: bob",
			"+ g:sre admin prod", nil},
		{"a reason, and there is none", require(ticket), "", "+ ann admin prod",
			[]string{"repo:2: ann would have admin on prod without a reason: lent only"}},
		{"a reason of another form", require(ticket), "", "+ ann admin prod because of INC-1",
			[]string{`repo:2: ann would have admin on prod, and the reason "of INC-1" does not match ^INC-[0-9]+: lent only`}},
		{"a good reason", require(ticket), "", "+ ann admin prod because INC-1: stuck", nil},
		{"what has ended is asked too", require(ticket), "", "+ ann admin prod until -1",
			[]string{"repo:2: ann would have admin on prod without a reason: lent only"}},
		{"whoever extends brings it in order", require(ticket), "ann admin prod until 3", "- ann admin prod until 3\n+ ann admin prod until 5",
			[]string{"repo:2: ann would have admin on prod without a reason: lent only"}},
		{"a group's, and it is a person's own", require(schema.Require{Group: true}), "group sre: bob", "+ ann admin prod\n+ g:sre admin prod\n+ g:idp admin prod",
			[]string{"repo:2: ann would have admin on prod by a grant of their own: lent only"}},
		{"all that is missing at once", require(schema.Require{Expiry: days(1), Reason: "x", Group: true}), "", "+ ann admin prod",
			[]string{
				"repo:2: ann would have admin on prod by a grant of their own: lent only",
				"repo:2: ann would have admin on prod without a reason: lent only",
				"repo:2: ann would have admin on prod without an expiry, and at most 1d are allowed: lent only",
			}},
		{"an expression that cannot be read accepts no reason", require(schema.Require{Reason: "("}), "", "+ ann admin prod because (",
			[]string{`repo:2: ann would have admin on prod, and the reason "(" does not match (: lent only`}},
	})
}
