package repo

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// location is a parsed place of a repository: a folder or a URL.
type location struct {
	path           string   // of a folder; empty for a URL
	url            *url.URL // without credentials; nil for a folder
	user, password string   // what the URL carried
}

func (l location) String() string {
	if l.url != nil {
		return l.url.String()
	}
	return l.path
}

var (
	// What git takes for a remote helper, which may run any command: "ext::sh -c ...".
	helperForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]*::`)
	// user@host:path or host:path; two letters at least, for C:\ is a drive.
	scpForm    = regexp.MustCompile(`^([^/\\@]+@)?[^/\\:@]{2,}:`)
	schemeForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://`)
)

// parseLocation decides what a location is. No message repeats a URL as it was
// given, because it may hold a password.
func parseLocation(s string) (location, error) {
	if s == "" {
		return location{}, errors.New("opening repository: no path or URL is given")
	}
	if err := checkHarmless(s); err != nil {
		return location{}, fmt.Errorf("opening repository: %w", err)
	}
	if m := schemeForm.FindStringSubmatch(s); m != nil {
		return parseURL(s, strings.ToLower(m[1]))
	}
	if scpForm.MatchString(s) {
		return location{}, errSSH
	}
	path, err := filepath.Abs(s)
	if err != nil {
		return location{}, fmt.Errorf("opening repository: %w", err)
	}
	return location{path: path}, nil
}

// checkHarmless refuses what git would take for an option or for a command.
func checkHarmless(location string) error {
	switch {
	case strings.HasPrefix(location, "-"):
		return errors.New("the location looks like an option, because it begins with a dash")
	case strings.ContainsFunc(location, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("the location holds a control character")
	case helperForm.MatchString(location):
		return fmt.Errorf("%q would run a program; use a folder or an https URL", helperForm.FindString(location))
	}
	return nil
}

var errSSH = errors.New("opening repository: ssh is not supported yet; use an https URL or a folder")

func parseURL(s, scheme string) (location, error) {
	switch scheme {
	case "http", "https", "file":
	case "ssh", "git+ssh", "ssh+git":
		return location{}, errSSH
	default:
		return location{}, fmt.Errorf("opening repository: infra does not speak %s; use https or a folder", scheme)
	}
	u, err := url.Parse(s)
	if err != nil {
		return location{}, fmt.Errorf("opening repository: the %s URL is malformed", scheme)
	}
	if scheme == "file" {
		if u.Host != "" && u.Host != "localhost" || u.Path == "" {
			return location{}, errors.New("opening repository: a file URL must be file:///path")
		}
		return location{path: filepath.FromSlash(u.Path)}, nil
	}
	if u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-") {
		return location{}, fmt.Errorf("opening repository: the %s URL names no host", scheme)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return location{}, fmt.Errorf("opening repository: the %s URL has a query or a fragment, which a repository's never has", scheme)
	}
	l := location{url: u}
	if u.User != nil {
		l.user = u.User.Username()
		l.password, _ = u.User.Password()
		u.User = nil
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	return l, nil
}

// checkBranch refuses what git would not take as a branch, and what looks like
// an option. Empty is allowed.
func checkBranch(branch string) error {
	if branch == "" {
		return nil
	}
	if strings.HasPrefix(branch, "-") {
		return fmt.Errorf("branch %q looks like an option", branch)
	}
	if strings.ContainsFunc(branch, func(r rune) bool { return r <= ' ' || r == 0x7f }) ||
		plumbing.NewBranchReferenceName(branch).Validate() != nil {
		return fmt.Errorf("branch %q is not a valid name", branch)
	}
	return nil
}
