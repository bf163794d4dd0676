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
	"time"
)

// Commit makes the change in the work tree and commits it on the branch that is
// checked out, or on a detached HEAD, with the user's identity, signature and
// hooks. Nothing else gets into the commit: what the user has staged stays
// staged, what they are editing stays as it is.
//
// It begins nothing, with a [Refusal], where a file of the change has changes
// that are not committed ([ErrDirty]), where a merge or the like is unfinished
// ([ErrInProgress]) or where a path leads elsewhere ([ErrPath]); a change that
// changes nothing is [ErrUnchanged]. Whatever fails later, such as a hook that
// declines, is a [GitError] with git's own words, and the files and the index
// are what they were. A context that ends leaves the whole commit or nothing.
func (c *Checkout) Commit(ctx context.Context, change Change) (Commit, error) {
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return Commit{}, fmt.Errorf("opening the work tree: %w", err)
	}
	defer root.Close()
	olds, err := c.inspect(ctx, root, change)
	if err != nil {
		return Commit{}, err
	}
	parent, err := c.Head(ctx)
	if err != nil {
		return Commit{}, err
	}
	saved, err := c.saveIndex()
	if err != nil {
		return Commit{}, err
	}

	undo, err := apply(ctx, root, olds, change)
	var added []string // to the index
	if err == nil {
		if added, err = c.announce(ctx, olds, change); err == nil {
			err = c.commitOnly(ctx, change)
		}
	}

	// From here on something may be half done: finish it even if ctx has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err != nil {
		if made, ok := c.madeAnyway(ctx, parent, change); ok {
			return made, c.settleIndex(ctx, change)
		}
		return Commit{}, errors.Join(err, undo(), c.restoreIndex(ctx, saved, added))
	}
	now, err := c.Head(ctx)
	if err != nil {
		return Commit{}, err
	}
	return now.Commit, c.settleIndex(ctx, change)
}

// announce tells git of files that it does not know, since `commit --only`
// takes known ones alone. It returns those that may be in the index now, also
// after an error.
func (c *Checkout) announce(ctx context.Context, olds []before, change Change) (added []string, err error) {
	for _, old := range olds {
		if !old.exists && change.Files[old.path] != nil {
			added = append(added, old.path)
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	_, err = c.git.run(ctx, nil, slices.Concat([]string{"add", "--intent-to-add", "--"}, added)...)
	return added, err
}

func (c *Checkout) commitOnly(ctx context.Context, change Change) error {
	_, err := c.git.run(ctx, []byte(change.Message), slices.Concat(
		[]string{"commit", "--quiet", "--cleanup=whitespace", "--file=-", "--only", "--"}, change.paths())...)
	return err
}

// madeAnyway finds a commit that git completed although the command failed: it
// was told to end after the branch had moved.
func (c *Checkout) madeAnyway(ctx context.Context, parent Head, change Change) (Commit, bool) {
	now, err := c.Head(ctx)
	if err != nil || now.Commit.Hash == parent.Commit.Hash || now.Branch != parent.Branch {
		return Commit{}, false
	}
	var parents []string
	if parent.Commit.Hash != "" {
		parents = []string{parent.Commit.Hash}
	}
	return now.Commit, slices.Equal(now.Commit.Parents, parents) &&
		strings.TrimSpace(now.Commit.Message) == strings.TrimSpace(change.Message)
}

// settleIndex makes the index agree with the new commit about the files of the
// change. It does so already, unless a hook changed them on the way or git was
// told to end before it wrote the index.
func (c *Checkout) settleIndex(ctx context.Context, change Change) error {
	paths := change.paths()
	_, err := c.git.run(ctx, nil, slices.Concat([]string{"diff", "--cached", "--quiet", "--no-ext-diff", "HEAD", "--"}, paths)...)
	if ended(err, 1) {
		_, err = c.git.run(ctx, nil, slices.Concat([]string{"reset", "--quiet", "HEAD", "--"}, paths)...)
	}
	if err != nil {
		return fmt.Errorf("the commit was made, but not noted in the index: %w", err)
	}
	return nil
}

// savedIndex is the index file before an edit.
type savedIndex struct {
	path    string
	exists  bool
	content []byte
}

func (c *Checkout) saveIndex() (savedIndex, error) {
	s := savedIndex{path: filepath.Join(c.gitDir, "index")}
	content, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the index: %w", err)
	}
	s.exists, s.content = true, content
	return s, nil
}

// restoreIndex takes back what announce put into the index. Where that is all
// that happened since, the file becomes what it was, to the byte.
func (c *Checkout) restoreIndex(ctx context.Context, saved savedIndex, added []string) error {
	if len(added) == 0 {
		return nil // nothing that fails has written to it
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
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(lock)
		return fmt.Errorf("restoring the index: %w", err)
	}
	entries := []string{"ls-files", "--stage", "-v", "-z"}
	now, err := c.git.run(ctx, nil, entries...)
	if err == nil {
		var then []byte
		then, err = c.git.with("GIT_INDEX_FILE="+lock).run(ctx, nil, entries...)
		if err == nil && bytes.Equal(now, then) {
			if saved.exists {
				err = os.Rename(lock, saved.path)
			} else {
				err = errors.Join(os.Remove(saved.path), os.Remove(lock))
			}
			return err
		}
	}
	os.Remove(lock)
	return err
}
