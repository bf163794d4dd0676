package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
)

// ErrNoSuchRole says that a destination does not list a role.
var ErrNoSuchRole = errors.New("the destination does not list this role")

// AddRoles adds roles to those that a declared destination lists; a destination that
// listed none may have any role, and from then on only those that it lists and the
// built-in ones. A role that is listed gets the rules, where some are given.
//
// One that no file declares is ErrNoSuchDestination; the other errors are those of
// AddGrant. Edit.Members are the roles that are added or changed.
func AddRoles(fsys fs.FS, destination string, roles ...Role) (Edit, error) {
	e, f, i, err := openDestination(fsys, destination)
	if err != nil {
		return Edit{}, err
	}
	d := bareDestination(f.destinations[i])
	edit := Edit{Outcome: Unchanged}
	for _, r := range roles {
		r.Pos = Pos{}
		if err := r.Validate(); err != nil {
			return Edit{}, err
		}
		at := slices.IndexFunc(d.Roles, func(have Role) bool { return have.Name == r.Name })
		switch {
		case at >= 0 && (r.Rules == nil || reflect.DeepEqual(d.Roles[at].Rules, r.Rules)):
			continue
		case at >= 0:
			err = e.setRules(f.path, i, at, r.Rules)
			d.Roles[at].Rules = r.Rules
		default:
			at, err = e.insertRole(f.path, i, d, r)
			d.Roles = slices.Insert(d.Roles, at, r)
		}
		if err != nil {
			return Edit{}, err
		}
		edit.Outcome, edit.Members = Changed, append(edit.Members, r.Name)
	}
	edit.Destination = d
	return e.finish(edit, func(want *parsedFile) { want.destinations[i] = d })
}

// RemoveRoles takes roles off those that a destination lists. The last one leaves an
// empty list: only the built-in roles may be granted then. A role that is not listed
// is ErrNoSuchRole; the other errors are those of AddRoles.
func RemoveRoles(fsys fs.FS, destination string, names ...string) (Edit, error) {
	e, f, i, err := openDestination(fsys, destination)
	if err != nil {
		return Edit{}, err
	}
	d := bareDestination(f.destinations[i])
	edit := Edit{Outcome: Removed}
	for _, name := range names {
		if slices.Contains(edit.Members, name) {
			continue
		}
		at := slices.IndexFunc(d.Roles, func(r Role) bool { return r.Name == name })
		if at < 0 {
			return Edit{}, fmt.Errorf("role %s on %s: %w", quoted(name), destination, ErrNoSuchRole)
		}
		if err := e.inDestination(f.path, i, func(m *mapText) ([]byte, error) { return m.list("roles").remove(at) }); err != nil {
			return Edit{}, err
		}
		d.Roles = slices.Delete(d.Roles, at, at+1)
		edit.Members = append(edit.Members, name)
	}
	edit.Destination = d
	return e.finish(edit, func(want *parsedFile) { want.destinations[i] = d })
}

// openDestination opens an editor and finds the destination that is to be edited.
func openDestination(fsys fs.FS, name string) (*editor, *parsedFile, int, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return nil, nil, 0, err
	}
	f, i := e.destination(name)
	if f == nil {
		return nil, nil, 0, cmpErr(e.unread(destinationsFile), fmt.Errorf("destination %s: %w", quoted(name), ErrNoSuchDestination))
	}
	return e, f, i, nil
}

// insertRole returns the index at which the role is.
func (e *editor) insertRole(p string, i int, d Destination, r Role) (int, error) {
	if d.Roles == nil {
		if err := e.inDestination(p, i, func(m *mapText) ([]byte, error) { return m.add("roles", yamlValue{flow: "[]"}) }); err != nil {
			return 0, err
		}
	}
	names := make([]string, len(d.Roles))
	for n, have := range d.Roles {
		names[n] = have.Name
	}
	at := placeOfName(names, r.Name)
	if err := e.inDestination(p, i, func(m *mapText) ([]byte, error) {
		return m.list("roles").insert(at, []field{{"name", r.Name}})
	}); err != nil || r.Rules == nil {
		return at, err
	}
	return at, e.setRules(p, i, at, r.Rules)
}

// setRules gives a role that is listed other rules.
func (e *editor) setRules(p string, i, at int, rules []Rule) error {
	inRole := func(change func(*mapText) ([]byte, error)) error {
		return e.inDestination(p, i, func(m *mapText) ([]byte, error) {
			return change(m.list("roles").entry(at, []string{"name", "rules"}))
		})
	}
	if err := inRole(func(m *mapText) ([]byte, error) {
		if m.index("rules") < 0 {
			return m.data, nil
		}
		return m.remove("rules")
	}); err != nil {
		return err
	}
	return inRole(func(m *mapText) ([]byte, error) { return m.add("rules", rulesText(rules)) })
}

// rulesText has each rule in braces: on a line of its own, where the role has lines.
func rulesText(rules []Rule) yamlValue {
	flows := make([]string, len(rules))
	v := yamlValue{block: make([]string, len(rules))}
	for n, r := range rules {
		var parts []string
		for _, l := range r.lists() {
			if len(l.items) == 0 {
				continue
			}
			items := make([]string, len(l.items))
			for k, item := range l.items {
				items[k] = scalar("", item, 0)
			}
			parts = append(parts, l.key+": ["+strings.Join(items, ", ")+"]")
		}
		flows[n] = "{" + strings.Join(parts, ", ") + "}"
		v.block[n] = "  - " + flows[n]
	}
	v.flow = "[" + strings.Join(flows, ", ") + "]"
	if len(rules) == 0 {
		v.block = nil
	}
	return v
}

type ruleList struct {
	key   string
	items []string
}

// lists are the lists of a rule, in the order in which they are written.
func (r Rule) lists() []ruleList {
	return []ruleList{{"apiGroups", r.APIGroups}, {"resources", r.Resources}, {"resourceNames", r.ResourceNames},
		{"nonResourceURLs", r.NonResourceURLs}, {"verbs", r.Verbs}}
}

// Validate says why a destination cannot list a role, or nil.
func (r Role) Validate() error {
	if err := ValidateRole(r.Name); err != nil {
		return err
	}
	if indexOf(BuiltinRoles, r.Name) >= 0 {
		return fmt.Errorf("role %s: every destination has it", quoted(r.Name))
	}
	for _, rule := range r.Rules {
		for _, l := range rule.lists() {
			for _, item := range l.items {
				if err := deceptive(item); err != nil && !(item == "" && l.key == "apiGroups") {
					return fmt.Errorf("role %s: %s: %s: %w", quoted(r.Name), l.key, quoted(item), err)
				}
			}
		}
	}
	return nil
}
