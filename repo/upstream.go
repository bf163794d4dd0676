package repo

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// An Upstream is the branch of a remote that a local branch goes with.
type Upstream struct {
	Local  string // the branch that is checked out; empty where HEAD is detached
	Remote string // such as origin; empty where no remote is known
	Branch string // its name on the remote; empty like Local

	Several bool // Remote is empty because there are several, and none is meant
}

// Upstream finds where the branch that is checked out is pushed to: to its
// upstream, where the user set one, or else to the branch of the same name of the
// remote called origin, or the only one.
func (c *Checkout) Upstream(ctx context.Context) (Upstream, error) {
	if c.builtin != nil {
		return c.builtin.upstream()
	}
	var u Upstream
	ref, err := c.git.line(ctx, "symbolic-ref", "--quiet", "HEAD")
	if err != nil && !ended(err, 1) {
		return u, fmt.Errorf("reading HEAD: %w", err)
	}
	if err == nil {
		u.Local = strings.TrimPrefix(ref, "refs/heads/")
		u.Branch = u.Local
		set, err := c.git.line(ctx, "for-each-ref", "--format=%(upstream:remotename) %(upstream:remoteref)", ref)
		if err != nil {
			return u, fmt.Errorf("looking for the upstream of %s: %w", u.Local, err)
		}
		remote, branch, _ := strings.Cut(set, " ")
		if branch, ok := strings.CutPrefix(branch, "refs/heads/"); ok && remote != "" && remote != "." {
			u.Remote, u.Branch = remote, branch
			return u, nil
		}
	}
	u.Remote, u.Several, err = c.remoteName(ctx)
	return u, err
}

// remoteName is the remote that is meant where nobody says which.
func (c *Checkout) remoteName(ctx context.Context) (name string, several bool, err error) {
	out, err := c.git.line(ctx, "remote")
	if err != nil {
		return "", false, fmt.Errorf("listing the remotes: %w", err)
	}
	name, several = onlyRemote(strings.Fields(out))
	return name, several, nil
}

// onlyRemote is origin, or the only one, or none, as there are several or there is
// none.
func onlyRemote(names []string) (name string, several bool) {
	switch {
	case slices.Contains(names, "origin"):
		return "origin", false
	case len(names) == 1:
		return names[0], false
	}
	return "", len(names) > 1
}

// PushURL is the address to which a remote is pushed, as the user's configuration
// makes it of what the remote says. It may hold credentials.
func (c *Checkout) PushURL(ctx context.Context, remote string) (string, error) {
	if c.builtin != nil {
		return c.builtin.pushURL(remote)
	}
	at, err := c.git.line(ctx, "remote", "get-url", "--push", remote)
	if err != nil {
		return "", fmt.Errorf("looking for the remote %s: %w", remote, err)
	}
	return at, nil
}
