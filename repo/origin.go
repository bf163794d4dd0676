package repo

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// Origin is the name of the server that the remote called origin is on, without
// port, path or credentials: "github.com". It is empty where there is no such
// remote, or where it is a folder.
func (c *Checkout) Origin(ctx context.Context) (string, error) {
	if c.builtin != nil {
		at, err := c.builtin.origin()
		return serverOf(at), err
	}
	at, err := c.git.line(ctx, "remote", "get-url", "origin")
	if ended(err, 2) { // no such remote
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for the remote origin: %w", err)
	}
	return serverOf(at), nil
}

// serverOf is the server in an address as git takes it: a URL, or the short form
// of ssh, [user@]host:path.
func serverOf(address string) string {
	if schemeForm.MatchString(address) {
		u, err := url.Parse(address)
		if err != nil {
			return ""
		}
		return u.Hostname()
	}
	if short := scpForm.FindString(address); short != "" {
		_, server, found := strings.Cut(short, "@")
		if !found {
			server = short
		}
		return strings.TrimSuffix(server, ":")
	}
	return ""
}
