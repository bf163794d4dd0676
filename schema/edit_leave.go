package schema

import (
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Offboard takes a person out of everything: their own grants, their places in
// groups, their access keys, whose ids are revoked, and their declaration. A group
// that has nobody left goes too, with what it is granted and its place in other
// groups: its name alone would stand for a group of the identity provider. Rules and
// revocations stay.
//
// The Outcome is Unchanged where no file gives the person anything. The errors are
// those of AddGrant.
func Offboard(fsys fs.FS, user string) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	emptied := e.emptiedBy(user)
	goes := func(s Subject) bool { return s == Subject{User, user} || s.Kind == GroupKind && emptied[s.Name] }
	return e.takeOut(departure{
		grant:  func(g Grant) bool { return goes(g.Subject) },
		group:  func(g Group) bool { return emptied[g.Name] },
		member: goes,
		key:    func(k Key) bool { return k.User == user && user != ConnectorUser },
		user:   func(u DeclaredUser) bool { return u.Name == user },
	})
}

// Tidy removes the grants and access keys that had ended at an instant; the ids of
// the keys are revoked, as with RemoveKey. It takes nothing from anybody.
//
// The Outcome is Unchanged where nothing had ended. The errors are those of
// AddGrant.
func Tidy(fsys fs.FS, at time.Time) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	return e.takeOut(departure{
		grant: func(g Grant) bool { return ended(g.Expires, at) },
		key:   func(k Key) bool { return ended(k.Expires, at) },
	})
}

// emptiedBy are the groups that have no member left without a person.
func (e *editor) emptiedBy(user string) map[string]bool {
	gone := map[string]bool{}
	for again := true; again; {
		again = false
		for _, f := range e.files {
			for _, g := range f.groups {
				stays := func(m Member) bool { return !gone[m.Name] }
				left := slices.ContainsFunc(g.Users, func(m Member) bool { return m.Name != user }) || slices.ContainsFunc(g.Groups, stays)
				if !gone[g.Name] && !left && len(g.Users)+len(g.Groups) > 0 {
					gone[g.Name], again = true, true
				}
			}
		}
	}
	return gone
}

// A departure says what goes. A nil function is for what stays.
type departure struct {
	grant  func(Grant) bool
	group  func(Group) bool // its declaration
	member func(Subject) bool
	key    func(Key) bool
	user   func(DeclaredUser) bool
}

// takeOut removes what goes from all files, the last of each first, so that the
// others stay where they are while it does.
func (e *editor) takeOut(d departure) (Edit, error) {
	edit := Edit{Outcome: Removed}
	var revoked []Revocation
	for _, f := range e.files {
		err := cmpErr(e.takeGrants(f, d, &edit), e.takeGroups(f, d, &edit), e.takeKeys(f, d, &edit), e.takeUsers(f, d))
		if err != nil {
			return Edit{}, err
		}
	}
	for _, k := range edit.Keys {
		revoked = append(revoked, Revocation{Key: k.ID, Reason: fmt.Sprintf("key %s removed", k.Name)})
	}
	var err error
	if edit.Revocations, err = e.revokeAll(revoked); err != nil {
		return Edit{}, err
	}
	if len(e.changed) == 0 {
		edit.Outcome = Unchanged
	}
	return e.finish(edit, func(want *parsedFile) {
		want.grants = slices.DeleteFunc(want.grants, func(g placedGrant) bool { return d.grant != nil && d.grant(g.Grant) })
		want.groups = slices.DeleteFunc(want.groups, func(g Group) bool { return d.group != nil && d.group(g) })
		for i := range want.groups {
			for _, kind := range []SubjectKind{User, GroupKind} {
				list := want.groups[i].members(kind)
				*list = slices.DeleteFunc(*list, func(m Member) bool { return d.member != nil && d.member(Subject{kind, m.Name}) })
			}
		}
		want.keys = slices.DeleteFunc(want.keys, func(k Key) bool { return d.key != nil && d.key(k) })
		want.users = slices.DeleteFunc(want.users, func(u DeclaredUser) bool { return d.user != nil && d.user(u) })
		if want.kind == revokedFile {
			want.revocations = append(want.revocations, edit.Revocations...)
		}
	})
}

func (e *editor) takeGrants(f *parsedFile, d departure, edit *Edit) error {
	if d.grant == nil {
		return nil
	}
	var at []int
	for i, g := range f.grants {
		if d.grant(g.Grant) {
			at, edit.Before = append(at, i), append(edit.Before, g.Grant)
		}
	}
	return e.removeAll(f.path, grantsFile, at)
}

func (e *editor) takeGroups(f *parsedFile, d departure, edit *Edit) error {
	for i, g := range slices.Backward(f.groups) {
		if d.group != nil && d.group(g) {
			if err := e.takeGroup(f, i); err != nil {
				return err
			}
			edit.Groups = append(edit.Groups, g)
			continue
		}
		for _, kind := range []SubjectKind{User, GroupKind} {
			for _, m := range *g.members(kind) {
				if d.member == nil || !d.member(Subject{kind, m.Name}) {
					continue
				}
				if err := e.removeMember(f, i, kind, m.Name); err != nil {
					return err
				}
			}
		}
	}
	slices.SortStableFunc(edit.Groups, func(a, b Group) int { return a.Pos.Compare(b.Pos) })
	return nil
}

// takeKeys removes keys, and a file with its last one.
func (e *editor) takeKeys(f *parsedFile, d departure, edit *Edit) error {
	if d.key == nil {
		return nil
	}
	var at []int
	for i, k := range f.keys {
		if d.key(k) {
			at, edit.Keys = append(at, i), append(edit.Keys, k)
		}
	}
	if len(at) > 0 && len(at) == f.entries {
		e.changed[f.path] = nil
		return nil
	}
	return e.removeAll(f.path, keysFile, at)
}

func (e *editor) takeUsers(f *parsedFile, d departure) error {
	for i, u := range slices.Backward(f.users) {
		if d.user != nil && d.user(u) {
			if err := e.remove(f.path, usersFile, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// revokeAll adds revocations, but for those that are there, and returns what it
// added.
func (e *editor) revokeAll(all []Revocation) ([]Revocation, error) {
	var added []Revocation
	for _, v := range all {
		data := e.changed[revokedPath]
		if data == nil {
			more, err := e.revoke(v)
			if err != nil {
				return nil, err
			}
			added = append(added, more...)
			continue
		}
		if f := e.file(revokedPath); f != nil && f.revoked[v.what()] {
			continue
		}
		t, err := openList(revokedPath, data, string(revokedFile))
		if err != nil {
			return nil, err
		}
		if e.changed[revokedPath], err = t.insert(len(t.seq.Content), revocationFields(v)); err != nil {
			return nil, err
		}
		added = append(added, v)
	}
	for i := range added {
		added[i].Pos = Pos{}
	}
	return added, nil
}
