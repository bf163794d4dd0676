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

	// PushRemote is where the user's configuration pushes to, if that is another
	// remote than Remote: in a checkout that is pushed to a fork. Empty: it is not.
	PushRemote string

	Several bool // Remote is empty because there are several, and none is meant
}

// Upstream finds where the branch that is checked out is pushed to: to its
// upstream, where the user set one, or else to the branch of the same name of the
// remote called origin, or the only one.
func (c *Checkout) Upstream(ctx context.Context) (Upstream, error) {
	u, err := c.pulledFrom(ctx)
	if err != nil {
		return u, err
	}
	u.PushRemote, err = c.pushRemote(ctx, u.Local)
	if u.PushRemote == u.Remote {
		u.PushRemote = ""
	}
	return u, err
}

// pushRemote is the remote that the user's configuration names for pushing a branch;
// empty: none is named.
func (c *Checkout) pushRemote(ctx context.Context, branch string) (string, error) {
	for _, name := range []string{"branch." + branch + ".pushRemote", "remote.pushDefault"} {
		if said, err := c.Setting(ctx, name); err != nil || said != "" {
			return said, err
		}
	}
	return "", nil
}

// pulledFrom is Upstream, but for where is pushed to.
func (c *Checkout) pulledFrom(ctx context.Context) (Upstream, error) {
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
	names, err := c.Remotes(ctx)
	if err != nil {
		return "", false, err
	}
	name, several = onlyRemote(names)
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

// Remotes are the names of all remotes.
func (c *Checkout) Remotes(ctx context.Context) ([]string, error) {
	if c.builtin != nil {
		config, err := c.builtin.config()
		return config.remotes(), err
	}
	out, err := c.git.line(ctx, "remote")
	if err != nil {
		return nil, fmt.Errorf("listing the remotes: %w", err)
	}
	return strings.Fields(out), nil
}

// Setting is what the user's configuration of git says under a name; empty: nothing.
func (c *Checkout) Setting(ctx context.Context, name string) (string, error) {
	if c.builtin != nil {
		config, err := c.builtin.config()
		return config.last(plainName(name)), err
	}
	value, err := c.git.line(ctx, "config", "--get", name)
	if err != nil && !ended(err, 1) {
		return "", fmt.Errorf("reading the setting %s: %w", name, err)
	}
	return value, nil
}

// FetchURL is the address from which a remote is fetched, as the user's
// configuration makes it of what the remote says. It may hold credentials.
func (c *Checkout) FetchURL(ctx context.Context, remote string) (string, error) {
	if c.builtin != nil {
		return c.builtin.remoteURL(remote, false)
	}
	return c.remoteURL(ctx, remote)
}

// PushURL is the address to which a remote is pushed, as the user's configuration
// makes it of what the remote says. It may hold credentials.
func (c *Checkout) PushURL(ctx context.Context, remote string) (string, error) {
	if c.builtin != nil {
		return c.builtin.remoteURL(remote, true)
	}
	return c.remoteURL(ctx, remote, "--push")
}

// remoteURL asks git for a remote's address. A remote may be its own: git takes an
// address wherever a remote's name can stand.
func (c *Checkout) remoteURL(ctx context.Context, remote string, flags ...string) (string, error) {
	at, err := c.git.line(ctx, slices.Concat([]string{"remote", "get-url"}, flags, []string{"--", remote})...)
	switch {
	case ended(err, 2) && IsAddress(remote):
		return remote, nil
	case ended(err, 2):
		return "", fmt.Errorf("remote %s: %w", remote, ErrNoRemote)
	case err != nil:
		return "", fmt.Errorf("looking for the remote %s: %w", remote, err)
	}
	return at, nil
}
