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

// The formats of every list.
var listFormats = []string{"table", "wide", "json", "yaml", "name"}

// outputFlag adds -o to a command, with the formats that it knows. Another one
// is refused while the flags are read, before the command has done anything.
func outputFlag(cmd *cobra.Command, value *string, fallback string, formats ...string) {
	*value = fallback
	cmd.Flags().VarP(&choice{value: value, of: formats}, "output", "o", "output `format`: "+strings.Join(formats, ", "))
	check(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)))
}

// A choice is a flag that takes one of a few words.
type choice struct {
	value *string
	of    []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "string" }

func (c *choice) Set(text string) error {
	if !slices.Contains(c.of, text) {
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
}

// print writes a list in the format asked for.
func (l list) print(w io.Writer, format string) error {
	switch format {
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
				r[i] = harmless(text)
			}
		}
		table.Rows = append(table.Rows, metav1.TableRow{Cells: r})
	}
	return printers.NewTablePrinter(printers.PrintOptions{Wide: format == "wide"}).PrintObj(table, w)
}

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
