package repo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// Write makes the change in the work tree alone: nothing is staged or
// committed. It refuses what [Checkout.Commit] refuses. Each file is replaced
// at once; where one of them fails, those before it are restored.
func (c *Checkout) Write(ctx context.Context, change Change) error {
	unlock, err := c.lockedHere(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	root, olds, err := c.begin(ctx, change)
	if err != nil {
		return err
	}
	defer root.Close()
	undo, err := c.apply(ctx, root, olds, change)
	if err != nil {
		return errors.Join(err, c.takenBack(undo()))
	}
	return c.done()
}

// takenBack ends a change that failed. Where taking it back failed, too, the journal
// stays, for the next time.
func (c *Checkout) takenBack(err error) error {
	if err != nil {
		return err
	}
	return c.done()
}

// apply writes the files of a change, and a journal first. undo restores them as
// they were, also after an error.
func (c *Checkout) apply(ctx context.Context, root *os.Root, olds []before, change Change) (undo func() error, err error) {
	var steps []func() error
	undo = func() error {
		var errs []error
		for i := len(steps) - 1; i >= 0; i-- {
			errs = append(errs, steps[i]())
		}
		return errors.Join(errs...)
	}
	if err := c.note(olds, change); err != nil {
		return undo, err
	}
	for _, old := range olds {
		if err := ctx.Err(); err != nil {
			return undo, err
		}
		made, err := makeParents(root, path.Dir(old.path))
		for _, dir := range made {
			// A folder that the user has put something into meanwhile stays.
			steps = append(steps, func() error { _ = root.Remove(dir); return nil })
		}
		if err != nil {
			return undo, fmt.Errorf("writing %s: %w", old.path, unwrapPath(err))
		}
		if content := change.Files[old.path]; content == nil {
			err = remove(root, old.path)
		} else {
			err = replace(root, old, content)
		}
		if err != nil {
			return undo, fmt.Errorf("writing %s: %w", old.path, unwrapPath(err))
		}
		steps = append(steps, func() error { return restore(root, old) })
	}
	return undo, nil
}

// makeParents makes the folders of a file and returns those that were missing,
// outermost first.
func makeParents(root *os.Root, dir string) (made []string, err error) {
	if dir == "." {
		return nil, nil
	}
	made, err = makeParents(root, path.Dir(dir))
	if err != nil {
		return made, err
	}
	err = root.Mkdir(filepath.FromSlash(dir), 0o777)
	if errors.Is(err, fs.ErrExist) {
		return made, nil
	}
	if err != nil {
		return made, err
	}
	return append(made, filepath.FromSlash(dir)), nil
}

// replace puts content in the place of a file at once: whoever reads it sees
// the old or the new. The file keeps its permissions.
func replace(root *os.Root, old before, content []byte) error {
	if old.exists {
		return replaceWith(root, old.path, content, old.info.Mode().Perm(), true)
	}
	return replaceWith(root, old.path, content, 0o666, false) // less the umask, as git makes them
}

// replaceWith is replace with permissions, which are exact or less the umask.
func replaceWith(root *os.Root, name string, content []byte, perm fs.FileMode, exact bool) error {
	temp := filepath.FromSlash(path.Join(path.Dir(name), ".infra-"+rand.Text()))
	err := writeNew(root, temp, content, perm, exact)
	if err == nil {
		err = root.Rename(temp, filepath.FromSlash(name))
	}
	if err != nil {
		_ = root.Remove(temp)
	}
	return err
}

func writeNew(root *os.Root, name string, content []byte, perm fs.FileMode, exact bool) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if exact && err == nil {
		err = f.Chmod(perm)
	}
	return errors.Join(err, f.Close())
}

// remove deletes a file and, as git does, the folders that it leaves empty.
func remove(root *os.Root, name string) error {
	if err := root.Remove(filepath.FromSlash(name)); err != nil {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if root.Remove(filepath.FromSlash(dir)) != nil {
			break
		}
	}
	return nil
}

// restore makes a file what it was.
func restore(root *os.Root, old before) error {
	name := filepath.FromSlash(old.path)
	if !old.exists {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restoring %s: %w", old.path, unwrapPath(err))
		}
		return nil
	}
	return restoreTo(root, old.path, old.content, old.info.Mode().Perm(), old.info.ModTime())
}

func restoreTo(root *os.Root, name string, content []byte, perm fs.FileMode, modified time.Time) error {
	_, err := makeParents(root, path.Dir(name))
	if err == nil {
		err = replaceWith(root, name, content, perm, true)
	}
	if err == nil {
		err = root.Chtimes(filepath.FromSlash(name), modified, modified)
	}
	if err != nil {
		return fmt.Errorf("restoring %s: %w", name, unwrapPath(err))
	}
	return nil
}
