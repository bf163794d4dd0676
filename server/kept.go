package server

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/infrahq/infra/schema"
)

// The files of the accepted revision are kept beside the checkpoint, so that a
// server that starts while the Git host is away serves what it served before.
// Each revision has a file of its own: a crash between writing it and writing the
// checkpoint leaves the one that the old checkpoint names.

func keptName(revision string) string { return "accepted-" + revision + ".zip" }

// pack copies what schema.Load reads of a revision, and nothing else of what
// may lie beside it in the repository, into a zip archive.
func pack(files fs.FS, cache *schema.Cache) ([]byte, error) {
	r := &reads{FS: files, names: map[string]bool{}}
	if _, _, err := schema.Load(r, cache); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(r.names)) {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("copying the revision: %w", err)
		}
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			return nil, fmt.Errorf("copying %s: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("copying the revision: %w", err)
	}
	return out.Bytes(), nil
}

// reads notes which files are opened, by any number at once.
type reads struct {
	fs.FS
	mu    sync.Mutex
	names map[string]bool
}

func (r *reads) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if info.Mode().IsRegular() {
		r.mu.Lock()
		r.names[name] = true
		r.mu.Unlock()
	}
	return f, nil
}

// keep writes what pack made and returns its digest, which the checkpoint names.
func (r *records) keep(revision string, packed []byte) (digest string, err error) {
	if packed == nil {
		return "", nil
	}
	if err := writeFile(filepath.Join(r.dir, keptName(revision)), packed, 0o600); err != nil {
		return "", fmt.Errorf("keeping the files of the accepted revision: %w", err)
	}
	return digestOfKept(packed), nil
}

// forget removes what was kept of every other revision. What stays is in nobody's
// way, and tried again with the next one.
func (r *records) forget(but string) {
	names, _ := filepath.Glob(filepath.Join(r.dir, keptName("*"))) // the pattern is well formed
	for _, name := range names {
		if filepath.Base(name) != keptName(but) {
			os.Remove(name)
		}
	}
}

// keptFiles is what was packed of the accepted revision: nothing where nothing was,
// an error where it is not what the checkpoint says.
func (r *records) keptFiles(c checkpoint) (fs.FS, []byte, error) {
	if c.Files == "" {
		return nil, nil, nil
	}
	text, err := os.ReadFile(filepath.Join(r.dir, keptName(c.Accepted)))
	if err != nil {
		return nil, nil, err
	}
	if digestOfKept(text) != c.Files {
		return nil, nil, fmt.Errorf("%s is not the file that was written", keptName(c.Accepted))
	}
	files, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	return files, text, err
}

func digestOfKept(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}
