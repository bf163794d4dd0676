package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// now is the instant of all comparisons here: before soon and late.
var now = date(1).Add(-time.Hour)

var past = now.Add(-time.Hour)

// A repository in a few words: grants and groups as grant and declare read them.
type world struct {
	grants       []schema.Grant
	groups       []schema.Group
	revoked      []schema.Revocation
	destinations []schema.Destination
	keys         []schema.Key
	users        []schema.DeclaredUser
	settings     schema.Settings
}

// table resolves it. Grants lie on lines 1, 2 ... of "grants", members of group
// n on line n, and everything else on line 1, unless they say better.
func (w world) table() *access.Table {
	s := w.snapshot()
	return access.Resolve(s, s.Revoked)
}

func (w world) snapshot() *schema.Snapshot {
	s := &schema.Snapshot{
		Settings: w.settings, Grants: slices.Clone(w.grants), Groups: slices.Clone(w.groups), Keys: w.keys,
		Destinations: w.destinations, Users: w.users, Revoked: schema.Revoked{Revocations: w.revoked},
	}
	for i := range s.Grants {
		if s.Grants[i].Pos == (schema.Pos{}) {
			s.Grants[i].Pos = schema.Pos{File: "grants", Line: i + 1}
		}
	}
	for i, g := range s.Groups {
		s.Groups[i].Users, s.Groups[i].Groups = slices.Clone(g.Users), slices.Clone(g.Groups)
		for _, members := range [][]schema.Member{s.Groups[i].Users, s.Groups[i].Groups} {
			for j := range members {
				members[j].Pos = schema.Pos{File: "group " + g.Name, Line: j + 1}
			}
		}
	}
	return s
}

func grants(texts ...string) []schema.Grant {
	out := make([]schema.Grant, len(texts))
	for i, text := range texts {
		text, until, _ := strings.Cut(text, " until ")
		out[i] = grant(text)
		switch until {
		case "past":
			out[i].Expires = past
		case "1":
			out[i].Expires = soon
		case "2":
			out[i].Expires = late
		}
	}
	return out
}

func groups(texts ...string) []schema.Group {
	out := make([]schema.Group, len(texts))
	for i, text := range texts {
		out[i] = declare(text)
	}
	return out
}

var dangers = []string{"", " reads secrets", " executes", " unknown", " administers", " equals admin", " cluster admin"}

// said writes a change on one line:
//
//	ann gains edit dev.web until 2 at dev executes via sre > oncall (12), beside view dev, from grants:1
func said(c access.Change) string {
	var b strings.Builder
	if !c.Kind.OfAccess() {
		fmt.Fprintf(&b, "%s %s%s", c.Kind, c.Name, dangers[c.Danger])
		for _, f := range c.Fields {
			fmt.Fprintf(&b, ", %s: %q to %q", f.Name, f.Before, f.After)
		}
		if c.People > 0 {
			fmt.Fprintf(&b, ", %d people", c.People)
		}
	} else {
		fmt.Fprintf(&b, "%s %s %s %s", c.Subject, c.Kind, c.Role, c.Target)
		if c.Kind == access.Extended || c.Kind == access.Shortened {
			fmt.Fprintf(&b, " from %s to %s", day(c.Before), day(c.Expires))
		} else if !c.Expires.IsZero() {
			fmt.Fprintf(&b, " until %s", day(c.Expires))
		}
		if schema.IsPattern(c.Target.Destination) {
			fmt.Fprintf(&b, " at %s", c.Destinations)
		}
		b.WriteString(dangers[c.Danger])
		if via := c.Reasons[0].Via; len(via) > 0 {
			fmt.Fprintf(&b, " via %s", strings.Join(via, " > "))
		}
		if c.Group != "" {
			fmt.Fprintf(&b, " (%s: %d)", c.Group, c.GroupSize)
		}
		for i, o := range c.Others {
			b.WriteString([]string{", beside ", " and "}[min(i, 1)])
			fmt.Fprintf(&b, "%s %s", o.Role, o.Target)
			if !o.Expires.IsZero() {
				fmt.Fprintf(&b, " until %s", day(o.Expires))
			}
		}
	}
	fmt.Fprintf(&b, ", by %s%s", map[bool]string{true: "old "}[c.InOld], c.Pos)
	return b.String()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return fmt.Sprint(t.Day())
}

func saidAll(changes []access.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, said(c))
	}
	return out
}

// ofAccess leaves out what is not people's access.
func ofAccess(changes []access.Change) []access.Change {
	return slices.DeleteFunc(changes, func(c access.Change) bool { return !c.Kind.OfAccess() })
}

func TestCompareSaysWhoGainsAndLosesWhat(t *testing.T) {
	tests := []struct {
		name     string
		old, new world
		want     []string
	}{
		{
			name: "a new grant",
			new:  world{grants: grants("ann view dev", "ann admin infra")},
			want: []string{"ann gains admin infra administers, by grants:2", "ann gains view dev, by grants:1"},
		},
		{
			name: "a grant that is taken away",
			old:  world{grants: grants("ann edit dev.web until 2")},
			want: []string{"ann loses edit dev.web until 2 executes, by old grants:1"},
		},
		{
			name: "who is cluster-admin gains nothing by view",
			old:  world{grants: grants("ann cluster-admin dev")},
			new:  world{grants: grants("ann cluster-admin dev", "ann view dev.web", "ann reboot dev")},
		},
		{
			name: "who loses admin and keeps view through a group is told so",
			old:  world{grants: grants("ann admin dev", "g:all view dev"), groups: groups("all: ann bob")},
			new:  world{grants: grants("g:all view dev"), groups: groups("all: ann bob")},
			want: []string{"ann loses admin dev equals admin, beside view dev, by old grants:1"},
		},
		{
			name: "a stronger role in the place of a weaker one is one gain",
			old:  world{grants: grants("ann view dev")},
			new:  world{grants: grants("ann edit dev")},
			want: []string{"ann gains edit dev equals admin, beside view dev, by grants:1"},
		},
		{
			name: "a weaker role in the place of a stronger one is one loss",
			old:  world{grants: grants("ann admin dev.web")},
			new:  world{grants: grants("ann view dev.web")},
			want: []string{"ann loses admin dev.web administers, beside view dev.web, by old grants:1"},
		},
		{
			name: "of what is gained at once only the strongest is listed",
			new:  world{grants: grants("ann view dev.web", "ann admin dev", "ann logs dev.db", "bob logs dev", "bob view dev")},
			want: []string{"ann gains admin dev equals admin, by grants:2", "bob gains view dev, by grants:5"},
		},
		{
			name: "unless it ends earlier",
			new:  world{grants: grants("ann view dev", "ann admin dev until 1")},
			want: []string{"ann gains admin dev until 1 equals admin, by grants:2", "ann gains view dev, by grants:1"},
		},
		{
			name: "what overlaps is listed with what is gained, the closest first",
			old:  world{grants: grants("ann edit dev.web", "ann view dev", "ann exec dev.db", "ann reboot dev", "ann view prod")},
			new:  world{grants: grants("ann edit dev.web", "ann edit dev", "ann view dev", "ann exec dev.db", "ann reboot dev", "ann view prod")},
			want: []string{"ann gains edit dev equals admin, beside view dev and edit dev.web and exec dev.db, by grants:2"},
		},
		{
			name: "what ends later is extended, what ends earlier shortened",
			old:  world{grants: grants("ann view dev until 1", "bob view dev until 2", "cyd view dev", "dan view dev until 2")},
			new:  world{grants: grants("ann view dev until 2", "bob view dev until 1", "cyd view dev until 2", "dan view dev")},
			want: []string{"ann extended view dev from 1 to 2, by grants:1", "dan extended view dev from 2 to never, by grants:4",
				"bob shortened view dev from 2 to 1, by grants:2", "cyd shortened view dev from never to 2, by grants:3"},
		},
		{
			name: "what another role covers for a while is shortened too",
			old:  world{grants: grants("ann view dev.web")},
			new:  world{grants: grants("ann admin dev until 1")},
			want: []string{"ann gains admin dev until 1 equals admin, beside view dev.web, by grants:1",
				"ann shortened view dev.web from never to 1, beside admin dev until 1, by old grants:1"},
		},
		{
			name: "what has expired is not there",
			old:  world{grants: grants("ann view dev until past", "bob view dev", "cyd view dev until past")},
			new:  world{grants: grants("ann view dev", "bob view dev until past")},
			want: []string{"ann gains view dev, by grants:1", "bob loses view dev, by grants:2"},
		},
		{
			name: "who joins a group gains what it has, by the member's line",
			old:  world{grants: grants("g:all view dev"), groups: groups("all: g:sre", "sre: ann")},
			new:  world{grants: grants("g:all view dev"), groups: groups("all: g:sre", "sre: ann bob")},
			want: []string{"bob gains view dev via all > sre, by group sre:2"},
		},
		{
			name: "who leaves a group loses it, by the line that was theirs",
			old:  world{grants: grants("g:all view dev"), groups: groups("all: ann g:idp bob")},
			new:  world{grants: grants("g:all view dev"), groups: groups("all: ann")},
			want: []string{`group "idp" loses view dev via all, by old group all:1`, "bob loses view dev via all, by old group all:2"},
		},
		{
			name: "a group that is nested is the line of all in it",
			old:  world{grants: grants("g:all view dev"), groups: groups("all: ann", "sre: bob cyd")},
			new:  world{grants: grants("g:all view dev"), groups: groups("all: ann g:sre", "sre: bob cyd")},
			want: []string{"bob gains view dev via all > sre (sre: 2), by group all:1", "cyd gains view dev via all > sre (sre: 2), by group all:1"},
		},
		{
			name: "a group that becomes declared is people, and no group any more",
			old:  world{grants: grants("g:sre view dev")},
			new:  world{grants: grants("g:sre view dev"), groups: groups("sre: ann")},
			want: []string{"ann gains view dev via sre (sre: 1), by group sre:1", `group "sre" loses view dev, by old grants:1`},
		},
		{
			name: "the reason that is new counts first",
			old:  world{grants: grants("g:all view dev", "g:sre view dev until 1"), groups: groups("all: bob", "sre: ann")},
			new:  world{grants: grants("g:sre view dev until 1", "g:all view dev"), groups: groups("all: bob ann", "sre: ann")},
			want: []string{"ann extended view dev from 1 to never via all, by group all:2"},
		},
		{
			name: "who is revoked loses by the revocation",
			old:  world{grants: grants("ann view dev", "g:sre edit dev.a"), groups: groups("sre: bob")},
			new: world{grants: grants("ann view dev", "g:sre edit dev.a"), groups: groups("sre: bob"),
				revoked: []schema.Revocation{{User: "ann", Pos: schema.Pos{File: "revoked.yaml", Line: 2}}, {Group: "sre", Pos: schema.Pos{File: "revoked.yaml", Line: 3}}}},
			want: []string{"bob loses edit dev.a executes via sre (sre: 1), by revoked.yaml:3", "ann loses view dev, by revoked.yaml:2"},
		},
		{
			name: "who is revoked no longer gains by the old line",
			old:  world{grants: grants("ann view dev"), revoked: []schema.Revocation{{User: "ann", Pos: schema.Pos{File: "revoked.yaml", Line: 2}}}},
			new:  world{grants: grants("ann view dev")},
			want: []string{"ann gains view dev, by old revoked.yaml:2"},
		},
		{
			name: "a pattern reaches the destinations that are known and where it changes something",
			old:  world{grants: grants("ann view prod", "bob logs dev", "bob logs stage")},
			new:  world{grants: grants("ann view prod", "ann view *", "bob logs dev", "bob logs stage")},
			want: []string{"ann gains view * at [dev stage], beside view prod, by grants:2"},
		},
		{
			name: "a pattern in whose place all known destinations are written out",
			old:  world{grants: grants("ann view *")},
			new:  world{grants: grants("ann view dev", "ann view prod")},
			want: []string{"ann loses view * at [], beside view dev and view prod, by old grants:1"},
		},
		{
			name: "a pattern and what it covers are gained as the pattern",
			new:  world{grants: grants("ann view prod", "ann view prod-*", "ann view prod*", "ann logs prod-eu")},
			want: []string{"ann gains view prod* at [prod prod-eu], by grants:3"},
		},
		{
			name: "two patterns that meet tell of a destination once",
			old:  world{grants: grants("bob view a-b")},
			new:  world{grants: grants("bob view a-b", "ann view a-*", "ann view *-b")},
			want: []string{"ann gains view *-b at [a-b], by grants:3", "ann gains view a-* at [], by grants:2"},
		},
		{
			name: "patterns of namespaces stay patterns, and mean no kube- namespace",
			old:  world{grants: grants("ann edit dev.pay-eu", "ann view dev.kube-system")},
			new:  world{grants: grants("ann edit dev.pay-*", "ann edit dev.*")},
			want: []string{"ann gains edit dev.* executes, beside edit dev.pay-eu, by grants:2",
				"ann loses view dev.kube-system, by old grants:2"},
		},
		{
			name: "a destination that is renamed changes nothing",
			old:  world{grants: grants("ann view old", "ann edit old.web", "bob view *")},
			new: world{grants: grants("ann view new", "ann edit new.web", "bob view *"),
				destinations: []schema.Destination{{Name: "new", Formerly: []string{"old"}}}},
		},
		{
			name: "but for the patterns that mean one of its names",
			old:  world{grants: grants("ann view old", "bob view ol*", "bob logs old", "cyd view ne*")},
			new: world{grants: grants("ann admin new", "bob view ol*", "bob logs new", "cyd view ne*"),
				destinations: []schema.Destination{{Name: "new", Formerly: []string{"old"}}}},
			want: []string{"ann gains admin new equals admin, beside view new, by grants:1", "cyd gains view new, by grants:4",
				"bob loses view new, beside logs new, by old grants:2"},
		},
		{
			name: "a destination that becomes one with another is not that other: who was let in there is let in here now",
			old:  world{grants: grants("eve admin dev", "ann view prod")},
			new: world{grants: grants("eve admin prod", "ann view prod"),
				destinations: []schema.Destination{{Name: "prod", Formerly: []string{"dev"}}}},
			want: []string{"eve gains admin prod equals admin, by grants:1", "eve loses admin dev equals admin, by old grants:1"},
		},
		{
			name: "nor are two that become a third",
			old:  world{grants: grants("eve admin dev", "ann view prod")},
			new: world{grants: grants("eve admin both", "ann view both"),
				destinations: []schema.Destination{{Name: "both", Formerly: []string{"dev", "prod"}}}},
			want: []string{"eve gains admin both equals admin, by grants:1", "eve loses admin dev equals admin, by old grants:1",
				"ann gains view both, by grants:2", "ann loses view prod, by old grants:2"},
		},
		{
			name: "nor is a cluster that has an entry or a key, though only a pattern lets anybody in",
			old: world{grants: grants("eve admin dev", "ann admin stage", "sre admin *"),
				destinations: []schema.Destination{{Name: "prod"}}, keys: []schema.Key{{Name: "k", User: "connector", Destination: "live"}}},
			new: world{grants: grants("eve admin prod", "ann admin live", "sre admin *"),
				destinations: []schema.Destination{{Name: "live", Formerly: []string{"stage"}}, {Name: "prod", Formerly: []string{"dev"}}},
				keys:         []schema.Key{{Name: "k", User: "connector", Destination: "live"}}},
			want: []string{"ann gains admin live equals admin, by grants:2", "eve gains admin prod equals admin, by grants:1",
				"eve loses admin dev equals admin, by old grants:1", "ann loses admin stage equals admin, by old grants:2"},
		},
		{
			name: "a reason, a file, a line and a group's name are not access",
			old:  world{grants: grants("g:sre view dev", "ann edit dev"), groups: groups("sre: ann bob")},
			new:  world{grants: grants("ann edit dev", "g:ops view dev"), groups: groups("ops: bob ann")},
		},
		{
			name: "the worst comes first, gains before losses",
			old:  world{grants: grants("zoe cluster-admin dev", "zoe view prod", "yan edit prod.a")},
			new:  world{grants: grants("ann view dev", "bob edit dev.a", "cyd admin dev.kube-system", "dan cluster-admin prod", "eve admin dev.a", "ann edit dev")},
			want: []string{
				"dan gains cluster-admin prod cluster admin, by grants:4", "zoe loses cluster-admin dev cluster admin, by old grants:1",
				"ann gains edit dev equals admin, by grants:6", "cyd gains admin dev.kube-system equals admin, by grants:3",
				"eve gains admin dev.a administers, by grants:5",
				"bob gains edit dev.a executes, by grants:2", "yan loses edit prod.a executes, by old grants:3",
				"zoe loses view prod, by old grants:2",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := saidAll(ofAccess(access.Compare(test.old.table(), test.new.table(), now)))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}
