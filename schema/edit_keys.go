package schema

import (
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// AddKey adds an access key as keys/<name>.yaml. A name in use is
// ErrKeyNameInUse; the other errors are those of AddGrant.
func AddKey(fsys fs.FS, k Key) (Edit, error) {
	if err := k.Validate(); err != nil {
		return Edit{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	if f, _ := e.key(k.Name); f != nil {
		return Edit{}, fmt.Errorf("key %s: %w", quoted(k.Name), ErrKeyNameInUse)
	}
	k.Created, k.Expires = k.Created.UTC(), k.Expires.UTC()
	k.Pos, err = e.insert(keyPath(k.Name), keysFile, func(f *parsedFile) int { return len(f.keys) }, keyFields(k))
	if err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Added, Key: k}, func(want *parsedFile) { want.keys = slices.Insert(want.keys, e.at, k) })
}

// RemoveKey removes an access key and revokes its id, so that no old branch
// that is merged later brings it back. The file goes with its last key. An
// unknown name is ErrNoSuchKey; the other errors are those of AddGrant.
func RemoveKey(fsys fs.FS, name string) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	f, i := e.key(name)
	if f == nil {
		return Edit{}, cmpErr(e.unread(keysFile), fmt.Errorf("key %s: %w", quoted(name), ErrNoSuchKey))
	}
	k := f.keys[i]
	if f.entries == 1 {
		e.changed[f.path] = nil
	} else if err := e.remove(f.path, keysFile, i); err != nil {
		return Edit{}, err
	}
	added, err := e.revoke(Revocation{Key: k.ID, Reason: fmt.Sprintf("key %s removed", name)})
	if err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Removed, Key: k, Revocations: added}, func(want *parsedFile) {
		want.keys = slices.DeleteFunc(want.keys, func(k Key) bool { return k.Name == name })
		if want.kind == revokedFile {
			want.revocations = append(want.revocations, added...)
		}
	})
}

// RotateKey makes a new access key for the user and destination of the one called
// name. Where k has a name of its own, it is added beside the old one, which ends
// at until, or when it was to end anyway if that is sooner. Where k is called name,
// too, it takes the place of the old one at once, whose id is revoked; until does
// not count then.
//
// An unknown name is ErrNoSuchKey, a name of k that another key has
// ErrKeyNameInUse; the other errors are those of AddGrant.
func RotateKey(fsys fs.FS, name string, k Key, until time.Time) (Edit, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	f, i := e.key(name)
	if f == nil {
		return Edit{}, cmpErr(e.unread(keysFile), fmt.Errorf("key %s: %w", quoted(name), ErrNoSuchKey))
	}
	old := f.keys[i]
	k.User, k.Destination, k.Pos = old.User, old.Destination, Pos{}
	k.Created, k.Expires = k.Created.UTC(), k.Expires.UTC()
	if err := k.Validate(); err != nil {
		return Edit{}, err
	}
	if k.Name == name {
		return e.replaceKey(f, i, k)
	}
	if other, _ := e.key(k.Name); other != nil {
		return Edit{}, fmt.Errorf("key %s: %w", quoted(k.Name), ErrKeyNameInUse)
	}
	if old.Expires.IsZero() || until.Before(old.Expires) {
		old.Expires = until.UTC()
		if err := e.set(f.path, keysFile, i, field{"expires", timeText(old.Expires)}); err != nil {
			return Edit{}, err
		}
	}
	home := keyPath(k.Name)
	if k.Pos, err = e.insert(home, keysFile, func(f *parsedFile) int { return len(f.keys) }, keyFields(k)); err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Added, Key: k, Replaced: old}, func(want *parsedFile) {
		switch want.path {
		case f.path:
			want.keys[i].Expires = old.Expires
		case home:
			want.keys = slices.Insert(want.keys, e.at, k)
		}
	})
}

// replaceKey gives an entry another id and hash, and revokes the id that it had.
func (e *editor) replaceKey(f *parsedFile, i int, k Key) (Edit, error) {
	old := f.keys[i]
	for _, c := range []field{{"id", k.ID}, {"hash", k.Hash}, {"created", timeText(k.Created)}, {"expires", timeText(k.Expires)}} {
		if c.value == "" && (c.key == "created" && old.Created.IsZero() || c.key == "expires" && old.Expires.IsZero()) {
			continue
		}
		if err := e.set(f.path, keysFile, i, c); err != nil {
			return Edit{}, err
		}
	}
	added, err := e.revoke(Revocation{Key: old.ID, Reason: fmt.Sprintf("key %s rotated", k.Name)})
	if err != nil {
		return Edit{}, err
	}
	edit := Edit{Outcome: Changed, Key: k, Replaced: old, Revocations: added}
	edit.Key.Pos = old.Pos
	return e.finish(edit, func(want *parsedFile) {
		if want.kind == revokedFile {
			want.revocations = append(want.revocations, added...)
		} else {
			want.keys[i] = k
		}
	})
}

// key is where a key is: nil where there is none of this name.
func (e *editor) key(name string) (*parsedFile, int) {
	for _, f := range e.files {
		if i := slices.IndexFunc(f.keys, func(k Key) bool { return k.Name == name }); i >= 0 {
			return f, i
		}
	}
	return nil, 0
}
