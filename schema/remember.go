package schema

import (
	"bytes"
	"io/fs"
	"path"
	"sync"
	"time"
)

// Remember is fsys, each folder and file of which is read once: what is read again is
// what it was, and Loads and edits of it parse each file once, with the cache, which
// is not nil. It is for the length of one command, and safe for concurrent use.
func Remember(fsys fs.FS, c *Cache) ContentHasher {
	return &remembered{FS: fsys, cache: c, folders: map[string][]fs.DirEntry{}, files: map[string]*rememberedFile{}}
}

type remembered struct {
	fs.FS
	cache   *Cache
	mu      sync.Mutex
	folders map[string][]fs.DirEntry
	files   map[string]*rememberedFile
}

// A rememberedFile is a regular file.
type rememberedFile struct {
	name    string
	mode    fs.FileMode
	when    time.Time
	content []byte // cut off where it is longer than may be
	hash    string
}

func (r *remembered) ReadDir(name string) ([]fs.DirEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if entries, ok := r.folders[name]; ok {
		return entries, nil
	}
	entries, err := fs.ReadDir(r.FS, name)
	if err == nil {
		r.folders[name] = entries
	}
	return entries, err
}

func (r *remembered) Open(name string) (fs.File, error) {
	f, err := r.file(name)
	if f == nil || err != nil {
		return r.FS.Open(name)
	}
	return &openFile{Reader: *bytes.NewReader(f.content), of: f}, nil
}

// ContentHash implements ContentHasher, for files that were read before.
func (r *remembered) ContentHash(name string) (string, bool) {
	f, err := r.file(name)
	if f == nil || err != nil {
		return "", false
	}
	return f.hash, true
}

// file reads a file, once; nil is for what is none.
func (r *remembered) file(name string) (*rememberedFile, error) {
	r.mu.Lock()
	f, ok := r.files[name]
	r.mu.Unlock()
	if ok {
		return f, nil
	}
	opened, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	content, err := readLimited(opened, info.Size())
	if err != nil {
		return nil, err
	}
	f = &rememberedFile{name: path.Base(name), mode: info.Mode(), when: info.ModTime(), content: content, hash: ContentHash(content)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := r.files[name]; ok {
		return first, nil // somebody was quicker, and was given that
	}
	r.files[name] = f
	return f, nil
}

type openFile struct {
	bytes.Reader
	of *rememberedFile
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.of, nil }
func (f *openFile) Close() error               { return nil }

func (f *rememberedFile) Name() string       { return f.name }
func (f *rememberedFile) Size() int64        { return int64(len(f.content)) }
func (f *rememberedFile) Mode() fs.FileMode  { return f.mode }
func (f *rememberedFile) ModTime() time.Time { return f.when }
func (f *rememberedFile) IsDir() bool        { return false }
func (f *rememberedFile) Sys() any           { return nil }
