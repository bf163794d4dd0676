package repo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A tempTree is a linked worktree below the git folder, in which a commit is made
// beside the user's work. Nothing is checked out there but the files of the
// change, so that it costs as little in a large repository as in a small one.
type tempTree struct {
	c   *Checkout
	dir string
	git git
}

// tempTrees is the folder of all of them. What follows a name's last dash is
// chance; before it are the process and its machine.
const tempTrees = "infra-push"

// newTempTree makes one that stands at a commit, and clears away those of
// processes that were killed.
func (c *Checkout) newTempTree(ctx context.Context, commit string) (*tempTree, error) {
	common, err := c.git.line(ctx, "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return nil, fmt.Errorf("making a temporary worktree: %w", err)
	}
	all := filepath.Join(filepath.FromSlash(common), tempTrees)
	c.clearTempTrees(ctx, all)
	w := &tempTree{c: c, dir: filepath.Join(all, fmt.Sprintf("%d-%s-%s", os.Getpid(), machine(), rand.Text()))}
	w.git = git{dir: w.dir, stderr: c.Stderr}
	if w.git.config, err = c.hooksPath(ctx); err != nil {
		return nil, err
	}
	if _, err := c.git.run(ctx, nil, "worktree", "add", "--quiet", "--detach", "--no-checkout", w.dir, commit); err != nil {
		return nil, errors.Join(fmt.Errorf("making a temporary worktree: %w", err), w.remove(ctx))
	}
	return w, nil
}

// hooksPath is the setting that makes hooks be found which the user keeps in the
// repository, where a temporary worktree has no files.
func (c *Checkout) hooksPath(ctx context.Context) ([]string, error) {
	at, err := c.git.line(ctx, "config", "--type=path", "core.hooksPath")
	switch {
	case ended(err, 1) || err == nil && (at == "" || filepath.IsAbs(at)):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking for the hooks: %w", err)
	}
	return []string{"core.hooksPath=" + filepath.Join(c.root, filepath.FromSlash(at))}, nil
}

// machine tells the processes of this machine from others' that share the folder.
func machine() string {
	name, _ := os.Hostname() // without one all are alike
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// clearTempTrees removes what processes left that were killed: those of this
// machine that run no longer, and, of others, what is older than a day. It is no
// error where one stays: the next time is soon enough.
func (c *Checkout) clearTempTrees(ctx context.Context, all string) {
	entries, err := os.ReadDir(all)
	if err != nil {
		return
	}
	for _, e := range entries {
		pid, rest, _ := strings.Cut(e.Name(), "-")
		where, _, _ := strings.Cut(rest, "-")
		n, err := strconv.Atoi(pid)
		info, gone := e.Info()
		if err != nil || gone != nil {
			continue
		}
		if where == machine() && !running(n) || time.Since(info.ModTime()) > 24*time.Hour {
			_ = (&tempTree{c: c, dir: filepath.Join(all, e.Name())}).remove(ctx)
		}
	}
}

// remove takes the worktree away, and what git knows of it, even after ctx has
// ended.
func (w *tempTree) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	// Twice forced: also one that was being made, which git keeps locked.
	_, err := w.c.git.run(ctx, nil, "worktree", "remove", "--force", "--force", w.dir)
	if err != nil {
		err = os.RemoveAll(w.dir)
		if err == nil {
			err = w.forget(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("removing the temporary worktree: %w", err)
	}
	_ = os.Remove(filepath.Dir(w.dir)) // unless others are there
	return nil
}

// forget removes what git keeps of a worktree whose folder is gone or was never
// whole. `git worktree prune` would forget the user's as well, those on a disk
// that is not there today.
func (w *tempTree) forget(ctx context.Context) error {
	common, err := w.c.git.line(ctx, "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return err
	}
	// Git names it like its folder, which is nobody else's name.
	return os.RemoveAll(filepath.Join(filepath.FromSlash(common), "worktrees", filepath.Base(w.dir)))
}

// commit makes the change on a commit and returns the new one's hash.
func (w *tempTree) commit(ctx context.Context, parent string, change Change) (string, error) {
	if len(change.Files) == 0 {
		return "", ErrUnchanged
	}
	if err := w.reset(ctx, parent); err != nil {
		return "", fmt.Errorf("preparing the commit: %w", err)
	}
	root, err := os.OpenRoot(w.dir)
	if err != nil {
		return "", fmt.Errorf("preparing the commit: %w", err)
	}
	defer root.Close()
	quiet := w.git
	quiet.stderr = nil
	known, err := modes(ctx, quiet, change.paths())
	if err != nil {
		return "", fmt.Errorf("preparing the commit: %w", err)
	}
	for _, path := range change.paths() {
		if err := checkPath(root, path); err != nil {
			return "", err
		}
		if err := enter(ctx, quiet, path, known[path], change.Files[path]); err != nil {
			return "", fmt.Errorf("writing %s: %w", path, err)
		}
	}
	_, err = quiet.run(ctx, nil, "diff", "--cached", "--quiet", "--no-ext-diff", parent, "--")
	if err == nil {
		return "", ErrUnchanged
	}
	if !ended(err, 1) {
		return "", fmt.Errorf("preparing the commit: %w", err)
	}
	if _, err := w.git.set(inUTF8).run(ctx, []byte(change.Message), "commit", "--quiet", "--cleanup=whitespace", "--file=-"); err != nil {
		return "", err
	}
	hash, err := quiet.line(ctx, "rev-parse", "--verify", "HEAD^{commit}")
	if err != nil {
		return "", fmt.Errorf("reading the commit: %w", err)
	}
	return hash, nil
}

// reset makes the worktree stand at a commit, with nothing of an earlier try.
func (w *tempTree) reset(ctx context.Context, commit string) error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			if err := os.RemoveAll(filepath.Join(w.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	g := w.git
	g.stderr = nil
	if _, err := g.run(ctx, nil, "update-ref", "--no-deref", "HEAD", commit); err != nil {
		return err
	}
	_, err = g.run(ctx, nil, "read-tree", "--reset", commit)
	return err
}

// enter gives a file, as git keeps it, to the index and, as the user's filters make
// it, to the work tree, where hooks see it; and takes it from there again, as if
// the user had added it.
func enter(ctx context.Context, g git, path, mode string, content []byte) error {
	if content == nil {
		_, err := g.run(ctx, nil, "update-index", "--force-remove", "--", path)
		return err
	}
	switch mode {
	case "":
		mode = "100644"
	case "120000", "160000":
		return &Refusal{Err: ErrPath, What: path, Detail: "it is not a regular file"}
	}
	hash, err := g.run(ctx, content, "hash-object", "-w", "--no-filters", "--stdin")
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"update-index", "--add", "--cacheinfo", mode + "," + strings.TrimSpace(string(hash)) + "," + path},
		{"checkout-index", "--force", "--quiet", "--ignore-skip-worktree-bits", "--", path},
		{"add", "--sparse", "--force", "--", path},
	} {
		if _, err := g.run(ctx, nil, args...); err != nil {
			return err
		}
	}
	return nil
}

// historyAt is the history as seen from any commit of the repository.
func (c *Checkout) historyAt(commit string) (*History, error) {
	l, err := openLocal(c.root)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", c.root, err)
	}
	h, err := l.at(commit)
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, err)
	}
	return h, nil
}
