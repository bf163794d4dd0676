package repo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/objfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// A maker makes the objects of one commit, and keeps them in memory until
// somebody wants them written or sent.
type maker struct {
	objects *objects // of the parent; nil where there is none
	made    []plumbing.EncodedObject
}

// A leaf is a file of a change; nil content deletes.
type leaf struct{ content []byte }

func (m *maker) add(encode func(plumbing.EncodedObject) error) (plumbing.Hash, error) {
	o := &plumbing.MemoryObject{}
	if err := encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	m.made = append(m.made, o)
	return o.Hash(), nil
}

func (m *maker) blob(content []byte) (plumbing.Hash, error) {
	return m.add(func(o plumbing.EncodedObject) error {
		o.SetType(plumbing.BlobObject)
		w, err := o.Writer()
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	})
}

// tree makes a folder like an old one, with some files changed, whose paths are
// as seen from it. A folder that becomes empty is the zero hash, as git keeps none.
func (m *maker) tree(old plumbing.Hash, at string, files map[string]leaf) (plumbing.Hash, error) {
	entries := map[string]object.TreeEntry{}
	if !old.IsZero() {
		err := m.objects.read(func(s storer.EncodedObjectStorer) error {
			t, err := object.GetTree(s, old)
			if err != nil {
				return err
			}
			for _, e := range t.Entries {
				entries[e.Name] = e
			}
			return nil
		})
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("reading tree %s: %w", old, err)
		}
	}
	below := map[string]map[string]leaf{}
	for path, l := range files {
		name, rest, deeper := strings.Cut(path, "/")
		if !deeper {
			if err := m.file(entries, at, name, l); err != nil {
				return plumbing.ZeroHash, err
			}
			continue
		}
		if below[name] == nil {
			below[name] = map[string]leaf{}
		}
		below[name][rest] = l
	}
	for name, files := range below {
		e, found := entries[name]
		if found && e.Mode != filemode.Dir {
			return plumbing.ZeroHash, &Refusal{Err: ErrPath, What: at + name, Detail: "it is not a folder"}
		}
		hash, err := m.tree(e.Hash, at+name+"/", files)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if delete(entries, name); !hash.IsZero() {
			entries[name] = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash}
		}
	}
	if len(entries) == 0 && at != "" {
		return plumbing.ZeroHash, nil
	}
	t := &object.Tree{}
	for _, e := range entries {
		t.Entries = append(t.Entries, e)
	}
	sort.Sort(object.TreeEntrySorter(t.Entries))
	return m.add(t.Encode)
}

// file puts one into the entries of its folder.
func (m *maker) file(entries map[string]object.TreeEntry, at, name string, l leaf) error {
	e, found := entries[name]
	if found && e.Mode != filemode.Regular && e.Mode != filemode.Executable && e.Mode != filemode.Deprecated {
		return &Refusal{Err: ErrPath, What: at + name, Detail: "it is not a regular file"}
	}
	if l.content == nil {
		delete(entries, name)
		return nil
	}
	if !found {
		e = object.TreeEntry{Name: name, Mode: filemode.Regular}
	}
	var err error
	e.Hash, err = m.blob(l.content)
	entries[name] = e
	return err
}

// commit makes the change on a parent, which is zero for the first commit.
// The error is [ErrUnchanged] where the files are so already.
func (m *maker) commit(parent *object.Commit, change Change, author, committer object.Signature) (plumbing.Hash, error) {
	c := &object.Commit{Author: author, Committer: committer, Message: cleanMessage(change.Message)}
	if c.Message == "" {
		return plumbing.ZeroHash, errors.New("the message of the commit is empty")
	}
	var old plumbing.Hash
	if parent != nil {
		old, c.ParentHashes = parent.TreeHash, []plumbing.Hash{parent.Hash}
	}
	files := map[string]leaf{}
	for path, content := range change.Files {
		files[path] = leaf{content}
	}
	var err error
	if c.TreeHash, err = m.tree(old, "", files); err != nil {
		return plumbing.ZeroHash, err
	}
	if c.TreeHash == old {
		return plumbing.ZeroHash, ErrUnchanged
	}
	return m.add(c.Encode)
}

// keep writes objects into the repository, each as a file of its own. Nothing
// refers to them yet: where it ends half-way, `git gc` takes them away.
func (l *local) keep(made []plumbing.EncodedObject) error {
	for _, o := range made {
		if err := l.keepObject(o); err != nil {
			return fmt.Errorf("writing object %s: %w", o.Hash(), unwrapPath(err))
		}
	}
	return nil
}

func (l *local) keepObject(o plumbing.EncodedObject) (err error) {
	hash := o.Hash().String()
	folder := filepath.Join(l.commonDir, "objects", hash[:2])
	path := filepath.Join(folder, hash[2:])
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "tmp_obj_") // git gc clears away what is left of such a name
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(writeObject(f, o), f.Chmod(0o444), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func writeObject(w io.Writer, o plumbing.EncodedObject) error {
	r, err := o.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	out := objfile.NewWriter(w)
	if err := out.WriteHeader(o.Type(), o.Size()); err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return errors.Join(err, out.Close())
}

// has says whether the repository holds a commit.
func (l *local) has(commit string) bool {
	return l.open().HasEncodedObject(plumbing.NewHash(commit)) == nil
}
