package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// treeFS is a commit's files, or those of a folder in it.
type treeFS struct {
	root  *node
	below string // the folder; empty: all of them
}

// node is one entry of a tree. What it is does not change; what lies in it is read
// once.
type node struct {
	objects *objects
	name    string
	hash    plumbing.Hash
	mode    fs.FileMode
	when    time.Time // the commit's: Git keeps no dates of files

	mu   sync.Mutex
	kids []*node // nil: not read yet
}

func newTreeFS(o *objects, tree plumbing.Hash, when time.Time) *treeFS {
	return &treeFS{root: &node{objects: o, name: ".", hash: tree, mode: fs.ModeDir | 0o555, when: when}}
}

func (t *treeFS) Open(name string) (fs.File, error) {
	n, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.mode.IsDir() {
		entries, err := n.children()
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &dir{node: n, path: name, entries: entries}, nil
	}
	content, err := n.content()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{Reader: bytes.NewReader(content), node: n}, nil
}

// ReadFile implements fs.ReadFileFS.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	n, err := t.find("read", name)
	if err != nil {
		return nil, err
	}
	content, err := n.content()
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return content, nil
}

// ReadDir implements fs.ReadDirFS.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	nodes, err := n.children()
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	entries := make([]fs.DirEntry, len(nodes))
	for i, n := range nodes {
		entries[i] = n
	}
	return entries, nil
}

// Sub implements fs.SubFS. Like that of io/fs it does not look whether the folder
// is there.
func (t *treeFS) Sub(name string) (fs.FS, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "sub", Path: name, Err: fs.ErrInvalid}
	}
	return &treeFS{root: t.root, below: path.Join(t.below, name)}, nil
}

// ContentHash is the hash of a regular file's content, known without reading it.
func (t *treeFS) ContentHash(name string) (string, bool) {
	n, err := t.find("hash", name)
	if err != nil || !n.mode.IsRegular() {
		return "", false
	}
	return n.hash.String(), true
}

// Stat implements fs.StatFS.
func (t *treeFS) Stat(name string) (fs.FileInfo, error) {
	n, err := t.find("stat", name)
	if err != nil {
		return nil, err
	}
	info, err := n.Info()
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return info, nil
}

// find walks from the root, never through a symbolic link.
func (t *treeFS) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, full := t.root, path.Join(t.below, name)
	if full == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(full, "/") {
		nodes, err := n.children()
		if err != nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
		i, ok := slices.BinarySearchFunc(nodes, part, func(n *node, name string) int { return strings.Compare(n.name, name) })
		if !ok {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		n = nodes[i]
	}
	return n, nil
}

// children lists a folder by name. For anything else it is fs.ErrNotExist, as
// nothing can lie below it.
func (n *node) children() ([]*node, error) {
	if !n.mode.IsDir() {
		return nil, fs.ErrNotExist
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kids != nil {
		return n.kids, nil
	}
	var tree *object.Tree
	err := n.objects.read(func(s storer.EncodedObjectStorer) (err error) {
		tree, err = object.GetTree(s, n.hash)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", n.hash, err)
	}
	nodes := make([]*node, 0, len(tree.Entries))
	for _, e := range tree.Entries {
		mode, err := fileMode(e)
		if err != nil {
			return nil, fmt.Errorf("reading tree %s: %w", n.hash, err)
		}
		nodes = append(nodes, &node{objects: n.objects, name: e.Name, hash: e.Hash, mode: mode, when: n.when})
	}
	// Git sorts a folder as if its name ended with a slash; io/fs does not.
	slices.SortFunc(nodes, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(nodes); i++ {
		if nodes[i].name == nodes[i-1].name {
			return nil, fmt.Errorf("reading tree %s: %q is there twice", n.hash, nodes[i].name)
		}
	}
	n.kids = nodes
	return nodes, nil
}

// fileMode checks an entry and turns its mode into Go's. No git program writes
// the names that are refused here: they are made to break out of a folder.
func fileMode(e object.TreeEntry) (fs.FileMode, error) {
	if !safeName(e.Name) {
		return 0, fmt.Errorf("the name %q is not allowed", e.Name)
	}
	switch e.Mode {
	case filemode.Dir:
		return fs.ModeDir | 0o555, nil
	case filemode.Regular, filemode.Deprecated:
		return 0o444, nil
	case filemode.Executable:
		return 0o555, nil
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777, nil
	case filemode.Submodule:
		return fs.ModeIrregular | 0o444, nil
	}
	return 0, fmt.Errorf("%q has the unknown mode %s", e.Name, e.Mode)
}

// safeName says whether a name may stand in a tree: git's own rules, with .git
// in any case and as Windows shortens it.
func safeName(name string) bool {
	switch strings.ToLower(strings.TrimRight(name, ". ")) {
	case "", ".git", "git~1":
		return false
	}
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "/\\\x00")
}

// content reads a regular file.
func (n *node) content() ([]byte, error) {
	switch {
	case n.mode.IsDir():
		return nil, fmt.Errorf("is a folder: %w", fs.ErrInvalid)
	case n.mode&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("is a symbolic link: %w", fs.ErrInvalid)
	case !n.mode.IsRegular():
		return nil, fmt.Errorf("is a submodule: %w", fs.ErrInvalid)
	}
	var content []byte
	err := n.objects.read(func(s storer.EncodedObjectStorer) error {
		obj, err := s.EncodedObject(plumbing.BlobObject, n.hash)
		if err != nil {
			return err
		}
		r, err := obj.Reader()
		if err != nil {
			return err
		}
		defer r.Close()
		content = make([]byte, obj.Size())
		_, err = io.ReadFull(r, content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", n.hash, err)
	}
	return content, nil
}

// Name, IsDir, Type and Info implement fs.DirEntry.

func (n *node) Name() string      { return n.name }
func (n *node) IsDir() bool       { return n.mode.IsDir() }
func (n *node) Type() fs.FileMode { return n.mode.Type() }

func (n *node) Info() (fs.FileInfo, error) {
	i := info{node: n}
	if n.mode.IsDir() || n.mode&fs.ModeIrregular != 0 {
		return i, nil
	}
	err := n.objects.read(func(s storer.EncodedObjectStorer) (err error) {
		i.size, err = s.EncodedObjectSize(n.hash)
		if errors.Is(err, plumbing.ErrObjectNotFound) { // it does not look where a clone borrows from
			var o plumbing.EncodedObject
			if o, err = s.EncodedObject(plumbing.BlobObject, n.hash); err == nil {
				i.size = o.Size()
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the size of blob %s: %w", n.hash, err)
	}
	return i, nil
}

func (n *node) String() string { return fs.FormatDirEntry(n) }

// info implements fs.FileInfo.
type info struct {
	node *node
	size int64
}

func (i info) Name() string       { return i.node.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.node.mode }
func (i info) ModTime() time.Time { return i.node.when }
func (i info) IsDir() bool        { return i.node.mode.IsDir() }
func (i info) Sys() any           { return i.node.hash.String() }
func (i info) String() string     { return fs.FormatFileInfo(i) }

// file is an open regular file.
type file struct {
	*bytes.Reader
	node *node
}

func (f *file) Stat() (fs.FileInfo, error) { return info{node: f.node, size: f.Reader.Size()}, nil }
func (f *file) Close() error               { return nil }

// dir is an open folder.
type dir struct {
	node    *node
	path    string
	entries []*node // not read yet
}

func (d *dir) Stat() (fs.FileInfo, error) { return d.node.Info() }
func (d *dir) Close() error               { return nil }

func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: path.Clean(d.path), Err: fmt.Errorf("is a folder: %w", fs.ErrInvalid)}
}

func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.entries) == 0 {
		return nil, io.EOF
	}
	count := len(d.entries)
	if n > 0 {
		count = min(n, count)
	}
	list := make([]fs.DirEntry, count)
	for i := range list {
		list[i] = d.entries[i]
	}
	d.entries = d.entries[count:]
	return list, nil
}
