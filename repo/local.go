package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

// local is a repository in a folder.
type local struct {
	gitDir    string // HEAD is here
	commonDir string // refs and objects are here; the same but in a linked worktree
}

// openLocal finds the repository's folders. It looks at path alone, never at
// the folders above it.
func openLocal(path string) (*local, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unwrapPath(err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("is a file: %w", ErrNotRepository)
	}
	gitDir := filepath.Join(path, ".git")
	switch info, err := os.Stat(gitDir); {
	case errors.Is(err, os.ErrNotExist):
		gitDir = path // bare
	case err != nil:
		return nil, unwrapPath(err)
	case !info.IsDir():
		if gitDir, err = readGitFile(path); err != nil {
			return nil, err
		}
	}
	l := &local{gitDir: gitDir, commonDir: gitDir}
	if b, err := os.ReadFile(filepath.Join(gitDir, "commondir")); err == nil {
		l.commonDir = strings.TrimRight(string(b), "\r\n")
		if !filepath.IsAbs(l.commonDir) {
			l.commonDir = filepath.Join(gitDir, l.commonDir)
		}
	}
	if _, err := os.Lstat(filepath.Join(gitDir, "HEAD")); err != nil {
		return nil, ErrNotRepository
	}
	if info, err := os.Stat(filepath.Join(l.commonDir, "objects")); err != nil || !info.IsDir() {
		return nil, ErrNotRepository
	}
	return l, checkFormat(l.open())
}

// readGitFile reads the .git file of a linked worktree or a submodule.
func readGitFile(path string) (string, error) {
	b, err := os.ReadFile(filepath.Join(path, ".git"))
	if err != nil {
		return "", unwrapPath(err)
	}
	dir, ok := strings.CutPrefix(strings.TrimRight(string(b), "\r\n"), "gitdir: ")
	if !ok {
		return "", fmt.Errorf("its .git file names no folder: %w", ErrNotRepository)
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(path, dir)
	}
	return dir, nil
}

// checkFormat refuses the two formats whose refs or objects would be misread.
// Other extensions, such as those of a sparse checkout, concern the work tree,
// which is not read here; that is why the storage is opened without go-git's
// repository, which refuses them all.
func checkFormat(store *filesystem.Storage) error {
	c, err := store.Config()
	if err != nil {
		return fmt.Errorf("reading its configuration: %w", err)
	}
	ext := c.Raw.Section("extensions")
	if f := ext.Option("objectformat"); f != "" && f != "sha1" {
		return fmt.Errorf("its objects are named by %s; infra reads sha1 only", f)
	}
	if f := ext.Option("refstorage"); f != "" && f != "files" {
		return fmt.Errorf("its refs are kept as %s; infra reads files only", f)
	}
	return nil
}

// open makes a fresh handle: go-git's remembers packs that may be gone.
func (l *local) open() *filesystem.Storage {
	var fs billy.Filesystem = osfs.New(l.gitDir)
	if l.commonDir != l.gitDir {
		fs = dotgit.NewRepositoryFilesystem(fs, osfs.New(l.commonDir))
	}
	return filesystem.NewStorageWithOptions(fs, cache.NewObjectLRUDefault(), filesystem.Options{
		AlternatesFS: osfs.New("/"),
	})
}

func (l *local) tip(ctx context.Context, branch string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	name := plumbing.HEAD
	if branch != "" {
		name = plumbing.NewBranchReferenceName(branch)
	}
	return l.ref(name)
}

// ref reads a ref, twice if need be: `git pack-refs` moves refs to another file
// while they are being read.
func (l *local) ref(name plumbing.ReferenceName) (string, error) {
	var err error
	for range 2 {
		var ref *plumbing.Reference
		if ref, err = storer.ResolveReference(l.open(), name); err == nil {
			return ref.Hash().String(), nil
		}
	}
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return "", ErrNotFound
	}
	return "", err
}

func (l *local) fetch(ctx context.Context, branch, _ string) (*History, error) {
	tip, err := l.tip(ctx, branch)
	if err != nil {
		return nil, err
	}
	return l.at(tip)
}

// at is the history as seen from a commit.
func (l *local) at(tip string) (*History, error) {
	store := l.open()
	shallow, err := store.Shallow()
	if err != nil {
		return nil, fmt.Errorf("reading where the clone ends: %w", err)
	}
	o := &objects{store: store, reopen: func() (storer.EncodedObjectStorer, error) { return l.open(), nil }}
	return newHistory(o, tip, shallow, l)
}

// named are the commits or tags that a name stands for, in the order of
// gitrevisions(7). What is named in full, and what Git itself keeps beside the
// refs, such as HEAD, stands for itself alone.
func (l *local) named(name string) ([]namedRef, error) {
	var found []namedRef
	for _, prefix := range []string{"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"} {
		ref := plumbing.ReferenceName(prefix + name)
		if !ref.IsSafe() {
			continue
		}
		hash, err := l.ref(ref)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, namedRef{ref.String(), hash})
		if prefix == "" {
			break
		}
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found, nil
}

// withPrefix lists the objects whose hash begins with the given whole bytes.
func (l *local) withPrefix(prefix []byte) ([]plumbing.Hash, error) {
	return l.open().HashesWithPrefix(prefix)
}

// unwrapPath drops the path from an error of package os; the caller names it.
func unwrapPath(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}
