package schema

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// An Edit is a change of files that was checked: read again, they say what was
// asked for and nothing else. Nothing is written yet.
type Edit struct {
	Files       map[string][]byte // path to what the file then holds; nil: it is deleted. Empty where Unchanged
	Outcome     Outcome
	Before      []Grant      // grants that are taken away or changed, as they were
	After       []Grant      // grants that are added or changed, as they will be
	Key         Key          // of AddKey and RemoveKey; of RotateKey the new one
	Destination Destination  // of the edits of destinations: as it will be, or was
	Replaced    Key          // of RotateKey: the old one, as it will be or was
	Group       Group        // of AddGroup and RemoveGroup
	Members     []string     // of AddMembers, RemoveMembers, AddRoles and RemoveRoles: those that were added or removed
	Keys        []Key        // of Offboard and Tidy: those that are removed
	Groups      []Group      // of Offboard: those whose declaration is removed
	Revocations []Revocation // that are added, changed or taken back

	Acknowledgement Acknowledgement // of Acknowledge
}

// Outcome is what an edit comes to.
type Outcome string

// The outcomes.
const (
	Added     Outcome = "added"
	Changed   Outcome = "changed"   // it was there with another expiry or reason
	Renewed   Outcome = "renewed"   // it was there and had expired
	Unchanged Outcome = "unchanged" // it is there already
	Removed   Outcome = "removed"
)

// Sentinel errors of edits.
var (
	ErrKeyNameInUse = errors.New("an access key of this name exists")
	ErrNoSuchKey    = errors.New("no access key of this name")
	ErrNotRevoked   = errors.New("not revoked")
)

// A NotFoundError says that a grant to remove does not exist.
type NotFoundError struct {
	Subject Subject
	Role    string // empty: any
	Target  Target
	Held    []Grant // what the subject does hold on that destination, sorted
}

// Error says what does not exist, and what does.
func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("%s has no role on %s", e.Subject, e.Target)
	if e.Role != "" {
		text = fmt.Sprintf("%s does not have role %s on %s", e.Subject, e.Role, e.Target)
	}
	held := make([]string, len(e.Held))
	for i, g := range e.Held {
		held[i] = fmt.Sprintf("%s has role %s on %s", g.Subject, g.Role, g.Target)
	}
	return strings.Join(append([]string{text}, held...), "; ")
}

// A ProblemsError refuses an edit because of problems that it would bring in,
// warnings too, or because of errors in the file that it would touch.
type ProblemsError struct{ Problems Problems }

// Error is the problems, one a line.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// A StyleError refuses to edit a file that is written in a way in which no edit
// could be proved to change only what it should. Nothing is wrong with the
// file: a person can make the change.
type StyleError struct {
	File   string
	Detail string
}

// Error says which file, and why.
func (e *StyleError) Error() string {
	return fmt.Sprintf("%s: %s: please edit it by hand", e.File, e.Detail)
}

// AddGrant adds a grant: to the first file that already holds grants of its subject
// on its destination, else to grants/<destination>.yaml, which is made where it
// is missing (grants/_shared.yaml where the destination is a pattern). Where the
// grant exists it becomes exactly g, expiry and reason too. now tells a change
// from the renewal of what had expired.
//
// The errors are ErrNoInfraYAML, *ProblemsError, *StyleError, one that says what
// is wrong with the grant, or that files could not be read.
func AddGrant(fsys fs.FS, g Grant, now time.Time) (Edit, error) {
	if err := g.Validate(); err != nil {
		return Edit{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	g.Expires, g.Pos = g.Expires.UTC(), Pos{}
	file, expired, held := "", true, false
	for _, f := range e.files {
		for _, have := range slices.Backward(f.grants) {
			if have.Subject == g.Subject && have.Target.Destination == g.Target.Destination {
				file = cmp.Or(file, f.path)
			}
			if have.id() == g.id() {
				held = true
				expired = expired && ended(have.Expires, now)
			}
		}
	}
	if held {
		return e.changeGrant(g, expired && !ended(g.Expires, now))
	}
	file = cmp.Or(file, homeOfGrant(g.Target))
	at, err := e.insert(file, grantsFile, func(f *parsedFile) int { return placeOfGrant(f.grants, g) }, grantFields(g))
	if err != nil {
		return Edit{}, err
	}
	g.Pos = at
	return e.finish(Edit{Outcome: Added, After: []Grant{g}}, func(want *parsedFile) {
		want.grants = slices.Insert(want.grants, e.at, placedGrant{Grant: g})
	})
}

// Validate says why a grant cannot be added, or nil.
func (g Grant) Validate() error {
	if err := cmpErr(g.Subject.Validate(), ValidateRole(g.Role), g.Target.Validate(), ValidateReason(g.Reason)); err != nil {
		return err
	}
	if !g.Expires.IsZero() {
		if _, err := ParseTime(timeText(g.Expires)); err != nil {
			return fmt.Errorf("expires: %w", err)
		}
	}
	return nil
}

// changeGrant makes every place that has a grant say the same.
func (e *editor) changeGrant(g Grant, renewed bool) (Edit, error) {
	edit := Edit{Outcome: Unchanged}
	for _, f := range e.files {
		for i, have := range f.grants {
			if have.id() != g.id() || have.Expires.Equal(g.Expires) && have.Reason == g.Reason {
				continue
			}
			var changes []field
			if !have.Expires.Equal(g.Expires) {
				changes = append(changes, field{"expires", timeText(g.Expires)})
			}
			if have.Reason != g.Reason {
				changes = append(changes, field{"reason", g.Reason})
			}
			for _, c := range changes {
				if err := e.set(f.path, grantsFile, i, c); err != nil {
					return Edit{}, err
				}
			}
			after := g
			after.Pos = have.Pos
			edit.Before, edit.After = append(edit.Before, have.Grant), append(edit.After, after)
		}
	}
	if len(edit.After) > 0 {
		edit.Outcome = Changed
		if renewed {
			edit.Outcome = Renewed
		}
	}
	return e.finish(edit, func(want *parsedFile) {
		for i, have := range want.grants {
			if have.id() == g.id() {
				want.grants[i].Grant = g
			}
		}
	})
}

// RemoveGrant removes every entry that gives the subject the role, or any role
// where it is empty, on exactly this target, from all files. The last grant
// removed from a file leaves `grants: []`.
//
// The errors are those of AddGrant, and *NotFoundError.
func RemoveGrant(fsys fs.FS, subject Subject, role string, target Target) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	gone := func(g placedGrant) bool {
		return g.Subject == subject && (role == "" || g.Role == role) && g.Target == target
	}
	edit := Edit{Outcome: Removed}
	for _, f := range e.files {
		for i, g := range slices.Backward(f.grants) {
			if !gone(g) {
				continue
			}
			if err := e.remove(f.path, grantsFile, i); err != nil {
				return Edit{}, err
			}
			edit.Before = append(edit.Before, g.Grant)
		}
	}
	if len(edit.Before) == 0 {
		return Edit{}, e.notFound(subject, role, target)
	}
	slices.SortFunc(edit.Before, func(a, b Grant) int { return a.Pos.Compare(b.Pos) })
	return e.finish(edit, func(want *parsedFile) { want.grants = slices.DeleteFunc(want.grants, gone) })
}

func (e *editor) notFound(subject Subject, role string, target Target) error {
	if err := e.unread(grantsFile); err != nil {
		return err
	}
	n := &NotFoundError{Subject: subject, Role: role, Target: target}
	for _, f := range e.files {
		for _, g := range f.grants {
			if g.Subject == subject && g.Target.Destination == target.Destination {
				n.Held = append(n.Held, g.Grant)
			}
		}
	}
	slices.SortFunc(n.Held, func(a, b Grant) int {
		return cmp.Or(a.Target.Compare(b.Target), cmp.Compare(a.Role, b.Role), a.Pos.Compare(b.Pos))
	})
	return n
}

// revoke adds a revocation, unless it is there, and returns what it added.
func (e *editor) revoke(v Revocation) ([]Revocation, error) {
	if f := e.file(revokedPath); f != nil && f.revoked[v.what()] {
		return nil, nil
	}
	var err error
	v.Pos, err = e.insert(revokedPath, revokedFile, func(f *parsedFile) int { return len(f.revocations) }, revocationFields(v))
	return []Revocation{v}, err
}

// Revoke takes everything from a user, group or key, whatever else is said. It
// works also where other files have errors. Where it is revoked already, a
// reason that is given replaces the one that is there. The errors are those of
// AddGrant.
func Revoke(fsys fs.FS, v Revocation) (Edit, error) {
	if err := v.Validate(); err != nil {
		return Edit{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	v.Pos = Pos{}
	added, err := e.revoke(v)
	if err != nil {
		return Edit{}, err
	}
	if len(added) > 0 {
		return e.finish(Edit{Outcome: Added, Revocations: added}, func(want *parsedFile) {
			want.revocations = append(want.revocations, v)
		})
	}
	edit := Edit{Outcome: Unchanged}
	changes := func(have Revocation) bool {
		return have.what() == v.what() && v.Reason != "" && have.Reason != v.Reason
	}
	for i, have := range e.file(revokedPath).revocations {
		if changes(have) {
			if err := e.set(revokedPath, revokedFile, i, field{"reason", v.Reason}); err != nil {
				return Edit{}, err
			}
			edit.Outcome = Changed
			v.Pos = have.Pos
			edit.Revocations = append(edit.Revocations, v)
		}
	}
	return e.finish(edit, func(want *parsedFile) {
		for i, have := range want.revocations {
			if changes(have) {
				want.revocations[i].Reason = v.Reason
			}
		}
	})
}

// Unrevoke takes back the revocations of v's user, group or key; its reason does
// not count. Where there is none the error is ErrNotRevoked.
func Unrevoke(fsys fs.FS, v Revocation) (Edit, error) {
	if err := v.Validate(); err != nil {
		return Edit{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	edit := Edit{Outcome: Removed}
	if f := e.file(revokedPath); f != nil {
		for i, have := range slices.Backward(f.revocations) {
			if have.what() == v.what() {
				if err := e.remove(revokedPath, revokedFile, i); err != nil {
					return Edit{}, err
				}
				edit.Revocations = append(edit.Revocations, have)
			}
		}
	}
	if len(edit.Revocations) == 0 {
		return Edit{}, cmpErr(e.unread(revokedFile), fmt.Errorf("%s: %w", v, ErrNotRevoked))
	}
	slices.Reverse(edit.Revocations)
	return e.finish(edit, func(want *parsedFile) {
		want.revocations = slices.DeleteFunc(want.revocations, func(have Revocation) bool { return have.what() == v.what() })
	})
}
