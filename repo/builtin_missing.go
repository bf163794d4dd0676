package repo

import (
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// missing are the objects of a history that the repository does not have, each
// after those that it refers to, so that what is here is complete at any moment. It
// is not whole where the history ends before it reaches a commit that is here.
func (b *builtin) missing(h *History) (missing []plumbing.EncodedObject, whole bool) {
	g := gathering{h: h, local: b.local.open(), seen: map[plumbing.Hash]bool{}}
	var commits []*object.Commit
	for queue := []string{h.tip.Hash}; len(queue) > 0; queue = queue[1:] {
		hash := plumbing.NewHash(queue[0])
		if g.has(hash) {
			continue
		}
		g.seen[hash] = true
		c, err := h.commit(queue[0])
		if err != nil || h.shallow[queue[0]] {
			return nil, false
		}
		commits = append(commits, c)
		for _, p := range c.ParentHashes {
			queue = append(queue, p.String())
		}
	}
	// Those that were found last are the oldest.
	slices.Reverse(commits)
	for _, c := range commits {
		if g.tree(c.TreeHash) != nil || g.take(plumbing.CommitObject, c.Hash) != nil {
			return nil, false
		}
	}
	return g.out, true
}

type gathering struct {
	h     *History
	local storer.EncodedObjectStorer
	seen  map[plumbing.Hash]bool
	out   []plumbing.EncodedObject
}

func (g *gathering) has(hash plumbing.Hash) bool {
	return g.seen[hash] || g.local.HasEncodedObject(hash) == nil
}

func (g *gathering) take(kind plumbing.ObjectType, hash plumbing.Hash) error {
	return g.h.objects.read(func(s storer.EncodedObjectStorer) error {
		o, err := s.EncodedObject(kind, hash)
		if err == nil {
			g.out = append(g.out, o)
		}
		return err
	})
}

// tree takes a folder after all that is in it.
func (g *gathering) tree(hash plumbing.Hash) error {
	if g.has(hash) {
		return nil
	}
	g.seen[hash] = true
	var t *object.Tree
	err := g.h.objects.read(func(s storer.EncodedObjectStorer) (err error) {
		t, err = object.GetTree(s, hash)
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range t.Entries {
		switch {
		case e.Mode == filemode.Submodule || g.has(e.Hash):
			continue
		case e.Mode == filemode.Dir:
			err = g.tree(e.Hash)
		default:
			g.seen[e.Hash] = true
			err = g.take(plumbing.BlobObject, e.Hash)
		}
		if err != nil {
			return err
		}
	}
	return g.take(plumbing.TreeObject, hash)
}
