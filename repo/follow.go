package repo

import (
	"context"
	"math/rand/v2"
	"time"
)

// FollowOptions say what is followed and how a new tip is noticed.
type FollowOptions struct {
	Branch string // empty: the one that HEAD names

	// Every is the mean time between two polls; each is up to a tenth shorter or
	// longer, so that many servers do not ask at once. Zero: 30 seconds.
	Every time.Duration

	// Trigger causes a poll at once, as a webhook does. It may be nil.
	Trigger <-chan struct{}
}

// Follow calls on at once, and again after every poll, every trigger, and, for
// a folder, every change of its refs. It passes the tip of that moment, or why
// the repository did not tell it. The tip is often the same as before: telling
// is left to the callee, who may have failed to use it the last time.
//
// Calls never overlap; what happens during one leads to one more after it. An
// error of the repository is delivered and followed by another try. Follow
// returns when ctx ends, with the context's error.
func (s *Source) Follow(ctx context.Context, o FollowOptions, on func(ctx context.Context, tip string, err error)) error {
	if err := checkBranch(o.Branch); err != nil {
		return err
	}
	if o.Every == 0 {
		o.Every = 30 * time.Second
	}
	changes, stop := s.backend.watch()
	defer stop()
	trigger := o.Trigger
	for ctx.Err() == nil {
		tip, err := s.Tip(ctx, o.Branch)
		if ctx.Err() != nil {
			break
		}
		on(ctx, tip, err)

		poll := time.NewTimer(jitter(o.Every))
		select {
		case <-ctx.Done():
		case <-poll.C:
		case <-changes:
		case _, open := <-trigger:
			if !open {
				trigger = nil // a closed channel would be ready for ever
			}
		}
		poll.Stop()
	}
	return ctx.Err()
}

// jitter is d, give or take a tenth.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + time.Duration(rand.Int64N(int64(d/5)+1))
}
