package schema

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
)

// An editor makes one edit.
type editor struct {
	fsys     fs.FS
	files    []*parsedFile
	problems Problems // of the files' places
	changed  map[string][]byte
	at       int // index of the item that insert put in
}

func openEditor(fsys fs.FS) (*editor, error) {
	if err := IsRepository(fsys); err != nil {
		return nil, err
	}
	files, problems, err := readFiles(fsys, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the access repository: %w", err)
	}
	return &editor{fsys: fsys, files: files, problems: problems, changed: map[string][]byte{}}, nil
}

// file is a file that exists, or nil.
func (e *editor) file(p string) *parsedFile {
	for _, f := range e.files {
		if f.path == p {
			return f
		}
	}
	return nil
}

// unread says what is wrong with the files of a kind, where something is: what they
// hold is then not all known, and nothing can be said to be missing.
func (e *editor) unread(kind fileKind) error {
	errs := Problems{}
	for _, p := range e.problems.Errors() { // of files that were not even opened
		if kindOfPath(p.Pos.File) == kind {
			errs = append(errs, p)
		}
	}
	for _, f := range e.files {
		if f.kind == kind {
			errs = append(errs, f.problems.Errors()...)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &ProblemsError{errs}
}

// text is a file as the edit has left it so far.
func (e *editor) text(p string, kind fileKind) (*listText, error) {
	f := e.file(p)
	if f == nil {
		// One that exists all the same is a link, or could not be counted.
		if at := slices.IndexFunc(e.problems, func(q Problem) bool { return q.Pos.File == p }); at >= 0 {
			return nil, &ProblemsError{Problems{e.problems[at]}}
		}
		return nil, nil
	}
	if errs := f.problems.Errors(); len(errs) > 0 {
		return nil, &ProblemsError{errs}
	}
	data, err := e.content(p)
	if err != nil {
		return nil, err
	}
	return openList(p, data, string(kind))
}

// content is what a file holds, as the edit has left it so far.
func (e *editor) content(p string) ([]byte, error) {
	if data, ok := e.changed[p]; ok {
		return data, nil
	}
	data, err := (&loader{fsys: e.fsys}).read(p)
	if err != nil {
		return nil, fmt.Errorf("reading the access repository: %w", err)
	}
	return data, nil
}

func (e *editor) insert(p string, kind fileKind, place func(*parsedFile) int, fields []field) (Pos, error) {
	t, err := e.text(p, kind)
	if err != nil {
		return Pos{}, err
	}
	if t == nil {
		e.at, e.changed[p] = 0, newList(string(kind), fields)
	} else {
		e.at = place(e.file(p))
		if e.changed[p], err = t.insert(e.at, fields); err != nil {
			return Pos{}, err
		}
	}
	after, err := openList(p, e.changed[p], string(kind))
	if err != nil || e.at >= len(after.seq.Content) {
		return Pos{}, &StyleError{p, "the list is written in a way that cannot be added to"}
	}
	n := after.seq.Content[e.at]
	return Pos{File: p, Line: n.Line, Column: n.Column}, nil
}

func (e *editor) remove(p string, kind fileKind, at int) error {
	t, err := e.text(p, kind)
	if err == nil {
		e.changed[p], err = t.remove(at)
	}
	return err
}

// removeAll removes several entries of a file, whose indexes ascend.
func (e *editor) removeAll(p string, kind fileKind, at []int) error {
	if len(at) == 0 {
		return nil
	}
	t, err := e.text(p, kind)
	if err == nil {
		e.changed[p], err = t.removeAll(at)
	}
	return err
}

func (e *editor) set(p string, kind fileKind, at int, f field) error {
	t, err := e.text(p, kind)
	if err == nil {
		e.changed[p], err = t.set(at, f)
	}
	return err
}

// finish reads what was written and refuses an edit that says anything but
// what expect makes of the files before, or that brings in a problem.
func (e *editor) finish(edit Edit, expect func(want *parsedFile)) (Edit, error) {
	var after []*parsedFile
	for p, data := range e.changed {
		if data == nil {
			continue
		}
		got := parseFile(p, data)
		before := cmp.Or(e.file(p), &parsedFile{path: p, kind: kindOfPath(p)})
		want := meaning(before)
		expect(want)
		if len(got.problems.Errors().New(before.problems)) == 0 && !reflect.DeepEqual(meaning(got), meaning(want)) {
			return Edit{}, &StyleError{p, "it is written in a way in which the change would have changed something else"}
		}
		after = append(after, got)
	}
	for _, f := range e.files {
		if _, changed := e.changed[f.path]; !changed {
			after = append(after, f)
		}
	}
	slices.SortFunc(after, func(a, b *parsedFile) int { return cmp.Compare(a.path, b.path) })
	_, old := assemble(e.files)
	_, problems := assemble(after)
	if brought := problems.New(old); len(brought) > 0 {
		sortProblems(brought)
		return Edit{}, &ProblemsError{brought}
	}
	if edit.Outcome != Unchanged {
		edit.Files = maps.Clone(e.changed)
	}
	return edit, nil
}

// meaning is a copy of what an edit can change in a file, without places.
func meaning(f *parsedFile) *parsedFile {
	m := &parsedFile{path: f.path, kind: f.kind, grants: []placedGrant{}, keys: []Key{}, revocations: []Revocation{},
		groups: []Group{}, users: []DeclaredUser{}, destinations: []Destination{}, acknowledgements: []Acknowledgement{}}
	for _, g := range f.grants {
		g.Pos = Pos{}
		m.grants = append(m.grants, placedGrant{Grant: g.Grant})
	}
	for _, g := range f.groups {
		m.groups = append(m.groups, Group{Name: g.Name, Users: placeless(g.Users), Groups: placeless(g.Groups), Destination: g.Destination})
	}
	for _, u := range f.users {
		u.Pos = Pos{}
		m.users = append(m.users, u)
	}
	for _, d := range f.destinations {
		m.destinations = append(m.destinations, bareDestination(d))
	}
	for _, k := range f.keys {
		k.Pos = Pos{}
		m.keys = append(m.keys, k)
	}
	for _, v := range f.revocations {
		v.Pos = Pos{}
		m.revocations = append(m.revocations, v)
	}
	for _, a := range f.acknowledgements {
		a.Pos = Pos{}
		m.acknowledgements = append(m.acknowledgements, a)
	}
	return m
}

func placeless(members []Member) []Member {
	out := make([]Member, len(members))
	for i, m := range members {
		out[i] = Member{Name: m.Name}
	}
	return out
}
