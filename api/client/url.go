package client

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// parseURL reads the address of a server. Whatever could carry a secret into a
// log line is refused without being repeated.
func parseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("the server's address is missing")
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the text
		}
		return nil, fmt.Errorf("reading the server's address: %w", err)
	}
	switch {
	case u.User != nil:
		return nil, errors.New("reading the server's address: it holds a user name; an access key is given apart from it")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("reading the server's address: %q is neither https nor http", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("reading the server's address: it has no host name")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("reading the server's address: it has a query or a fragment")
	}
	return u, nil
}
