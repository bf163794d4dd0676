package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// crowd is n names.
func crowd(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("p%02d", i)
	}
	return strings.Join(names, " ")
}

// lines writes a line for each of n people, with their name for %s.
func lines(n int, format string) string {
	var b strings.Builder
	for _, name := range strings.Fields(crowd(n)) {
		b.WriteString(strings.ReplaceAll(format, "%s", name) + "\n")
	}
	return b.String()
}

// each puts a sign in front of every line.
func each(sign, text string) string {
	return sign + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+sign) + "\n"
}

func TestBrakes(t *testing.T) {
	// 20 people have view on dev through a group, and 20 others by their own.
	base := "group web: " + crowd(20) + "\ng:web view dev\n" + strings.ReplaceAll(lines(20, "%s view dev"), "p", "q")
	empty := "- group web: " + crowd(20) + "\n+ group web: " + crowd(5)
	tests := []struct {
		name         string
		brakes       schema.Brakes
		base, change string
		want         []string // destination, people, of; none: accepted
	}{
		{"few people", schema.Brakes{}, base, "- group web: " + crowd(20) + "\n+ group web: " + crowd(11), nil},
		{"many people", schema.Brakes{}, base, empty, []string{"dev 15 40"}},
		{"the grant of many", schema.Brakes{}, base, "- g:web view dev", []string{"dev 20 40"}},
		{"many people, but few of those who are there", schema.Brakes{Default: &schema.Brake{People: 10, Percent: 50}}, base, "- g:web view dev", nil},
		{"a hundred per cent hold nothing", schema.Brakes{Default: &schema.Brake{People: 1, Percent: 100}}, base, "- g:web view dev", nil},
		{"a brake of the destination", schema.Brakes{Destinations: []schema.DestinationBrake{{Name: "dev*", Brake: schema.Brake{People: 2, Percent: 1}}}},
			base, "- group web: " + crowd(20) + "\n+ group web: " + crowd(18), []string{"dev 2 40"}},
		{"each destination by itself", schema.Brakes{}, base + "g:web edit prod", "- group web: " + crowd(20) + "\n+ group web:", []string{"dev 20 40", "prod 20 20"}},
		{"a weaker role instead", schema.Brakes{}, strings.ReplaceAll(base, "g:web view dev", "g:web edit dev"), "- g:web edit dev\n+ g:web view dev", []string{"dev 20 40"}},
		{"a stronger role instead", schema.Brakes{}, base, "- g:web view dev\n+ g:web admin dev", nil},
		{"less of the destination", schema.Brakes{}, base, "- g:web view dev\n+ g:web view dev.*", []string{"dev 20 40"}},
		{"a pattern instead", schema.Brakes{}, base, "- g:web view dev\n+ g:web view d*", nil},
		{"a pattern goes", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view *\nann view dev\nann view prod", "- g:web view *\n+ g:web view prod", []string{"dev 20 21"}},
		{"a pattern goes as a destination gets its entry", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view *", "- g:web view *\n+ destination dev", []string{"dev 20 20"}},
		{"a pattern that means no destination anybody knows", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view *", "- g:web view *", nil},
		{"a destination that only a key knows", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view *\nkey ci connector for dev", "- g:web view *", []string{"dev 20 20"}},
		{"a group gets another name", schema.Brakes{}, base, "- group web: " + crowd(20) + "\n- g:web view dev\n+ group net: " + crowd(20) + "\n+ g:net view dev", nil},
		{"a group becomes its people", schema.Brakes{}, base, "- group web: " + crowd(20) + "\n- g:web view dev\n" + each("+ ", lines(20, "%s view dev")), nil},
		{"people move to another group with the same access", schema.Brakes{}, base, "- group web: " + crowd(20) + "\n+ group web: g:net\n+ group net: " + crowd(20), nil},
		{"a destination gets another name", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view dev", "- g:web view dev\n+ destination development formerly dev\n+ g:web view development", nil},
		{"a destination gets another name, and many are left behind", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view dev\nann view dev",
			"- g:web view dev\n- ann view dev\n+ destination development formerly dev\n+ ann view development", []string{"development 20 21"}},
		{"a destination gets another name that nobody says", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view dev", "- g:web view dev\n+ g:web view development", []string{"dev 20 20"}},
		{"two destinations become one", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view dev\nann view dev-b",
			"- g:web view dev\n- ann view dev-b\n+ destination dev-b formerly dev\n+ ann view dev-b", []string{"dev-b 20 20"}},
		{"a large destination with a loose brake becomes one with a small one",
			schema.Brakes{Destinations: []schema.DestinationBrake{{Name: "dev-*", Brake: schema.Brake{People: 500, Percent: 99}}}},
			"group web: " + crowd(20) + "\ng:web view prod\ndestination prod\ndestination dev-big\n" + lines(90, "q%s view dev-big"),
			"- g:web view prod\n- destination prod\n- destination dev-big\n+ destination prod formerly dev-big\n" +
				each("- ", lines(90, "q%s view dev-big")) + each("+ ", lines(90, "q%s view prod")), []string{"prod 20 20"}},
		{"an acknowledgement for the one is none for the other", schema.Brakes{},
			"group web: " + crowd(20) + "\ng:web view prod\ndestination prod\ndestination dev\nann view dev",
			"- g:web view prod\n- ann view dev\n- destination prod\n- destination dev\n+ destination prod formerly dev\n+ ann view prod\n+ ack dev 99 meant", []string{"prod 20 20"}},
		{"another prefix takes access from everybody", schema.Brakes{}, base + "destination dev prefix oidc:", "- destination dev prefix oidc:\n+ destination dev prefix sso:", []string{"dev 40 40"}},
		{"another prefix, and names that make up for it", schema.Brakes{}, lines(20, "%s view dev"),
			"+ destination dev prefix p\n" + each("- ", lines(20, "%s view dev")) + each("+ ", strings.ReplaceAll(lines(20, "%s view dev"), "p", "")), nil},
		{"what is revoked by the change", schema.Brakes{}, base, "+ revoke g:web", nil},
		{"many are revoked one by one", schema.Brakes{}, base, each("+ ", lines(20, "revoke %s")), nil},
		{"a few are revoked, and others are removed", schema.Brakes{}, base, "+ revoke p00\n- g:web view dev", []string{"dev 19 39"}},
		{"what had ended by then", schema.Brakes{}, strings.ReplaceAll(base, "g:web view dev", "g:web view dev until -1"), "- g:web view dev until -1", nil},
		{"what is still there", schema.Brakes{}, strings.ReplaceAll(base, "g:web view dev", "g:web view dev until 1"), "- g:web view dev until 1", []string{"dev 20 40"}},
		{"what is made to have ended", schema.Brakes{}, base, "- g:web view dev\n+ g:web view dev until -1", []string{"dev 20 40"}},
		{"what is made to end soon", schema.Brakes{}, base, "- g:web view dev\n+ g:web view dev until 1", []string{"dev 20 40"}},
		{"what was to end ends sooner", schema.Brakes{}, base + "g:web edit dev until 9", "- g:web edit dev until 9\n+ g:web edit dev until 8", []string{"dev 20 40"}},
		{"what was to end ends later", schema.Brakes{}, base + "g:web edit dev until 9", "- g:web edit dev until 9\n+ g:web edit dev until 10", nil},
		{"a stronger role that ends instead of one that stays", schema.Brakes{}, base, "- g:web view dev\n+ g:web admin dev until 1", []string{"dev 20 40"}},
		{"a stronger role that ends beside one that stays", schema.Brakes{}, base, "+ g:web admin dev until 1", nil},
		{"what is kept has ended", schema.Brakes{}, base + "g:web edit dev", "- g:web view dev\n- g:web edit dev\n+ g:web edit dev until -1", []string{"dev 20 40"}},
		{"the server itself", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web admin infra", "- g:web admin infra", []string{"infra 20 20"}},
		{"groups of the identity provider count as one", schema.Brakes{}, lines(8, "g:%s view dev"), each("- ", lines(8, "g:%s view dev")), nil},
		{"many groups of the identity provider", schema.Brakes{}, lines(10, "g:%s view dev"), each("- ", lines(10, "g:%s view dev")), []string{"dev 10 10"}},
		{"acknowledged", schema.Brakes{}, base, "- g:web view dev\n+ ack dev 20 meant", nil},
		{"acknowledged for more", schema.Brakes{}, base, "- g:web view dev\n+ ack dev 30 meant", nil},
		{"acknowledged for fewer", schema.Brakes{}, base, "- g:web view dev\n+ ack dev 19 meant", []string{"dev 20 40"}},
		{"acknowledged elsewhere", schema.Brakes{}, base, "- g:web view dev\n+ ack prod 20 meant", []string{"dev 20 40"}},
		{"acknowledged before", schema.Brakes{}, base + "ack dev 20 meant", "- g:web view dev", []string{"dev 20 40"}},
		{"acknowledged before, in a file that moves", schema.Brakes{}, base + "ack dev 20 meant", "- g:web view dev\n- ack dev 20 meant\n+ ack dev 20 meant", []string{"dev 20 40"}},
		{"acknowledged before and once more", schema.Brakes{}, base + "ack dev 20 meant", "- g:web view dev\n+ ack dev 20 meant", nil},
		{"acknowledged before and now for another reason", schema.Brakes{}, base + "ack dev 20 meant", "- g:web view dev\n- ack dev 20 meant\n+ ack dev 20 because", nil},
		{"acknowledged by the former name", schema.Brakes{}, "group web: " + crowd(20) + "\ng:web view dev", "- g:web view dev\n+ destination development formerly dev\n+ ack dev 20 meant", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			accepted, next := revision(t, test.base), revision(t, edit(t, test.base, test.change))
			accepted.Snapshot.Settings.Brakes = test.brakes
			var got []string
			v := policy.Step(accepted, next)
			for _, r := range v.Refusals {
				got = append(got, fmt.Sprintf("%s %d %d", r.Destination, r.People, r.Of))
				hint := fmt.Sprintf("if that is meant, say so in the same change: infra acknowledge %s --removals %d --reason \"...\"", r.Destination, r.People)
				if r.Kind != policy.Braked || r.Rule != policy.Brake || r.Hint != hint || r.Pos != (schema.Pos{}) {
					t.Errorf("kind %s, rule %s, hint %q, position %s", r.Kind, r.Rule, r.Hint, r.Pos)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			next.Snapshot.Settings.Brakes = test.brakes
			if again := policy.Step(next, next); !again.Accepted() {
				t.Errorf("the revision against itself: %v", said(again.Refusals))
			}
		})
	}
}

func TestBrakeSaysWhoAndThroughWhat(t *testing.T) {
	base := "group web: " + crowd(20) + "\ng:web view dev"
	v := policy.Step(revision(t, base), revision(t, edit(t, base, "- g:web view dev\n+ ack dev 3 meant")))
	want := []string{"20 of the 20 people with access to dev would lose some or all of it: p00, p01, p02 and 17 more; " +
		"20 by the view of group web on dev (repo:2 of the accepted revision); 10 or more who are over 25 % are held until that is acknowledged; " +
		"the acknowledgement at repo:3 is of 3"}
	if diff := cmp.Diff(want, said(v.Refusals)); diff != "" {
		t.Error(diff)
	}
	v = policy.Step(revision(t, base), revision(t, edit(t, base, "- g:web view dev\n+ g:web view dev until 1")))
	if got := said(v.Refusals); len(got) != 1 || !strings.HasPrefix(got[0], "20 of the 20 people with access to dev would lose some or all of it, at once or sooner than before: ") {
		t.Errorf("what is to end sooner: %q", got)
	}
}

func TestBrakesOfTheAcceptedRevisionCount(t *testing.T) {
	base := "group web: " + crowd(20) + "\ng:web view dev"
	accepted, next := revision(t, base), revision(t, edit(t, base, "- g:web view dev"))
	next.Snapshot.Settings.Brakes.Default = &schema.Brake{People: 100, Percent: 100}
	if v := policy.Step(accepted, next); v.Accepted() {
		t.Error("a change loosened the brake and used that at once")
	}
}

// fold folds texts, one a commit, and says what became of each.
func fold(t *testing.T, texts ...string) string {
	t.Helper()
	var commits []policy.Revision
	for i, text := range texts {
		r := revision(t, text)
		r.ID = fmt.Sprint(i)
		commits = append(commits, r)
	}
	_, verdicts, err := policy.Fold(policy.Revision{}, walk(commits))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range verdicts {
		word := "accepted"
		for _, r := range v.Refusals {
			word = string(r.Kind)
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func TestAnAcknowledgementCountsOnce(t *testing.T) {
	full := "group web: " + crowd(20) + "\ng:web view dev"
	gone := edit(t, full, "- g:web view dev")
	const ack = "\nack dev 20 meant"
	for _, test := range []struct {
		name    string
		commits []string
		want    string
	}{
		{"a removal with its acknowledgement", []string{full, gone + ack}, "accepted accepted"},
		{"a removal, then its acknowledgement", []string{full, gone, gone + ack}, "accepted brake accepted"},
		{"its acknowledgement, then a removal", []string{full, full + ack, gone + ack}, "accepted accepted brake"},
		{"a later removal, with the file lying there", []string{full, gone + ack, full + ack, gone + ack}, "accepted accepted accepted brake"},
		{"and with one more", []string{full, gone + ack, full + ack, gone + ack + ack}, "accepted accepted accepted accepted"},
		{"a removal in parts that is held as a whole", []string{full, gone, gone + "\nann view dev", gone + "\nann view dev" + ack}, "accepted brake brake accepted"},
		{"a removal that is taken back", []string{full, gone, full}, "accepted brake accepted"},
	} {
		if got := fold(t, test.commits...); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestNobodyChangesARuleAndBreaksItAtOnce(t *testing.T) {
	no := schema.PolicyRule{Name: "no", Deny: &schema.Deny{Selector: schema.Selector{Destinations: []string{"prod"}}}}
	strict, loose := revision(t, "", no), revision(t, "")
	using := revision(t, "ann view prod")
	for _, test := range []struct {
		name    string
		commits []policy.Revision
		want    []bool
	}{
		{"both in one", []policy.Revision{strict, using}, []bool{true, false}},
		{"first the rule, then its use", []policy.Revision{strict, loose, using}, []bool{true, true, true}},
		{"first its use, then the rule", []policy.Revision{strict, revision(t, "ann view prod", no), loose, using}, []bool{true, false, true, true}},
		{"a rule comes, and what was there stays", []policy.Revision{using, revision(t, "ann view prod", no), revision(t, "ann view prod\nbob view dev", no)}, []bool{true, true, true}},
	} {
		_, verdicts, err := policy.Fold(policy.Revision{}, walk(test.commits))
		if err != nil {
			t.Fatal(err)
		}
		var got []bool
		for _, v := range verdicts {
			got = append(got, v.Accepted())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: accepted (-want +got):\n%s", test.name, diff)
		}
	}
}
