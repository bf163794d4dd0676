package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/util/jsonpath"
)

// The formats that go on with a template.
const (
	jsonPathFormat = "jsonpath="
	columnsFormat  = "custom-columns="
)

// printJSONPath writes what a template makes of values, which it finds in .items,
// as with kubectl.
func printJSONPath(w io.Writer, template string, values any) error {
	remedy := fmt.Sprintf("infra grants list -o %s'{range .items[*]}{.role}{\"\\n\"}{end}'; the things are in .items, as with kubectl", jsonPathFormat)
	path, err := parsePath(template, values)
	if err != nil {
		return hintUnlessHinted(err, remedy)
	}
	items, err := generic(values)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := path.Execute(&out, map[string]any{"items": items}); err != nil {
		return hint(fmt.Errorf("-o %s%s: %w", jsonPathFormat, template, err), "%s", remedy)
	}
	_, err = io.WriteString(w, harmless(out.String()))
	return err
}

func hintUnlessHinted(err error, remedy string) error {
	if _, ok := errors.AsType[*hinted](err); ok {
		return err
	}
	return hint(err, "%s", remedy)
}

// customColumns is the table that a specification makes of values: NAME:.field, for
// each column, with commas between.
func customColumns(spec string, values any) (list, error) {
	var l list
	var paths []*jsonpath.JSONPath
	for part := range strings.SplitSeq(spec, ",") {
		name, field, ok := strings.Cut(part, ":")
		if !ok || name == "" || field == "" {
			return l, hint(fmt.Errorf("-o %s%s: %q is not NAME:.field", columnsFormat, spec, part),
				"-o %sROLE:.role,WHERE:.file", columnsFormat)
		}
		path, err := parsePath("{."+strings.Trim(strings.TrimPrefix(strings.Trim(field, "{}"), "."), ".")+"}", values)
		if err != nil {
			return l, hintUnlessHinted(err, fmt.Sprintf("-o %sROLE:.role,WHERE:.file", columnsFormat))
		}
		l.columns = append(l.columns, column{name: name})
		paths = append(paths, path)
	}
	items, err := generic(values)
	if err != nil {
		return l, err
	}
	for _, item := range items {
		var row []any
		for _, path := range paths {
			found, err := path.FindResults(item)
			if err != nil {
				return l, fmt.Errorf("-o %s%s: %w", columnsFormat, spec, err)
			}
			row = append(row, cell(found))
		}
		l.rows = append(l.rows, row)
	}
	return l, nil
}

// cell is what a path found, with commas between; <none>, as with kubectl, where
// that is nothing.
func cell(found [][]reflect.Value) string {
	var words []string
	for _, f := range slices.Concat(found...) {
		if !f.IsValid() {
			continue
		}
		switch v := f.Interface().(type) {
		case string:
			words = append(words, v)
		default:
			text, err := json.Marshal(v)
			if err != nil {
				text = fmt.Append(nil, v)
			}
			words = append(words, string(text))
		}
	}
	return cmp.Or(strings.Join(words, ","), "<none>")
}

// parsePath reads a template and refuses a field that no value can have: to print
// nothing for a slip of the finger would look like an answer.
func parsePath(template string, values any) (*jsonpath.JSONPath, error) {
	parsed, err := jsonpath.Parse("output", template)
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", template, err)
	}
	known := set{"items": true}
	top := jsonFields(values)
	addFields(known, reflect.TypeOf(values))
	if err := checkFields(parsed.Root, known); err != nil {
		return nil, hint(fmt.Errorf("template %q: %w", template, err), "the fields are %s", strings.Join(top, ", "))
	}
	path := jsonpath.New("output").AllowMissingKeys(true)
	return path, path.Parse(template)
}

func checkFields(n jsonpath.Node, known set) error {
	var err error
	switch n := n.(type) {
	case *jsonpath.FieldNode:
		if n.Value != "" && !known[n.Value] {
			err = fmt.Errorf("there is no field %q", n.Value)
		}
	case *jsonpath.ListNode:
		for _, c := range n.Nodes {
			err = cmp.Or(err, checkFields(c, known))
		}
	case *jsonpath.UnionNode:
		for _, c := range n.Nodes {
			err = cmp.Or(err, checkFields(c, known))
		}
	case *jsonpath.FilterNode:
		err = cmp.Or(checkFields(n.Left, known), checkFields(n.Right, known))
	}
	return err
}

// jsonFields are the names that JSON has for the fields of a struct, or of the
// structs in a slice, in their order.
func jsonFields(of any) []string {
	var out []string
	for _, field := range reflect.VisibleFields(structOf(reflect.TypeOf(of))) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			out = append(out, name)
		}
	}
	return out
}

func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// addFields adds the fields of a type and of all that is in it.
func addFields(to set, t reflect.Type) {
	t = structOf(t)
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return
	}
	for _, name := range jsonFields(reflect.Zero(t).Interface()) {
		to[name] = true
	}
	for i := range t.NumField() {
		addFields(to, t.Field(i).Type)
	}
}

// generic is a slice as JSON has it.
func generic(values any) ([]any, error) {
	text, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	items := []any{}
	return items, json.Unmarshal(text, &items)
}

// sort orders the values by a field, and the rows and names with them.
func (l *list) sort(by string) error {
	field := strings.TrimPrefix(strings.Trim(by, "{}"), ".")
	if field == "" {
		return nil
	}
	if fields := jsonFields(l.values); !slices.Contains(fields, field) {
		return hint(fmt.Errorf("--sort-by %s: there is no such field", by), "the fields are %s", strings.Join(fields, ", "))
	}
	items, err := generic(l.values)
	if err != nil {
		return err
	}
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	value := func(i int) any {
		m, _ := items[i].(map[string]any)
		return m[field]
	}
	slices.SortStableFunc(order, func(x, y int) int { return compareJSON(value(x), value(y)) })
	old := reflect.ValueOf(l.values)
	values := reflect.MakeSlice(old.Type(), 0, len(order))
	rows := map[int][][]any{}
	for r, row := range l.rows {
		i := r
		if l.of != nil {
			i = l.of[r]
		}
		rows[i] = append(rows[i], row)
	}
	names := l.names
	l.rows, l.names, l.of = nil, nil, nil
	for _, i := range order {
		values = reflect.Append(values, old.Index(i))
		l.rows = append(l.rows, rows[i]...)
		if i < len(names) {
			l.names = append(l.names, names[i])
		}
	}
	l.values = values.Interface()
	return nil
}

// compareJSON compares values of one field: numbers as numbers, times as times,
// others as text; what is not there comes last.
func compareJSON(x, y any) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	if a, ok := x.(float64); ok {
		if b, ok := y.(float64); ok {
			return cmp.Compare(a, b)
		}
	}
	a, b := fmt.Sprint(x), fmt.Sprint(y)
	s, errS := time.Parse(time.RFC3339, a)
	t, errT := time.Parse(time.RFC3339, b)
	if errS == nil && errT == nil {
		return s.Compare(t)
	}
	return cmp.Compare(a, b)
}
