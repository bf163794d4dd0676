package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// lockName is the file in the git folder that one process at a time holds. It is
// there while somebody does.
const lockName = "infra.lock"

// lockVariable tells a program that the holder of a lock runs, such as a hook, of
// which work tree it is: to wait for it there would be to wait for oneself.
const lockVariable = "INFRA_LOCK_HELD"

// Lock waits until no other process edits in this work tree through this package,
// and holds others off until unlock is called, once or more. Whoever reads files, makes a change
// of them and commits it does so under one lock, or two of them lose an edit. What
// an editing process that was killed left half done is taken back first.
//
// [Checkout.Commit] and [Checkout.Write] lock by themselves where it was not done
// before. The wait ends with ctx, and the error wraps [ErrLocked] then.
func (c *Checkout) Lock(ctx context.Context) (unlock func(), err error) {
	if os.Getenv(lockVariable) == c.gitDir {
		return nil, fmt.Errorf("%w, and this is run by it", ErrLocked)
	}
	f, err := acquire(ctx, filepath.Join(c.gitDir, lockName))
	if err != nil {
		return nil, err
	}
	free := c.git
	c.git = c.git.with(lockVariable + "=" + c.gitDir)
	c.locked = true
	unlock = sync.OnceFunc(func() {
		c.git, c.locked = free, false
		release(f)
	})
	if err := c.recover(ctx); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// lockedHere is Lock unless the caller of the method has done so.
func (c *Checkout) lockedHere(ctx context.Context) (unlock func(), err error) {
	if c.locked {
		return func() {}, nil
	}
	return c.Lock(ctx)
}

// acquire takes a lock that the system gives up where its holder is killed. One
// waits in a goroutine that nobody can end: where ctx ends first, it gives the lock
// back whenever it gets it.
func acquire(ctx context.Context, path string) (*lockedfile.File, error) {
	if ctx.Err() != nil {
		return nil, gaveUp(ctx)
	}
	type result struct {
		file *lockedfile.File
		err  error
	}
	got := make(chan result)
	go func() {
		f, err := openLocked(path)
		select {
		case got <- result{f, err}:
		case <-ctx.Done():
			if err == nil {
				release(f)
			}
		}
	}()
	select {
	case <-ctx.Done():
		return nil, gaveUp(ctx)
	case r := <-got:
		if r.err != nil {
			return nil, fmt.Errorf("locking %s: %w", filepath.Dir(path), unwrapPath(r.err))
		}
		return r.file, nil
	}
}

func gaveUp(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrLocked, ctx.Err())
	}
	return ctx.Err()
}

// openLocked opens and locks the file of that name. The one that was waited for may
// have been removed meanwhile, and then it holds nobody off.
func openLocked(path string) (*lockedfile.File, error) {
	for {
		f, err := lockedfile.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		mine, err := f.Stat()
		if err != nil {
			release(f)
			return nil, err
		}
		named, err := os.Stat(path)
		if err == nil && os.SameFile(mine, named) {
			return f, nil
		}
		f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

// release gives a lock up. Its file goes first, while nobody else can hold it;
// where it cannot, as on Windows, an empty file stays.
func release(f *lockedfile.File) {
	_ = os.Remove(f.Name())
	_ = f.Close()
}
