package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Checkout is a work tree in which a person works. Its methods run the
// system's git, so that the user's configuration counts: identity, signing,
// hooks, line endings. Without git they do the same themselves, and refuse, with
// [ErrNeedsGit], what they would do otherwise: see [Way]. Methods of one Checkout
// must not run at the same time; other programs may work beside it, as far as git's
// own locks allow.
type Checkout struct {
	// Stderr gets what the user's hooks, and git, have to say about a commit that
	// succeeds, once it is made. Nil: nobody hears it. What they say about one
	// that fails is in the [GitError].
	Stderr io.Writer

	root   string
	gitDir string // of this work tree: HEAD and index are here
	git    git

	builtin *builtin // nil: the system's git does it
	locked  bool     // see Lock
}

// FindCheckout finds the work tree that dir lies in, which is read and written by
// the way that the environment's INFRA_GIT says. The error wraps
// [ErrNotRepository] where there is none.
func FindCheckout(ctx context.Context, dir string) (*Checkout, error) {
	way, err := wantedWay()
	if err != nil {
		return nil, err
	}
	return FindCheckoutBy(ctx, dir, way)
}

// FindCheckoutBy is FindCheckout with a way of the caller's. With [System] the
// error wraps [ErrNoGit] where there is no git program.
func FindCheckoutBy(ctx context.Context, dir string, way Way) (*Checkout, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the repository: %w", err)
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("finding the repository: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("finding the repository: %s is a file", dir)
	}
	if way.builtin() {
		return findBuiltin(dir)
	}
	inside, gitDir, root, err := places(ctx, git{dir: dir})
	switch {
	case ended(err, 128) && inside == "" && !insideGit(dir):
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRepository)
	case inside == "false":
		return nil, fmt.Errorf("%s is a bare repository or lies in one's folder, and has no work tree to edit: %w", dir, ErrNotRepository)
	case err != nil:
		return nil, fmt.Errorf("finding the repository of %s: %w", dir, err)
	}
	root = filepath.FromSlash(root)
	return &Checkout{root: root, gitDir: filepath.FromSlash(gitDir), git: git{dir: root}}, nil
}

// places asks git where things are. Where there is no work tree, inside is
// "false" and the error says so, too.
func places(ctx context.Context, g git) (inside, gitDir, root string, err error) {
	out, err := g.run(ctx, nil, "rev-parse", "--is-inside-work-tree", "--absolute-git-dir", "--show-toplevel")
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil {
		return lines[0], "", "", err
	}
	if len(lines) != 3 {
		return lines[0], "", "", errors.New("its path has a line break")
	}
	return lines[0], lines[1], lines[2], nil
}

// insideGit says whether dir or a folder above it looks like a repository; then
// it is not its absence that git complained about.
func insideGit(dir string) bool {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		_, head := os.Lstat(filepath.Join(dir, "HEAD"))
		_, objects := os.Lstat(filepath.Join(dir, "objects"))
		if head == nil && objects == nil {
			return true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false
		}
		dir = up
	}
}

// Init makes dir a repository whose first branch is main; dir itself is made
// where it is missing. A repository that is already there is kept as it is.
func Init(ctx context.Context, dir string) (*Checkout, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("making a repository: %w", err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("making a repository: %w", err)
	}
	way, err := wantedWay()
	if err != nil {
		return nil, err
	}
	if way.builtin() {
		c, err := initBuiltin(dir)
		if err != nil {
			return nil, fmt.Errorf("making a repository in %s: %w", dir, err)
		}
		return c, nil
	}
	if _, err := (git{dir: dir}).run(ctx, nil, "init", "--quiet", "-b", "main"); err != nil {
		return nil, fmt.Errorf("making a repository in %s: %w", dir, err)
	}
	return FindCheckout(ctx, dir)
}

// Root is the top folder of the work tree, absolute.
func (c *Checkout) Root() string { return c.root }

// UsesGit says whether the git program reads and writes it, rather than infra itself.
func (c *Checkout) UsesGit() bool { return c.builtin == nil }

// Head is where a checkout stands.
type Head struct {
	Branch string // empty where HEAD is detached
	Commit Commit // zero where the branch has no commit yet
}

// Head reads where the checkout stands. A branch without a commit is no error.
func (c *Checkout) Head(ctx context.Context) (Head, error) {
	if c.builtin != nil {
		return c.builtin.head()
	}
	var h Head
	ref, err := c.git.line(ctx, "symbolic-ref", "--quiet", "HEAD")
	switch {
	case err == nil:
		h.Branch = strings.TrimPrefix(ref, "refs/heads/")
	case !ended(err, 1):
		return Head{}, fmt.Errorf("reading HEAD: %w", err)
	}
	h.Commit, err = c.commit(ctx, "HEAD")
	if err == nil {
		return h, nil
	}
	if _, none := c.git.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); ended(none, 1) {
		return h, nil
	}
	return Head{}, err
}

// commit reads one commit.
func (c *Checkout) commit(ctx context.Context, rev string) (Commit, error) {
	out, err := c.git.run(ctx, nil, "show", "--no-patch", "--no-show-signature", "--no-notes", "--encoding=UTF-8",
		"--format=tformat:%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B", rev, "--") // a file of that name is not meant
	if err != nil {
		return Commit{}, fmt.Errorf("reading commit %s: %w", rev, err)
	}
	f := strings.SplitN(string(out), "\x00", 9)
	if len(f) != 9 {
		return Commit{}, fmt.Errorf("reading commit %s: git printed %d fields", rev, len(f))
	}
	author, err1 := time.Parse(time.RFC3339, f[4])
	committer, err2 := time.Parse(time.RFC3339, f[7])
	if err := errors.Join(err1, err2); err != nil {
		return Commit{}, fmt.Errorf("reading commit %s: %w", rev, err)
	}
	return Commit{
		Hash:      f[0],
		Parents:   strings.Fields(f[1]),
		Author:    Person{Name: f[2], Email: f[3], When: author},
		Committer: Person{Name: f[5], Email: f[6], When: committer},
		Message:   strings.TrimSuffix(f[8], "\n"), // of tformat; the message's own stays
	}, nil
}
