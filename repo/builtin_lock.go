package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// A lockFile is git's lock on one of its files: a new file beside it, of which
// there can be only one, and which becomes the file.
type lockFile struct {
	path string // of what is locked
	f    *os.File
}

// lock takes the lock on a file of git's, or says that another one has it.
func lock(path string) (*lockFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, unwrapPath(err)
	}
	f, err := os.OpenFile(path+".lock", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, &Refusal{Err: ErrInProgress, What: "the work of another git is", Detail: path + ".lock exists",
			Hint: "wait for it; if none is running, one was killed there: remove that file"}
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, unwrapPath(err))
	}
	return &lockFile{path: path, f: f}, nil
}

// write gives the file its new content, which counts once commit is called.
func (l *lockFile) write(content []byte) error {
	_, err := l.f.Write(content)
	if err == nil {
		if info, gone := os.Stat(l.path); gone == nil { // others may read it where the repository is shared
			err = l.f.Chmod(info.Mode().Perm())
		}
	}
	if err = errors.Join(err, l.f.Sync()); err != nil {
		return fmt.Errorf("writing %s: %w", l.path, unwrapPath(err))
	}
	return nil
}

// commit makes what was written the file, and gives the lock up.
func (l *lockFile) commit() error {
	err := errors.Join(l.f.Close(), os.Rename(l.path+".lock", l.path))
	l.f = nil
	if err != nil {
		_ = os.Remove(l.path + ".lock")
		return fmt.Errorf("writing %s: %w", l.path, err)
	}
	return nil
}

// release gives the lock up, if it is held, and leaves the file as it is.
func (l *lockFile) release() {
	if l.f != nil {
		_ = errors.Join(l.f.Close(), os.Remove(l.path+".lock"))
		l.f = nil
	}
}

// move points HEAD, or the branch that it names, to a commit, where it still
// stands as it did: under git's locks, and with a line in the logs.
func (b *builtin) move(from position, to string, who object.Signature, why string, config gitConfig) error {
	head, err := lock(filepath.Join(b.local.gitDir, "HEAD"))
	if err != nil {
		return err
	}
	defer head.release()
	target := head
	logs := []string{filepath.Join(b.local.gitDir, "logs", "HEAD")}
	if from.ref != "" {
		ref := filepath.FromSlash(from.ref.String())
		if target, err = lock(filepath.Join(b.local.commonDir, ref)); err != nil {
			return err
		}
		defer target.release()
		logs = append(logs, filepath.Join(b.local.commonDir, "logs", ref))
	}
	switch now, err := b.position(); {
	case err != nil:
		return err
	case now != from:
		return errMoved
	}
	if err := target.write([]byte(to + "\n")); err != nil {
		return err
	}
	undo, err := writeLogs(logs, from.commit, to, who, why, config)
	if err == nil {
		err = target.commit()
	}
	if err != nil {
		return errors.Join(err, undo())
	}
	return nil
}

// errMoved is for a HEAD that another program moved meanwhile.
var errMoved = errors.New("HEAD was moved meanwhile by another program: nothing was changed")

// writeLogs adds a line to each of some logs, if the configuration wants them to
// be kept (core.logAllRefUpdates). undo takes the lines away again.
func writeLogs(paths []string, from, to string, who object.Signature, why string, config gitConfig) (undo func() error, err error) {
	var steps []func() error
	undo = func() error {
		var errs []error
		for _, step := range steps {
			errs = append(errs, step())
		}
		return errors.Join(errs...)
	}
	if from == "" {
		from = plumbing.ZeroHash.String()
	}
	line := fmt.Sprintf("%s %s %s <%s> %d %s\t%s\n", from, to, who.Name, who.Email, who.When.Unix(), who.When.Format("-0700"), strings.TrimSpace(why))
	for _, path := range paths {
		info, err := os.Stat(path)
		missing := errors.Is(err, fs.ErrNotExist)
		if missing && len(config["core.logallrefupdates"]) > 0 && !config.true("core.logallrefupdates") {
			continue
		}
		if err := appendTo(path, line); err != nil {
			return undo, fmt.Errorf("writing %s: %w", path, unwrapPath(err))
		}
		if missing {
			steps = append(steps, func() error { return os.Remove(path) })
		} else {
			steps = append(steps, func() error { return os.Truncate(path, info.Size()) })
		}
	}
	return undo, nil
}

func appendTo(path, line string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Close())
}

// track notes where a branch of a remote is, as a push does.
func (b *builtin) track(remote, branch, commit string) error {
	l, err := lock(filepath.Join(b.local.commonDir, "refs", "remotes", remote, filepath.FromSlash(branch)))
	if err != nil {
		return err
	}
	defer l.release()
	if err := l.write([]byte(commit + "\n")); err != nil {
		return err
	}
	return l.commit()
}
