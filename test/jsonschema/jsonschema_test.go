// Package jsonschema_test holds the published JSON Schemas against the strict
// reader: what it takes they take, and what it refuses for the structure of a
// file they refuse too, so that an editor says what `infra validate` would say.
package jsonschema_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/infrahq/infra/schema"
)

// compiled are the schemas by kind.
func compiled(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	schemas := map[string]*jsonschema.Schema{}
	for _, kind := range schema.JSONSchemaKinds() {
		text, ok := schema.JSONSchema(kind)
		if !ok {
			t.Fatalf("no schema of %s", kind)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		id := "https://infrahq.com/schema/v1/" + kind + ".json"
		if got := doc.(map[string]any)["$id"]; got != id {
			t.Errorf("the $id of %s is %v", kind, got)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(id, doc); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile(id) // against the meta-schema of its draft too
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if s.DraftVersion != 2020 {
			t.Errorf("%s is of draft %d", kind, s.DraftVersion)
		}
		schemas[kind] = s
	}
	return schemas
}

// kindOf is the kind of a file of the repository.
func kindOf(path string) string {
	folder, _, below := strings.Cut(path, "/")
	if below {
		return folder
	}
	return strings.TrimSuffix(path, ".yaml")
}

// asJSON is a file as an editor's YAML reader hands it to a schema: by the core
// rules of YAML 1.2, in which a time is text.
func asJSON(t *testing.T, text string) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		t.Fatalf("%q: %v", text, err)
	}
	var value func(n *yaml.Node) any
	value = func(n *yaml.Node) any {
		switch n.Kind {
		case yaml.MappingNode:
			m := map[string]any{}
			for i := 0; i+1 < len(n.Content); i += 2 {
				m[n.Content[i].Value] = value(n.Content[i+1])
			}
			return m
		case yaml.SequenceNode:
			list := []any{}
			for _, item := range n.Content {
				list = append(list, value(item))
			}
			return list
		}
		switch n.Tag {
		case "!!null":
			return nil
		case "!!bool":
			return n.Value == "true"
		case "!!int", "!!float":
			f, err := strconv.ParseFloat(n.Value, 64)
			if err != nil {
				t.Fatalf("a number: %v", err)
			}
			return f
		}
		return n.Value
	}
	return value(doc.Content[0])
}

// good are the files of the strict reader's good repositories and of the
// documentation.
func good(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	archives, err := filepath.Glob("../../schema/testdata/good/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal(archives, err)
	}
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			files[filepath.Base(name)+": "+f.Name] = string(f.Data)
		}
	}
	page, err := os.ReadFile("../../docs/access-repository.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range regexp.MustCompile("(?ms)^```yaml\n# (\\S+)\n(.*?)^```$").FindAllSubmatch(page, -1) {
		files[fmt.Sprintf("block %d of the page: %s", i, m[1])] = string(m[2])
	}
	for i, m := range regexp.MustCompile("(?ms)^```yaml\n# in infra.yaml\n(.*?)^```$").FindAllSubmatch(page, -1) {
		files[fmt.Sprintf("part %d of the page: infra.yaml", i)] = "version: 1\n" + string(m[1])
	}
	return files
}

func TestWhatTheStrictReaderTakesValidates(t *testing.T) {
	t.Parallel()
	schemas := compiled(t)
	seen := map[string]bool{}
	for name, text := range good(t) {
		_, path, _ := strings.Cut(name, ": ")
		kind := kindOf(path)
		seen[kind] = true
		if err := schemas[kind].Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for kind := range schemas {
		if !seen[kind] {
			t.Errorf("no good file of kind %s", kind)
		}
	}
}

// TestEveryPropertyIsExplained: an editor shows a sentence for every key.
func TestEveryPropertyIsExplained(t *testing.T) {
	t.Parallel()
	for kind, s := range compiled(t) {
		seen := map[*jsonschema.Schema]bool{}
		var walk func(path string, s *jsonschema.Schema)
		walk = func(path string, s *jsonschema.Schema) {
			if s == nil || seen[s] {
				return
			}
			seen[s] = true
			for name, p := range s.Properties {
				at := path + "." + name
				if !explained(p) {
					t.Errorf("%s%s has no description", kind, at)
				}
				walk(at, p)
			}
			walk(path, s.Ref)
			walk(path, s.Items2020)
			if items, ok := s.Items.(*jsonschema.Schema); ok {
				walk(path, items)
			}
		}
		walk("", s)
	}
}

func explained(s *jsonschema.Schema) bool {
	return s != nil && (s.Description != "" || explained(s.Ref))
}
