package review_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// The samples are reviews whose renderings are kept in testdata.
var samples = map[string]review.Review{
	"nothing":    {Base: "main", Head: "rename", At: noon},
	"few":        few(),
	"groups":     groups(),
	"beside":     beside(),
	"refused":    refused(),
	"unreadable": unreadable(),
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func user(name string) schema.Subject  { return schema.Subject{Kind: schema.User, Name: name} }
func group(name string) schema.Subject { return schema.Subject{Kind: schema.GroupKind, Name: name} }

func at(file string, line int) schema.Pos { return schema.Pos{File: file, Line: line, Column: 5} }

func target(text string) schema.Target {
	t, err := schema.ParseTarget(text)
	if err != nil {
		panic(err)
	}
	return t
}

// granted is a change that one grant makes, through groups, outermost first.
func granted(kind access.Kind, danger access.Danger, s schema.Subject, role, on string, pos schema.Pos, via ...string) access.Change {
	g := schema.Grant{Subject: s, Role: role, Target: target(on), Pos: pos}
	through := ""
	if len(via) > 0 {
		through = via[0]
		g.Subject = group(through)
	}
	return access.Change{Kind: kind, Group: through, Danger: danger, Pos: pos, Subject: s, Role: role, Target: g.Target,
		Destinations: []string{g.Target.Destination}, InOld: kind == access.Lost,
		Reasons: []access.Reason{{Grant: g, Via: via}}}
}

func until(c access.Change, expires time.Time, reason string) access.Change {
	c.Expires = expires
	c.Reasons[0].Grant.Expires, c.Reasons[0].Grant.Reason = expires, reason
	return c
}

// few is the review of design: some people, each with a line.
func few() review.Review {
	bob := granted(access.Gained, access.ClusterAdmin, user("bob@example.com"), "cluster-admin", "prod", at("grants/prod.yaml", 14), "engineering", "oncall")
	bob.GroupSize, bob.Powers = 42, []access.Power{access.PowerEverything}
	ann := until(granted(access.Gained, access.Executes, user("ann@example.com"), "edit", "dev.web", at("grants/dev.yaml", 3)),
		time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC), "INC-1234")
	ann.Powers = []access.Power{access.PowerExec, access.PowerSecrets}
	ann.Others = []access.Row{{Subject: ann.Subject, Role: "view", Target: target("dev"), Reasons: []access.Reason{{Grant: schema.Grant{Pos: at("grants/dev.yaml", 9)}, Via: []string{"engineering"}}}}}
	ops := granted(access.Gained, access.Ordinary, group("ops"), "view", "dev", at("grants/dev.yaml", 12))
	eve := granted(access.Lost, access.Administers, user("eve@example.com"), "admin", "prod.payments", at("grants/prod.yaml", 20))
	eve.Others = []access.Row{{Subject: eve.Subject, Role: "view", Target: target("prod"), Reasons: []access.Reason{{Grant: schema.Grant{Pos: at("grants/prod.yaml", 2)}, Via: []string{"engineering"}}}}}
	eve.Outlives = "may write role bindings"
	return review.Review{Base: "main", Head: "oncall-prod", At: noon,
		Changes: []access.Change{bob, eve, ann, ops},
		Destinations: []review.Destination{
			{Name: "dev", Owners: []string{"@web"}},
			{Name: "prod", Owners: []string{"@sre", "@org/security"}},
		},
	}
}

// groups has sums, patterns, custom roles and expiries that move.
func groups() review.Review {
	r := review.Review{Base: "main", Head: "the work tree", At: noon, Destinations: []review.Destination{{Name: "dev"}, {Name: "prod-eu", Owners: []string{"@sre"}}, {Name: "prod-us", Owners: []string{"@sre"}}}}
	bot := granted(access.Gained, access.EqualsAdmin, user("deploy@example.com"), "deploy-bot", "prod-eu", at("grants/prod-eu.yaml", 31))
	bot.Powers = []access.Power{access.PowerEscalate, access.PowerImpersonate, access.PowerMintTokens, access.PowerUnknownRules}
	bot.Outlives = "may impersonate other people, and mint tokens of service accounts"
	r.Changes = append(r.Changes, bot)
	for i := range 3 {
		c := until(granted(access.Gained, access.Executes, user(fmt.Sprintf("oncall%d@example.com", i+1)), "exec", "prod-*.payments",
			at("grants/_shared.yaml", 7), "payments-oncall"), noon.Add(8*time.Hour), "INC-77: queue stuck, needs a shell in the payment pods until the vendor has answered")
		c.GroupSize, c.Destinations, c.Powers = 3, []string{"prod-eu", "prod-us"}, []access.Power{access.PowerExec}
		r.Changes = append(r.Changes, c)
	}
	for i := range 12 {
		c := granted(access.Gained, access.Ordinary, user(fmt.Sprintf("person%02d@example.com", i+1)), "view", "prod-eu", at("grants/prod-eu.yaml", 4), "engineering")
		c.GroupSize = 12
		r.Changes = append(r.Changes, c)
	}
	for i := range 10 {
		c := granted(access.Lost, access.Ordinary, user(fmt.Sprintf("person%02d@example.com", i+1)), "edit", "dev", at("grants/dev.yaml", 4), "engineering")
		c.GroupSize = 12
		if i < 4 {
			c.Others = []access.Row{{Role: "view", Target: c.Target, Reasons: []access.Reason{{Via: []string{"web"}}}}}
		}
		r.Changes = append(r.Changes, c)
	}
	pat := granted(access.Extended, access.Ordinary, user("pat@example.com"), "edit", "dev.pay-*", at("grants/dev.yaml", 40))
	pat = until(pat, noon.AddDate(0, 1, 0), "INC-80")
	pat.Before = noon.AddDate(0, 0, 7)
	sam := granted(access.Shortened, access.Ordinary, user("sam@example.com"), "view", "staging-*", at("grants/_shared.yaml", 12))
	sam = until(sam, noon.AddDate(0, 0, 1), "")
	sam.Destinations = nil
	r.Changes = append(r.Changes, pat, sam)
	return r
}

// beside changes much, and nobody's access.
func beside() review.Review {
	return review.Review{Base: "v1", Head: "keys", At: noon, Changes: []access.Change{
		{Kind: access.RoleChanged, Danger: access.EqualsAdmin, Pos: at("destinations/prod.yaml", 9), Name: "deploy-bot", People: 12,
			Powers: []access.Power{access.PowerEscalate}, Fields: []access.Field{{Name: "rules", After: "escalate on clusterroles"}}},
		{Kind: access.KeyAdded, Pos: at("keys/prod.yaml", 2), Name: "prod", Fields: []access.Field{
			{Name: "user", After: "connector"}, {Name: "destination", After: "prod"}, {Name: "expires", After: "24 Nov 2027 12:00 UTC"}}},
		{Kind: access.KeyChanged, Danger: access.Administers, Pos: at("keys/old.yaml", 2), Name: "old", Fields: []access.Field{{Name: "destination", Before: "dev"}}},
		{Kind: access.KeyRemoved, InOld: true, Pos: at("keys/gone.yaml", 2), Name: "gone"},
		{Kind: access.DestinationAdded, Pos: at("destinations/edge.yaml", 2), Name: "edge", Fields: []access.Field{{Name: "mode", After: "observe"}}},
		{Kind: access.RevocationAdded, Pos: at("revoked.yaml", 2), Name: "mallory@example.com", Fields: []access.Field{{Name: "reason", After: "laptop stolen"}}},
		{Kind: access.RuleChanged, Pos: at("infra.yaml", 8), Name: "no-exec-in-payments", Fields: []access.Field{{Name: "roles", Before: "exec", After: "exec, edit"}}},
		{Kind: access.BrakesChanged, Pos: at("infra.yaml", 30), Fields: []access.Field{{Name: "people", Before: "10", After: "50"}, {Name: "percent", Before: "25", After: "90"}}},
		{Kind: access.UsersChanged, Pos: at("users/a.yaml", 4), Fields: []access.Field{{Name: "declared", Before: "bob@example.com"}, {Name: "declared", After: "kim@example.com"}}},
		{Kind: access.Acknowledged, Pos: at("acknowledgements/2026-11-24-dev.yaml", 2), Name: "dev", Fields: []access.Field{{Name: "removals", After: "39"}, {Name: "reason", After: "dev is being rebuilt"}}},
	}, Gone: []string{"keys/gone.yaml"}, Destinations: []review.Destination{{Name: "edge", Owners: []string{"edge-team@example.com"}}}}
}

// refused is against a rule, a brake and good order, on a base that is broken.
func refused() review.Review {
	r := few()
	r.Notes = []string{"CODEOWNERS: line 3: \"sre\" is no owner: it is @name, @team/name or an e-mail address"}
	r.BaseProblems = schema.Problems{{Pos: at("grants/prod.yaml", 3), Severity: schema.Error, Message: `role "veiw": the destination does not have it`}}
	r.Problems = schema.Problems{{Pos: at("grants/dev.yaml", 30), Severity: schema.Warning, Message: `the same grant as in grants/dev.yaml:12`}}
	exec := policy.Refusal{Kind: policy.Denied, Rule: "no-exec-in-payments", Pos: at("grants/prod.yaml", 14),
		Message: `bob@example.com would have exec on prod.payments through group "oncall": payment pods hold card data`,
		Hint:    "grant it to payments-oncall for at most 8 hours, or ask @org/security to change the rule first"}
	second := exec
	second.Pos.Line, second.Message = 15, strings.Replace(exec.Message, "bob", "kim", 1)
	r.Refusals = []policy.Refusal{exec, {
		Kind: policy.Braked, Rule: policy.Brake, Destination: "dev", People: 39, Of: 80,
		Message: "39 of 80 people would lose access to dev, and `removals:` says less",
		Hint:    "if this is meant, run: infra acknowledge dev --removals 39 --reason TEXT",
	}, second}
	r.Standing = []policy.Refusal{{Kind: policy.Denied, Rule: "prod-admins-expire", Pos: at("grants/prod.yaml", 2), Message: "sam@example.com has admin on prod without an expiry"}}
	return r
}

// unreadable is a head with errors.
func unreadable() review.Review {
	problems := schema.Problems{
		{Pos: at("grants/prod.yaml", 3), Severity: schema.Error, Message: `role "admin ": a blank at an end of the name`},
		{Pos: at("groups/sre.yaml", 9), Severity: schema.Error, Message: `group "sre" contains itself, through "oncall"`},
		{Pos: schema.Pos{File: "infra.yaml"}, Severity: schema.Error, Message: "missing: it marks an access repository"},
	}
	r := review.Review{Base: "main", Head: "oops", At: noon, Problems: problems}
	for _, p := range problems {
		r.Refusals = append(r.Refusals, policy.Refusal{Kind: policy.Invalid, Rule: policy.Readable, Pos: p.Pos, Message: p.Message})
	}
	return r
}
