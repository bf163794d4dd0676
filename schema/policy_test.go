package schema_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

// archive is the repository in a txtar file.
func archive(t *testing.T, name string) fstest.MapFS {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, f := range a.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return fsys
}

func TestNothingIsWrongWithTheGoodRepositories(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/good/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if _, problems, err := schema.Load(archive(t, name), nil); err != nil || len(problems) > 0 {
			t.Errorf("%s: %v %v", name, problems, err)
		}
	}
}

func TestAPolicyReadsAsItIsWritten(t *testing.T) {
	t.Parallel()
	s, _, err := schema.Load(archive(t, "testdata/good/policy.txtar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	user := func(name, role, resource string) *schema.Grant {
		return &schema.Grant{Subject: schema.Subject{Kind: schema.User, Name: name}, Role: role, Target: target(resource)}
	}
	group := func(name, role, resource, reason string) *schema.Grant {
		return &schema.Grant{Subject: schema.Subject{Kind: schema.GroupKind, Name: name}, Role: role, Target: target(resource), Reason: reason}
	}
	want := schema.Settings{
		Version: 1, Changes: schema.ChangeCommit,
		Policy: []schema.PolicyRule{
			{Name: "no-exec-in-payments", Message: "payment pods hold card data",
				Deny: &schema.Deny{
					Selector: schema.Selector{Roles: []string{"exec", "debug-*"}, Destinations: []string{"prod", "prod-*"}, Namespaces: []string{"payments"},
						Scope: schema.ScopeNamespace, Users: []string{"*@contractor.example"}},
					Unless: &schema.Selector{Users: []string{"oncall@contractor.example"}},
				},
				Cases: []schema.Case{
					{Grant: user("eve@contractor.example", "edit", "prod.payments"), Refused: true},
					{Grant: group("payments-oncall", "exec", "prod.payments", "INC-1"), Expires: 8 * time.Hour},
				}},
			{Name: "no-unknown-groups", Message: "infra must know who is in it",
				Deny: &schema.Deny{Selector: schema.Selector{Groups: []string{"team-*"}, Undeclared: true}}},
			{Name: "prod-admins-expire", Message: "admin on prod is lent for at most 30 days, with a ticket",
				Require: &schema.Require{
					Selector: schema.Selector{Roles: []string{"admin", "cluster-admin"}, Destinations: []string{"prod"}},
					Unless:   &schema.Selector{Groups: []string{"sre"}},
					Expiry:   30 * day, Reason: "^INC-[0-9]+", Group: true,
				}},
			{Name: "sre-stays", Message: "without sre nobody can repair prod",
				Protect: &schema.Protect{Subject: schema.Subject{Kind: schema.GroupKind, Name: "sre"}, Role: "cluster-admin", Target: target("prod")},
				Cases:   []schema.Case{{Remove: group("sre", "cluster-admin", "prod", ""), Refused: true}}},
			{Name: "few-admins", Message: "more than five nobody can watch",
				Limit: &schema.Limit{Selector: schema.Selector{Roles: []string{"cluster-admin"}, Destinations: []string{"*"}}, AtMost: new(5), AtLeast: 1}},
			{Name: "no-people", Message: "people go through groups on infra",
				Limit: &schema.Limit{Selector: schema.Selector{Destinations: []string{"infra"}, Users: []string{"*"}}, AtMost: new(0)}},
			{Name: "four-eyes", Message: "who deploys does not audit",
				Separate: []schema.Selector{
					{Roles: []string{"edit"}, Destinations: []string{"prod"}},
					{Roles: []string{"admin"}, Destinations: []string{"audit"}, Scope: schema.ScopeCluster},
				}},
			{Name: "known", Message: "everything is declared",
				Declared: []schema.DeclaredKind{schema.DeclaredUsers, schema.DeclaredGroups, schema.DeclaredDestinations, schema.DeclaredRoles}},
			{Name: "own-groups", Message: "prod owns its groups", Local: []string{"prod", "prod-*"}},
			{Name: "keys", Message: "keys are bound and last a year", Keys: &schema.KeyRule{Bound: true, Lifetime: 365 * day},
				Cases: []schema.Case{
					{Key: &schema.Key{User: "connector"}, Expires: 400 * day, Refused: true},
					{Key: &schema.Key{User: "connector", Destination: "prod"}, Expires: 364 * day},
				}},
		},
		Brakes: schema.Brakes{
			Default: &schema.Brake{People: 10, Percent: 30},
			Destinations: []schema.DestinationBrake{
				{Name: "dev-*", Brake: schema.Brake{People: 50, Percent: 90}},
				{Name: "prod", Brake: schema.Brake{People: 3, Percent: 30}},
			},
		},
	}
	if diff := cmp.Diff(want, s.Settings, cmpopts.IgnoreTypes(schema.Pos{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	users := []schema.DeclaredUser{{Name: "ann@example.com", DisplayName: "Ann Example"}, {Name: "bob"}}
	if diff := cmp.Diff(users, s.Users, cmpopts.IgnoreTypes(schema.Pos{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := s.Settings.Policy[0].Cases[1].Pos.String(); got != "infra.yaml:16:9" {
		t.Errorf("the second case is at %s", got)
	}
	for destination, want := range map[string]schema.Brake{"dev-1": {People: 50, Percent: 90}, "prod": {People: 3, Percent: 30}, "stage": {People: 10, Percent: 30}} {
		if got := s.Settings.Brakes.Of(destination); got != want {
			t.Errorf("the brake of %s is %v", destination, got)
		}
	}
}

func TestAPolicyWithoutBounds(t *testing.T) {
	t.Parallel()
	rule := func(n int, rest string) string { return fmt.Sprintf("  - {name: r%d, message: m, %s}\n", n, rest) }
	repeat := func(n int, text string) string { return strings.TrimSuffix(strings.Repeat(text+", ", n), ", ") }
	var rules, patterns strings.Builder
	for i := range 1_001 {
		rules.WriteString(rule(i, "keys: {bound: true}"))
	}
	for i := range 10_001 {
		fmt.Fprintf(&patterns, "p%d, ", i)
	}
	one(t, files("infra.yaml", "version: 1\npolicy:\n"+rules.String()), "the policy has 1001 rules: at most 1000")
	one(t, files("infra.yaml", "version: 1\npolicy:\n"+rule(0, "deny: {roles: ["+patterns.String()+"]}")),
		"the policy has 10001 names and patterns: at most 10000")
	one(t, files("infra.yaml", "version: 1\npolicy:\n"+rule(0, "keys: {bound: true}, cases: ["+repeat(10_001, "{key: {user: ann}, want: refused}")+"]")),
		"the policy has 10001 cases: at most 10000")
	one(t, files("infra.yaml", "version: 1\npolicy:\n"+rule(0, "require: {reason: \""+strings.Repeat("x", 201)+"\"}")),
		"the expression has 201 bytes: at most 200")
}

func TestAPolicyHasNoSecrets(t *testing.T) {
	t.Parallel()
	k, err := auth.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret := `"` + strings.Replace(k.Text(), "infra1_", `\x69nfra1_`, 1) + `"`
	for _, rule := range []string{
		"message: " + secret,
		"require: {reason: " + secret + "}",
		"require: {expiry: " + secret + "}",
		"require: {group: " + secret + "}",
		"limit: {atMost: " + secret + "}",
		"deny: {users: [" + secret + "]}",
		secret + ": x",
	} {
		_, problems, err := schema.Load(files("infra.yaml", "version: 1\npolicy: [{name: a, "+rule+"}]\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(problems); !strings.Contains(text, "an access key with its secret") || strings.Contains(text, k.Text()[20:]) {
			t.Errorf("%s: %s", rule, text)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"8h": 8 * time.Hour, "1h": time.Hour, "30d": 30 * 24 * time.Hour, "52w": 364 * 24 * time.Hour, "36525d": 36525 * 24 * time.Hour,
		"36526d": 0, "876601h": 0, "9999999w": 0, "99999999999999999999h": 0,
		"": 0, "30": 0, "0h": 0, "08h": 0, "-1d": 0, "+1d": 0, "1.5d": 0, "1h30m": 0, "30 d": 0, "30D": 0, "1y": 0, "d": 0, "٣d": 0,
	} {
		if got, err := schema.ParseDuration(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
}
