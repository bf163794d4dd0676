package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// commit is Checkout.Commit without git: what the user has staged stays staged,
// since the commit is made from the tree of HEAD and not from the index. git's lock
// on the index is held from before the first look until all is done.
func (b *builtin) commit(ctx context.Context, c *Checkout, change Change) (Commit, error) {
	config, err := b.preflight(commitHooks)
	if err != nil {
		return Commit{}, err
	}
	guard, err := lock(b.indexPath())
	if err != nil {
		return Commit{}, err
	}
	defer guard.release()
	root, olds, err := c.begin(ctx, change)
	if err != nil {
		return Commit{}, err
	}
	defer root.Close()
	if err := b.checkConversions(config, olds, change); err != nil {
		return Commit{}, err
	}
	from, err := b.position()
	if err != nil {
		return Commit{}, err
	}
	author, committer, err := b.identity(config, time.Now())
	if err != nil {
		return Commit{}, err
	}
	hash, err := b.make(from, change, author, committer)
	if err != nil {
		return Commit{}, err
	}
	why := "commit: "
	if from.commit == "" {
		why = "commit (initial): "
	}
	subject, _, _ := strings.Cut(cleanMessage(change.Message), "\n")
	step := step{from: from, to: hash.String(), who: committer, why: why + subject}
	if err := b.advance(ctx, root, guard, olds, change, step, config); err != nil {
		return Commit{}, err
	}
	return b.commitAt(hash.String())
}

func (b *builtin) checkConversions(config gitConfig, olds []before, change Change) error {
	for _, old := range olds {
		if err := b.checkConversion(config, b.folder(), old.path, old.content, change.Files[old.path]); err != nil {
			return err
		}
	}
	return nil
}

// make writes the objects of a commit on where HEAD stands.
func (b *builtin) make(from position, change Change, author, committer object.Signature) (plumbing.Hash, error) {
	m := maker{}
	var parent *object.Commit
	if from.commit != "" {
		h, err := b.local.at(from.commit)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if parent, err = h.commit(from.commit); err != nil {
			return plumbing.ZeroHash, err
		}
		m.objects = h.objects
	}
	hash, err := m.commit(parent, change, author, committer)
	if err != nil {
		return hash, err
	}
	return hash, b.local.keep(m.made)
}

// A step is a move of HEAD.
type step struct {
	from position
	to   string
	who  object.Signature
	why  string // for the log
}

// advance writes the files of a change, moves HEAD to the commit that has them, and
// notes them in the index, whose lock the caller holds. Where it fails before HEAD
// has moved, or ctx ends by then, everything is as it was.
func (b *builtin) advance(ctx context.Context, root *os.Root, guard *lockFile, olds []before, change Change, s step, config gitConfig) error {
	undo, err := apply(ctx, root, olds, change)
	if err == nil {
		err = b.note(root, guard, change, config)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = b.move(s.from, s.to, s.who, s.why, config)
	}
	if err != nil {
		return errors.Join(err, undo())
	}
	if err := guard.commit(); err != nil {
		return fmt.Errorf("the commit was made, but not noted in the index: %w", err)
	}
	return nil
}

// note writes the index that there is to be into its lock.
func (b *builtin) note(root *os.Root, guard *lockFile, change Change, config gitConfig) error {
	x, err := b.index()
	if err != nil {
		return err
	}
	for _, path := range change.paths() {
		content := change.Files[path]
		if content == nil {
			x.remove(path)
			continue
		}
		info, err := root.Lstat(filepath.FromSlash(path))
		if err != nil {
			return fmt.Errorf("looking at %s: %w", path, unwrapPath(err))
		}
		mode := uint32(regularMode)
		if e, known := x.entry(path); known {
			mode = e.mode()
		}
		x.set(path, mode, plumbing.ComputeHash(plumbing.BlobObject, content), info)
	}
	return guard.write(x.encode())
}

// fastForward moves the branch that is checked out to a commit that was built on
// where it stands, with the files that differ. It touches nothing, and says false,
// where something of it is not as plain as that.
func (b *builtin) fastForward(ctx context.Context, c *Checkout, h *History, to string, config gitConfig) (bool, error) {
	guard, err := lock(b.indexPath())
	if err != nil {
		return false, err
	}
	defer guard.release()
	from, err := b.position()
	if err != nil || from.commit == "" || from.ref == "" {
		return false, err
	}
	if clean, err := b.cleanEverywhere(); err != nil || !clean || c.checkOperation() != nil {
		return false, err
	}
	change, plain, err := h.difference(from.commit, to)
	if err != nil || !plain {
		return false, err
	}
	root, olds, err := c.begin(ctx, change)
	if err != nil {
		return false, err
	}
	defer root.Close()
	// As checked out, a text may have other line ends than the one that git keeps.
	files, err := h.Files(to)
	if err != nil {
		return false, err
	}
	for path := range change.Files {
		if err := b.checkConversion(config, files, path, []byte("\r")); err != nil {
			return false, err
		}
	}
	_, who, err := b.identity(config, time.Now())
	if err != nil {
		return false, err
	}
	s := step{from: from, to: to, who: who, why: "merge " + to + ": Fast-forward"}
	return true, b.advance(ctx, root, guard, olds, change, s, config)
}

// difference is what makes one commit of another. It is not plain where something
// but the content of regular files differs.
func (h *History) difference(from, to string) (change Change, plain bool, err error) {
	old, err := h.Files(from)
	if err != nil {
		return change, false, err
	}
	now, err := h.Files(to)
	if err != nil {
		return change, false, err
	}
	change.Files = map[string][]byte{}
	d := difference{old.(*treeFS), now.(*treeFS), change.Files}
	err = d.folder(".", d.old.root, d.now.root)
	if errors.Is(err, errDiffers) {
		return change, false, nil
	}
	return change, err == nil, err
}

type difference struct {
	old, now *treeFS
	files    map[string][]byte
}

// folder compares what two commits have in one; nil: it is not there.
func (d difference) folder(at string, old, now *node) error {
	if old != nil && now != nil && old.hash == now.hash {
		return nil
	}
	olds, err := childrenByName(old)
	if err != nil {
		return err
	}
	nows, err := childrenByName(now)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for name := range olds {
		names[name] = true
	}
	for name := range nows {
		names[name] = true
	}
	for name := range names {
		path := strings.TrimPrefix(at+"/"+name, "./")
		if err := d.entry(path, olds[name], nows[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d difference) entry(path string, old, now *node) error {
	switch {
	case old != nil && now != nil && old.hash == now.hash && old.mode == now.mode:
		return nil
	case (old == nil || old.IsDir()) && (now == nil || now.IsDir()):
		return d.folder(path, old, now)
	case old != nil && now != nil && old.mode != now.mode:
		return errDiffers
	case old == nil && now.mode != 0o444, now == nil && !old.mode.IsRegular(), now != nil && !now.mode.IsRegular():
		return errDiffers
	case now == nil:
		d.files[path] = nil
		return nil
	}
	content, err := now.content()
	if content == nil {
		content = []byte{}
	}
	d.files[path] = content
	return err
}

func childrenByName(n *node) (map[string]*node, error) {
	out := map[string]*node{}
	if n == nil {
		return out, nil
	}
	children, err := n.children()
	for _, c := range children {
		out[c.name] = c
	}
	return out, err
}
