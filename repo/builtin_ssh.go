package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
)

// harmlessSSH are the words of ssh's configuration that change neither whom one
// talks to nor as whom, and those that go-git heeds (ssh_config(5)).
var harmlessSSH = []string{
	"hostname", "port", "addkeystoagent", "usekeychain", "serveraliveinterval", "serveralivecountmax", "tcpkeepalive",
	"compression", "loglevel", "controlmaster", "controlpath", "controlpersist", "visualhostkey", "hashknownhosts",
	"sendenv", "setenv", "forwardagent", "forwardx11", "stricthostkeychecking", "updatehostkeys",
}

// reachSSH prepares the way to a remote over ssh: with the keys of the user's agent,
// to a host that is in known_hosts. What the user tells ssh beside that is refused.
func (b *builtin) reachSSH(config gitConfig, what, address string) (*remote, error) {
	for name, value := range map[string]string{
		"core.sshCommand": config.last("core.sshcommand"), "GIT_SSH_COMMAND": b.getenv("GIT_SSH_COMMAND"), "GIT_SSH": b.getenv("GIT_SSH"),
	} {
		if value != "" {
			return nil, b.needsGit(name, "it is a program that reaches the Git host")
		}
	}
	ep, err := transport.NewEndpoint(address)
	if err != nil || ep.Host == "" || strings.HasPrefix(ep.Host, "-") || ep.Password != "" {
		return nil, fmt.Errorf("%s: its address is malformed", what)
	}
	if err := b.checkSSHConfig(ep.Host, ep.User != ""); err != nil {
		return nil, err
	}
	if b.getenv("SSH_AUTH_SOCK") == "" {
		return nil, b.needsGit(what, "it is reached over ssh, and no agent has the key (SSH_AUTH_SOCK)")
	}
	auth, err := gitssh.NewSSHAgentAuth(ep.User)
	if err != nil {
		return nil, fmt.Errorf("asking the ssh agent: %w", err)
	}
	return &remote{endpoint: *ep, auth: auth, client: gitssh.NewClient(nil), timeout: farAway, maxBytes: 1 << 30}, nil
}

// checkSSHConfig refuses what the user's configuration of ssh says of a host, if it
// changes how the host is reached. Doubt counts as yes.
func (b *builtin) checkSSHConfig(host string, hasUser bool) error {
	name := filepath.Join(b.home(), ".ssh", "config")
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, unwrapPath(err))
	}
	defer f.Close()
	ours := true // what stands before the first Host is for all
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(strings.Replace(lines.Text(), "=", " ", 1))
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		switch word := strings.ToLower(words[0]); {
		case word == "host":
			ours = slices.ContainsFunc(words[1:], func(pattern string) bool {
				fits, err := path.Match(strings.ToLower(strings.Trim(pattern, `"`)), strings.ToLower(host))
				return fits || err != nil
			})
		case word == "match" || word == "include":
			return b.needsGit(words[0]+" in "+name, "when it counts is ssh's to say")
		case ours && !slices.Contains(harmlessSSH, word) && (word != "user" || !hasUser):
			return b.needsGit(words[0]+" in "+name, "it says how "+host+" is reached")
		}
	}
	return lines.Err()
}

// abandoned waits for a connection no longer than ctx lasts: an ssh handshake
// heeds none. One that comes later is closed.
func abandoned[S io.Closer](ctx context.Context, dial func() (S, error)) (S, error) {
	type result struct {
		session S
		err     error
	}
	done := make(chan result)
	go func() {
		s, err := dial()
		select {
		case done <- result{s, err}:
		case <-ctx.Done():
			if err == nil {
				_ = s.Close()
			}
		}
	}()
	select {
	case r := <-done:
		return r.session, r.err
	case <-ctx.Done():
		var none S
		return none, ctx.Err()
	}
}
