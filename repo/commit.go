package repo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Commit makes the change in the work tree and commits it on the branch that is
// checked out, or on a detached HEAD, with the user's identity, signature and
// hooks. Nothing else gets into the commit: what the user has staged stays
// staged, what they are editing stays as it is.
//
// It begins nothing, with a [Refusal], where a file of the change has changes
// that are not committed ([ErrDirty]), where a merge or the like is unfinished
// ([ErrInProgress]), where a path leads elsewhere ([ErrPath]) or where HEAD has left
// the change's base ([ErrMoved]); a change that changes nothing is [ErrUnchanged].
// Whatever fails later, such as a hook that declines, is a [GitError] with git's own
// words, and the files and the index
// are what they were. A context that ends leaves the whole commit or nothing; so does
// a process that is killed, once the next one edits here.
//
// Without git it refuses, with [ErrNeedsGit], what a commit of git's would do
// otherwise.
func (c *Checkout) Commit(ctx context.Context, change Change) (Commit, error) {
	unlock, err := c.lockedHere(ctx)
	if err != nil {
		return Commit{}, err
	}
	defer unlock()
	if c.builtin != nil {
		return c.builtin.commit(ctx, c, change)
	}
	root, olds, err := c.begin(ctx, change)
	if err != nil {
		return Commit{}, err
	}
	defer root.Close()
	parent, err := c.Head(ctx)
	if err != nil {
		return Commit{}, err
	}
	if change.Base != "" && change.Base != parent.Commit.Hash {
		return Commit{}, moved()
	}
	saved, err := c.saveIndex()
	if err != nil {
		return Commit{}, err
	}

	undo, err := c.apply(ctx, root, olds, change)
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
			return made, c.settled(ctx, change)
		}
		return Commit{}, errors.Join(err, c.takenBack(errors.Join(undo(), c.restoreIndex(ctx, saved, added))))
	}
	now, err := c.Head(ctx)
	if err != nil {
		return Commit{}, err
	}
	return now.Commit, c.settled(ctx, change)
}

func moved() error { return &Refusal{Err: ErrMoved, What: "the branch", Hint: "repeat the command"} }

// settled ends a change that was committed.
func (c *Checkout) settled(ctx context.Context, change Change) error {
	return c.noted(c.settle(ctx, change))
}

// noted ends a change that was committed, and that was to be noted in the index.
func (c *Checkout) noted(err error) error {
	if err != nil {
		return fmt.Errorf("the commit was made, but not noted in the index: %w", err)
	}
	return c.done()
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

// inUTF8 says what the messages of changes are written in. The user's own setting is
// for what they type in their editor.
const inUTF8 = "i18n.commitEncoding=UTF-8"

func (c *Checkout) commitOnly(ctx context.Context, change Change) error {
	g := c.git.set(inUTF8)
	g.stderr = c.Stderr
	_, err := g.run(ctx, []byte(change.Message), slices.Concat(
		[]string{"commit", "--quiet", "--cleanup=whitespace", "--file=-", "--only", "--"}, change.paths())...)
	return err
}

// madeAnyway finds a commit that git completed although the command failed: it
// was told to end after the branch had moved. Hooks may have given it other
// words and contents than those of the change, but hardly other files.
func (c *Checkout) madeAnyway(ctx context.Context, parent Head, change Change) (Commit, bool) {
	now, err := c.Head(ctx)
	if err != nil || now.Commit.Hash == parent.Commit.Hash || now.Branch != parent.Branch {
		return Commit{}, false
	}
	var parents []string
	if parent.Commit.Hash != "" {
		parents = []string{parent.Commit.Hash}
	}
	if !slices.Equal(now.Commit.Parents, parents) {
		return Commit{}, false
	}
	names, err := c.names(ctx, "diff-tree", "--root", "-r", "--no-commit-id", now.Commit.Hash)
	if err != nil {
		return Commit{}, false
	}
	for _, p := range change.paths() {
		if !slices.Contains(names, p) {
			return Commit{}, false
		}
	}
	return now.Commit, true
}
