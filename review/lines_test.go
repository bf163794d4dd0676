package review_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// team are changes of n people of a group of size, all by one grant.
func team(kind access.Kind, n, size int) []access.Change {
	var out []access.Change
	for i := range n {
		c := granted(kind, access.Ordinary, user(fmt.Sprintf("p%d", i)), "view", "prod", at("grants/prod.yaml", 4), "engineering")
		c.GroupSize = size
		out = append(out, c)
	}
	return out
}

// moved are changes on another target, by a grant in another file.
func moved(changes []access.Change, on, file string) []access.Change {
	for i := range changes {
		changes[i].Target, changes[i].Pos.File = target(on), file
		changes[i].Reasons[0].Grant.Target, changes[i].Reasons[0].Grant.Pos.File = target(on), file
	}
	return changes
}

// with changes one of them.
func with(changes []access.Change, i int, change func(*access.Change)) []access.Change {
	change(&changes[i])
	return changes
}

func TestALineSaysWhoGainsWhatThroughWhat(t *testing.T) {
	one := func(c access.Change, change func(*access.Change)) []access.Change {
		change(&c)
		return []access.Change{c}
	}
	ann := func() access.Change {
		return granted(access.Gained, access.Ordinary, user("ann"), "view", "prod", at("grants/prod.yaml", 4))
	}
	lost := granted(access.Lost, access.Administers, user("ann"), "admin", "prod", at("grants/prod.yaml", 4))
	row := func(role, on string, via ...string) access.Row {
		return access.Row{Role: role, Target: target(on), Reasons: []access.Reason{{Via: via}}}
	}
	tests := []struct {
		name    string
		changes []access.Change
		want    []string // each a line, with single blanks, after the sentence at the head
	}{
		{"a person by name", []access.Change{ann()}, []string{"+ ann gains view prod no expiry grants/prod.yaml:4"}},
		{"a group as a whole", team(access.Gained, 42, 42), []string{"+ engineering (42 people) gains view prod no expiry grants/prod.yaml:4"}},
		{"some of a group", team(access.Lost, 40, 42), []string{"- engineering (40 of 42 people) loses view prod grants/prod.yaml:4 (before)"}},
		{"a few of a group by name", team(access.Gained, 2, 42), []string{"+ engineering (2 of 42 people) gains view prod p0 and p1; no expiry grants/prod.yaml:4"}},
		{"one of a group is a person", team(access.Gained, 1, 42), []string{"+ p0 gains view prod through group engineering; no expiry grants/prod.yaml:4"}},
		{"whoever has another expiry has another line", with(team(access.Gained, 6, 6), 3, func(c *access.Change) { c.Expires = noon }), []string{
			"+ engineering (5 of 6 people) gains view prod no expiry grants/prod.yaml:4",
			"+ p3 gains view prod through group engineering; until 24 Nov 2026 12:00 UTC grants/prod.yaml:4"}},
		{"and whoever gets it more dangerously", with(team(access.Gained, 6, 6), 0, func(c *access.Change) { c.Danger = access.Administers }), []string{
			"! p0 gains view prod through group engineering; no expiry grants/prod.yaml:4",
			"+ engineering (5 of 6 people) gains view prod no expiry grants/prod.yaml:4"}},
		{"and of whom it can outlive its removal", with(team(access.Lost, 6, 6), 5, func(c *access.Change) { c.Outlives = "may mint tokens" }), []string{
			"- engineering (5 of 6 people) loses view prod grants/prod.yaml:4 (before)",
			"- p5 loses view prod through group engineering; can outlive its removal: may mint tokens grants/prod.yaml:4 (before)"}},
		{"and by another line of the files", with(team(access.Gained, 6, 6), 5, func(c *access.Change) { c.Reasons[0].Grant.Pos.Line = 9 }), []string{
			"+ engineering (5 of 6 people) gains view prod no expiry grants/prod.yaml:4",
			"+ p5 gains view prod through group engineering; no expiry grants/prod.yaml:4"}},
		{"and by whom a pattern lets in elsewhere", func() []access.Change {
			cs := moved(team(access.Gained, 6, 6), "*", "grants/_shared.yaml")
			for i := range cs {
				cs[i].Destinations = []string{"dev", "prod"}
			}
			cs[0].Destinations = []string{"dev"} // who is on prod already
			return cs
		}(), []string{
			"+ p0 gains view * through group engineering; matches dev; no expiry grants/_shared.yaml:4",
			"+ engineering (5 of 6 people) gains view * matches dev and prod; no expiry grants/_shared.yaml:4"}},
		{"a group that left another one", func() []access.Change {
			cs := team(access.Lost, 5, 9)
			for i := range cs {
				cs[i].Group, cs[i].Reasons[0].Via = "mobile", []string{"all", "engineering", "mobile"}
			}
			return cs
		}(), []string{"- mobile (5 of 9 people) loses view prod through group engineering, from all grants/prod.yaml:4 (before)"}},
		{"the same on several clusters is said once", append(append(team(access.Gained, 6, 6), moved(team(access.Gained, 6, 6), "dev", "grants/dev.yaml")...),
			moved(team(access.Gained, 5, 6), "test", "grants/test.yaml")...), []string{
			"+ engineering (6 people) gains view dev and prod no expiry grants/dev.yaml:4 and grants/prod.yaml:4",
			"+ engineering (5 of 6 people) gains view test no expiry grants/test.yaml:4"}},
		{"but not what is of other people", append(team(access.Gained, 5, 6), with(moved(team(access.Gained, 5, 6), "dev", "grants/dev.yaml"), 0, func(c *access.Change) { c.Subject.Name = "zoe" })...), []string{
			"+ engineering (5 of 6 people) gains view prod no expiry grants/prod.yaml:4",
			"+ engineering (5 of 6 people) gains view dev no expiry grants/dev.yaml:4"}},
		{"and many clusters are counted and listed", func() (cs []access.Change) {
			for _, d := range []string{"prod-eu", "prod-us", "prod-ap", "test"} {
				cs = append(cs, moved([]access.Change{ann()}, d, "grants/x.yaml")...)
			}
			return cs
		}(), []string{"+ ann gains view 4 clusters on prod-ap, prod-eu, prod-us and test; no expiry grants/x.yaml:4"}},
		{"members that join on lines of their own", with(team(access.Gained, 5, 9), 0, func(c *access.Change) { c.Pos = at("groups/engineering.yaml", 7) }), []string{
			"+ engineering (5 of 9 people) gains view prod no expiry grants/prod.yaml:4 and groups/engineering.yaml:7"}},
		{"the groups on the way, the nearest first", one(ann(), func(c *access.Change) { c.Reasons[0].Via = []string{"all", "engineering", "oncall"} }),
			[]string{"+ ann gains view prod through group oncall, in engineering, from all; no expiry grants/prod.yaml:4"}},
		{"other grants that give the same", one(ann(), func(c *access.Change) {
			c.Reasons = append(c.Reasons, access.Reason{Grant: schema.Grant{Pos: at("grants/_shared.yaml", 3)}})
		}), []string{"+ ann gains view prod also by grants/_shared.yaml:3; no expiry grants/prod.yaml:4"}},
		{"a group of the identity provider", one(ann(), func(c *access.Change) { c.Subject = group("ops") }),
			[]string{`+ idp group "ops" gains view prod members unknown to infra; no expiry grants/prod.yaml:4`}},
		{"what somebody had before", one(ann(), func(c *access.Change) { c.Others = []access.Row{row("logs", "prod"), row("view", "prod.web", "web")} }),
			[]string{"+ ann gains view prod no expiry; had logs and view on prod.web (through group web) grants/prod.yaml:4"}},
		{"what somebody keeps", one(lost, func(c *access.Change) { c.Others = []access.Row{row("view", "prod", "engineering")} }),
			[]string{"- ann loses admin prod keeps view through group engineering grants/prod.yaml:4 (before)"}},
		{"what all of a group keep", func() []access.Change {
			cs := team(access.Lost, 5, 5)
			for i := range cs {
				cs[i].Others = []access.Row{row("logs", "prod", "web")}
			}
			return cs
		}(), []string{"- engineering (5 people) loses view prod keeps logs through group web grants/prod.yaml:4 (before)"}},
		{"what some of a group keep", with(team(access.Lost, 5, 5), 1, func(c *access.Change) { c.Others = []access.Row{row("logs", "prod")} }),
			[]string{"- engineering (5 people) loses view prod 1 of them keeps some of it grants/prod.yaml:4 (before)"}},
		{"that it can outlive its removal", one(lost, func(c *access.Change) { c.Outlives = "may write role bindings" }),
			[]string{"- ann loses admin prod can outlive its removal: may write role bindings grants/prod.yaml:4 (before)"}},
		{"an expiry that moves", []access.Change{func() access.Change {
			c := ann()
			c.Kind, c.Expires, c.Before = access.Extended, noon, noon.Add(-1e9)
			return c
		}()},
			[]string{"~ ann keeps view prod longer: until 24 Nov 2026 12:00 UTC, before: until 24 Nov 2026 11:59:59 UTC grants/prod.yaml:4"}},
		{"one that is taken away", []access.Change{func() access.Change { c := ann(); c.Kind, c.Before = access.Extended, noon; return c }()},
			[]string{"~ ann keeps view prod longer: no expiry, before: until 24 Nov 2026 12:00 UTC grants/prod.yaml:4"}},
		{"a pattern with what it means", one(ann(), func(c *access.Change) { c.Target, c.Destinations = target("prod-*"), []string{"prod-eu", "prod-us"} }),
			[]string{"+ ann gains view prod-* matches prod-eu and prod-us; no expiry grants/prod.yaml:4"}},
		{"what a role of unknown rules allows", one(ann(), func(c *access.Change) { c.Powers = []access.Power{access.PowerUnknownRules} }),
			[]string{"+ ann gains view prod no expiry; what the role allows is unknown here grants/prod.yaml:4"}},
		{"a name that would read as words of ours", one(ann(), func(c *access.Change) { c.Subject.Name = "nobody gains" }),
			[]string{`+ "nobody gains" gains view prod no expiry grants/prod.yaml:4`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := string(render(t, review.Text, review.Review{Changes: test.changes}, review.Options{Width: 400}))
			_, lines, _ := strings.Cut(out, "\n\n")
			for i, l := range strings.Split(strings.TrimSpace(lines), "\n") {
				if got := strings.Join(strings.Fields(l), " "); i >= len(test.want) || got != test.want[i] {
					t.Errorf("line %d is %q, want %q", i, got, test.want[min(i, len(test.want)-1)])
				}
			}
			if n := strings.Count(strings.TrimSpace(lines), "\n") + 1; n != len(test.want) {
				t.Errorf("%d lines, want %d", n, len(test.want))
			}
		})
	}
}

func TestWithPeopleEverybodyHasALine(t *testing.T) {
	out := string(render(t, review.Text, review.Review{Changes: team(access.Gained, 42, 42)}, review.Options{People: true}))
	if n := strings.Count(out, "through group engineering"); n != 42 {
		t.Errorf("%d lines for 42 people:\n%s", n, out)
	}
}

func TestTheHeadCountsPeopleOnce(t *testing.T) {
	ann := granted(access.Gained, access.ClusterAdmin, user("ann"), "cluster-admin", "prod", at("grants/prod.yaml", 4))
	also := granted(access.Gained, access.Ordinary, user("ann"), "view", "dev", at("grants/dev.yaml", 4))
	loses := granted(access.Lost, access.Ordinary, user("ann"), "view", "test", at("grants/test.yaml", 4))
	r := review.Review{Changes: append(team(access.Gained, 2, 2), ann, also, loses)}
	want := "1 person becomes equal to cluster-admin, 2 gain, 1 loses.\n"
	if got, _, _ := strings.Cut(string(render(t, review.Text, r, review.Options{})), "\n\n"); got+"\n" != want {
		t.Errorf("the head is %q, want %q", got, want)
	}
}

func TestTextFitsItsWidth(t *testing.T) {
	for name, r := range samples {
		for width := 40; width < 180; width += 7 {
			out := string(render(t, review.Text, r, review.Options{Width: width}))
			for l := range strings.Lines(out) {
				l = strings.TrimRight(l, "\n")
				if n := utf8.RuneCountInString(l); n > width && strings.Contains(strings.TrimSpace(strings.TrimLeft(l, "!+-~ ")), " ") {
					t.Errorf("%s at %d columns has one of %d: %q", name, width, n, l)
				}
				if strings.HasSuffix(l, " ") {
					t.Errorf("%s at %d columns ends a line in a blank: %q", name, width, l)
				}
			}
		}
	}
}

func TestColumnsCountWhatATerminalShows(t *testing.T) {
	wide := granted(access.Gained, access.Ordinary, user("山田太郎"), "view", "prod", at("g.yaml", 1))
	marked := granted(access.Gained, access.Ordinary, user("zoe\u0301"), "view", "prod", at("g.yaml", 1))
	out := string(render(t, review.Text, review.Review{Changes: []access.Change{wide, marked}}, review.Options{}))
	want := "+  山田太郎  gains  view  prod  no expiry   g.yaml:1\n+  zoe\u0301       gains  view  prod  no expiry   g.yaml:1\n"
	if !strings.HasSuffix(out, want) {
		t.Errorf("%s does not end in\n%s", out, want)
	}
}

func TestManyDestinationsDoNotStandInFrontOfTheWorst(t *testing.T) {
	r := review.Review{Changes: []access.Change{granted(access.Gained, access.ClusterAdmin, user("eve"), "cluster-admin", "*", at("grants/_shared.yaml", 4))}}
	for i := range 400 {
		r.Destinations = append(r.Destinations, review.Destination{Name: fmt.Sprintf("c%d", i), Owners: []string{"@o"}})
	}
	out := string(render(t, review.Text, r, review.Options{}))
	before, after, _ := strings.Cut(out, "cluster-admin  *")
	if n := strings.Count(before, "\n"); n > 12 || !strings.Contains(before, "c9 (owner: @o), 390 more.") {
		t.Errorf("%d lines are before the worst:\n%s", n, before)
	}
	if !strings.Contains(after, "\nDestinations whose access changes\n") || !strings.Contains(after, "c399 (owner: @o)") {
		t.Errorf("not every destination is named:\n%s", after)
	}
}
