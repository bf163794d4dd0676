package access_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// explained writes what is held as "admin on prod by g:sre > oncall: in force".
func explained(held []access.Held) []string {
	var out []string
	for _, h := range held {
		line := fmt.Sprintf("%s on %s", h.Grant.Role, h.Grant.Target)
		var via []string
		for _, s := range h.Steps {
			via = append(via, s.Group)
		}
		if len(via) > 0 {
			line += " by " + strings.Join(via, " > ")
		}
		line += ": " + string(h.State)
		if h.Revocation != nil {
			line += " by " + h.Revocation.String()
		}
		if h.Included != nil {
			line += fmt.Sprintf(" in %s on %s", h.Included.Role, h.Included.Target)
		}
		out = append(out, line)
	}
	return out
}

func TestExplain(t *testing.T) {
	t.Parallel()
	groups := []schema.Group{declare("eng: ann g:oncall"), declare("oncall: bob g:idp"), declare("all: bob")}
	for _, tt := range []struct {
		name    string
		who     schema.Subject
		grants  []schema.Grant
		revoked []schema.Revocation
		want    []string
	}{
		{
			name:   "what is granted to the person, and nothing of others",
			who:    user("ann"),
			grants: []schema.Grant{grant("ann edit dev"), grant("bob edit dev"), grant("g:oncall edit dev")},
			want:   []string{"edit on dev: in force"},
		}, {
			name:   "through groups, each on the way",
			who:    user("bob"),
			grants: []schema.Grant{grant("g:eng view prod"), grant("g:all view prod")},
			want:   []string{"view on prod by eng > oncall: in force", "view on prod by all: in force"},
		}, {
			name:   "what has ended is listed as such, and includes nothing",
			who:    user("ann"),
			grants: []schema.Grant{grant("ann admin dev", soon.Add(-time.Hour)), grant("ann view dev", late)},
			want:   []string{"admin on dev: expired", "view on dev: in force"},
		}, {
			name:   "one grant of a role may have ended and another not",
			who:    user("ann"),
			grants: []schema.Grant{grant("ann view dev", soon.Add(-time.Hour)), grant("g:eng view dev")},
			want:   []string{"view on dev: expired", "view on dev by eng: in force"},
		}, {
			name:   "a weaker role, a narrower place and a pattern's destination add nothing",
			who:    user("ann"),
			grants: []schema.Grant{grant("ann view dev"), grant("ann admin dev"), grant("ann view dev.web"), grant("ann admin d*")},
			want: []string{
				"admin on d*: in force",
				"admin on dev: included in admin on d*",
				"view on dev: included in admin on d*",
				"view on dev.web: included in admin on d*",
			},
		}, {
			name:   "what lasts longer than the stronger role adds something",
			who:    user("ann"),
			grants: []schema.Grant{grant("ann view dev"), grant("ann admin dev", late)},
			want:   []string{"admin on dev: in force", "view on dev: in force"},
		}, {
			name:    "a person who is revoked",
			who:     user("ann"),
			grants:  []schema.Grant{grant("ann view dev"), grant("g:eng edit prod", soon.Add(-time.Hour))},
			revoked: []schema.Revocation{{User: "ann"}},
			want:    []string{`view on dev: revoked by ann`, `edit on prod by eng: revoked by ann`},
		}, {
			name:    "a group that is revoked, on one way of two",
			who:     user("bob"),
			grants:  []schema.Grant{grant("g:oncall view dev"), grant("g:all view dev")},
			revoked: []schema.Revocation{{Group: "oncall"}},
			want:    []string{`view on dev by oncall: revoked by group "oncall"`, "view on dev by all: in force"},
		}, {
			name:   "what the members of a declared group have by being in it",
			who:    group("oncall"),
			grants: []schema.Grant{grant("g:eng view dev"), grant("g:oncall edit dev.web"), grant("bob admin dev")},
			want:   []string{"view on dev by eng: in force", "edit on dev.web: in force"},
		}, {
			name:    "a declared group that is revoked",
			who:     group("oncall"),
			grants:  []schema.Grant{grant("g:oncall edit dev")},
			revoked: []schema.Revocation{{Group: "oncall"}},
			want:    []string{`edit on dev: revoked by group "oncall"`},
		}, {
			name:   "a group of the identity provider, in a declared one",
			who:    group("idp"),
			grants: []schema.Grant{grant("g:idp edit dev"), grant("g:eng view prod")},
			want:   []string{"edit on dev: in force", "view on prod by eng > oncall: in force"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &schema.Snapshot{Grants: placed(tt.grants), Groups: groups, Revoked: schema.Revoked{Revocations: tt.revoked}}
			if diff := cmp.Diff(tt.want, explained(access.Explain(s, tt.who, soon))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// placed gives each grant a line of its own, as files do.
func placed(grants []schema.Grant) []schema.Grant {
	out := slices.Clone(grants)
	for i := range out {
		out[i].Pos = schema.Pos{File: "grants/all.yaml", Line: i + 1, Column: 1}
	}
	return out
}

// TestExplainAgreesWithTheTable: what is in force or included is exactly what the
// table has, for everybody, in random repositories.
func TestExplainAgreesWithTheTable(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	for range 300 {
		s := &schema.Snapshot{}
		for _, name := range []string{"a", "b", "c"} {
			later := map[string]string{"a": "g:b g:c", "b": "g:c", "c": "g:idp"}[name]
			g := declare(name + ": " + pick("", "u1", "u1 u2") + " " + pick("", later))
			s.Groups = append(s.Groups, g)
		}
		for range 8 {
			g := grant(pick("u1", "u2", "g:a", "g:b", "g:c", "g:idp") + " " + pick("admin", "edit", "view") + " " + pick("dev", "dev.web", "d*", "prod"))
			g.Expires = []time.Time{{}, soon, late}[random.IntN(3)]
			s.Grants = append(s.Grants, g)
		}
		s.Grants = placed(s.Grants)
		if v := pick("", "u1", "g:b"); strings.HasPrefix(v, "g:") {
			s.Revoked.Revocations = []schema.Revocation{{Group: v[2:]}}
		} else if v != "" {
			s.Revoked.Revocations = []schema.Revocation{{User: v}}
		}
		table := access.Resolve(s, s.Revoked)
		for _, who := range []schema.Subject{user("u1"), user("u2"), group("idp")} {
			var want, got []int
			for _, row := range table.Of(who) {
				for _, r := range row.Reasons {
					if r.Grant.Expires.IsZero() || soon.Before(r.Grant.Expires) {
						want = append(want, r.Grant.Pos.Line)
					}
				}
			}
			for _, h := range access.Explain(s, who, soon) {
				if h.State == access.StateInForce || h.State == access.StateIncluded {
					got = append(got, h.Grant.Pos.Line)
				}
				if h.State == access.StateRevoked && h.Revocation == nil {
					t.Errorf("%s: revoked by no line: %+v", who, h)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s in %+v: (-table +explained)\n%s", who, s, diff)
			}
		}
	}
}

func TestWhoCan(t *testing.T) {
	t.Parallel()
	s := &schema.Snapshot{
		Grants: placed([]schema.Grant{
			grant("zoe view prod.web"), grant("ann admin prod"), grant("bob view prod", soon), grant("g:idp edit p*"),
			grant("g:eng view prod.*"), grant("ann view prod.web", soon), grant("dan logs prod"), grant("eve admin dev"), grant("joe custom prod"), grant("max cluster-admin *"),
		}),
		Groups:  []schema.Group{declare("eng: cat mallory")},
		Revoked: schema.Revoked{Revocations: []schema.Revocation{{User: "mallory"}}},
	}
	table := access.Resolve(s, s.Revoked)
	for _, tt := range []struct {
		role, on string
		exact    bool
		want     []string
	}{
		{"view", "prod.web", false, []string{`group "idp" edit p*`, "ann admin prod", "cat view prod.*", "max cluster-admin *", "zoe view prod.web"}},
		{"view", "prod.web", true, []string{"cat view prod.*", "zoe view prod.web"}},
		{"view", "prod", false, []string{`group "idp" edit p*`, "ann admin prod", "max cluster-admin *"}},
		{"logs", "prod", true, []string{"dan logs prod"}},
		{"custom", "prod", false, []string{"joe custom prod", "max cluster-admin *"}},
		{"edit", "other", false, []string{"max cluster-admin *"}},
	} {
		target, err := schema.ParseTarget(tt.on)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range table.WhoCan(tt.role, target, tt.exact, soon) {
			got = append(got, fmt.Sprintf("%s %s %s", row.Subject, row.Role, row.Target))
			if len(row.Reasons) == 0 {
				t.Errorf("%s on %s: %s has no reason", tt.role, tt.on, row.Subject)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s on %s: (-want +got)\n%s", tt.role, tt.on, diff)
		}
	}
}
