package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// A Commit is one revision. The zero value is none.
type Commit struct {
	Hash              string   // 40 lower-case hexadecimal digits
	Parents           []string // hashes; the first is the line that the branch grew along
	Author, Committer Person
	Message           string // as it was written, with its final newline
}

// A Person is who wrote or committed something, as they said themselves.
type Person struct {
	Name, Email string
	When        time.Time // in the zone of the person; to the second
}

// A History is the commits and files of a repository as seen from one commit,
// the tip. It is immutable and safe for concurrent use.
type History struct {
	objects *objects
	tip     Commit
	shallow map[string]bool // commits whose parents are cut off
	revs    resolver
}

// newHistory reads the tip.
func newHistory(o *objects, tip string, shallow []plumbing.Hash, r resolver) (*History, error) {
	h := &History{objects: o, shallow: map[string]bool{}, revs: r}
	for _, s := range shallow {
		h.shallow[s.String()] = true
	}
	c, err := h.Commit(tip)
	if err != nil {
		return nil, err
	}
	h.tip = c
	return h, nil
}

// Tip is the commit that the branch pointed to.
func (h *History) Tip() Commit { return h.tip }

// Commit reads one commit by its full hash. The error wraps [ErrNotFound] where
// the history does not hold it.
func (h *History) Commit(hash string) (Commit, error) {
	oc, err := h.commit(hash)
	if err != nil {
		return Commit{}, err
	}
	c := Commit{
		Hash:      oc.Hash.String(),
		Author:    person(oc.Author),
		Committer: person(oc.Committer),
		Message:   oc.Message,
	}
	for _, p := range oc.ParentHashes {
		c.Parents = append(c.Parents, p.String())
	}
	return c, nil
}

func (h *History) commit(hash string) (*object.Commit, error) {
	if !plumbing.IsHash(hash) {
		return nil, fmt.Errorf("reading commit %q: not a full hash: %w", hash, ErrNotFound)
	}
	var c *object.Commit
	err := h.objects.read(func(s storer.EncodedObjectStorer) (err error) {
		c, err = object.GetCommit(s, plumbing.NewHash(hash))
		return err
	})
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, fmt.Errorf("reading commit %s: %w", hash, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", hash, err)
	}
	return c, nil
}

func person(s object.Signature) Person {
	return Person{Name: s.Name, Email: s.Email, When: s.When}
}

// Files is the tree of a commit, read without a checkout. It implements
// fs.ReadDirFS, fs.ReadFileFS and fs.StatFS. Sizes are known without reading;
// symbolic links are not followed and have fs.ModeSymlink, submodules have
// fs.ModeIrregular; neither can be opened. A tree that holds a name such as
// "..", ".git" or one with a slash is an error as a whole.
//
// The Sys method of a file's FileInfo returns the hash of its content as a
// string, which is the same in every revision that has the same content.
func (h *History) Files(hash string) (fs.FS, error) {
	c, err := h.commit(hash)
	if err != nil {
		return nil, err
	}
	return newTreeFS(h.objects, c.TreeHash, c.Committer.When), nil
}
