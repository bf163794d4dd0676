package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Sentinel errors of edits of groups.
var (
	ErrNoSuchGroup  = errors.New("no file declares this group")
	ErrNoSuchMember = errors.New("not a member of this group")
)

// AddGroup declares a group, in groups/<name>.yaml, or in groups/<destination>/
// where it is for one destination. A group that exists gets the members that it
// lacks, and keeps those that it has; it stays where it is, so Destination must be
// what it is already.
//
// The errors are those of AddGrant.
func AddGroup(fsys fs.FS, g Group) (Edit, error) {
	if err := ValidateGroup(g.Name); err != nil {
		return Edit{}, err
	}
	if g.Destination != "" {
		if err := ValidateDestination(g.Destination); err != nil {
			return Edit{}, err
		}
	}
	if err := validateMembers(g); err != nil {
		return Edit{}, err
	}
	g.Users, g.Groups = distinct(g.Users), distinct(g.Groups)
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	if f, i := e.group(g.Name); f != nil {
		if have := f.groups[i]; have.Destination != g.Destination {
			return Edit{}, fmt.Errorf("group %s is declared at %s already, for %s", quoted(g.Name), have.Pos, scopeText(have.Destination))
		}
		return e.addMembers(f, i, g)
	}
	g.Pos, err = e.insert(homeOfGroup(g), groupsFile, func(f *parsedFile) int { return placeOfName(groupNames(f), g.Name) }, groupFields(g))
	if err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Added, Group: g}, func(want *parsedFile) { want.groups = slices.Insert(want.groups, e.at, bare(g)) })
}

// RemoveGroup removes the declaration of a group. A file that is called like the
// group goes with the last group in it; another one keeps `groups: []`. Whether the
// group is granted or nested is for the caller to look at. An unknown name is
// ErrNoSuchGroup; the other errors are those of AddGrant.
func RemoveGroup(fsys fs.FS, name string) (Edit, error) {
	e, f, i, err := openGroup(fsys, name)
	if err != nil {
		return Edit{}, err
	}
	if err := e.takeGroup(f, i); err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Removed, Group: f.groups[i]}, func(want *parsedFile) { want.groups = slices.Delete(want.groups, i, i+1) })
}

// takeGroup removes a declaration, and a file that is the group's alone.
func (e *editor) takeGroup(f *parsedFile, i int) error {
	if len(f.groups) == 1 && f.path == homeOfGroup(f.groups[i]) && len(f.problems.Errors()) == 0 {
		e.changed[f.path] = nil
		return nil
	}
	return e.remove(f.path, groupsFile, i)
}

// AddMembers puts people, or groups, into a declared group. Those that are in it
// are left alone. An unknown group is ErrNoSuchGroup; the other errors are those of
// AddGrant.
func AddMembers(fsys fs.FS, group string, kind SubjectKind, names ...string) (Edit, error) {
	more := Group{Name: group}
	*more.members(kind) = membersOf(names)
	if err := validateMembers(more); err != nil {
		return Edit{}, err
	}
	e, f, i, err := openGroup(fsys, group)
	if err != nil {
		return Edit{}, err
	}
	return e.addMembers(f, i, more)
}

// RemoveMembers takes people, or groups, out of a declared group. The last one
// removed leaves an empty list, and a group that has nobody left is refused, as it
// would be a new warning. A name that is not in it is ErrNoSuchMember, an unknown
// group ErrNoSuchGroup; the other errors are those of AddGrant.
func RemoveMembers(fsys fs.FS, group string, kind SubjectKind, names ...string) (Edit, error) {
	e, f, i, err := openGroup(fsys, group)
	if err != nil {
		return Edit{}, err
	}
	g := bare(f.groups[i])
	edit := Edit{Outcome: Removed, Group: f.groups[i]}
	for _, name := range names {
		if slices.Contains(edit.Members, name) {
			continue
		}
		list := g.members(kind)
		if !slices.Contains(*list, Member{Name: name}) {
			return Edit{}, fmt.Errorf("%s in group %s: %w", quoted(name), quoted(group), ErrNoSuchMember)
		}
		if err := e.removeMember(f, i, kind, name); err != nil {
			return Edit{}, err
		}
		*list = slices.DeleteFunc(*list, func(m Member) bool { return m.Name == name })
		edit.Members = append(edit.Members, name)
	}
	if len(edit.Members) == 0 {
		edit.Outcome = Unchanged
	}
	return e.finish(edit, func(want *parsedFile) { want.groups[i] = g })
}

// removeMember takes a name out of a list. One that is written twice is gone only
// when both are.
func (e *editor) removeMember(f *parsedFile, i int, kind SubjectKind, name string) error {
	t, err := e.memberText(f, i, listOf(kind))
	if err != nil {
		return err
	}
	for at, n := range slices.Backward(t.seq.Content) {
		if n.Value != name {
			continue
		}
		if e.changed[f.path], err = t.remove(at); err != nil {
			return err
		}
		if t, err = e.memberText(f, i, listOf(kind)); err != nil {
			return err
		}
	}
	return nil
}

func (e *editor) addMembers(f *parsedFile, i int, more Group) (Edit, error) {
	g := bare(f.groups[i])
	edit := Edit{Outcome: Unchanged, Group: f.groups[i]}
	for _, kind := range []SubjectKind{User, GroupKind} {
		list := g.members(kind)
		for _, m := range *more.members(kind) {
			if slices.Contains(*list, Member{Name: m.Name}) {
				continue
			}
			at, err := e.insertMember(f, i, kind, m.Name)
			if err != nil {
				return Edit{}, err
			}
			*list = slices.Insert(*list, min(at, len(*list)), Member{Name: m.Name})
			edit.Outcome, edit.Members = Changed, append(edit.Members, m.Name)
		}
	}
	return e.finish(edit, func(want *parsedFile) { want.groups[i] = g })
}

// insertMember returns the index at which the member is.
func (e *editor) insertMember(f *parsedFile, i int, kind SubjectKind, name string) (int, error) {
	t, err := e.memberText(f, i, listOf(kind))
	if err != nil {
		return 0, err
	}
	if t == nil { // a group without this list
		return 0, e.set(f.path, groupsFile, i, field{listOf(kind), name})
	}
	var names []string
	for _, n := range t.seq.Content {
		names = append(names, n.Value)
	}
	at := placeOfName(names, name)
	if len(names) > 0 {
		e.changed[f.path], err = t.insert(at, []field{{"", name}})
		return at, err
	}
	start, end, err := t.flowSpan(t.seq)
	if err != nil {
		return 0, err
	}
	if len(strings.Trim(string(t.data[start+1:end-1]), " ")) > 0 {
		return 0, &StyleError{t.file, "the empty list has something in its brackets"}
	}
	e.changed[f.path] = splice(t.data, start, end, "["+scalar("", name, int(t.key.Style))+"]")
	return 0, nil
}

// memberText is the text of a file, as the edit has left it so far, with a list of
// members as its list; nil where the group has no such list.
func (e *editor) memberText(f *parsedFile, i int, list string) (*listText, error) {
	outer, err := e.text(f.path, groupsFile)
	if err != nil {
		return nil, err
	}
	if i >= len(outer.seq.Content) {
		return nil, &StyleError{f.path, "its groups cannot be told apart"}
	}
	return outer.nested(i, list), nil
}

// openGroup opens an editor and finds the group that is to be edited.
func openGroup(fsys fs.FS, name string) (*editor, *parsedFile, int, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return nil, nil, 0, err
	}
	f, i := e.group(name)
	if f == nil {
		return nil, nil, 0, cmpErr(e.unread(groupsFile), fmt.Errorf("group %s: %w", quoted(name), ErrNoSuchGroup))
	}
	return e, f, i, nil
}

// group is where a group is declared: nil where it is not.
func (e *editor) group(name string) (*parsedFile, int) {
	for _, f := range e.files {
		if i := slices.IndexFunc(f.groups, func(g Group) bool { return g.Name == name }); i >= 0 {
			return f, i
		}
	}
	return nil, 0
}

// homeOfGroup is the file for a new group: called like it, where a file can be.
func homeOfGroup(g Group) string {
	name := g.Name
	if ValidateKeyName(name) != nil {
		name = "groups"
	}
	return path.Join(string(groupsFile), g.Destination, name+".yaml")
}

func scopeText(destination string) string {
	if destination == "" {
		return "every destination"
	}
	return destination
}

func groupNames(f *parsedFile) []string {
	var names []string
	for _, g := range f.groups {
		names = append(names, g.Name)
	}
	return names
}

// placeOfName is where a name goes among others: at the end, or where it keeps
// them sorted.
func placeOfName(names []string, name string) int {
	if len(names) < 2 || !slices.IsSorted(names) {
		return len(names)
	}
	at, _ := slices.BinarySearch(names, name)
	return at
}

func (g *Group) members(kind SubjectKind) *[]Member {
	if kind == GroupKind {
		return &g.Groups
	}
	return &g.Users
}

// listOf is the key of a group's list of members.
func listOf(kind SubjectKind) string { return string(kind) + "s" }

func membersOf(names []string) []Member {
	var out []Member
	for _, n := range names {
		out = append(out, Member{Name: n})
	}
	return out
}

func distinct(members []Member) []Member {
	var out []Member
	for _, m := range members {
		if !slices.Contains(out, Member{Name: m.Name}) {
			out = append(out, Member{Name: m.Name})
		}
	}
	return out
}

func bare(g Group) Group {
	return Group{Name: g.Name, Users: placeless(g.Users), Groups: placeless(g.Groups), Destination: g.Destination}
}

func validateMembers(g Group) error {
	for _, m := range g.Users {
		if err := ValidateUser(m.Name); err != nil {
			return err
		}
	}
	for _, m := range g.Groups {
		if err := ValidateGroup(m.Name); err != nil {
			return err
		}
	}
	return nil
}
