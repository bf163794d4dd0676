package schema

import (
	"errors"
	"fmt"
	"io/fs"
)

// LoadRevoked reads revoked.yaml alone. A missing file revokes nothing. Where
// there are problems, what could be read is returned with them, and may be less
// than is meant.
//
// The error says that the file could not be read: what is revoked is not known
// then, and the last known stands.
func LoadRevoked(fsys fs.FS) (Revoked, Problems, error) {
	l := &loader{fsys: fsys}
	info, err := fs.Lstat(fsys, revokedPath)
	if errors.Is(err, fs.ErrNotExist) {
		return Revoked{}, nil, nil
	}
	if err == nil && l.regular(revokedPath, fs.FileInfoToDirEntry(info)) {
		l.paths = []string{revokedPath}
		err = l.parseAll()
	}
	if err != nil {
		return Revoked{}, nil, fmt.Errorf("reading revocations: %w", err)
	}
	var revoked Revoked
	problems := l.problems
	for _, f := range l.files {
		revoked.Revocations = append(revoked.Revocations, f.revocations...)
		problems = append(problems, f.problems...)
	}
	sortProblems(problems)
	return revoked, problems, nil
}

func (f *parsedFile) readRevocation(r *reader, n *node) {
	before := len(r.problems)
	v := Revocation{Pos: r.pos(n)}
	named := 0
	ok := r.mapping(n, "a revocation", []string{"user", "group", "key", "reason"}, func(key string, _, value *node) {
		switch key {
		case "user":
			named, v.User = named+1, r.name(value, key, ValidateUser)
		case "group":
			named, v.Group = named+1, r.name(value, key, ValidateGroup)
		case "key":
			named, v.Key = named+1, r.name(value, "key", validateKeyID)
		case "reason":
			v.Reason = r.reason(value)
		}
	})
	if !ok {
		return
	}
	if named != 1 {
		r.errorf(v.Pos, "a revocation is of one user, group or key")
	}
	if len(r.problems) > before {
		return
	}
	if f.revoked[v.what()] {
		r.warnf(v.Pos, "%s revoked twice", v)
	}
	if f.revoked == nil {
		f.revoked = map[Revocation]bool{}
	}
	f.revoked[v.what()] = true
	f.revocations = append(f.revocations, v)
}

// String names what is revoked.
func (v Revocation) String() string {
	switch {
	case v.User != "":
		return v.User
	case v.Group != "":
		return Subject{GroupKind, v.Group}.String()
	}
	return fmt.Sprintf("key %s", v.Key)
}

// Validate says why a revocation cannot be added, or nil.
func (v Revocation) Validate() error {
	switch {
	case v.User != "" && v.Group == "" && v.Key == "":
		return cmpErr(ValidateUser(v.User), ValidateReason(v.Reason))
	case v.Group != "" && v.User == "" && v.Key == "":
		return cmpErr(ValidateGroup(v.Group), ValidateReason(v.Reason))
	case v.Key != "" && v.User == "" && v.Group == "":
		return cmpErr(validateKeyID(v.Key), ValidateReason(v.Reason))
	}
	return errors.New("a revocation is of one user, group or key")
}

// what is what a revocation names, and nothing else.
func (v Revocation) what() Revocation { return Revocation{User: v.User, Group: v.Group, Key: v.Key} }

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
