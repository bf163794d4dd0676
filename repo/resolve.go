package repo

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// resolver knows the names of a repository.
type resolver interface {
	named(name string) (found []namedRef, err error)           // ErrNotFound where nothing is called so
	withPrefix(prefix []byte) (all []plumbing.Hash, err error) // objects of any kind
}

// A namedRef is something that a name stands for: a commit or a tag.
type namedRef struct{ ref, hash string }

var (
	revForm    = regexp.MustCompile(`^(.+?)((?:[~^][0-9]*)*)$`)
	stepForm   = regexp.MustCompile(`[~^][0-9]*`)
	prefixForm = regexp.MustCompile(`^[0-9A-Fa-f]{4,40}$`)
)

// Resolve finds the commit that a person means by rev: HEAD, a branch, a tag,
// or at least four digits of a hash, with ~n and ^n where wanted. Of a remote
// repository only what was fetched is known: HEAD and the branch's name for the
// tip, and hashes. The error wraps [ErrNotFound] where there is no such commit.
//
// A whole hash is that commit, whatever else is called so, and a name that stands
// for several commits (a tag and a branch) is an error: whoever may push a tag
// must not choose what another name means.
func (h *History) Resolve(rev string) (Commit, error) {
	c, err := h.resolve(rev)
	if err != nil {
		return Commit{}, fmt.Errorf("finding revision %q: %w", rev, err)
	}
	return c, nil
}

func (h *History) resolve(rev string) (Commit, error) {
	m := revForm.FindStringSubmatch(rev)
	if m == nil || strings.HasPrefix(rev, "-") {
		return Commit{}, ErrNotFound
	}
	c, err := h.base(m[1])
	if err != nil {
		return Commit{}, err
	}
	for _, step := range stepForm.FindAllString(m[2], -1) {
		n, err := strconv.Atoi(cmp.Or(step[1:], "1"))
		if err != nil {
			return Commit{}, ErrNotFound
		}
		if c, err = h.step(c, step[0], n); err != nil {
			return Commit{}, err
		}
	}
	return c, nil
}

// step goes from a commit to its n-th ancestor (~) or its n-th parent (^).
func (h *History) step(c Commit, kind byte, n int) (Commit, error) {
	times, parent := n, 1
	if kind == '^' {
		times, parent = min(n, 1), n
	}
	for range times {
		if h.shallow[c.Hash] {
			return Commit{}, ErrShallow
		}
		if len(c.Parents) < parent {
			return Commit{}, ErrNotFound
		}
		var err error
		if c, err = h.Commit(c.Parents[parent-1]); err != nil {
			return Commit{}, err
		}
	}
	return c, nil
}

func (h *History) base(name string) (Commit, error) {
	if name == "@" {
		name = "HEAD"
	}
	if len(name) == 40 && prefixForm.MatchString(name) {
		return h.peel(strings.ToLower(name))
	}
	found, err := h.revs.named(name)
	if err == nil {
		return h.only(found)
	}
	if !errors.Is(err, ErrNotFound) || !prefixForm.MatchString(name) {
		return Commit{}, err
	}
	return h.byPrefix(strings.ToLower(name))
}

// only is the one commit that all of these are.
func (h *History) only(found []namedRef) (Commit, error) {
	first, err := h.peel(found[0].hash)
	if err != nil {
		return Commit{}, err
	}
	for _, other := range found[1:] {
		c, err := h.peel(other.hash)
		if err != nil {
			return Commit{}, err
		}
		if c.Hash != first.Hash {
			return Commit{}, fmt.Errorf("it is short for %s and for %s, which are not the same commit: write out which is meant", found[0].ref, other.ref)
		}
	}
	return first, nil
}

// peel follows annotated tags to their commit.
func (h *History) peel(hash string) (Commit, error) {
	for range 8 { // tags of tags are rare, and a longer chain is somebody's joke
		var tag *object.Tag
		err := h.objects.read(func(s storer.EncodedObjectStorer) (err error) {
			tag, err = object.GetTag(s, plumbing.NewHash(hash))
			return err
		})
		if err != nil {
			break
		}
		hash = tag.Target.String()
	}
	return h.Commit(hash)
}

func (h *History) byPrefix(prefix string) (Commit, error) {
	whole, err := hex.DecodeString(prefix[:len(prefix)&^1])
	if err != nil {
		return Commit{}, ErrNotFound
	}
	all, err := h.revs.withPrefix(whole)
	if err != nil {
		return Commit{}, err
	}
	var found []Commit
	for _, hash := range all {
		if !strings.HasPrefix(hash.String(), prefix) {
			continue
		}
		if c, err := h.Commit(hash.String()); err == nil {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return Commit{}, ErrNotFound
	case 1:
		return found[0], nil
	}
	return Commit{}, fmt.Errorf("is short for %d commits", len(found))
}
