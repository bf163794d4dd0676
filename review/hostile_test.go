package review_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// payloads are what somebody may put into a name or a reason to make a review say
// or do something else.
var payloads = readPayloads()

// readPayloads reads strings as Go writes them, one on a line.
func readPayloads() []string {
	text, err := os.ReadFile("testdata/payloads.txt")
	if err != nil {
		panic(err)
	}
	var out []string
	for l := range strings.Lines(string(text)) {
		p, err := strconv.Unquote(strings.TrimSpace(l))
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return append(out, strings.Repeat("long ", 300), strings.Repeat("x", 3000))
}

// hostile is a review in which everything that a stranger can write is the payload.
func hostile(p string) review.Review {
	pos := schema.Pos{File: "grants/" + p + ".yaml", Line: 3, Column: 5}
	t := schema.Target{Destination: p, Namespace: p}
	var changes []access.Change
	for i, k := range []access.Kind{access.Gained, access.Lost, access.Extended, access.Shortened} {
		c := access.Change{Kind: k, Danger: access.Danger(5 - i), Pos: pos, InOld: k == access.Lost,
			Subject: user(p), Role: p, Target: t, Destinations: []string{p}, Expires: noon, Before: noon.AddDate(0, 1, 0),
			Reasons: []access.Reason{{Grant: schema.Grant{Subject: group(p), Role: p, Target: t, Reason: p, Pos: pos}, Via: []string{p, p, p}},
				{Grant: schema.Grant{Pos: pos}}},
			Others: []access.Row{{Role: p, Target: t}, {Role: p, Target: t, Reasons: []access.Reason{{Via: []string{p}}}}},
			Powers: []access.Power{access.PowerExec}, Group: "g" + p, GroupSize: 7, Outlives: p}
		second := c
		second.Subject.Name = "z" + p
		idp := c
		idp.Subject = group(p)
		changes = append(changes, c, second, idp)
	}
	for _, k := range []access.Kind{access.KeyAdded, access.RuleChanged, access.RoleChanged} {
		changes = append(changes, access.Change{Kind: k, Pos: pos, Name: p, Outlives: p, People: 3,
			Fields: []access.Field{{Name: p, Before: p, After: p}, {Name: p, After: p}, {Name: p, Before: p}, {Name: p}}})
	}
	refusals := []policy.Refusal{
		{Kind: policy.Denied, Rule: policy.Rule(p), Pos: pos, Message: p, Hint: p},
		{Kind: policy.Denied, Rule: policy.Rule(p), Message: p, Hint: "run: infra acknowledge " + p},
		{Kind: policy.Braked, Rule: policy.Brake, Destination: p, Message: p, Hint: p},
	}
	return review.Review{
		Base: p, Head: p, At: noon, Changes: changes, Refusals: refusals, Standing: refusals[:2],
		BaseProblems: schema.Problems{{Pos: pos, Severity: schema.Error, Message: p}},
		Problems:     schema.Problems{{Pos: pos, Severity: schema.Warning, Message: p}, {Severity: schema.Warning, Message: p}},
		Destinations: []review.Destination{{Name: p, Owners: []string{p, p}}, {Name: "x" + p, Owners: []string{p}}},
		Notes:        []string{p}, Gone: []string{p},
	}
}

func FuzzNothingThatAStrangerWritesGetsOutOfItsPlace(f *testing.F) {
	for _, p := range payloads {
		f.Add(p)
	}
	plain := map[review.Format]string{}
	for _, format := range review.Formats {
		plain[format] = string(render(f, format, hostile("x"), review.Options{Prefix: "teams", Limit: 20000}))
	}
	f.Fuzz(func(t *testing.T, p string) { harmlessEverywhere(t, p, plain) })
}

func harmlessEverywhere(t *testing.T, p string, plain map[review.Format]string) {
	t.Helper()
	for _, f := range review.Formats {
		out := string(render(t, f, hostile(p), review.Options{Prefix: "teams", Limit: 20000}))
		if bad := hidden(out); bad != "" {
			t.Errorf("%s of %q has %q in it", f, p, bad)
		}
		for _, command := range []string{"##[", "##vso[", "##teamcity["} {
			if strings.Contains(out, command) {
				t.Errorf("%s of %q has %q in it", f, p, command)
			}
		}
		for l := range strings.Lines(out) {
			command := strings.HasPrefix(strings.TrimLeftFunc(l, unicode.IsSpace), "::")
			if f == review.GitHub && !isAnnotation(l) || f != review.GitHub && command {
				t.Errorf("%s of %q has the line %q", f, p, l)
			}
		}
		wellFormed(t, f, p, out, plain[f])
	}
}

// hidden is the first character that a terminal would not show as it is.
func hidden(out string) string {
	for i, r := range out {
		if r == utf8.RuneError && !strings.HasPrefix(out[i:], "\ufffd") || r != '\n' && !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
			return out[i : i+utf8.RuneLen(r)]
		}
	}
	return ""
}

func isAnnotation(l string) bool {
	return strings.HasPrefix(l, "::error file=") || strings.HasPrefix(l, "::warning file=") || strings.HasPrefix(l, "::notice file=") ||
		strings.HasPrefix(l, "::notice title=Access review::")
}

// wellFormed says whether a program reads it as it reads that of a plain name.
func wellFormed(t *testing.T, f review.Format, p, out, plain string) {
	t.Helper()
	switch f {
	case review.JSON, review.SARIF, review.GitLab:
		var v any
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Errorf("%s of %q: %s", f, p, err)
		}
	case review.JUnit:
		if got, want := elements(t, out), elements(t, plain); got != want {
			t.Errorf("%s of %q has the elements %s, want %s", f, p, got, want)
		}
	case review.GitHub:
		if got, want := strings.Count(out, "\n"), strings.Count(plain, "\n"); got != want {
			t.Errorf("%s of %q has %d lines, want %d", f, p, got, want)
		}
	case review.Markdown:
		if len(out) > 20000 {
			t.Errorf("%s of %q has %d bytes", f, p, len(out))
		}
	}
}

// elements are the names of the elements of a document, in order.
func elements(t *testing.T, text string) string {
	t.Helper()
	var out []string
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(out, " ")
		}
		if err != nil {
			t.Errorf("not XML: %s\n%s", err, text)
			return ""
		}
		if e, ok := token.(xml.StartElement); ok {
			out = append(out, e.Name.Local)
		}
	}
}
