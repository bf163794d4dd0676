package schema

import (
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
)

// AddRoles lists roles that a destination has, with their rules, in
// destinations/<destination>.yaml, which is made where it is missing. A role that is
// listed stays as it is. A destination that lists roles has no other ones but the
// built-in, so whoever lists the first one lists all that are granted.
//
// Rules that are listed and others than these are an error; the other errors are those
// of AddGrant.
func AddRoles(fsys fs.FS, destination string, roles []Role) (Edit, error) {
	if err := validateOwnDestination(destination); err != nil {
		return Edit{}, err
	}
	for _, r := range roles {
		if err := r.Validate(); err != nil {
			return Edit{}, err
		}
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	path := string(destinationsFile) + "/" + destination + ".yaml"
	have := Destination{Name: destination, Mode: ModeEnforce}
	if f := e.file(path); f != nil && len(f.destinations) == 1 {
		have = f.destinations[0]
	}
	var added []Role
	for _, r := range roles {
		i := slices.IndexFunc(have.Roles, func(h Role) bool { return h.Name == r.Name })
		switch {
		case i < 0:
			added = append(added, Role{Name: r.Name, Rules: r.Rules})
		case have.Roles[i].Rules != nil && r.Rules != nil && !reflect.DeepEqual(have.Roles[i].Rules, r.Rules):
			return Edit{}, fmt.Errorf("%s: role %s has other rules there", have.Roles[i].Pos, quoted(r.Name))
		}
	}
	if len(added) == 0 {
		return Edit{Outcome: Unchanged}, nil
	}
	if err := e.insertRoles(path, destination, added); err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Added}, func(want *parsedFile) {
		if len(want.destinations) == 0 {
			want.destinations = []Destination{{Name: destination, Mode: ModeEnforce}}
		}
		d := &want.destinations[0]
		d.Roles = append(slices.Clone(d.Roles), added...)
	})
}

// Validate says why a role cannot be listed, or nil.
func (r Role) Validate() error {
	if err := ValidateRole(r.Name); err != nil {
		return err
	}
	if slices.Contains(BuiltinRoles, r.Name) {
		return fmt.Errorf("role %s: every destination has it", quoted(r.Name))
	}
	for _, rule := range r.Rules {
		for i, list := range rule.lists() {
			for _, item := range list {
				if i == 0 && item == "" { // the core API group
					continue
				}
				if err := deceptive(item); err != nil {
					return fmt.Errorf("role %s: %s of its rules: %w", quoted(r.Name), quoted(item), err)
				}
			}
		}
	}
	return nil
}

// lists are what ruleKeys name.
func (r Rule) lists() [][]string {
	return [][]string{r.APIGroups, r.Resources, r.Verbs, r.ResourceNames, r.NonResourceURLs}
}

var ruleKeys = []string{"apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"}

// insertRoles writes roles at the end of those of the one destination of a file.
func (e *editor) insertRoles(path, destination string, roles []Role) error {
	t, err := e.text(path, destinationsFile)
	switch {
	case err != nil:
		return err
	case t == nil || len(t.seq.Content) == 0:
		if t != nil {
			return &StyleError{path, "it has no destination"}
		}
		lines := append([]string{string(destinationsFile) + ":", "  - name: " + scalar("name", destination, 0), "    roles:"}, roleLines(itemStyle{}, 6, roles)...)
		e.changed[path] = []byte(strings.Join(lines, "\n") + "\n")
		return nil
	}
	item := t.seq.Content[0]
	if t.seq.Style&flowStyle != 0 || item.Style&flowStyle != 0 {
		return &StyleError{path, "the destination is written in braces"}
	}
	for i := 0; i+1 < len(item.Content); i += 2 {
		if item.Content[i].Value != "roles" {
			continue
		}
		seq := item.Content[i+1]
		inner := *t
		inner.root, inner.key, inner.seq, inner.limit = item, item.Content[i], seq, t.end(0)
		if i+2 < len(item.Content) {
			inner.limit = item.Content[i+2].Line - 1
		}
		if len(seq.Content) == 0 || seq.Style&flowStyle != 0 {
			return &StyleError{path, "its roles are written in brackets"}
		}
		last := len(seq.Content)
		style := inner.styleOf(seq.Content[last-1])
		e.changed[path] = inner.insertLines(inner.end(last-1), roleLines(style, seq.Column-1, roles))
		return nil
	}
	lead := strings.Repeat(" ", item.Column-1)
	e.changed[path] = t.insertLines(t.end(0), append([]string{lead + "roles:"}, roleLines(itemStyle{}, item.Column+1, roles)...))
	return nil
}

// roleLines are the entries of a list of roles, a rule on a line for each of its
// lists.
func roleLines(style itemStyle, indent int, roles []Role) []string {
	lead := strings.Repeat(" ", indent)
	var lines []string
	for _, r := range roles {
		lines = append(lines, style.block(indent, []field{{"name", r.Name}})...)
		if r.Rules == nil {
			continue
		}
		below := lead + " " + strings.Repeat(" ", len(style.gap()))
		if len(r.Rules) == 0 {
			lines = append(lines, below+"rules: []")
			continue
		}
		lines = append(lines, below+"rules:")
		for _, rule := range r.Rules {
			dash := "- "
			for i, list := range rule.lists() {
				if len(list) > 0 {
					lines = append(lines, below+"  "+dash+ruleKeys[i]+": "+inBrackets(list))
					dash = "  "
				}
			}
		}
	}
	return lines
}

func inBrackets(items []string) string {
	var out []string
	for _, item := range items {
		out = append(out, scalar("", item, 0))
	}
	return "[" + strings.Join(out, ", ") + "]"
}
