package repo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
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
	p := &push{PushOptions: o, c: c, left: o.Timeout, to: o.Remote, target: o.Branch}
	if err := errors.Join(checkBranch(o.Branch), checkBranch(o.NewBranch)); err != nil {
		return Pushed{}, err
	}
	if o.NewBranch != "" {
		p.to, p.target = cmp.Or(o.PushRemote, o.Remote), o.NewBranch
	}
	var err error
	if p.place, err = c.pushPlace(ctx, p.to); err != nil {
		return Pushed{}, err
	}
	p.from = p.place
	if o.NewBranch != "" { // what is pushed to may be a fork, whose branch is behind
		p.from = o.Remote
	}
	made, err := p.run(ctx, edit)
	if err != nil {
		return Pushed{}, err
	}
	// It is on the remote: that is to be said even where ctx has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return Pushed{Commit: made, Behind: o.NewBranch == "" && !c.follow(ctx, o, made.Hash)}, nil
}

// A push is one call of Push.
type push struct {
	PushOptions
	c      *Checkout
	from   string        // where the tip that the edit is made on is listed
	to     string        // the remote that is pushed to
	place  string        // where its refs are listed
	target string        // the branch of it that gets the commit
	left   time.Duration // for the remotes
}

// pushPlace is what ls-remote is to be asked about for a remote: that which is
// pushed to, even where another is fetched from.
func (c *Checkout) pushPlace(ctx context.Context, remote string) (string, error) {
	from, err := c.FetchURL(ctx, remote)
	if err != nil {
		return "", err
	}
	to, err := c.PushURL(ctx, remote)
	if err != nil || to != from {
		return to, err
	}
	return remote, nil
}

func (p *push) run(ctx context.Context, edit func(*History) (Change, error)) (Commit, error) {
	var w *tempTree
	defer func() {
		if w != nil {
			_ = w.remove(ctx) // undoes nothing of what was done, and the next push removes what is left
		}
	}()
	for try := 0; ; try++ {
		began := time.Now()
		tip, err := p.base(ctx)
		if err != nil {
			return Commit{}, err
		}
		if tip == "" {
			return Commit{}, fmt.Errorf("branch %s of %s: %w", p.Branch, p.Remote, ErrNotFound)
		}
		h, err := p.c.historyAt(tip)
		if err != nil {
			return Commit{}, err
		}
		change, err := edit(h)
		if err != nil {
			return Commit{}, err
		}
		if w == nil {
			if w, err = p.c.newTempTree(ctx, tip); err != nil {
				return Commit{}, err
			}
		}
		hash, err := w.commit(ctx, tip, change)
		if err != nil {
			return Commit{}, err
		}
		arrived, err := p.send(ctx, tip, hash)
		if err != nil {
			return Commit{}, err
		}
		if arrived {
			return p.c.commit(context.WithoutCancel(ctx), hash)
		}
		if err := p.pause(ctx, try, time.Since(began)); err != nil {
			return Commit{}, err
		}
	}
}

// base finds the branch's tip, and sees to it that its objects are here. A
// branch that is not there is "".
func (p *push) base(ctx context.Context) (string, error) {
	for try := 0; ; try++ {
		began := time.Now()
		tip, err := p.list(ctx, p.Branch)
		if err != nil || tip == "" {
			return tip, err
		}
		if p.has(ctx, tip) {
			return tip, nil
		}
		// No ref of the user's moves: another terminal may be moving it.
		if _, err := p.remote(ctx, "fetching "+p.Branch+" of "+p.Remote, "fetch", "--quiet", "--no-tags", "--no-prune",
			"--no-write-fetch-head", "--refmap=", "--no-recurse-submodules", "--no-auto-maintenance", "--", p.Remote, "refs/heads/"+p.Branch); err != nil {
			if now, lost := p.list(ctx, p.Branch); lost != nil || now == tip {
				return "", fmt.Errorf("fetching %s of %s: %w", p.Branch, p.Remote, err)
			}
		}
		if p.has(ctx, tip) {
			return tip, nil
		}
		// Rewritten between the two, so that the tip is no part of it any more.
		if err := p.pause(ctx, try, time.Since(began)); err != nil {
			return "", err
		}
	}
}

func (p *push) has(ctx context.Context, commit string) bool {
	_, err := p.c.git.run(ctx, nil, "cat-file", "-e", commit+"^{commit}")
	return err == nil
}

// list asks the remote where a branch is; "" where there is none.
func (p *push) list(ctx context.Context, branch string) (string, error) {
	ref := "refs/heads/" + branch
	out, err := p.remote(ctx, "asking "+p.Remote+" for "+branch, "ls-remote", "--quiet", "--refs", "--", p.from, ref)
	if err != nil {
		return "", fmt.Errorf("asking %s for branch %s: %w", p.Remote, branch, err)
	}
	for line := range strings.Lines(string(out)) {
		if hash, name, _ := strings.Cut(strings.TrimSpace(line), "\t"); name == ref { // the argument is a pattern
			return hash, nil
		}
	}
	return "", nil
}

// remote runs a git command that talks to the remote, and takes its time off
// what is left.
func (p *push) remote(ctx context.Context, what string, args ...string) ([]byte, error) {
	if p.Busy != nil {
		defer p.Busy(what)()
	}
	began := time.Now()
	defer func() { p.left -= time.Since(began) }()
	short, cancel := context.WithTimeout(ctx, p.left)
	defer cancel()
	g := p.c.git.with(plainWords)
	if args[0] == "push" { // where hooks of the user's speak their language
		g = p.c.git
		g.stderr = p.c.Stderr
	}
	out, err := g.run(short, nil, args...)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		return nil, p.late()
	}
	return out, err
}

func (p *push) late() error {
	return fmt.Errorf("%s was not done after %v: %w", p.Remote, p.Timeout, context.DeadlineExceeded)
}

// send pushes a commit whose parent is the tip. It returns false where somebody
// else was quicker.
func (p *push) send(ctx context.Context, tip, hash string) (arrived bool, err error) {
	ref, expected := "refs/heads/"+p.target, tip
	if p.NewBranch != "" {
		expected = ""
	}
	began := time.Now()
	_, failed := p.remote(ctx, "pushing to "+p.target+" of "+p.to, "push", "--quiet", "--no-follow-tags", "--recurse-submodules=no",
		"--force-with-lease="+ref+":"+expected, "--", p.to, hash+":"+ref)
	if failed == nil {
		return true, nil
	}
	trip := time.Since(began)
	now, err := p.look(ctx, hash)
	if err == nil && now == expected && ctx.Err() == nil {
		// Whoever is quicker holds the branch's lock for a moment before it moves.
		if p.pause(ctx, 0, trip) == nil {
			now, err = p.look(ctx, hash)
		}
	}
	switch {
	case err != nil:
		return false, &unknownOutcome{hash: hash, remote: p.to, branch: p.target, err: failed}
	case now == hash:
		return true, nil
	case ctx.Err() != nil || errors.Is(failed, context.DeadlineExceeded):
		return false, failed
	case now == expected:
		return false, refusedPush(failed)
	case p.NewBranch != "":
		return false, fmt.Errorf("branch %s of %s: %w", p.NewBranch, p.to, ErrExists)
	}
	return false, nil
}

// look says where the target branch is: at hash also where others have built on
// that commit already. It looks even where the time is over, as what was sent may
// have arrived.
func (p *push) look(ctx context.Context, hash string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(p.left, 2*patience))
	defer cancel()
	q := *p
	q.left = max(p.left, 2*patience)
	q.Remote, q.Branch, q.from = p.to, p.target, p.place
	now, err := q.base(ctx)
	if p.left > 0 {
		p.left = min(p.left, q.left)
	}
	if err != nil || now == "" || now == hash {
		return now, err
	}
	if _, err := p.c.git.run(ctx, nil, "merge-base", "--is-ancestor", hash, now); err == nil {
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

// refusedPush is the error of a push after which the branch is where it was. What
// the server says comes before what git makes of it.
func refusedPush(err error) error {
	g, ok := errors.AsType[*GitError](err)
	if !ok {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var said []string
	for line := range strings.Lines(g.Words) {
		if words, ok := strings.CutPrefix(line, "remote:"); ok && strings.TrimSpace(words) != "" {
			said = append(said, strings.TrimSpace(words))
		}
		if _, why, ok := strings.Cut(line, "[remote rejected]"); ok {
			if _, why, ok := strings.Cut(why, " ("); ok {
				said = append(said, strings.TrimSuffix(strings.TrimSpace(why), ")"))
			}
		}
	}
	if len(said) > 0 {
		g = &GitError{Command: g.Command, Words: strings.Join(said, "\n"), Err: g.Err}
	}
	return fmt.Errorf("%w: %w", ErrRefused, g)
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

// follow fast-forwards the branch that is checked out, if it is the one that was
// pushed to, and says whether it has the commit now, or is another.
func (c *Checkout) follow(ctx context.Context, o PushOptions, hash string) bool {
	up, err := c.Upstream(ctx)
	if err != nil || up.Remote != o.Remote || up.Branch != o.Branch {
		return true // its business is elsewhere
	}
	out, err := c.git.run(ctx, nil, "--no-optional-locks", "status", "--porcelain", "--untracked-files=no")
	if err != nil || len(out) > 0 || c.checkOperation() != nil {
		return false
	}
	if _, err := c.git.run(ctx, nil, "merge-base", "--is-ancestor", "HEAD", hash); err != nil {
		return false // the user has commits of their own
	}
	// Untracked files in the way are for git to see.
	_, err = c.git.run(ctx, nil, "merge", "--quiet", "--ff-only", "--no-stat", hash)
	return err == nil
}
