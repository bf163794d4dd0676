package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// A RefusedGrant is one of many that a repository cannot have, and what speaks
// against it.
type RefusedGrant struct {
	Grant  Grant
	Reason string
}

// AddGrants adds many grants, each to the file that AddGrant would add it to, and in
// the order of that file. What is granted already, be it with another expiry or
// reason, stays as it is. A grant that is wrong by itself, or that would bring in a
// problem, a warning too, is left out and returned; the others are added. It costs
// a few readings of the repository, however many grants there are.
//
// The errors are ErrNoInfraYAML, *StyleError, *ProblemsError for what no single grant
// is to blame for, or that files could not be read.
func AddGrants(fsys fs.FS, grants []Grant) (Edit, []RefusedGrant, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, nil, err
	}
	m := &manyGrants{editor: e, byFile: map[string][]Grant{}, places: map[string][]int{}}
	m.choose(grants)
	for {
		m.changed = map[string][]byte{}
		added, err := m.insert()
		if err != nil {
			return Edit{}, nil, err
		}
		edit := Edit{Outcome: Unchanged, After: added}
		if len(added) > 0 {
			edit.Outcome = Added
		}
		edit, err = m.finish(edit, func(want *parsedFile) {
			want.grants = among(want.grants, m.byFile[want.path], m.places[want.path])
		})
		bad, ok := errors.AsType[*ProblemsError](err)
		if !ok {
			return edit, m.refused, err
		}
		if !m.blame(bad.Problems, added) {
			return Edit{}, nil, err
		}
	}
}

// manyGrants are grants on their way into files.
type manyGrants struct {
	*editor
	byFile  map[string][]Grant
	places  map[string][]int // of each, among the grants that its file has: they ascend
	refused []RefusedGrant
}

// choose sorts out what is there and what cannot be, and says where the rest goes.
func (m *manyGrants) choose(grants []Grant) {
	type place struct {
		subject     Subject
		destination string
	}
	have, homes := map[grantID]bool{}, map[place]string{}
	c := &checker{snapshot: &Snapshot{}}
	for _, f := range m.files {
		for _, g := range f.grants {
			have[g.id()] = true
			at := place{g.Subject, g.Target.Destination}
			homes[at] = cmp.Or(homes[at], f.path)
		}
		c.grants = append(c.grants, f.grants...)
		c.snapshot.Groups = append(c.snapshot.Groups, f.groups...)
		c.snapshot.Users = append(c.snapshot.Users, f.users...)
		c.snapshot.Keys = append(c.snapshot.Keys, f.keys...)
		c.snapshot.Destinations = append(c.snapshot.Destinations, f.destinations...)
		c.named = append(c.named, f.named...)
	}
	names := c.twins()
	for _, g := range grants {
		g.Expires, g.Pos = g.Expires.UTC(), Pos{}
		if have[g.id()] {
			continue
		}
		have[g.id()] = true
		if err := names.admit(g); err != nil {
			m.refused = append(m.refused, RefusedGrant{g, err.Error()})
			continue
		}
		home := cmp.Or(homes[place{g.Subject, g.Target.Destination}], homeOfGrant(g.Target))
		m.byFile[home] = append(m.byFile[home], g)
	}
}

// admit says why a grant cannot be beside the names that were seen, or keeps its
// names, too.
func (names namesSeen) admit(g Grant) error {
	if err := g.Validate(); err != nil {
		return err
	}
	kind := string(g.Subject.Kind)
	if err := cmpErr(names[kind].differs(kind, g.Subject.Name), names["role"].differs("role", g.Role)); err != nil {
		return err
	}
	names[kind][twinKey(g.Subject.Name)] = placedName{name: g.Subject.Name}
	names["role"][twinKey(g.Role)] = placedName{name: g.Role}
	return nil
}

// differs refuses a name that an eye takes for another one that was seen.
func (seen twins) differs(what, name string) error {
	if first, ok := seen[twinKey(name)]; ok && first.name != name {
		return fmt.Errorf("%s %s differs from %s only by case or normalisation", what, quoted(name), quoted(first.name))
	}
	return nil
}

// insert writes all grants into their files, and says where each is then.
func (m *manyGrants) insert() ([]Grant, error) {
	var added []Grant
	for _, file := range slices.Sorted(maps.Keys(m.byFile)) {
		grants := m.byFile[file]
		if len(grants) == 0 {
			continue
		}
		var have []placedGrant
		if f := m.file(file); f != nil {
			have = f.grants
		}
		order := orderOfGrants(have)
		slices.SortFunc(grants, func(a, b Grant) int {
			if order == nil {
				return grantOrders[0](a, b)
			}
			return cmp.Or(order(a, b), grantOrders[0](a, b))
		})
		fields, places := make([][]field, len(grants)), make([]int, len(grants))
		for i, g := range grants {
			fields[i], places[i] = grantFields(g), placeIn(have, order, g)
		}
		m.places[file] = places
		after, err := m.insertMany(file, grantsFile, places, fields)
		if err != nil {
			return nil, err
		}
		for i, g := range grants {
			n := after[places[i]+i]
			g.Pos = Pos{File: file, Line: n.Line, Column: n.Column}
			added = append(added, g)
		}
	}
	return added, nil
}

// among puts grants among those that a file has.
func among(have []placedGrant, grants []Grant, places []int) []placedGrant {
	out := make([]placedGrant, 0, len(have)+len(grants))
	next := 0
	for i, g := range grants {
		out = append(out, have[next:places[i]]...)
		next = places[i]
		out = append(out, placedGrant{Grant: g})
	}
	return append(out, have[next:]...)
}

// blame takes the grants out that brought problems in, and says whether there
// were any.
func (m *manyGrants) blame(problems Problems, added []Grant) bool {
	type line struct {
		file   string
		number int
	}
	whose, why := map[line]grantID{}, map[grantID]string{}
	for _, g := range added {
		for i := range grantFields(g) { // a key on each
			at := line{g.Pos.File, g.Pos.Line + i}
			if _, taken := whose[at]; !taken || i == 0 {
				whose[at] = g.id()
			}
		}
	}
	for _, p := range problems {
		if id, ok := whose[line{p.Pos.File, p.Pos.Line}]; ok {
			why[id] = cmp.Or(why[id], p.Message)
		}
	}
	for file, grants := range m.byFile {
		m.byFile[file] = slices.DeleteFunc(grants, func(g Grant) bool {
			reason, bad := why[g.id()]
			if bad {
				m.refused = append(m.refused, RefusedGrant{g, reason})
			}
			return bad
		})
	}
	return len(why) > 0
}

// insertMany puts entries into a file's list, each in front of the one that is at its
// place now; places ascend. It gives the nodes of the list as it is then.
func (e *editor) insertMany(p string, kind fileKind, places []int, entries [][]field) ([]*node, error) {
	t, err := e.text(p, kind)
	if err != nil {
		return nil, err
	}
	before := 0
	switch {
	case t == nil:
		e.changed[p] = newList(string(kind), entries[0])
	case len(t.seq.Content) == 0:
		e.changed[p], err = t.insertFirst(entries[0])
	default:
		before = len(t.seq.Content)
		e.changed[p], err = t.insertMany(places, entries)
	}
	if err == nil && before == 0 && len(entries) > 1 { // they follow the first
		if t, err = openList(p, e.changed[p], string(kind)); err == nil {
			e.changed[p], err = t.insertMany(slices.Repeat([]int{1}, len(entries)-1), entries[1:])
		}
	}
	if err != nil {
		return nil, err
	}
	after, err := openList(p, e.changed[p], string(kind))
	if err != nil || len(after.seq.Content) != before+len(entries) {
		return nil, &StyleError{p, "the list is written in a way that cannot be added to"}
	}
	return after.seq.Content, nil
}

// insertMany is insert for many entries. Places ascend and are of the list as it is;
// the list has an entry.
func (t *listText) insertMany(places []int, entries [][]field) ([]byte, error) {
	if t.seq.Style&flowStyle != 0 {
		return t.insertOneByOne(places, entries)
	}
	gap := t.gap()
	var out []string
	from := 0
	for i := 0; i < len(entries); {
		at := places[i]
		to := t.lineOf(at)
		eol := t.eol(to - 1)
		out = append(out, t.lines[from:to]...)
		if n := len(out); n > 0 && !strings.HasSuffix(out[n-1], "\n") {
			out[n-1] += eol
		}
		from = to
		write := t.writer(at, gap)
		for ; i < len(entries) && places[i] == at; i++ {
			for _, line := range write(entries[i]) {
				out = append(out, line+eol)
			}
		}
	}
	text := strings.Join(append(out, t.lines[from:]...), "")
	if !bytes.HasSuffix(t.data, []byte("\n")) {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	}
	return []byte(text), nil
}

// insertOneByOne is for a list in brackets, whose entries nobody can tell by lines.
func (t *listText) insertOneByOne(places []int, entries [][]field) ([]byte, error) {
	for i, fields := range slices.Backward(entries) {
		data, err := t.insert(places[i], fields)
		if err == nil {
			t, err = openList(t.file, data, t.key.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return t.data, nil
}
