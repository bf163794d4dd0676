package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
)

// ErrNoSuchDestination says that a destination is not declared.
var ErrNoSuchDestination = errors.New("no file declares this destination")

// A DestinationChange is what an entry in destinations/ is to say; the zero value
// changes nothing.
type DestinationChange struct {
	Mode        Mode              // empty: as it is
	UserPrefix  *string           // nil: as it is; to an empty one: none
	GroupPrefix *string           // like UserPrefix
	Labels      map[string]string // an empty value takes the label away; others stay
}

// of is a destination with the change. What it shares with d is not written to.
func (c DestinationChange) of(d Destination) Destination {
	if c.Mode != "" {
		d.Mode = c.Mode
	}
	if c.UserPrefix != nil {
		d.Subjects.UserPrefix = *c.UserPrefix
	}
	if c.GroupPrefix != nil {
		d.Subjects.GroupPrefix = *c.GroupPrefix
	}
	d.Labels = maps.Clone(d.Labels)
	for k, v := range c.Labels {
		if v == "" {
			delete(d.Labels, k)
		} else if d.Labels == nil {
			d.Labels = map[string]string{k: v}
		} else {
			d.Labels[k] = v
		}
	}
	return d
}

// validate says why a change cannot be made, or nil.
func (c DestinationChange) validate() error {
	switch c.Mode {
	case "", ModeEnforce, ModeObserve, ModeSuspend:
	default:
		return fmt.Errorf("mode %s: it is one of %s, %s, %s", quoted(string(c.Mode)), ModeEnforce, ModeObserve, ModeSuspend)
	}
	for _, prefix := range []*string{c.UserPrefix, c.GroupPrefix} {
		if prefix == nil || *prefix == "" {
			continue
		}
		if err := validatePrefix(*prefix); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		if err := deceptive(k); err != nil {
			return fmt.Errorf("label %s: %w", quoted(k), err)
		}
		if v := c.Labels[k]; v != "" && deceptive(v) != nil {
			return fmt.Errorf("label %s is %s: %w", quoted(k), quoted(v), deceptive(v))
		}
	}
	return nil
}

// AddDestination declares a destination with what a change says, in
// destinations/<name>.yaml. One that is declared gets the change. The errors are those
// of AddGrant.
func AddDestination(fsys fs.FS, name string, c DestinationChange) (Edit, error) {
	if err := cmpErr(validateOwnDestination(name), c.validate()); err != nil {
		return Edit{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	f, i := e.destination(name)
	home := homeOfDestination(name)
	before, edit := Destination{Name: name, Mode: ModeEnforce}, Edit{Outcome: Changed}
	if f != nil {
		before, home = bareDestination(f.destinations[i]), f.path
	} else {
		if _, err := e.insert(home, destinationsFile, func(f *parsedFile) int { return len(f.destinations) }, []field{{"name", name}}); err != nil {
			return Edit{}, err
		}
		i, edit.Outcome = e.at, Added
	}
	edit.Destination = c.of(before)
	if f != nil && reflect.DeepEqual(edit.Destination, before) {
		edit.Outcome = Unchanged
		return edit, nil
	}
	if err := e.writeDestination(home, i, before, edit.Destination); err != nil {
		return Edit{}, err
	}
	return e.finish(edit, func(want *parsedFile) {
		if f == nil {
			want.destinations = slices.Insert(want.destinations, i, edit.Destination)
		} else {
			want.destinations[i] = edit.Destination
		}
	})
}

// writeDestination makes an entry say what is different.
func (e *editor) writeDestination(p string, i int, before, after Destination) error {
	if before.Mode != after.Mode {
		if err := e.inDestination(p, i, func(m *mapText) ([]byte, error) {
			return m.set("mode", yamlValue{flow: string(after.Mode)})
		}); err != nil {
			return err
		}
	}
	for _, s := range []struct{ key, before, after string }{
		{"userPrefix", before.Subjects.UserPrefix, after.Subjects.UserPrefix},
		{"groupPrefix", before.Subjects.GroupPrefix, after.Subjects.GroupPrefix},
	} {
		if err := e.setBelow(p, i, "subjects", s.key, s.before, s.after); err != nil {
			return err
		}
	}
	keys := maps.Clone(after.Labels)
	if keys == nil {
		keys = map[string]string{}
	}
	maps.Copy(keys, before.Labels)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if err := e.setBelow(p, i, "labels", k, before.Labels[k], after.Labels[k]); err != nil {
			return err
		}
	}
	return nil
}

// setBelow gives a key of a mapping of the entry another value; empty: none.
func (e *editor) setBelow(p string, i int, outer, key, before, after string) error {
	if before == after {
		return nil
	}
	return e.inDestination(p, i, func(m *mapText) ([]byte, error) {
		inner := m.mapping(outer)
		switch {
		case inner == nil:
			return m.add(outer, yamlValue{flow: "{" + scalar("", key, 0) + ": " + scalar("", after, 0) + "}"})
		case after != "":
			return inner.set(key, inner.text(after))
		case len(inner.node.Content) > 2:
			return inner.remove(key)
		}
		return m.remove(outer)
	})
}

// inDestination changes the text of an entry, as the edit has left it so far.
func (e *editor) inDestination(p string, i int, change func(*mapText) ([]byte, error)) error {
	t, err := e.destinationText(p)
	if err != nil {
		return err
	}
	if i >= len(t.seq.Content) {
		return &StyleError{p, "its destinations cannot be told apart"}
	}
	data, err := change(t.entry(i, destinationKeyOrder))
	if err == nil {
		e.changed[p] = data
	}
	return err
}

func (e *editor) destinationText(p string) (*listText, error) {
	if data, ok := e.changed[p]; ok {
		return openList(p, data, string(destinationsFile))
	}
	return e.text(p, destinationsFile)
}

// destinationKeyOrder is the order in which docs/access-repository.md has the keys.
var destinationKeyOrder = []string{"name", "mode", "formerly", "subjects", "labels", "roles"}

// RemoveDestination removes the entry of a destination. A file that it has for itself
// goes with it. What names the destination is for the caller to look at. One that no
// file declares is ErrNoSuchDestination; the other errors are those of AddGrant.
func RemoveDestination(fsys fs.FS, name string) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	f, i := e.destination(name)
	if f == nil {
		return Edit{}, cmpErr(e.unread(destinationsFile), fmt.Errorf("destination %s: %w", quoted(name), ErrNoSuchDestination))
	}
	if f.entries == 1 {
		e.changed[f.path] = nil
	} else if err := e.remove(f.path, destinationsFile, i); err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Removed, Destination: f.destinations[i]}, func(want *parsedFile) {
		want.destinations = slices.Delete(want.destinations, i, i+1)
	})
}

// destination is where a destination is declared: nil where it is not.
func (e *editor) destination(name string) (*parsedFile, int) {
	for _, f := range e.files {
		if i := slices.IndexFunc(f.destinations, func(d Destination) bool { return d.Name == name }); i >= 0 {
			return f, i
		}
	}
	return nil, 0
}

func homeOfDestination(name string) string { return "destinations/" + name + ".yaml" }

// bareDestination is a copy without places. An empty mapping of labels is none, and
// an empty list of roles is not.
func bareDestination(d Destination) Destination {
	d.Pos = Pos{}
	if d.Labels = maps.Clone(d.Labels); len(d.Labels) == 0 {
		d.Labels = nil
	}
	d.Formerly = slices.Clone(d.Formerly)
	d.Roles = slices.Clone(d.Roles)
	for i := range d.Roles {
		d.Roles[i].Pos = Pos{}
	}
	return d
}
