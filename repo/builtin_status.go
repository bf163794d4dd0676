package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
)

// The kinds of files that an index knows.
const (
	regularMode    = 0o100644
	executableMode = 0o100755
)

// index reads the checkout's.
func (b *builtin) index() (*index, error) {
	x, err := readIndex(b.indexPath())
	if r, ok := errors.AsType[*Refusal](err); ok && errors.Is(err, ErrNeedsGit) {
		return nil, b.needsGit(r.What, r.Detail)
	}
	return x, err
}

func (b *builtin) indexPath() string { return filepath.Join(b.local.gitDir, "index") }

// checkClean is what Checkout.checkClean says, without git.
func (b *builtin) checkClean(paths []string) error {
	x, err := b.index()
	if err != nil {
		return err
	}
	committed, err := b.committed()
	if err != nil {
		return err
	}
	config, err := b.config()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := b.checkCleanFile(x, committed, config, path); err != nil {
			return err
		}
	}
	return nil
}

// committed are the files of HEAD; none where it has no commit.
func (b *builtin) committed() (fs.FS, error) {
	p, err := b.position()
	if err != nil {
		return nil, err
	}
	if p.commit == "" {
		return nil, nil
	}
	h, err := b.local.at(p.commit)
	if err != nil {
		return nil, err
	}
	return h.Files(p.commit)
}

func (b *builtin) checkCleanFile(x *index, committed fs.FS, config gitConfig, path string) error {
	dirty := func(detail, hint string) error {
		return &Refusal{Err: ErrDirty, What: path, Detail: detail, Hint: hint}
	}
	const commit = "commit or stash your changes first"
	now, err := os.Lstat(filepath.Join(b.root, filepath.FromSlash(path)))
	exists := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking at %s: %w", path, unwrapPath(err))
	}
	mode, hash, err := committedFile(committed, path)
	if err != nil {
		return err
	}
	e, known := x.entry(path)
	switch {
	case !known && hash.IsZero() && exists:
		return dirty("git does not track it", "commit the file or move it away")
	case !known && hash.IsZero():
		return nil
	case !known:
		return dirty("", commit)
	case e.moreFlags()&skipWorktree != 0:
		return dirty("it is outside of the sparse checkout", "add it with git sparse-checkout add")
	case e.flags()&assumeUnchanged != 0:
		return dirty("git is told to assume that it is unchanged", "undo that with git update-index --no-assume-unchanged")
	case e.stage() != 0 || e.moreFlags()&intentToAdd != 0 || e.hash() != hash || e.mode() != mode || !exists:
		return dirty("", commit)
	}
	if mode != executableMode && mode != regularMode {
		return &Refusal{Err: ErrPath, What: path, Detail: "it is not a regular file"}
	}
	content, err := os.ReadFile(filepath.Join(b.root, filepath.FromSlash(path)))
	if err != nil {
		return fmt.Errorf("looking at %s: %w", path, unwrapPath(err))
	}
	if plumbing.ComputeHash(plumbing.BlobObject, content) != hash || tracksModes(config) && modeOf(now.Mode()) != mode {
		return dirty("", commit)
	}
	return nil
}

// tracksModes says whether it counts that a file may be executed.
func tracksModes(config gitConfig) bool {
	return len(config["core.filemode"]) == 0 || config.true("core.filemode")
}

func modeOf(m fs.FileMode) uint32 {
	switch {
	case m&fs.ModeSymlink != 0:
		return 0o120000
	case m&fs.ModeIrregular != 0:
		return 0o160000
	case m&0o100 != 0:
		return executableMode
	}
	return regularMode
}

// committedFile is what a commit has at a path; the zero hash: no file.
func committedFile(files fs.FS, path string) (uint32, plumbing.Hash, error) {
	if files == nil {
		return 0, plumbing.ZeroHash, nil
	}
	info, err := fs.Stat(files, path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return 0, plumbing.ZeroHash, nil
	}
	if err != nil {
		return 0, plumbing.ZeroHash, err
	}
	return modeOf(info.Mode()), plumbing.NewHash(info.Sys().(string)), nil
}

// cleanEverywhere says whether no file that git tracks differs between HEAD, the
// index and the work tree. Like git, it reads a file only where its date or size
// is another than the index remembers.
func (b *builtin) cleanEverywhere() (bool, error) {
	x, err := b.index()
	if err != nil {
		return false, err
	}
	committed, err := b.committed()
	if err != nil || committed == nil {
		return false, err
	}
	config, err := b.config()
	if err != nil {
		return false, err
	}
	count := 0
	err = fs.WalkDir(committed, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		count++
		n := d.(*node)
		e, known := x.entry(path)
		if !known || e.hash() != n.hash || e.mode() != modeOf(n.mode) || e.stage() != 0 {
			return errDiffers
		}
		if e.moreFlags()&skipWorktree != 0 || unchanged(e, filepath.Join(b.root, filepath.FromSlash(path)), config) {
			return nil
		}
		return b.checkCleanFile(x, committed, config, path)
	})
	if errors.Is(err, errDiffers) || errors.Is(err, ErrDirty) {
		return false, nil
	}
	return err == nil && count == len(x.entries), err
}

var errDiffers = errors.New("something differs")

// unchanged says whether a file is as the index remembers it.
func unchanged(e indexEntry, path string, config gitConfig) bool {
	info, err := os.Lstat(path)
	if err != nil || tracksModes(config) && modeOf(info.Mode()) != e.mode() {
		return false
	}
	fixed := make([]byte, moreFlagsAt)
	putStat(fixed, info)
	return string(fixed[8:16]) == string(e.fixed[8:16]) && string(fixed[36:40]) == string(e.fixed[36:40])
}
