package repo

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A gitCourier pushes with the system's git.
type gitCourier struct {
	c     *Checkout
	o     PushOptions
	place string    // where the refs of the target are listed: what is pushed to
	work  *tempTree // nil until there is something to commit
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

func (g *gitCourier) list(ctx context.Context, s side) (string, error) {
	place, ref := g.place, "refs/heads/"+g.o.branch(s)
	if s == base && g.o.NewBranch != "" { // what is pushed to may be a fork, whose branches are behind
		place = g.o.Remote
	}
	out, err := g.c.git.with(plainWords).run(ctx, nil, "ls-remote", "--quiet", "--refs", "--", place, ref)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(out)) {
		if hash, name, _ := strings.Cut(strings.TrimSpace(line), "\t"); name == ref { // the argument is a pattern
			return hash, nil
		}
	}
	return "", nil
}

func (g *gitCourier) fetch(ctx context.Context, s side) error {
	place := g.o.Remote
	if s == target && g.o.NewBranch != "" {
		place = g.place
	}
	_, err := g.c.git.with(plainWords).run(ctx, nil, "fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--refmap=",
		"--no-recurse-submodules", "--no-auto-maintenance", "--", place, "refs/heads/"+g.o.branch(s))
	return err
}

func (g *gitCourier) history(ctx context.Context, commit string) (*History, error) {
	if _, err := g.c.git.run(ctx, nil, "cat-file", "-e", commit+"^{commit}"); err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, ErrNotFound)
	}
	return g.c.historyAt(commit)
}

func (g *gitCourier) commit(ctx context.Context, parent string, change Change) (string, error) {
	if g.work == nil {
		var err error
		if g.work, err = g.c.newTempTree(ctx, parent); err != nil {
			return "", err
		}
	}
	return g.work.commit(ctx, parent, change)
}

func (g *gitCourier) push(ctx context.Context, hash, expected string) error {
	ref := "refs/heads/" + g.o.branch(target)
	loud := g.c.git // in the user's language, which their hooks speak
	loud.stderr = g.c.Stderr
	said, err := loud.run(ctx, nil, "push", "--quiet", "--no-follow-tags", "--recurse-submodules=no",
		"--force-with-lease="+ref+":"+expected, "--", g.o.remote(target), hash+":"+ref)
	return refusal(err, string(said))
}

func (g *gitCourier) follow(ctx context.Context, hash string) bool {
	return g.o.NewBranch != "" || g.c.follow(ctx, g.o, hash)
}

func (g *gitCourier) close(ctx context.Context) {
	if g.work != nil {
		_ = g.work.remove(ctx) // undoes nothing of what was done, and the next push removes what is left
	}
}

// refusal is the error of a push with what the server says in the place of what git
// makes of it, and before that what a hook on this side printed, if it was that one.
func refusal(err error, printed string) error {
	g, ok := errors.AsType[*GitError](err)
	if !ok {
		return err
	}
	var said []string
	if printed = strings.TrimSpace(printed); printed != "" {
		said = append(said, printed)
	}
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
	return g
}

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
