package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// ErrNoSuchUser says that a person is not declared.
var ErrNoSuchUser = errors.New("no file declares this person")

const usersPath = "users/users.yaml"

// AddUser declares a person, in the first file that declares people, else in
// users/users.yaml. A person who is declared gets the display name, where one is
// given. The errors are those of AddGrant.
func AddUser(fsys fs.FS, u DeclaredUser) (Edit, error) {
	if err := ValidateUser(u.Name); err != nil {
		return Edit{}, err
	}
	if u.DisplayName != "" {
		if err := validateLine("the display name", u.DisplayName); err != nil {
			return Edit{}, err
		}
	}
	u.Pos = Pos{}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	if f, i := e.user(u.Name); f != nil {
		if u.DisplayName == "" || f.users[i].DisplayName == u.DisplayName {
			return e.finish(Edit{Outcome: Unchanged}, func(*parsedFile) {})
		}
		if err := e.set(f.path, usersFile, i, field{"displayName", u.DisplayName}); err != nil {
			return Edit{}, err
		}
		return e.finish(Edit{Outcome: Changed}, func(want *parsedFile) { want.users[i].DisplayName = u.DisplayName })
	}
	home := usersPath
	for _, f := range e.files {
		if f.kind == usersFile {
			home = f.path
			break
		}
	}
	if _, err := e.insert(home, usersFile, func(f *parsedFile) int { return placeOfName(userNames(f), u.Name) }, userFields(u)); err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Added}, func(want *parsedFile) { want.users = slices.Insert(want.users, e.at, u) })
}

// RemoveUser removes the declaration of a person. What they hold stays: that is for
// the caller to look at. The last one leaves `users: []`. An unknown name is
// ErrNoSuchUser; the other errors are those of AddGrant.
func RemoveUser(fsys fs.FS, name string) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	f, i := e.user(name)
	if f == nil {
		return Edit{}, cmpErr(e.unread(usersFile), fmt.Errorf("user %s: %w", quoted(name), ErrNoSuchUser))
	}
	if err := e.remove(f.path, usersFile, i); err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Removed}, func(want *parsedFile) { want.users = slices.Delete(want.users, i, i+1) })
}

// user is where a person is declared: nil where they are not.
func (e *editor) user(name string) (*parsedFile, int) {
	for _, f := range e.files {
		if i := slices.IndexFunc(f.users, func(u DeclaredUser) bool { return u.Name == name }); i >= 0 {
			return f, i
		}
	}
	return nil, 0
}

func userNames(f *parsedFile) []string {
	var names []string
	for _, u := range f.users {
		names = append(names, u.Name)
	}
	return names
}
