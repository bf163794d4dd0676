package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settle makes the index agree with the new commit about the files of the
// change. It does so already, unless a hook changed them on the way or git was
// told to end before it wrote the index. Files that a hook has put into the commit
// are another matter: git forgets those, which would then look deleted or reverted.
func (c *Checkout) settle(ctx context.Context, change Change) error {
	differ, err := c.names(ctx, "diff", "--cached", "HEAD")
	if err != nil {
		return err
	}
	var behind, others []string
	for _, name := range differ {
		if _, ours := change.Files[name]; ours {
			behind = append(behind, name)
		} else {
			others = append(others, name)
		}
	}
	forgotten, err := c.forgotten(ctx, others)
	if err != nil {
		return err
	}
	if behind = append(behind, forgotten...); len(behind) == 0 {
		return nil
	}
	_, err = c.git.run(ctx, nil, slices.Concat([]string{"reset", "--quiet", "HEAD", "--"}, behind)...)
	return err
}

// forgotten are those of some files of which the index differs from HEAD that the
// commit changed, while the index has what was there before: nobody staged that.
func (c *Checkout) forgotten(ctx context.Context, differ []string) ([]string, error) {
	if len(differ) == 0 {
		return nil, nil
	}
	made, err := c.names(ctx, "diff-tree", "--root", "-r", "--no-commit-id", "HEAD")
	if err != nil {
		return nil, err
	}
	made = slices.DeleteFunc(made, func(name string) bool { return !slices.Contains(differ, name) })
	if len(made) == 0 {
		return nil, nil
	}
	staged, err := c.names(ctx, "diff", slices.Concat([]string{"--cached", "HEAD~1", "--"}, made)...)
	if ended(err, 128) { // it is the first commit
		return nil, nil
	}
	return slices.DeleteFunc(made, func(name string) bool { return slices.Contains(staged, name) }), err
}

// names runs a git command that compares, and returns the files that differ.
func (c *Checkout) names(ctx context.Context, command string, args ...string) ([]string, error) {
	out, err := c.git.run(ctx, nil, slices.Concat([]string{command, "--name-only", "-z", "--no-renames", "--no-ext-diff"}, args)...)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
}

// savedIndex is the index file before an edit.
type savedIndex struct {
	path    string
	exists  bool
	content []byte
	perm    fs.FileMode // others may read it where the repository is shared
}

func (c *Checkout) saveIndex() (savedIndex, error) {
	s := savedIndex{path: filepath.Join(c.gitDir, "index")}
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		s.exists, s.perm = true, info.Mode().Perm()
		s.content, err = os.ReadFile(s.path)
	}
	if err != nil {
		return s, fmt.Errorf("reading the index: %w", err)
	}
	return s, nil
}

// restoreIndex takes back what announce put into the index. Where that is all
// that happened since, the file becomes what it was, to the byte.
func (c *Checkout) restoreIndex(ctx context.Context, saved savedIndex, added []string) error {
	if len(added) == 0 {
		return nil // nothing that fails has written to it
	}
	if known, err := c.git.run(ctx, nil, slices.Concat([]string{"ls-files", "-z", "--"}, added)...); err == nil && len(known) == 0 {
		return nil
	}
	if _, err := c.git.run(ctx, nil, slices.Concat([]string{"update-index", "--force-remove", "--"}, added)...); err != nil {
		return fmt.Errorf("restoring the index: %w", err)
	}
	return c.restoreIndexBytes(ctx, saved)
}

// restoreIndexBytes writes the saved file, under git's lock, where the index
// still has the same entries; the user may have staged something meanwhile.
func (c *Checkout) restoreIndexBytes(ctx context.Context, saved savedIndex) error {
	lock := saved.path + ".lock"
	f, err := os.OpenFile(lock, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil // somebody is at work; the entries are right already
	}
	_, err = f.Write(saved.content)
	if saved.exists {
		err = errors.Join(err, f.Chmod(saved.perm))
	}
	err = errors.Join(err, f.Close())
	same := false
	if err == nil {
		same, err = c.sameEntries(ctx, saved, lock)
	}
	switch {
	case same && saved.exists:
		err = os.Rename(lock, saved.path) // which gives the lock up
	case same:
		err = errors.Join(os.Remove(saved.path), os.Remove(lock))
	default:
		err = errors.Join(err, os.Remove(lock))
	}
	if err != nil {
		return fmt.Errorf("restoring the index: %w", err)
	}
	return nil
}

// sameEntries says whether the index says of the files what the saved one, of
// which there is a copy, said: all but when git last looked at them.
func (c *Checkout) sameEntries(ctx context.Context, saved savedIndex, copied string) (bool, error) {
	entries := []string{"ls-files", "--stage", "-v", "-z"}
	now, err := c.git.run(ctx, nil, entries...)
	if err != nil || !saved.exists {
		return len(now) == 0, err
	}
	then, err := c.git.with("GIT_INDEX_FILE="+copied).run(ctx, nil, entries...)
	return bytes.Equal(now, then), err
}
