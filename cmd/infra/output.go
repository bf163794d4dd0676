package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"
)

// The formats of every list. What ends with "=" goes on with a template.
var listFormats = []string{"table", "wide", "json", "yaml", "name", jsonPathFormat, columnsFormat}

// unnamedFormats are those of a list of things that no command takes by name.
var unnamedFormats = slices.DeleteFunc(slices.Clone(listFormats), func(f string) bool { return f == "name" })

// outputFlag adds -o to a command, with the formats that it knows. Another one
// is refused while the flags are read, before the command has done anything.
func outputFlag(cmd *cobra.Command, value *string, fallback string, formats ...string) {
	*value = fallback
	cmd.Flags().VarP(&choice{value: value, of: formats}, "output", "o", "output `format`: "+strings.Join(formats, ", "))
	check(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)))
}

// listFlags are those of every list: what it looks like, and in which order.
type listFlags struct {
	output    string
	noHeaders bool
	sortBy    string
	fields    []string // of the values, as JSON names them
	width     int      // of the terminal; zero: none
}

// register adds the flags of a list. Item is one of its values: its fields are
// what --sort-by takes, and what docs/output.md lists.
func (f *listFlags) register(cmd *cobra.Command, item any, formats ...string) {
	f.fields = jsonFields(item)
	outputFlag(cmd, &f.output, "table", formats...)
	cmd.Flags().BoolVar(&f.noHeaders, "no-headers", false, "no line with the names of the columns")
	cmd.Flags().StringVar(&f.sortBy, "sort-by", "", "order by this `field` of -o json; what has none comes last")
	check(cmd.RegisterFlagCompletionFunc("sort-by", cobra.FixedCompletions(f.fields, cobra.ShellCompDirectiveNoFileComp)))
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[fieldsAnnotation] = strings.Join(f.fields, " ")
}

// fieldsAnnotation has the stable fields of a list, for the test of docs/output.md.
const fieldsAnnotation = "fields"

// A choice is a flag that takes one of a few words.
type choice struct {
	value *string
	of    []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "string" }

func (c *choice) Set(text string) error {
	fits := func(word string) bool {
		return word == text && !strings.HasSuffix(word, "=") || strings.HasSuffix(word, "=") && len(text) > len(word) && strings.HasPrefix(text, word)
	}
	if !slices.ContainsFunc(c.of, fits) {
		return fmt.Errorf("must be one of %s", strings.Join(c.of, ", "))
	}
	*c.value = text
	return nil
}

// A column of a table.
type column struct {
	name string
	wide bool // shown with -o wide alone
}

// A list is the answer of a list command: the same things as rows, as values
// with documented field names, and as what -o name prints.
type list struct {
	columns []column
	rows    [][]any
	values  any // a slice, never nil: no things are [], not null
	names   []string
	of      []int // the value that each row tells of; nil: one row for each
}

// printList writes a list to stdout, as its flags say.
func (a *app) printList(l list, f listFlags) error {
	f.width = a.width
	return a.paged(func(w io.Writer) error { return l.write(w, f) })
}

// print writes a list in the format asked for.
func (l list) print(w io.Writer, format string) error {
	return l.write(w, listFlags{output: format})
}

// write is print with all that the flags of a list say.
func (l list) write(w io.Writer, f listFlags) error {
	if err := l.sort(f.sortBy); err != nil {
		return err
	}
	if template, ok := strings.CutPrefix(f.output, jsonPathFormat); ok {
		return printJSONPath(w, template, l.values)
	}
	if spec, ok := strings.CutPrefix(f.output, columnsFormat); ok {
		columns, err := customColumns(spec, l.values)
		if err != nil {
			return err
		}
		return columns.table(w, f)
	}
	switch format := f.output; format {
	case "json", "yaml":
		return encode(w, format, l.values)
	case "name":
		for _, n := range l.names {
			if _, err := fmt.Fprintln(w, harmless(n)); err != nil {
				return err
			}
		}
		return nil
	}
	return l.table(w, f)
}

// table writes rows. A cell is one line: what would break it is written as Go would.
func (l list) table(w io.Writer, f listFlags) error {
	table := &metav1.Table{}
	for _, c := range l.columns {
		d := metav1.TableColumnDefinition{Name: c.name, Type: "string"}
		if c.wide {
			d.Priority = 1 // which the printer shows with Wide alone
		}
		table.ColumnDefinitions = append(table.ColumnDefinitions, d)
	}
	for _, r := range l.rows {
		for i, cell := range r {
			if text, ok := cell.(string); ok {
				r[i] = oneLine.Replace(harmless(text))
			}
		}
	}
	if f.output != "wide" {
		l.fit(f.width)
	}
	for _, r := range l.rows {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: r})
	}
	return printers.NewTablePrinter(printers.PrintOptions{Wide: f.output == "wide", NoHeaders: f.noHeaders}).PrintObj(table, w)
}

var oneLine = strings.NewReplacer("\n", `\n`, "\t", `\t`)

// encode writes a value as JSON or YAML.
func encode(w io.Writer, format string, value any) error {
	if format == "yaml" {
		text, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// shell writes words so that a shell, and xargs, read them as they are.
func shell(words ...string) string {
	quoted := slices.Clone(words)
	for i, w := range quoted {
		if w == "" || strings.ContainsFunc(w, special) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func special(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r)
	return !plain
}
