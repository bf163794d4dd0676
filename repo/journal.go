package repo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// journalName is the file in the git folder that says how to take back a change
// that is being made. A process that is killed leaves it to the next one.
const journalName = "infra-undo.json"

// journaled is one file of a change.
type journaled struct {
	Path    string
	Existed bool
	Perm    fs.FileMode
	ModTime time.Time
	Old     []byte // where it existed
	New     []byte // nil: the change deletes it
}

// note writes the journal of a change, which must be there before the first file
// is touched. It is written beside and renamed, so that it is whole or not there.
func (c *Checkout) note(olds []before, change Change) error {
	files := make([]journaled, len(olds))
	for i, old := range olds {
		files[i] = journaled{Path: old.path, Existed: old.exists, Old: old.content, New: change.Files[old.path]}
		if old.exists {
			files[i].Perm, files[i].ModTime = old.info.Mode().Perm(), old.info.ModTime()
		}
	}
	text, err := json.Marshal(files)
	if err != nil {
		return fmt.Errorf("preparing the edit: %w", err)
	}
	at := filepath.Join(c.gitDir, journalName)
	if err = os.WriteFile(at+".new", text, 0o600); err == nil {
		err = os.Rename(at+".new", at)
	}
	if err != nil {
		_ = os.Remove(at + ".new")
		return fmt.Errorf("preparing the edit: %w", unwrapPath(err))
	}
	return nil
}

// done removes the journal: the change is whole, or was taken back.
func (c *Checkout) done() error {
	err := os.Remove(filepath.Join(c.gitDir, journalName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("finishing the edit: %w", unwrapPath(err))
	}
	return nil
}

// recover takes back what a killed process left half done, or finishes it where
// the commit was made. A file that was changed since stays: that was the user.
func (c *Checkout) recover(ctx context.Context) error {
	_ = os.Remove(filepath.Join(c.gitDir, journalName+".new"))
	text, err := os.ReadFile(filepath.Join(c.gitDir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var files []journaled
	if err == nil {
		err = json.Unmarshal(text, &files)
	}
	if err == nil {
		err = c.takeBack(ctx, files)
	}
	if err != nil {
		return fmt.Errorf("taking back an edit that was interrupted (%s): %w", filepath.Join(c.gitDir, journalName), unwrapPath(err))
	}
	return c.done()
}

func (c *Checkout) takeBack(ctx context.Context, files []journaled) error {
	change := Change{Files: map[string][]byte{}}
	for _, f := range files {
		change.Files[f.Path] = f.New
	}
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return err
	}
	defer root.Close()
	if c.builtin != nil {
		return c.builtin.recover(c, root, files, change)
	}
	made, err := c.isCommitted(ctx, root, change)
	if err != nil {
		return err
	}
	if made {
		return c.settle(ctx, change)
	}
	for _, f := range files {
		if err := f.takeBack(root); err != nil {
			return err
		}
	}
	announced, err := c.announced(ctx, change.paths())
	if err != nil || len(announced) == 0 {
		return err
	}
	_, err = c.git.run(ctx, nil, slices.Concat([]string{"update-index", "--force-remove", "--"}, announced)...)
	return err
}

// isCommitted says whether the files are in the work tree as the change has them, and
// in HEAD, too. The index is not asked: git may have been killed before it wrote that.
func (c *Checkout) isCommitted(ctx context.Context, root *os.Root, change Change) (bool, error) {
	for _, p := range change.paths() {
		now, err := readBefore(root, p)
		if err != nil {
			return false, err
		}
		content := change.Files[p]
		if now.exists != (content != nil) || string(now.content) != string(content) {
			return false, nil
		}
		in, err := c.git.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD:"+p)
		switch {
		case ended(err, 1) || ended(err, 128): // no such file, or no commit
			in = ""
		case err != nil:
			return false, err
		}
		if content == nil {
			if in != "" {
				return false, nil
			}
			continue
		}
		kept, err := c.git.run(ctx, content, "hash-object", "--stdin", "--path="+p)
		if err != nil || strings.TrimSpace(string(kept)) != in {
			return false, err
		}
	}
	return true, nil
}

// takeBack makes the file what it was, if it is what the change made of it, and
// removes what was written beside it.
func (f journaled) takeBack(root *os.Root) error {
	now, err := readBefore(root, f.Path)
	if err != nil {
		return err
	}
	removeHalfWritten(root, path.Dir(f.Path))
	if now.exists != (f.New != nil) || string(now.content) != string(f.New) {
		return nil
	}
	if !f.Existed {
		return remove(root, f.Path)
	}
	return restoreTo(root, f.Path, f.Old, f.Perm, f.ModTime)
}

// halfWritten is what replace calls a file until it is whole.
var halfWritten = regexp.MustCompile(`^\.infra-[A-Z2-7]{26}$`)

// removeHalfWritten removes such files from a folder, as far as that is possible.
func removeHalfWritten(root *os.Root, dir string) {
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if halfWritten.MatchString(e.Name()) {
			_ = root.Remove(filepath.FromSlash(path.Join(dir, e.Name())))
		}
	}
}

// announced are those of the paths that the index holds a place for without a
// content: see announce.
func (c *Checkout) announced(ctx context.Context, paths []string) ([]string, error) {
	known, err := modes(ctx, c.git, paths)
	if err != nil {
		return nil, err
	}
	// Of what is announced the staged changes say nothing, and HEAD has nothing.
	staged, err := c.names(ctx, "diff", slices.Concat([]string{"--cached", "--"}, paths)...)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, p := range paths {
		if _, ok := known[p]; !ok || slices.Contains(staged, p) {
			continue
		}
		has, err := c.inHead(ctx, p)
		if err != nil {
			return nil, err
		}
		if !has {
			found = append(found, p)
		}
	}
	return found, nil
}
