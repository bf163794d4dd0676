// Package review_test reads what infra writes of a review with the tools of others:
// SARIF with the published schema, Markdown with a parser of GitHub's dialect.
package review_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/infrahq/infra/review"
)

func TestSARIFIsWhatThePublishedSchemaSays(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(name string, text []byte) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %s", name, err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %s", name, err)
		}
	}
	golden, err := filepath.Glob("../../review/testdata/*.sarif.golden")
	if err != nil || len(golden) == 0 {
		t.Fatalf("%d reviews, %v", len(golden), err)
	}
	for _, file := range golden {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		validate(filepath.Base(file), text)
	}
	for _, p := range payloads(t) {
		var b bytes.Buffer
		if err := review.Render(&b, review.SARIF, hostile(p), review.Options{Prefix: "a b", Version: "v1.2.3-4-gabc"}); err != nil {
			t.Fatal(err)
		}
		validate(p, b.Bytes())
	}
}
