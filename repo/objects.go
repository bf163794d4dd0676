package repo

import (
	"sync"

	"github.com/go-git/go-git/v5/plumbing/storer"
)

// objects reads Git objects, one at a time: go-git's storages keep caches and
// indexes that must not be read by two goroutines at once.
type objects struct {
	mu     sync.Mutex
	store  storer.EncodedObjectStorer
	reopen func() (storer.EncodedObjectStorer, error) // nil where nobody else writes to the store
}

// read runs f, and runs it once more on a fresh handle where it fails: `git gc`
// replaces the packs under an open one. What f returns must not read from the
// store later.
func (o *objects) read(f func(storer.EncodedObjectStorer) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := f(o.store)
	if err == nil || o.reopen == nil {
		return err
	}
	fresh, openErr := o.reopen()
	if openErr != nil {
		return err
	}
	o.store = fresh
	return f(o.store)
}
