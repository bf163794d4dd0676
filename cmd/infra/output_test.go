package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// TestFieldsOfListsAreDocumented keeps docs/output.md equal to the structs: the
// fields of each list, in their order.
func TestFieldsOfListsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, section := range strings.Split(string(page), "\n### ")[1:] {
		name, table, _ := strings.Cut(section, "\n")
		var fields []string
		for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
			fields = append(fields, m[1])
		}
		documented[name] = strings.Join(fields, " ")
	}
	have := map[string]string{}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if fields, ok := c.Annotations[fieldsAnnotation]; ok {
			have[c.CommandPath()] = fields
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(testApp().command())
	if diff := cmp.Diff(have, documented); diff != "" {
		t.Errorf("docs/output.md and the lists differ (-lists +page):\n%s", diff)
	}
}

// TestOutputCommandsNoTerminal: a value is what somebody else wrote.
func TestOutputCommandsNoTerminal(t *testing.T) {
	t.Parallel()
	items := []verdictItem{{Revision: "a", Subject: "one\x1b[2Jtwo\nthree"}}
	l := list{values: items, columns: []column{{name: "Subject"}}, rows: [][]any{{items[0].Subject}}}
	for format, want := range map[string]string{
		"table":                           "SUBJECT\none\\x1b[2Jtwo\\nthree\n",
		"custom-columns=SUBJECT:.subject": "SUBJECT\none\\x1b[2Jtwo\\nthree\n",
		"jsonpath={.items[*].subject}":    "one\\x1b[2Jtwo\nthree",
	} {
		var out strings.Builder
		if err := l.print(&out, format); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("-o %s (-want +got):\n%s", format, diff)
		}
	}
}

// TestSortKeepsRowsWithTheirValue: a value may have many rows.
func TestSortKeepsRowsWithTheirValue(t *testing.T) {
	t.Parallel()
	l := list{
		values: []verdictItem{{Revision: "b", Warnings: 10}, {Revision: "c"}, {Revision: "a", Warnings: 9}},
		rows:   [][]any{{"b"}, {"b too"}, {"c"}, {"a"}}, of: []int{0, 0, 1, 2}, names: []string{"b", "c", "a"},
	}
	if err := l.sort("warnings"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{{"a"}, {"b"}, {"b too"}, {"c"}}, l.rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, l.names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// TestEditorsKnowEveryKindOfFile: the settings that init writes name the schema of
// each kind, and nothing but files that it writes too.
func TestEditorsKnowEveryKindOfFile(t *testing.T) {
	t.Parallel()
	files, err := beginning()
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Schemas map[string]string `json:"yaml.schemas"`
	}
	if err := json.Unmarshal(files[editorSettings], &settings); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, kind := range schema.JSONSchemaKinds() {
		glob := "/" + kind + ".yaml"
		if slices.Contains(schema.Folders(), kind) {
			glob = "/" + kind + "/**/*.yaml"
		}
		want["./"+schemaFolder+"/"+kind+".json"] = glob
	}
	if diff := cmp.Diff(want, settings.Schemas); diff != "" {
		t.Errorf("yaml.schemas (-want +got):\n%s", diff)
	}
	for name := range settings.Schemas {
		if files[strings.TrimPrefix(name, "./")] == nil {
			t.Errorf("init does not write %s", name)
		}
	}
}

// TestTablesFitTheTerminal: only what is wider than the terminal is cut, in the
// widest column, where that can be seen; never in a pipe, and never with -o wide.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	whole := "NAME              ROLE\nann@example.com   view\näöüä              edit\n"
	for _, test := range []struct {
		name, output string
		width        int
		want         string
	}{
		{"a pipe", "table", 0, whole},
		{"wide enough", "table", 22, whole},
		{"too narrow", "table", 21, "NAME             ROLE\nann@example…     view\näöüä             edit\n"},
		{"far too narrow", "table", 5, "NAME         ROLE\nann@exa…     view\näöüä         edit\n"},
		{"all asked for", "wide", 5, whole},
	} {
		l := list{columns: []column{{name: "Name"}, {name: "Role"}}, rows: [][]any{{"ann@example.com", "view"}, {"äöüä", "edit"}}}
		var out strings.Builder
		if err := l.write(&out, listFlags{output: test.output, width: test.width}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
