package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Change is an edit of files, with the words that go with it.
type Change struct {
	// Files are the new contents by slash path below the root of the checkout;
	// nil deletes. The bytes are those of the work tree: a file that git keeps
	// with other line endings is written with the work tree's.
	Files map[string][]byte

	// Base is the commit that the contents were made of. Commit refuses the change
	// where HEAD is another, which would lose what came meanwhile. Empty: any.
	Base string

	// Message of the commit: a subject, and after an empty line a body.
	Message string
}

// paths are the files of the change in order.
func (c Change) paths() []string { return slices.Sorted(maps.Keys(c.Files)) }

// before is a file as it was before an edit.
type before struct {
	path    string
	exists  bool
	content []byte
	info    fs.FileInfo
}

// begin opens the work tree for a change that touches nothing of the user's, and
// returns the files as they are. It changes nothing.
func (c *Checkout) begin(ctx context.Context, change Change) (*os.Root, []before, error) {
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the work tree: %w", err)
	}
	olds, err := c.inspect(ctx, root, change)
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	return root, olds, nil
}

// inspect checks a change for begin.
func (c *Checkout) inspect(ctx context.Context, root *os.Root, change Change) ([]before, error) {
	paths := change.paths()
	if len(paths) == 0 {
		return nil, ErrUnchanged
	}
	for _, p := range paths {
		if err := checkPath(root, p); err != nil {
			return nil, err
		}
	}
	if err := c.checkOperation(); err != nil {
		return nil, err
	}
	// Read first and ask git then: what is saved is what git called clean.
	var olds []before
	changed := false
	for _, p := range paths {
		old, err := readBefore(root, p)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", p, err)
		}
		olds = append(olds, old)
		content := change.Files[p]
		changed = changed || (content != nil) != old.exists || string(content) != string(old.content)
	}
	if err := c.checkClean(ctx, paths); err != nil {
		return nil, err
	}
	if !changed {
		return nil, ErrUnchanged
	}
	return olds, nil
}

func readBefore(root *os.Root, path string) (before, error) {
	b := before{path: path}
	info, err := root.Lstat(filepath.FromSlash(path))
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, unwrapPath(err)
	}
	b.exists, b.info = true, info
	if b.content, err = root.ReadFile(filepath.FromSlash(path)); err != nil {
		return b, unwrapPath(err)
	}
	return b, nil
}

// checkPath refuses a name that git would not keep, and one that leads through
// or to a symbolic link: what is written there would be another file than the
// one that git commits, perhaps outside of the repository.
func checkPath(root *os.Root, path string) error {
	if err := checkName(path); err != nil {
		return err
	}
	refuse := func(detail string) error { return &Refusal{Err: ErrPath, What: path, Detail: detail} }
	parts := strings.Split(path, "/")
	for i := range parts {
		here := strings.Join(parts[:i+1], "/")
		info, err := root.Lstat(filepath.FromSlash(here))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return refuse(unwrapPath(err).Error())
		case info.Mode()&fs.ModeSymlink != 0:
			return refuse(here + " is a symbolic link")
		case i < len(parts)-1 && !info.IsDir():
			return refuse(here + " is not a folder")
		case i == len(parts)-1 && !info.Mode().IsRegular():
			return refuse("it is not a regular file")
		}
	}
	return nil
}

// checkName is checkPath for the name alone.
func checkName(path string) error {
	refuse := func(detail string) error { return &Refusal{Err: ErrPath, What: path, Detail: detail} }
	if !fs.ValidPath(path) || path == "." || strings.ContainsAny(path, "\\\x00\n") {
		return refuse("it is not a path below the repository's root")
	}
	for part := range strings.SplitSeq(path, "/") {
		if !safeName(part) {
			return refuse("git keeps no such name")
		}
	}
	return nil
}

// operations are what git leaves in its folder while something is unfinished.
// A bisection is not among them: one may commit during it.
var operations = []struct{ file, name, hint string }{
	{"MERGE_HEAD", "a merge", "finish it with git commit, or give it up with git merge --abort"},
	{"rebase-merge", "a rebase", "finish it with git rebase --continue, or give it up with git rebase --abort"},
	{"rebase-apply", "a rebase", "finish it with git rebase --continue, or give it up with git rebase --abort (git am --abort where patches are applied)"},
	{"CHERRY_PICK_HEAD", "a cherry-pick", "finish it with git cherry-pick --continue, or give it up with git cherry-pick --abort"},
	{"REVERT_HEAD", "a revert", "finish it with git revert --continue, or give it up with git revert --abort"},
	{"sequencer", "a series of cherry-picks or reverts", "see git status for how to go on"},
}

func (c *Checkout) checkOperation() error {
	for _, o := range operations {
		if _, err := os.Lstat(filepath.Join(c.gitDir, o.file)); err == nil {
			return &Refusal{Err: ErrInProgress, What: o.name + " is", Hint: o.hint}
		}
	}
	return nil
}

// checkClean refuses files that differ from HEAD, in the index or in the work
// tree, that git does not track although they exist, or that it does not look at.
func (c *Checkout) checkClean(ctx context.Context, paths []string) error {
	if c.builtin != nil {
		return c.builtin.checkClean(paths)
	}
	dirty := func(path, detail, hint string) error {
		return &Refusal{Err: ErrDirty, What: path, Detail: detail, Hint: hint}
	}
	out, err := c.git.run(ctx, nil, slices.Concat(
		[]string{"--no-optional-locks", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching", "--"}, paths)...)
	if err != nil {
		return fmt.Errorf("asking git what is changed: %w", err)
	}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		if len(entry) < 4 {
			continue
		}
		path := entry[3:]
		switch entry[:2] {
		case "??":
			return dirty(path, "git does not track it", "commit the file or move it away")
		case "!!":
			return dirty(path, "git is told to ignore it", "see git check-ignore -v "+path)
		}
		return dirty(path, "", "commit or stash your changes first")
	}
	// What is marked as not to be looked at has no place in git's answer above.
	out, err = c.git.run(ctx, nil, slices.Concat([]string{"ls-files", "-v", "-z", "--"}, paths)...)
	if err != nil {
		return fmt.Errorf("asking git what is changed: %w", err)
	}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		if len(entry) < 3 {
			continue
		}
		switch tag, path := entry[0], entry[2:]; {
		case tag == 'S' || tag == 's':
			return dirty(path, "it is outside of the sparse checkout", "add it with git sparse-checkout add")
		case 'a' <= tag && tag <= 'z':
			return dirty(path, "git is told to assume that it is unchanged", "undo that with git update-index --no-assume-unchanged")
		}
	}
	return nil
}
