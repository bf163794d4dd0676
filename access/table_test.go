package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/schema"
)

var soon, late = date(1), date(2)

func date(day int) time.Time { return time.Date(2027, 1, day, 0, 0, 0, 0, time.UTC) }

func user(name string) schema.Subject  { return schema.Subject{Kind: schema.User, Name: name} }
func group(name string) schema.Subject { return schema.Subject{Kind: schema.GroupKind, Name: name} }

// grant reads "ann edit dev.web" and "g:sre admin prod".
func grant(text string, expires ...time.Time) schema.Grant {
	f := strings.Fields(text)
	g := schema.Grant{Subject: user(f[0]), Role: f[1]}
	if name, ok := strings.CutPrefix(f[0], "g:"); ok {
		g.Subject = group(name)
	}
	g.Target.Destination, g.Target.Namespace, _ = strings.Cut(f[2], ".")
	for _, at := range expires {
		g.Expires = at
	}
	return g
}

// declare reads "sre: ann bob g:oncall".
func declare(text string) schema.Group {
	name, members, _ := strings.Cut(text, ":")
	g := schema.Group{Name: name}
	for _, m := range strings.Fields(members) {
		if nested, ok := strings.CutPrefix(m, "g:"); ok {
			g.Groups = append(g.Groups, schema.Member{Name: nested})
		} else {
			g.Users = append(g.Users, schema.Member{Name: m})
		}
	}
	return g
}

// lines writes a row as "ann edit dev.web until 1 via sre > oncall".
func lines(t *access.Table) []string {
	var out []string
	for _, r := range t.Rows() {
		line := fmt.Sprintf("%s %s %s", r.Subject, r.Role, r.Target)
		if !r.Expires.IsZero() {
			line += fmt.Sprintf(" until %d", r.Expires.Day())
		}
		for _, reason := range r.Reasons {
			if len(reason.Via) > 0 {
				line += " via " + strings.Join(reason.Via, " > ")
			}
		}
		out = append(out, line)
	}
	return out
}

func TestResolve(t *testing.T) {
	tests := []struct {
		name    string
		grants  []schema.Grant
		groups  []schema.Group
		revoked []schema.Revocation
		want    []string
	}{
		{
			name:   "a person has what is granted to the person",
			grants: []schema.Grant{grant("ann edit dev.web"), grant("ann admin dev")},
			want:   []string{"ann admin dev", "ann edit dev.web"},
		},
		{
			name:   "a declared group is its members, nested ones too",
			grants: []schema.Grant{grant("g:sre admin prod")},
			groups: []schema.Group{declare("sre: ann g:oncall"), declare("oncall: bob")},
			want:   []string{"ann admin prod via sre", "bob admin prod via sre > oncall"},
		},
		{
			name:   "a group that is not declared is the identity provider's",
			grants: []schema.Grant{grant("g:ops view dev")},
			want:   []string{`group "ops" view dev`},
		},
		{
			name:   "one nested in a declared group as well",
			grants: []schema.Grant{grant("g:sre view dev")},
			groups: []schema.Group{declare("sre: ann g:idp")},
			want:   []string{`group "idp" view dev via sre`, "ann view dev via sre"},
		},
		{
			name:   "a diamond is gone through once, the shortest way",
			grants: []schema.Grant{grant("g:all view dev")},
			groups: []schema.Group{declare("all: g:a g:b"), declare("a: g:deep"), declare("b: ann"), declare("deep: ann")},
			want:   []string{"ann view dev via all > b"},
		},
		{
			name:   "a cycle ends",
			grants: []schema.Grant{grant("g:a view dev")},
			groups: []schema.Group{declare("a: ann g:b"), declare("b: g:a bob")},
			want:   []string{"ann view dev via a", "bob view dev via a > b"},
		},
		{
			name:   "the later expiry counts, and never is the latest",
			grants: []schema.Grant{grant("ann view dev", soon), grant("ann view dev", late), grant("bob view dev", soon), grant("bob view dev")},
			want:   []string{"ann view dev until 2", "bob view dev"},
		},
		{
			name:    "a revoked person has nothing, directly or through a group",
			grants:  []schema.Grant{grant("ann view dev"), grant("g:sre admin dev")},
			groups:  []schema.Group{declare("sre: ann bob")},
			revoked: []schema.Revocation{{User: "ann"}},
			want:    []string{"bob admin dev via sre"},
		},
		{
			name:    "a revoked group passes nothing on, another way still does",
			grants:  []schema.Grant{grant("g:sre admin dev"), grant("g:all view dev")},
			groups:  []schema.Group{declare("sre: ann"), declare("all: bob g:sre")},
			revoked: []schema.Revocation{{Group: "sre"}},
			want:    []string{"bob view dev via all"},
		},
		{
			name:    "a revoked group of the identity provider has nothing",
			grants:  []schema.Grant{grant("g:ops admin dev")},
			revoked: []schema.Revocation{{Group: "ops"}},
		},
		{
			name:    "a person is not a group of the same name",
			grants:  []schema.Grant{grant("ops admin dev"), grant("g:ops view dev")},
			revoked: []schema.Revocation{{Group: "ops"}},
			want:    []string{"ops admin dev"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &schema.Snapshot{Grants: test.grants, Groups: test.groups}
			got := lines(access.Resolve(s, schema.Revoked{Revocations: test.revoked}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDesiredState(t *testing.T) {
	s := &schema.Snapshot{
		Grants: []schema.Grant{
			grant("ann admin prod"), grant("ann view prod.web", soon), grant("g:ops view prod-*"),
			grant("g:ops view *", late), grant("g:sre edit dev.pay-*"), grant("bob admin infra"),
		},
		Groups: []schema.Group{declare("sre: bob")},
		Destinations: []schema.Destination{{Name: "prod", Mode: schema.ModeObserve, Formerly: []string{"old"},
			Subjects: schema.SubjectNames{UserPrefix: "oidc:", GroupPrefix: "idp:"}}},
	}
	table := access.Resolve(s, s.Revoked)
	tests := []struct {
		name, destination string
		want              api.DesiredState
	}{
		{"names are prefixed, patterns match, mode and former names are passed on", "prod", api.DesiredState{
			Mode: api.Observe, Formerly: []string{"old"},
			Entries: []api.Entry{
				{Kind: api.User, Name: "oidc:ann", Role: "admin"},
				{Kind: api.Group, Name: "idp:ops", Role: "view", Expires: late},
				{Kind: api.User, Name: "oidc:ann", Role: "view", Namespace: "web", Expires: soon},
			}}},
		{"two patterns give one entry with the later expiry", "prod-eu", api.DesiredState{
			Entries: []api.Entry{{Kind: api.Group, Name: "ops", Role: "view"}}}},
		{"a namespace pattern is left to the connector", "dev", api.DesiredState{
			Entries: []api.Entry{
				{Kind: api.Group, Name: "ops", Role: "view", Expires: late},
				{Kind: api.User, Name: "bob", Role: "edit", Namespace: "pay-*"},
			}}},
		{"no pattern reaches the server's own destination", "infra", api.DesiredState{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.want.Destination = test.destination
			got := table.DesiredState(test.destination)
			if diff := cmp.Diff(api.Seal(test.want), got); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			if err := got.Check(test.destination); err != nil {
				t.Error(err)
			}
		})
	}
	if diff := cmp.Diff([]string{"dev", "prod"}, table.Destinations()); diff != "" {
		t.Errorf("destinations (-want +got):\n%s", diff)
	}
}

func TestMovingLinesChangesNoDigest(t *testing.T) {
	s := &schema.Snapshot{Grants: []schema.Grant{grant("ann admin prod"), grant("bob view prod", soon), grant("g:ops view prod")}}
	want := access.Resolve(s, s.Revoked).DesiredState("prod").Digest
	slices.Reverse(s.Grants)
	for i := range s.Grants {
		s.Grants[i].Pos = schema.Pos{File: "grants/elsewhere.yaml", Line: i + 100}
		s.Grants[i].Reason = "said anew"
	}
	if got := access.Resolve(s, s.Revoked).DesiredState("prod").Digest; got != want {
		t.Errorf("digest %s became %s", want, got)
	}
}

func TestHolds(t *testing.T) {
	s := &schema.Snapshot{Grants: []schema.Grant{grant("ann admin infra", late), grant("g:sre view infra")},
		Groups: []schema.Group{declare("sre: bob")}}
	table := access.Resolve(s, s.Revoked)
	infra := schema.Target{Destination: schema.InfraDestination}
	for _, test := range []struct {
		name string
		who  schema.Subject
		role string
		at   time.Time
		want bool
	}{
		{"before it expires", user("ann"), "admin", soon, true},
		{"at the instant at which it expires", user("ann"), "admin", late, false},
		{"through a group", user("bob"), "view", late, true},
		{"another role", user("bob"), "admin", soon, false},
		{"the declared group itself", group("sre"), "view", soon, false},
	} {
		if got := table.Holds(test.who, test.role, infra, test.at); got != test.want {
			t.Errorf("%s: Holds = %t, want %t", test.name, got, test.want)
		}
	}
}
