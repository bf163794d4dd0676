package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/schema"
)

// overlay is a file system with some files replaced, added, or, where the
// content is nil, taken away: what a repository would be after an edit.
func overlay(below fs.FS, files map[string][]byte) fs.FS { return &overlaid{below, files} }

type overlaid struct {
	below fs.FS
	files map[string][]byte
}

func (o *overlaid) Open(name string) (fs.File, error) {
	content, ok := o.files[name]
	switch {
	case !ok:
		if entries, err := o.added(name); err == nil && len(entries) > 0 {
			if _, err := fs.Stat(o.below, name); errors.Is(err, fs.ErrNotExist) {
				return &file{info: entry{name: path.Base(name), dir: true}}, nil
			}
		}
		return o.below.Open(name)
	case content == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{Reader: bytes.NewReader(content), info: entry{name: path.Base(name), size: int64(len(content))}}, nil
}

// ContentHash implements schema.ContentHasher, where what lies below does.
func (o *overlaid) ContentHash(name string) (string, bool) {
	below, ok := o.below.(schema.ContentHasher)
	if content, mine := o.files[name]; mine {
		return schema.ContentHash(content), content != nil
	}
	if !ok {
		return "", false
	}
	return below.ContentHash(name)
}

// ReadDir lists a folder, sorted, with what the edit adds to it and takes away.
func (o *overlaid) ReadDir(name string) ([]fs.DirEntry, error) {
	mine, err := o.added(name)
	if err != nil {
		return nil, err
	}
	theirs, err := fs.ReadDir(o.below, name)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || len(mine) == 0) {
		return nil, err
	}
	all := map[string]fs.DirEntry{}
	for _, e := range theirs {
		if content, ok := o.files[path.Join(name, e.Name())]; !ok || content != nil {
			all[e.Name()] = e
		}
	}
	for _, e := range mine {
		if old, ok := all[e.name]; !ok || !old.IsDir() {
			all[e.name] = e
		}
	}
	return slices.SortedFunc(maps.Values(all), func(x, y fs.DirEntry) int { return strings.Compare(x.Name(), y.Name()) }), nil
}

// added are the entries of a folder that the edit's files bring with them.
func (o *overlaid) added(folder string) ([]entry, error) {
	if !fs.ValidPath(folder) {
		return nil, &fs.PathError{Op: "readdir", Path: folder, Err: fs.ErrInvalid}
	}
	var out []entry
	for name, content := range o.files {
		rest, inside := name, true
		if folder != "." {
			rest, inside = strings.CutPrefix(name, folder+"/")
		}
		if !inside || content == nil {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		e := entry{name: first, dir: deeper}
		if !deeper {
			e.size = int64(len(content))
		}
		out = append(out, e)
	}
	return out, nil
}

// An entry is a file of the edit, or a folder that it makes.
type entry struct {
	name string
	size int64
	dir  bool
}

func (e entry) Name() string               { return e.name }
func (e entry) Size() int64                { return e.size }
func (e entry) IsDir() bool                { return e.dir }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) Sys() any                   { return nil }

func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

type file struct {
	*bytes.Reader
	info entry
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

func (f *file) Read(b []byte) (int, error) {
	if f.info.dir {
		return 0, &fs.PathError{Op: "read", Path: f.info.name, Err: fs.ErrInvalid}
	}
	return f.Reader.Read(b)
}
