package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// A Rename is another name for a person, a group or a destination.
type Rename struct {
	What     Thing
	Old, New string
}

// A Renaming is the edit that carries a rename through all files.
type Renaming struct {
	Edit
	Moved map[string]string // files that are called like what is renamed: old path to new
	Count int               // places that had the old name
	Left  []Mention         // of the old name, beside the new one in a list: what is said twice would be wrong
}

// ErrNameInUse says that a file is called like the new name already.
var ErrNameInUse = errors.New("a file of the new name exists")

// Validate says why a rename cannot be, whatever the files say, or nil.
func (r Rename) Validate() error {
	switch r.What {
	case AUser:
		if r.Old == ConnectorUser || r.New == ConnectorUser {
			return fmt.Errorf("user %q: that name is reserved for the keys of connectors", ConnectorUser)
		}
		return ValidateUser(r.New)
	case AGroup:
		return ValidateGroup(r.New)
	}
	return cmpErr(validateOwnDestination(r.Old), validateOwnDestination(r.New))
}

// Edit carries a rename through all files: whatever names the thing by its very
// name names it by the new one, in the same place and style, also in the policy,
// its cases and the brakes. Files that are called like it move; a destination keeps
// its old name in `formerly`, so that its bindings are adopted. Acknowledgements stay
// as they are: they speak of the past, and one in other words would count again.
//
// Whether the new name is another's is for the caller to look at (Mentions). The
// errors are those of AddGrant, and ErrNameInUse.
func (r Rename) Edit(fsys fs.FS) (Renaming, error) {
	if err := r.Validate(); err != nil {
		return Renaming{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Renaming{}, err
	}
	out := Renaming{Edit: Edit{Outcome: Changed}, Moved: map[string]string{}}
	for _, f := range e.files {
		if err := e.rename(f, r, &out); err != nil {
			return Renaming{}, err
		}
	}
	if out.Count == 0 {
		out.Outcome = Unchanged
		return out, nil
	}
	if err := e.move(r, &out); err != nil {
		return Renaming{}, err
	}
	if r.What == ADestination {
		if err := e.remember(r); err != nil {
			return Renaming{}, err
		}
	}
	out.Files = e.changed
	return out, e.check(r, out.Moved)
}

// rename replaces a name in one file.
func (e *editor) rename(f *parsedFile, r Rename, out *Renaming) error {
	found, text, err := e.mentions(f, r.Old)
	if err != nil {
		return err
	}
	var at []mention
	var texts []string
	for _, m := range found {
		if m.what != r.What || m.name() != r.Old {
			continue
		}
		now := r.New + strings.TrimPrefix(m.node.Value, r.Old)
		if m.beside(now) {
			out.Left = append(out.Left, Mention{Text: m.node.Value, Pos: Pos{File: f.path, Line: m.node.Line, Column: m.node.Column}})
			continue
		}
		at, texts = append(at, m), append(texts, now)
	}
	if len(at) == 0 {
		return nil
	}
	if errs := f.problems.Errors(); len(errs) > 0 {
		return &ProblemsError{errs}
	}
	out.Count += len(at)
	e.changed[f.path], err = text.replace(at, texts)
	return err
}

// move gives the files that are called like the thing its new name.
func (e *editor) move(r Rename, out *Renaming) error {
	moved, err := e.moved(r)
	if err != nil {
		return err
	}
	for _, from := range moved {
		to := r.path(from)
		if _, err := fs.Lstat(e.fsys, to); !errors.Is(err, fs.ErrNotExist) {
			return cmpErr(err, fmt.Errorf("%s: %w", to, ErrNameInUse))
		}
		data, err := e.content(from)
		if err != nil {
			return err
		}
		e.changed[from], e.changed[to] = nil, append([]byte{}, data...)
		out.Moved[from] = to
	}
	return nil
}

// moved are the files that are called like the thing.
func (e *editor) moved(r Rename) ([]string, error) {
	var out []string
	switch r.What {
	case AGroup:
		f, i := e.group(r.Old)
		if f == nil || len(f.groups) != 1 || f.path != homeOfGroup(f.groups[i]) {
			return nil, nil // it is not the group's alone
		}
		named := f.groups[i]
		named.Name = r.New
		if to := homeOfGroup(named); stem(to) != r.New || stem(f.path) != r.Old || e.file(to) != nil {
			return nil, nil // the new name cannot be, or is, another file's
		}
		return []string{f.path}, nil
	case ADestination:
		for _, p := range []string{"grants/" + r.Old + ".yaml", destinationPath(r.Old)} {
			if e.file(p) != nil {
				out = append(out, p)
			}
		}
		for _, folder := range []string{"grants/", "groups/"} {
			below, err := everyFile(e.fsys, folder+r.Old)
			if err != nil {
				return nil, fmt.Errorf("reading the access repository: %w", err)
			}
			out = append(out, below...)
		}
	}
	return out, nil
}

// everyFile are the files below a folder, README.md and all; none where there is no
// such folder.
func everyFile(fsys fs.FS, folder string) ([]string, error) {
	var out []string
	err := fs.WalkDir(fsys, folder, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, p)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

func destinationPath(name string) string { return "destinations/" + name + ".yaml" }

// path is what a file is called that is called like the thing.
func (r Rename) path(p string) string {
	parts := strings.Split(p, "/")
	for i := 1; i < len(parts); i++ {
		base, ext := strings.CutSuffix(parts[i], ".yaml")
		if base != r.Old || r.What == AGroup && i < len(parts)-1 {
			continue
		}
		if parts[i] = r.New; ext {
			parts[i] += ".yaml"
		}
		break // the folder says it; what is below may be called as it likes
	}
	return strings.Join(parts, "/")
}

// check reads what was written and refuses a rename that brings in a problem.
func (e *editor) check(r Rename, moved map[string]string) error {
	var after []*parsedFile
	for _, f := range e.files {
		if _, changed := e.changed[f.path]; !changed {
			after = append(after, f)
		}
	}
	for p, data := range e.changed {
		if data != nil && strings.HasSuffix(p, ".yaml") {
			after = append(after, parseFile(p, data))
		}
	}
	slices.SortFunc(after, func(a, b *parsedFile) int { return strings.Compare(a.path, b.path) })
	_, old := assemble(e.files)
	_, problems := assemble(after)
	if brought := r.Brought(problems, old, moved); len(brought) > 0 {
		sortProblems(brought)
		return &ProblemsError{brought}
	}
	return nil
}

// Brought are the problems after a rename that were not there before it: one that
// says the same of the new name, or in a file that has moved, is not new.
func (r Rename) Brought(after, before Problems, moved map[string]string) Problems {
	var pairs []string
	for from, to := range moved {
		pairs = append(pairs, from, to)
	}
	files := strings.NewReplacer(pairs...)
	long, short := r.Old, r.New // the longer one is looked for first, as the other may lie in it
	if len(long) < len(short) {
		long, short = short, long
	}
	names := regexp.MustCompile(`(^|\b|[^\w@.-])(` + regexp.QuoteMeta(long) + `|` + regexp.QuoteMeta(short) + `)(\b|$)`)
	plain := func(p Problem) Problem {
		p.Pos.File = files.Replace(p.Pos.File)
		p.Message = names.ReplaceAllString(files.Replace(p.Message), "${1}NAME")
		return p
	}
	had := make(Problems, len(before))
	for i, p := range before {
		had[i] = plain(p)
	}
	return slices.DeleteFunc(slices.Clone(after), func(p Problem) bool { return len(Problems{plain(p)}.New(had)) == 0 })
}

// Of is a snapshot in which the thing has its new name, for a person or a group:
// what the files say once the rename is made, but for places and rules.
func (r Rename) Of(s *Snapshot) *Snapshot {
	out := *s
	subject := func(k SubjectKind, name string) string {
		if string(k) == string(r.What) && name == r.Old {
			return r.New
		}
		return name
	}
	members := func(k SubjectKind, list []Member) []Member {
		list = slices.Clone(list)
		for i := range list {
			list[i].Name = subject(k, list[i].Name)
		}
		return list
	}
	out.Grants = slices.Clone(s.Grants)
	for i, g := range s.Grants {
		out.Grants[i].Subject.Name = subject(g.Subject.Kind, g.Subject.Name)
	}
	out.Groups = slices.Clone(s.Groups)
	for i, g := range s.Groups {
		out.Groups[i].Name = subject(GroupKind, g.Name)
		out.Groups[i].Users, out.Groups[i].Groups = members(User, g.Users), members(GroupKind, g.Groups)
	}
	out.Keys = slices.Clone(s.Keys)
	for i, k := range s.Keys {
		out.Keys[i].User = subject(User, k.User)
	}
	out.Users = slices.Clone(s.Users)
	for i, u := range s.Users {
		out.Users[i].Name = subject(User, u.Name)
	}
	out.Revoked.Revocations = slices.Clone(s.Revoked.Revocations)
	for i, v := range s.Revoked.Revocations {
		out.Revoked.Revocations[i].User = subject(User, v.User)
		out.Revoked.Revocations[i].Group = subject(GroupKind, v.Group)
	}
	return &out
}
