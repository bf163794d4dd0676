package schema_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

// TestEveryKindOfFileHasItsJSONSchema: what is in them is tested in test/jsonschema,
// with a validator.
func TestEveryKindOfFileHasItsJSONSchema(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("jsonschema/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, name := range names {
		kinds = append(kinds, strings.TrimSuffix(filepath.Base(name), ".json"))
	}
	slices.Sort(kinds)
	if diff := cmp.Diff(kinds, schema.JSONSchemaKinds()); diff != "" {
		t.Errorf("-files +kinds:\n%s", diff)
	}
	for _, kind := range kinds {
		if text, ok := schema.JSONSchema(kind); !ok || len(text) == 0 {
			t.Errorf("%s has none", kind)
		}
	}
	for _, kind := range []string{"", "grants.json", "../grants", "settings"} {
		if _, ok := schema.JSONSchema(kind); ok {
			t.Errorf("%q has one", kind)
		}
	}
}
