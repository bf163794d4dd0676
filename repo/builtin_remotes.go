package repo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// remotes are the names of the remotes that are configured.
func (c gitConfig) remotes() []string {
	var out []string
	for _, name := range c.names("remote.", "") {
		rest := strings.TrimPrefix(name, "remote.")
		if at := strings.LastIndexByte(rest, '.'); at > 0 && !slices.Contains(out, rest[:at]) {
			out = append(out, rest[:at])
		}
	}
	return out
}

// address is where a remote is fetched from or, with push, pushed to, after what
// url.<base>.insteadOf makes of it; empty where there is no such remote
// (git-config(1)).
func (c gitConfig) address(remote string, push bool) string {
	own, at := c["remote."+remote+".pushurl"], ""
	if urls := c["remote."+remote+".url"]; len(urls) > 0 {
		at = urls[0]
	}
	if push {
		if len(own) > 0 {
			return c.rewritten(own[0], "insteadof")
		}
		if other := c.rewritten(at, "pushinsteadof"); other != at {
			return other
		}
	}
	return c.rewritten(at, "insteadof")
}

// rewritten replaces the longest beginning that a url.<base> has for it.
func (c gitConfig) rewritten(at, key string) string {
	best, base := "", ""
	for _, name := range c.names("url.", "."+key) {
		for _, prefix := range c[name] {
			if len(prefix) > len(best) && strings.HasPrefix(at, prefix) {
				best, base = prefix, strings.TrimSuffix(strings.TrimPrefix(name, "url."), "."+key)
			}
		}
	}
	return base + strings.TrimPrefix(at, best)
}

// upstream is Checkout.Upstream without git.
func (b *builtin) upstream() (Upstream, error) {
	config, err := b.config()
	if err != nil {
		return Upstream{}, err
	}
	p, err := b.position()
	if err != nil {
		return Upstream{}, err
	}
	u := Upstream{Local: strings.TrimPrefix(p.ref.String(), "refs/heads/")}
	u.Branch = u.Local
	u.Remote, u.Several = onlyRemote(config.remotes())
	remote := config.last("branch." + u.Local + ".remote")
	branch, found := strings.CutPrefix(config.last("branch."+u.Local+".merge"), "refs/heads/")
	if found && u.Local != "" && remote != "" && remote != "." {
		u.Remote, u.Branch, u.Several = remote, branch, false
	}
	u.PushRemote = cmp.Or(config.last("branch."+u.Local+".pushremote"), config.last("remote.pushdefault"))
	if u.PushRemote == u.Remote {
		u.PushRemote = ""
	}
	return u, nil
}

// origin is where the remote called origin is; empty where there is none.
func (b *builtin) origin() (string, error) {
	config, err := b.config()
	return config.address("origin", false), err
}

// remoteURL is Checkout.FetchURL or, with push, Checkout.PushURL without git.
func (b *builtin) remoteURL(remote string, push bool) (string, error) {
	config, err := b.config()
	if err != nil {
		return "", err
	}
	if !slices.Contains(config.remotes(), remote) {
		if IsAddress(remote) { // as for git, which takes one wherever a name can stand
			return remote, nil
		}
		return "", fmt.Errorf("remote %s: %w", remote, ErrNoRemote)
	}
	return cmp.Or(config.address(remote, push), remote), nil
}
