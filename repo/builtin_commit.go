package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	if change.Base != "" && change.Base != from.commit {
		return Commit{}, moved()
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
	if err := b.advance(ctx, c, root, guard, olds, change, step, config); err != nil {
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
func (b *builtin) advance(ctx context.Context, c *Checkout, root *os.Root, guard *lockFile, olds []before, change Change, s step, config gitConfig) error {
	undo, err := c.apply(ctx, root, olds, change)
	if err == nil {
		err = b.note(root, guard, change)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = b.move(s.from, s.to, s.who, s.why, config)
	}
	if err != nil {
		return errors.Join(err, c.takenBack(undo()))
	}
	return c.noted(guard.commit())
}

// recover ends what a killed process began: as [Checkout.takeBack], for whose files
// nothing is announced in the index here.
func (b *builtin) recover(c *Checkout, root *os.Root, files []journaled, change Change) error {
	made, err := b.isCommitted(root, change)
	if err != nil {
		return err
	}
	if !made {
		for _, f := range files {
			if err := f.takeBack(root); err != nil {
				return err
			}
		}
		return nil
	}
	guard, err := lock(b.indexPath())
	if err != nil {
		return err
	}
	defer guard.release()
	if err := b.note(root, guard, change); err != nil {
		return err
	}
	return c.noted(guard.commit())
}

// isCommitted says whether the files are in the work tree as the change has them, and
// in HEAD, too.
func (b *builtin) isCommitted(root *os.Root, change Change) (bool, error) {
	at, err := b.position()
	if err != nil || at.commit == "" {
		return false, err
	}
	h, err := b.local.at(at.commit)
	if err != nil {
		return false, err
	}
	files, err := h.Files(at.commit)
	if err != nil {
		return false, err
	}
	for _, p := range change.paths() {
		now, err := readBefore(root, p)
		if err != nil {
			return false, err
		}
		kept, err := fs.ReadFile(files, p)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		content := change.Files[p]
		there := content != nil
		if now.exists != there || (err == nil) != there || !bytes.Equal(now.content, content) || !bytes.Equal(kept, content) {
			return false, nil
		}
	}
	return true, nil
}

// note writes the index that there is to be into its lock.
func (b *builtin) note(root *os.Root, guard *lockFile, change Change) error {
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
