package review_test

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// payloads are those of the package's own tests.
func payloads(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("../../review/testdata/payloads.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for l := range strings.Lines(string(data)) {
		p, err := strconv.Unquote(strings.TrimSpace(l))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// hostile is a review in which a stranger wrote all that a stranger can write.
func hostile(p string) review.Review {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	pos := schema.Pos{File: "grants/" + p + ".yaml", Line: 3, Column: 5}
	target := schema.Target{Destination: "prod", Namespace: p}
	c := access.Change{Kind: access.Gained, Danger: access.ClusterAdmin, Pos: pos, Subject: schema.Subject{Kind: schema.User, Name: p}, Role: p,
		Target: target, Destinations: []string{p}, Expires: at,
		Reasons: []access.Reason{{Grant: schema.Grant{Subject: schema.Subject{Kind: schema.GroupKind, Name: p}, Reason: p, Pos: pos}, Via: []string{p, p}}},
		Others:  []access.Row{{Role: p, Target: target}}, Group: "g" + p, GroupSize: 7, Outlives: p}
	lost, idp := c, c
	lost.Kind, lost.InOld = access.Lost, true
	idp.Subject.Kind = schema.GroupKind
	key := access.Change{Kind: access.KeyAdded, Pos: pos, Name: p, Fields: []access.Field{{Name: p, Before: p, After: p}}}
	refusal := policy.Refusal{Kind: policy.Denied, Rule: policy.Rule(p), Pos: pos, Message: p, Hint: p}
	bare := policy.Refusal{Kind: policy.Denied, Rule: policy.Rule(p), Message: p, Hint: "run: infra acknowledge " + p}
	return review.Review{Base: p, Head: p, At: at, Changes: []access.Change{c, lost, idp, key},
		Refusals: []policy.Refusal{refusal, bare}, Standing: []policy.Refusal{refusal, bare},
		Problems: schema.Problems{{Pos: pos, Severity: schema.Warning, Message: p}, {Severity: schema.Warning, Message: p}}, BaseProblems: schema.Problems{{Pos: pos, Message: p}},
		Destinations: []review.Destination{{Name: p, Owners: []string{p, p}}}, Notes: []string{p}}
}

func markdown(t testing.TB, r review.Review) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := review.Render(&b, review.Markdown, r, review.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzMarkdownHasTheSameStructureWhateverTheNamesAre(f *testing.F) {
	for _, p := range payloads(f) {
		f.Add(p)
	}
	plain, _ := structure(markdown(f, hostile("plain")))
	f.Fuzz(func(t *testing.T, p string) {
		if strings.TrimSpace(p) == "" { // a cell or a sentence is empty then, and so is its node
			return
		}
		out := markdown(t, hostile(p))
		got, spoken := structure(out)
		if diff := cmp.Diff(plain, got); diff != "" {
			t.Errorf("%q (-plain +this):\n%s\n%s", p, diff, out)
		}
		if bad := interpreted.FindString(spoken); bad != "" {
			t.Errorf("%q: a host would see %q outside of code", p, bad)
		}
	})
}

// interpreted is what hosts make links, mentions and pictures of, in text that
// Markdown has been taken from: @name, #1, !1, $x$, :smile:, hashes, addresses.
var interpreted = regexp.MustCompile(`@|#\S|[!$~%&]\w|:\w+:|\b[0-9a-f]{7,40}\b|://|www\.|\w+/\w+#|GH-\d`)

// structure is a document as its parser sees it: the kinds of nodes with their
// depth, code and text taken together, and the text that is not code.
func structure(source []byte) (nodes []string, spoken string) {
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	var b strings.Builder
	code := 0
	depth := 0
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		depth++
		kind := n.Kind().String()
		if kind != "Text" {
			b.WriteString("\n") // no host reads over the end of a text
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			nodes = appended(nodes, depth, "text")
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			kind = "text"
			if code == 0 {
				b.Write(n.Value(source))
			}
		case *ast.String:
			kind = "text"
		case *ast.RawHTML:
			switch tag := string(n.Segments.Value(source)); tag {
			case "<code>":
				code, kind = code+1, "text"
			case "</code>":
				code, kind = code-1, "text"
			default:
				kind += " " + tag
			}
		case *ast.HTMLBlock:
			kind += " " + strings.TrimSpace(string(n.Lines().Value(source)))
		}
		nodes = appended(nodes, depth, kind)
		return ast.WalkContinue, nil
	})
	return nodes, b.String()
}

// appended adds a node, and takes texts that follow each other for one.
func appended(nodes []string, depth int, kind string) []string {
	line := strings.Repeat(" ", depth) + kind
	if kind == "text" && len(nodes) > 0 && nodes[len(nodes)-1] == line {
		return nodes
	}
	return append(nodes, line)
}

func TestTablesKeepTheirCells(t *testing.T) {
	_, spoken := structure(markdown(t, hostile("a|b")))
	if !strings.Contains(spoken, "gains ") {
		t.Errorf("the tables are gone: %s", spoken)
	}
	nodes, _ := structure(markdown(t, hostile("a|b")))
	cells := 0
	for _, n := range nodes {
		if strings.TrimSpace(n) == "TableCell" {
			cells++
		}
	}
	// Three tables of access with five columns, one of the key with four; each has
	// a head, and there are two rows in the first.
	if want := (2+1)*5 + 2*5 + 2*4; cells != want {
		t.Errorf("%d cells, want %d", cells, want)
	}
}
