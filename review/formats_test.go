package review_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// crowd changes the access of n people, each on a line of their own, the first of
// them to cluster-admin, and refuses as many.
func crowd(n int) review.Review {
	r := review.Review{Base: "main", Head: "crowd", At: noon}
	for i := range n {
		c := until(granted(access.Gained, access.Ordinary, user(fmt.Sprintf("person%04d@example.com", i)), "view", "prod", at("grants/prod.yaml", i+2)), noon.AddDate(0, 0, 30), "INC-1: needed for a while")
		switch {
		case i == 0:
			c.Role, c.Danger = "cluster-admin", access.ClusterAdmin
		case i%2 == 0:
			c.Kind, c.InOld = access.Lost, true
		}
		r.Changes = append(r.Changes, c)
		r.Refusals = append(r.Refusals, policy.Refusal{Kind: policy.Denied, Rule: "few", Pos: c.Pos, Message: "too many people have view on prod", Hint: "ask less"})
	}
	return r
}

func TestMarkdownFitsAnyLimitAndSaysWhatItLeavesOut(t *testing.T) {
	for _, r := range []review.Review{crowd(300), groups(), refused(), {}} {
		whole := len(render(t, review.Markdown, r, review.Options{Limit: 1 << 30}))
		for _, limit := range []int{1024, 1500, 3000, 20000, whole - 1, whole} {
			limit = max(limit, 1024)
			out := string(render(t, review.Markdown, r, review.Options{Limit: limit}))
			if len(out) > limit {
				t.Errorf("%d bytes for a limit of %d", len(out), limit)
			}
			if !strings.HasPrefix(out, review.Marker+"\n") {
				t.Errorf("at %d it begins with %.40q", limit, out)
			}
			all := whole <= limit
			if said := strings.Contains(out, "lists all."); said == all {
				t.Errorf("limit %d: all is there: %t, it says that it is not: %t", limit, all, said)
			}
		}
	}
	out := string(render(t, review.Markdown, crowd(5000), review.Options{}))
	if len(out) < 60000 {
		t.Errorf("only %d bytes of 65,536 are used", len(out))
	}
	for _, want := range []string{
		"**1 person becomes equal to cluster-admin, 2,500 gain, 2,499 lose.**", "| `person0000@example.com` | gains `cluster-admin` |",
		"Shortened: ", " of 10,000 lines are shown", "Refused by policy (`few`)", "`infra diff main crowd` lists all",
		"#### Loses access", "| `person0002@example.com` | loses `view` |",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it has no %q", want)
		}
	}
	// What is shown and what is counted as left out come to all.
	var left int
	for _, m := range regexp.MustCompile(`and ([\d,]+) more people;`).FindAllStringSubmatch(out, -1) {
		n := 0
		fmt.Sscan(strings.ReplaceAll(m[1], ",", ""), &n)
		left += n
	}
	if shown := strings.Count(out, "| `person"); shown+left != 5000 {
		t.Errorf("%d people are shown and %d left out", shown, left)
	}
}

func TestMarkdownListsTheTargetsOfALineInItsCell(t *testing.T) {
	r := review.Review{Changes: append(team(access.Gained, 6, 6), moved(team(access.Gained, 6, 6), "dev.web", "grants/dev.yaml")...)}
	want := "| `engineering` (6 people) | gains `view` | `dev`, namespace `web`<br>`prod`, all of it | no expiry | `grants/dev.yaml:4` and `grants/prod.yaml:4` |\n"
	if out := string(render(t, review.Markdown, r, review.Options{})); !strings.Contains(out, want) {
		t.Errorf("%s has no row %s", out, want)
	}
}

func TestSARIFHasNoMoreResultsThanGitHubShows(t *testing.T) {
	var log struct {
		Runs []struct {
			Results []struct {
				Level   string
				Message struct{ Text string }
			}
		}
	}
	if err := json.Unmarshal(render(t, review.SARIF, crowd(5000), review.Options{}), &log); err != nil {
		t.Fatal(err)
	}
	results := log.Runs[0].Results
	last := results[len(results)-1]
	if len(results) != 5000 || last.Message.Text != "and 5,001 more findings; infra diff main crowd lists all" || results[0].Level != "error" {
		t.Errorf("%d results, the first of level %s, the last %q", len(results), results[0].Level, last.Message.Text)
	}
}

func TestFingerprintsStayWhenLinesMoveAndAreUnique(t *testing.T) {
	moved := refused()
	for i := range moved.Changes {
		moved.Changes[i].Pos.Line += 100
	}
	for i := range moved.Refusals {
		moved.Refusals[i].Pos.Line += 100
	}
	for i := range moved.Problems {
		moved.Problems[i].Pos.Line += 100
	}
	prints := func(r review.Review) []string {
		var issues []struct{ Fingerprint string }
		if err := json.Unmarshal(render(t, review.GitLab, r, review.Options{}), &issues); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, i := range issues {
			out = append(out, i.Fingerprint)
		}
		return out
	}
	if diff := cmp.Diff(prints(refused()), prints(moved)); diff != "" {
		t.Errorf("fingerprints (-before +after lines moved):\n%s", diff)
	}
	seen := map[string]bool{}
	for _, p := range prints(crowd(500)) {
		if seen[p] {
			t.Fatalf("fingerprint %s twice", p)
		}
		seen[p] = true
	}
}

func TestLinesOfTheOldRevisionAreNotPlacedInTheNew(t *testing.T) {
	out := string(render(t, review.GitHub, beside(), review.Options{Prefix: "access"}))
	if want := "::notice file=access/infra.yaml,line=1,title=key removed%3A gone::key removed: gone; by keys/gone.yaml:2 (before)\n"; !strings.Contains(out, want) {
		t.Errorf("%s has no line %s", out, want)
	}
	out = string(render(t, review.GitHub, few(), review.Options{}))
	if want := "::notice file=grants/prod.yaml,line=1,title=eve@example.com loses admin on prod.payments::"; !strings.Contains(out, want) {
		t.Errorf("%s has no line %s", out, want)
	}
}

func TestGitHubGetsTenOfEachKindAndTheSum(t *testing.T) {
	out := string(render(t, review.GitHub, crowd(50), review.Options{}))
	for command, want := range map[string]int{"::error ": 10, "::warning ": 1, "::notice ": 10} {
		if got := strings.Count("\n"+out, "\n"+command); got != want {
			t.Errorf("%d of %s, want %d", got, command, want)
		}
	}
	want := "::notice title=Access review::1 person becomes equal to cluster-admin, 25 gain, 24 lose; refused by policy (few); not shown here: 40 more errors, 40 more notices: infra diff main crowd lists all\n"
	if !strings.HasSuffix(out, want) {
		t.Errorf("it ends in %q, want %q", out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:], want)
	}
}

func TestWorkflowCommandsAreEscapedAsTheToolkitDoes(t *testing.T) {
	if got, want := review.GitHubData("100%,\r\na:b"), "100%25,%0D%0Aa:b"; got != want {
		t.Errorf("data %q, want %q", got, want)
	}
	if got, want := review.GitHubProperty("100%,a:b"), "100%25%2Ca%3Ab"; got != want {
		t.Errorf("property %q, want %q", got, want)
	}
}

func TestJSONLosesNothing(t *testing.T) {
	for name, r := range samples {
		got := fromJSON(t, render(t, review.JSON, r, review.Options{}))
		if diff := cmp.Diff(r, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, p := range payloads {
		if strings.Contains(p, "\xff") { // JSON is Unicode
			continue
		}
		want := hostile(p)
		for i := range want.Changes { // no such text is a target
			want.Changes[i].Target = schema.Target{}
			for j := range want.Changes[i].Reasons {
				want.Changes[i].Reasons[j].Grant.Target = schema.Target{}
			}
			for j := range want.Changes[i].Others {
				want.Changes[i].Others[j].Target = schema.Target{}
			}
		}
		if diff := cmp.Diff(want, fromJSON(t, render(t, review.JSON, want, review.Options{})), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", p, diff)
		}
	}
	if out := render(t, review.JSON, review.Review{}, review.Options{}); bytes.Contains(out, []byte("null")) {
		t.Errorf("an empty review has a null in it:\n%s", out)
	}
}

func TestOnlyFormatsThatThereAreAreWritten(t *testing.T) {
	if err := review.Render(io.Discard, "pdf", review.Review{}, review.Options{}); err == nil {
		t.Error("pdf is no error")
	}
}

func BenchmarkRender(b *testing.B) {
	r := crowd(5000)
	for _, f := range review.Formats {
		b.Run(string(f), func(b *testing.B) {
			for b.Loop() {
				render(b, f, r, review.Options{})
			}
		})
	}
}

// fromJSON reads a review back from what docs/review.md says of the fields.
func fromJSON(t *testing.T, data []byte) review.Review {
	t.Helper()
	type pos struct {
		File         string
		Line, Column int
	}
	type subject struct{ Kind, Name string }
	type reason struct {
		Subject                subject
		Role, Resource, Reason string
		Expires                time.Time
		Position               pos
		Via                    []string
	}
	type refusal struct {
		Kind, Rule, Message, Hint, Destination string
		Position                               pos
		People, Of                             int
	}
	type problem struct {
		Severity, Message string
		Position          pos
	}
	var doc struct {
		Version                int
		Base, Head, Summary    string
		At                     time.Time
		Accepted               bool
		Refusals, Standing     []refusal
		BaseProblems, Problems []problem
		Changes                []struct {
			Kind, Danger, Role, Resource, Outlives, Name string
			Position                                     pos
			InOld                                        bool
			Subject                                      subject
			Destinations, Powers                         []string
			Expires, Before                              time.Time
			Reasons                                      []reason
			Others                                       []struct {
				Subject        subject
				Role, Resource string
				Expires        time.Time
				Reasons        []reason
			}
			Group             string
			GroupSize, People int
			Fields            []access.Field
		}
		Destinations []review.Destination
		Notes, Gone  []string
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	r := review.Review{Base: doc.Base, Head: doc.Head, At: doc.At, Destinations: doc.Destinations, Notes: doc.Notes, Gone: doc.Gone}
	refusals := func(list []refusal) (out []policy.Refusal) {
		for _, f := range list {
			out = append(out, policy.Refusal{Kind: policy.Kind(f.Kind), Rule: policy.Rule(f.Rule), Pos: schema.Pos(f.Position), Message: f.Message, Hint: f.Hint,
				Destination: f.Destination, People: f.People, Of: f.Of})
		}
		return out
	}
	problems := func(list []problem) (out schema.Problems) {
		for _, p := range list {
			out = append(out, schema.Problem{Severity: schema.Severity(p.Severity), Pos: schema.Pos(p.Position), Message: p.Message})
		}
		return out
	}
	read := func(s string) schema.Target { target, _ := schema.ParseTarget(s); return target }
	who := func(s subject) schema.Subject { return schema.Subject{Kind: schema.SubjectKind(s.Kind), Name: s.Name} }
	reasons := func(list []reason) (out []access.Reason) {
		for _, x := range list {
			out = append(out, access.Reason{Via: x.Via, Grant: schema.Grant{Subject: who(x.Subject), Role: x.Role, Target: read(x.Resource),
				Expires: x.Expires, Reason: x.Reason, Pos: schema.Pos(x.Position)}})
		}
		return out
	}
	r.Refusals, r.Standing = refusals(doc.Refusals), refusals(doc.Standing)
	r.BaseProblems, r.Problems = problems(doc.BaseProblems), problems(doc.Problems)
	dangers := []string{"ordinary", "readsSecrets", "executes", "unknown", "administers", "equalsAdmin", "clusterAdmin"}
	for _, c := range doc.Changes {
		x := access.Change{Kind: access.Kind(c.Kind), Danger: -1, Pos: schema.Pos(c.Position), InOld: c.InOld, Subject: who(c.Subject), Role: c.Role, Target: read(c.Resource),
			Destinations: c.Destinations, Expires: c.Expires, Before: c.Before, Reasons: reasons(c.Reasons), Group: c.Group, GroupSize: c.GroupSize, Outlives: c.Outlives,
			Name: c.Name, Fields: c.Fields, People: c.People}
		for i, name := range dangers {
			if name == c.Danger {
				x.Danger = access.Danger(i)
			}
		}
		for _, p := range c.Powers {
			x.Powers = append(x.Powers, access.Power(p))
		}
		for _, o := range c.Others {
			x.Others = append(x.Others, access.Row{Subject: who(o.Subject), Role: o.Role, Target: read(o.Resource), Expires: o.Expires, Reasons: reasons(o.Reasons)})
		}
		r.Changes = append(r.Changes, x)
	}
	return r
}

func TestARowOfManyPartsLeavesRoomForTheOthers(t *testing.T) {
	labelled := access.Change{Kind: access.DestinationChanged, Name: "prod", Danger: access.Administers}
	for i := range 3000 {
		labelled.Fields = append(labelled.Fields, access.Field{Name: fmt.Sprintf("label l%d", i), After: strings.Repeat("x", 60)})
	}
	eve := granted(access.Gained, access.Executes, user("eve"), "exec", "prod.web", at("grants/prod.yaml", 4))
	out := string(render(t, review.Markdown, review.Review{Changes: []access.Change{labelled, eve}}, review.Options{}))
	if !strings.Contains(out, "`eve` | gains `exec`") || !strings.Contains(out, "label `l11`") || !strings.Contains(out, "and 2,988 more |") {
		t.Errorf("not both rows:\n%.3000s", out)
	}
}
