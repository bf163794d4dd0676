package policy_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// now is the date of the revisions of these tests.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// read makes a snapshot of lines, each of which is one thing:
//
//	ann edit dev.web [until DAYS] [because REASON]
//	g:sre admin prod
//	group sre: ann bob g:oncall
//	group prod/sre: ann
//	user ann
//	destination prod [formerly old] [roles deploy,ci] [prefix oidc:]
//	key ci connector [for prod] [created DAYS] [until DAYS]
//	revoke ann | revoke g:sre | revoke k:ci
//	ack dev 20 REASON
//
// Days are from now. A line's number is that of its position.
func read(t testing.TB, text string) *schema.Snapshot {
	t.Helper()
	s := &schema.Snapshot{}
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		pos := schema.Pos{File: "repo", Line: i + 1}
		options := optionsOf(t, f)
		switch f[0] {
		case "group":
			g := schema.Group{Name: strings.TrimSuffix(f[1], ":"), Pos: pos}
			if destination, name, ok := strings.Cut(g.Name, "/"); ok {
				g.Destination, g.Name = destination, name
			}
			for _, name := range f[2:] {
				if nested, ok := strings.CutPrefix(name, "g:"); ok {
					g.Groups = append(g.Groups, schema.Member{Name: nested, Pos: pos})
				} else {
					g.Users = append(g.Users, schema.Member{Name: name, Pos: pos})
				}
			}
			s.Groups = append(s.Groups, g)
		case "user":
			s.Users = append(s.Users, schema.DeclaredUser{Name: f[1], Pos: pos})
		case "destination":
			d := schema.Destination{Name: f[1], Pos: pos}
			if options.formerly != "" {
				d.Formerly = strings.Split(options.formerly, ",")
			}
			for _, name := range strings.Split(options.roles, ",") {
				if name != "" {
					d.Roles = append(d.Roles, schema.Role{Name: name})
				}
			}
			d.Subjects.UserPrefix = options.prefix
			s.Destinations = append(s.Destinations, d)
		case "key":
			s.Keys = append(s.Keys, schema.Key{Name: f[1], ID: f[1], User: f[2], Destination: options.destination,
				Created: options.created, Expires: options.until, Pos: pos})
		case "revoke":
			v := schema.Revocation{User: f[1]}
			if name, ok := strings.CutPrefix(f[1], "g:"); ok {
				v = schema.Revocation{Group: name}
			} else if id, ok := strings.CutPrefix(f[1], "k:"); ok {
				v = schema.Revocation{Key: id}
			}
			s.Revoked.Revocations = append(s.Revoked.Revocations, v)
		case "ack":
			n, err := strconv.Atoi(f[2])
			if err != nil {
				t.Fatal(err)
			}
			s.Acknowledgements = append(s.Acknowledgements, schema.Acknowledgement{Destination: f[1], Removals: n, Reason: strings.Join(f[3:], " "), Pos: pos})
		default:
			g := grantOf(t, line)
			g.Pos = pos
			s.Grants = append(s.Grants, g)
		}
	}
	return s
}

type options struct {
	formerly, roles, prefix, destination, reason string
	until, created                               time.Time
}

func optionsOf(t testing.TB, f []string) options {
	t.Helper()
	days := func(text string) time.Time {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return now.Add(time.Duration(n) * 24 * time.Hour)
	}
	var o options
	for i := 2; i+1 < len(f); i++ {
		switch f[i] {
		case "formerly":
			o.formerly = f[i+1]
		case "roles":
			o.roles = f[i+1]
		case "prefix":
			o.prefix = f[i+1]
		case "for":
			o.destination = f[i+1]
		case "until":
			o.until = days(f[i+1])
		case "created":
			o.created = days(f[i+1])
		case "because":
			o.reason = strings.Join(f[i+1:], " ")
		}
	}
	return o
}

func subjectOf(name string) schema.Subject {
	if group, ok := strings.CutPrefix(name, "g:"); ok {
		return schema.Subject{Kind: schema.GroupKind, Name: group}
	}
	return schema.Subject{Kind: schema.User, Name: name}
}

func grantOf(t testing.TB, line string) schema.Grant {
	t.Helper()
	f := strings.Fields(line)
	if len(f) < 3 {
		t.Fatalf("no grant: %q", line)
	}
	o := optionsOf(t, f)
	g := schema.Grant{Subject: subjectOf(f[0]), Role: f[1], Expires: o.until, Reason: o.reason}
	g.Target.Destination, g.Target.Namespace, _ = strings.Cut(f[2], ".")
	return g
}

// edit makes of lines others: "+ line" adds one, "- line" takes it away, all
// others of the change stand for themselves after a "+".
func edit(t testing.TB, base, change string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(base), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	for _, c := range strings.Split(strings.TrimSpace(change), "\n") {
		c = strings.TrimSpace(c)
		switch {
		case c == "":
		case strings.HasPrefix(c, "+ "):
			lines = append(lines, c[2:])
		case strings.HasPrefix(c, "- "):
			found := false
			for i, l := range lines {
				if l == c[2:] {
					lines[i], found = "", true // the numbers of the others stay
				}
			}
			if !found {
				t.Fatalf("no line %q", c[2:])
			}
		default:
			t.Fatalf("neither + nor -: %q", c)
		}
	}
	return strings.Join(lines, "\n")
}

// revision is a revision of these lines with this policy.
func revision(t testing.TB, text string, rules ...schema.PolicyRule) policy.Revision {
	t.Helper()
	s := read(t, text)
	for i := range rules {
		if rules[i].Name == "" {
			rules[i].Name = fmt.Sprintf("rule-%d", i+1)
		}
		rules[i].Pos = schema.Pos{File: "infra.yaml", Line: 10 + i, Column: 5}
	}
	s.Settings.Policy = rules
	return policy.Revision{ID: "revision", At: now, Snapshot: s}
}

// clone shares nothing with what it is made from that mutate or a fold could touch.
func clone(s *schema.Snapshot) *schema.Snapshot {
	c := *s
	c.Grants, c.Groups, c.Keys, c.Users = slices.Clone(s.Grants), slices.Clone(s.Groups), slices.Clone(s.Keys), slices.Clone(s.Users)
	c.Destinations, c.Acknowledgements = slices.Clone(s.Destinations), slices.Clone(s.Acknowledgements)
	c.Revoked.Revocations, c.Settings.Policy = slices.Clone(s.Revoked.Revocations), slices.Clone(s.Settings.Policy)
	return &c
}

// said are refusals as they are read.
func said(refusals []policy.Refusal) []string {
	out := []string{}
	for _, r := range refusals {
		out = append(out, r.String())
	}
	return out
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func ptr[T any](v T) *T { return &v }

// A ruleTest is a change under one rule.
type ruleTest struct {
	name         string
	rule         schema.PolicyRule
	base, change string
	want         []string // refusals; none: accepted
}

func runRules(t *testing.T, tests []ruleTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base := revision(t, test.base, test.rule)
			next := revision(t, edit(t, test.base, test.change), test.rule)
			v := policy.Step(base, next)
			got := said(v.Refusals)
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("refused:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(test.want, "\n  "))
			}
			for _, r := range v.Refusals {
				if r.Kind != policy.Denied || r.Rule != "rule-1" || !strings.Contains(r.Hint, "infra.yaml:10 of the accepted revision") {
					t.Errorf("kind %s, rule %s, hint %q", r.Kind, r.Rule, r.Hint)
				}
			}
			if again := policy.Step(next, next); !again.Accepted() {
				t.Errorf("the revision against itself: %v", said(again.Refusals))
			}
		})
	}
}
