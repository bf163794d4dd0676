package repo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// PushOptions say where an edit goes.
type PushOptions struct {
	Remote string // such as origin
	Branch string // of the remote, without refs/heads/: the edit is made on its tip

	// NewBranch, if set, is the branch of the remote that gets the commit, and
	// that must not be there yet. Branch stays as it is.
	NewBranch string

	// PushRemote, if set, is the remote that gets NewBranch instead of Remote: a fork
	// of it, such as the user's own.
	PushRemote string

	// Folder, if set, is the only one whose files the edit reads.
	Folder string

	// Timeout is how long the remote may take in all; zero: a minute. What the
	// user's hooks and signing program take does not count.
	Timeout time.Duration

	// Busy, if set, is told what begins that may take long. What it returns is
	// called when that is over.
	Busy func(what string) (over func())
}

// Pushed is what became of an edit that was pushed.
type Pushed struct {
	Commit Commit

	// Behind says that the branch that is checked out is the one that was pushed
	// to, and does not have the commit: it has commits of its own, or the user has
	// changes that a fast-forward would have to work around.
	Behind bool
}

// Push makes an edit on the tip of a remote branch and pushes the commit there,
// with the user's identity, signature, hooks, filters and credentials. The work
// tree and the index of the checkout have no part in it: what is staged, changed
// or half done there stays as it is. The branch that is checked out is
// fast-forwarded afterwards where it is the one that was pushed to, and the work
// tree is clean.
//
// Where somebody else pushed first, edit is called again, with the new tip: it
// finds out anew what is to be done. An error of edit ends the push and is
// returned as it is; so is [ErrUnchanged], for an edit that is not needed.
// The contents of its change are those of the tip's files, not of a work tree.
//
// What became of a push is told from the remote branch alone, whatever the server
// says: it holds the commit, or it moved, or it is where it was. The last is a
// [GitError] in the server's words that wraps [ErrRefused]. Where nobody can tell,
// the error wraps [ErrUnknownOutcome].
func (c *Checkout) Push(ctx context.Context, o PushOptions, edit func(tip *History) (Change, error)) (Pushed, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	p := &push{PushOptions: o, left: o.Timeout}
	if err := errors.Join(checkBranch(o.Branch), checkBranch(o.NewBranch)); err != nil {
		return Pushed{}, err
	}
	var err error
	if p.courier, err = c.courier(ctx, o); err != nil {
		return Pushed{}, err
	}
	defer p.courier.close(ctx)
	made, err := p.run(ctx, edit)
	if err != nil {
		return Pushed{}, err
	}
	// It is on the remote: that is to be said even where ctx has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return Pushed{Commit: made, Behind: !p.courier.follow(ctx, made.Hash)}, nil
}

// A push is one call of Push.
type push struct {
	PushOptions
	courier courier
	left    time.Duration // for the remotes
}

// A side is one of the two branches that a push has to do with. They are the same
// one where no new branch is asked for.
type side int

const (
	base   side = iota // the branch on whose tip the edit is made
	target             // the branch that gets the commit
)

// branch is what a side is called on its remote.
func (o PushOptions) branch(s side) string {
	if s == target && o.NewBranch != "" {
		return o.NewBranch
	}
	return o.Branch
}

// remote is the one that has a side.
func (o PushOptions) remote(s side) string {
	if s == target && o.NewBranch != "" && o.PushRemote != "" { // what is pushed to may be a fork, whose branches are behind
		return o.PushRemote
	}
	return o.Remote
}

// called is a side in words.
func (o PushOptions) called(s side) string { return o.branch(s) + " of " + o.remote(s) }

// A courier is what a push is made with: git, or infra itself. It decides nothing.
type courier interface {
	// list asks the remote where a branch is; "" where there is none.
	list(ctx context.Context, s side) (tip string, err error)

	// fetch brings the objects of a branch here, without moving a ref.
	fetch(ctx context.Context, s side) error

	// history is what is here of a commit and what was before it; [ErrNotFound]
	// where it is not here.
	history(ctx context.Context, commit string) (*History, error)

	// complete fetches what was left out of the files of a commit that is here, and
	// says whether it had to.
	complete(ctx context.Context, commit string) (fetched bool, err error)

	// commit makes a change on a commit that is here, and returns the new one.
	commit(ctx context.Context, parent string, change Change) (hash string, err error)

	// push moves the target to a commit that commit returned, where it is at the
	// expected one, or is not there, for "".
	push(ctx context.Context, hash, expected string) error

	// follow takes the checkout to the commit that was pushed, where it can be done
	// beside the user's work, and says false where it was to be and could not.
	follow(ctx context.Context, hash string) bool

	// close clears away what was needed on the way, even after ctx has ended.
	close(ctx context.Context)
}

func (c *Checkout) courier(ctx context.Context, o PushOptions) (courier, error) {
	if c.builtin != nil {
		return c.builtin.courier(c, o)
	}
	place, err := c.pushPlace(ctx, o.remote(target))
	return &gitCourier{c: c, o: o, place: place}, err
}

func (p *push) run(ctx context.Context, edit func(*History) (Change, error)) (Commit, error) {
	for try := 0; ; try++ {
		began := time.Now()
		tip, h, err := p.tip(ctx, base)
		if err != nil {
			return Commit{}, err
		}
		if tip == "" {
			return Commit{}, fmt.Errorf("branch %s: %w", p.called(base), ErrNotFound)
		}
		if h, err = p.complete(ctx, tip, h); err != nil {
			return Commit{}, err
		}
		change, err := edit(h)
		if err != nil {
			return Commit{}, err
		}
		hash, err := p.courier.commit(ctx, tip, change)
		if err != nil {
			return Commit{}, err
		}
		arrived, err := p.send(ctx, tip, hash)
		if err != nil {
			return Commit{}, err
		}
		if arrived {
			made, err := p.courier.history(context.WithoutCancel(ctx), hash)
			if err != nil {
				return Commit{}, err
			}
			return made.Tip(), nil
		}
		if err := p.pause(ctx, try, time.Since(began)); err != nil {
			return Commit{}, err
		}
	}
}

// tip finds a branch's tip, and sees to it that its objects are here. A branch
// that is not there is "".
func (p *push) tip(ctx context.Context, s side) (string, *History, error) {
	for try := 0; ; try++ {
		began := time.Now()
		tip, err := p.list(ctx, s)
		if err != nil || tip == "" {
			return tip, nil, err
		}
		h, err := p.courier.history(ctx, tip)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return tip, h, err
		}
		// No ref of the user's moves: another terminal may be moving it.
		err = p.timed(ctx, "fetching "+p.called(s), func(ctx context.Context) error { return p.courier.fetch(ctx, s) })
		if err != nil {
			if now, lost := p.list(ctx, s); lost != nil || now == tip {
				return "", nil, fmt.Errorf("fetching %s: %w", p.called(s), err)
			}
		}
		if h, err := p.courier.history(ctx, tip); err == nil || !errors.Is(err, ErrNotFound) {
			return tip, h, err
		}
		// Rewritten between the two, so that the tip is no part of it any more.
		if err := p.pause(ctx, try, time.Since(began)); err != nil {
			return "", nil, err
		}
	}
}

// complete fetches what a clone has left out of the files of a commit, and reads its
// history anew where that was something.
func (p *push) complete(ctx context.Context, commit string, h *History) (*History, error) {
	what, fetched := "the files of "+p.called(base), false
	err := p.timed(ctx, "fetching "+what, func(ctx context.Context) (err error) {
		fetched, err = p.courier.complete(ctx, commit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", what, err)
	}
	if !fetched {
		return h, nil
	}
	return p.courier.history(ctx, commit)
}

// list asks the remote where a branch is; "" where there is none.
func (p *push) list(ctx context.Context, s side) (tip string, err error) {
	err = p.timed(ctx, "asking "+p.remote(s)+" for "+p.branch(s), func(ctx context.Context) (err error) {
		tip, err = p.courier.list(ctx, s)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("asking %s for branch %s: %w", p.remote(s), p.branch(s), err)
	}
	return tip, nil
}

// timed does something that talks to the remote, and takes its time off what is left.
func (p *push) timed(ctx context.Context, what string, do func(context.Context) error) error {
	if p.Busy != nil {
		defer p.Busy(what)()
	}
	began := time.Now()
	defer func() { p.left -= time.Since(began) }()
	short, cancel := context.WithTimeout(ctx, p.left)
	defer cancel()
	err := do(short)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return p.late()
	}
	return err
}

func (p *push) late() error {
	return fmt.Errorf("%s was not done after %v: %w", p.Remote, p.Timeout, context.DeadlineExceeded)
}

// send pushes a commit whose parent is the tip. It returns false where somebody
// else was quicker.
func (p *push) send(ctx context.Context, tip, hash string) (arrived bool, err error) {
	expected := tip
	if p.NewBranch != "" {
		expected = ""
	}
	began := time.Now()
	failed := p.timed(ctx, "pushing to "+p.called(target), func(ctx context.Context) error {
		return p.courier.push(ctx, hash, expected)
	})
	if failed == nil {
		return true, nil
	}
	trip := time.Since(began)
	now, err := p.look(ctx, tip, hash)
	if err == nil && now == expected && ctx.Err() == nil {
		// Whoever is quicker holds the branch's lock for a moment before it moves.
		if p.pause(ctx, 0, trip) == nil {
			now, err = p.look(ctx, tip, hash)
		}
	}
	switch {
	case err != nil:
		return false, &unknownOutcome{hash: hash, remote: p.remote(target), branch: p.branch(target), err: failed}
	case now == hash:
		return true, nil
	case ctx.Err() != nil || errors.Is(failed, context.DeadlineExceeded):
		return false, failed
	case now == expected:
		return false, fmt.Errorf("%w: %w", ErrRefused, failed)
	case p.NewBranch != "":
		return false, fmt.Errorf("branch %s: %w", p.called(target), ErrExists)
	}
	return false, nil
}

// look says where the target branch is: at hash, which was built on a commit, also
// where others have built on it already. It looks even where the time is over, as what was sent may
// have arrived.
func (p *push) look(ctx context.Context, parent, hash string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(p.left, 2*patience))
	defer cancel()
	q := *p
	q.left = max(p.left, 2*patience)
	now, h, err := q.tip(ctx, target)
	if p.left > 0 {
		p.left = min(p.left, q.left)
	}
	if err != nil || now == "" || now == hash {
		return now, err
	}
	if h.contains(hash, parent) {
		return hash, nil
	}
	return now, nil
}

// pause lets others go first: up to as long as the last round took, and longer
// from try to try, so that many who push at once part.
func (p *push) pause(ctx context.Context, try int, round time.Duration) error {
	wait := rand.N(max(round, time.Millisecond) << min(try, 2))
	if p.left -= wait; p.left <= 0 {
		return p.late()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// unknownOutcome is a push of which nobody can say whether it arrived.
type unknownOutcome struct {
	hash, remote, branch string
	err                  error
}

func (u *unknownOutcome) Error() string {
	return fmt.Sprintf("%v of commit %.10s to %s of %s: %v", ErrUnknownOutcome, u.hash, u.branch, u.remote, u.err)
}

func (u *unknownOutcome) Unwrap() []error { return []error{ErrUnknownOutcome, u.err} }
