package schema

import (
	"reflect"
	"slices"
	"strings"
)

// remember puts the old name of a destination into its `formerly`, in a file that
// is made where there is none. A former name that it has again is no former name
// any more, and the one that it has now takes its place.
func (e *editor) remember(r Rename) error {
	p := destinationPath(r.New)
	data := e.changed[p]
	if data == nil {
		e.changed[p] = newList(string(destinationsFile), []field{{"name", r.New}, {"formerly", r.Old}})
		return nil
	}
	t, err := openList(p, data, string(destinationsFile))
	if err != nil {
		return err
	}
	before := parseFile(p, data)
	i := slices.IndexFunc(before.destinations, func(d Destination) bool { return d.Name == r.New })
	if i < 0 || len(before.destinations) != len(t.seq.Content) {
		return &StyleError{p, "its destinations cannot be told apart"}
	}
	former := before.destinations[i].Formerly
	list := t.nested(i, "formerly")
	again := slices.Index(former, r.New)
	switch {
	case list == nil:
		e.changed[p], err = t.addAfterName(i, field{"formerly", r.Old})
		former = []string{r.Old}
	case again >= 0:
		item := mention{node: list.seq.Content[again], flow: list.seq.Style&flowStyle != 0}
		e.changed[p], err = (&renameText{file: p, data: data, root: t.root}).replace([]mention{item}, []string{r.Old})
		former = slices.Clone(former)
		former[again] = r.Old
	default:
		e.changed[p], err = list.insert(len(former), []field{{"", r.Old}})
		former = append(slices.Clone(former), r.Old)
	}
	if err != nil {
		return err
	}
	want := placelessDestinations(before.destinations)
	want[i].Formerly = former
	if got := placelessDestinations(parseFile(p, e.changed[p]).destinations); !reflect.DeepEqual(got, want) {
		return &StyleError{p, "it is written in a way in which the change would have changed something else"}
	}
	return nil
}

// addAfterName gives an entry a field behind its name.
func (t *listText) addAfterName(at int, f field) ([]byte, error) {
	item := t.seq.Content[at]
	for i := 0; i+1 < len(item.Content); i += 2 {
		if item.Content[i].Value != "name" {
			continue
		}
		style := t.styleOf(item)
		if item.Style&flowStyle == 0 {
			line := strings.Repeat(" ", item.Column-1) + style.pair(f)
			return t.insertLines(t.keyEnd(at, item, i), []string{line}), nil
		}
		v := item.Content[i+1]
		end, ok := t.scanScalar(t.offset(v.Line, v.Column), true)
		if !ok {
			break
		}
		return splice(t.data, end, end, ", "+style.pair(f)), nil
	}
	return nil, &StyleError{t.file, "its destination has no name that could be found"}
}

func placelessDestinations(list []Destination) []Destination {
	out := slices.Clone(list)
	for i := range out {
		out[i].Pos = Pos{}
		out[i].Roles = slices.Clone(out[i].Roles)
		for j := range out[i].Roles {
			out[i].Roles[j].Pos = Pos{}
		}
	}
	return out
}
