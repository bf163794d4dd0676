package repo

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// An Address is where a repository is that git clones: a URL, or the short form of
// ssh, [user@]host:path; with #BRANCH[:FOLDER] at its end where another branch or
// tag than the host's own, or a folder below the top, is meant.
type Address struct {
	URL    string // without a password, fit for messages
	Branch string // or a tag; empty: the one that the host's HEAD names
	Folder string // a slash path below the top; empty: the top

	user, password string // for the host; a password is kept out of URL
}

// String is the address as it is shown.
func (a Address) String() string { return a.URL }

// Protocols are those that an address may name. Others run programs.
var Protocols = []string{"file", "git", "http", "https", "ssh"}

// IsAddress says whether a location is to be read by [ParseAddress], rather than
// being a folder: also one that ParseAddress refuses, because it looks like an
// option or a command. What reads as the short form of ssh is a folder where there
// is one of that name, as it is for git.
func IsAddress(location string) bool {
	switch {
	case strings.HasPrefix(location, "-"), schemeForm.MatchString(location), helperForm.MatchString(location):
		return true
	case !scpForm.MatchString(location):
		return false
	}
	_, err := os.Stat(location)
	return err != nil
}

// ParseAddress reads an address. No error repeats a password.
func ParseAddress(location string) (Address, error) {
	if err := checkHarmless(location); err != nil {
		return Address{}, err
	}
	where, inside, _ := strings.Cut(location, "#")
	branch, folder, _ := strings.Cut(inside, ":")
	a := Address{URL: where, Branch: branch, Folder: strings.Trim(folder, "/")}
	if err := checkBranch(branch); err != nil {
		return Address{}, err
	}
	if a.Folder != "" && slices.ContainsFunc(strings.Split(a.Folder, "/"), func(part string) bool { return part == "" || part == "." || part == ".." }) {
		return Address{}, fmt.Errorf("%q is no folder of a repository", folder)
	}
	if m := schemeForm.FindStringSubmatch(where); m != nil {
		return a, a.readURL(strings.ToLower(m[1]))
	}
	_, host, found := strings.Cut(scpForm.FindString(where), "@")
	if !found {
		host = where
	}
	_, path, _ := strings.Cut(where, ":")
	switch {
	case !scpForm.MatchString(where):
		return Address{}, errors.New("this is no address of a repository")
	case strings.HasPrefix(host, "-"), strings.HasPrefix(path, "-"):
		return Address{}, errors.New("the location looks like an option, because a part of it begins with a dash")
	}
	return a, nil
}

// readURL takes the credentials out of a URL, and refuses what git is not to see.
func (a *Address) readURL(scheme string) error {
	if !slices.Contains(Protocols, scheme) {
		return fmt.Errorf("infra does not clone by %s; it does by %s", scheme, strings.Join(Protocols, ", "))
	}
	u, err := url.Parse(a.URL)
	switch {
	case err != nil:
		return fmt.Errorf("the %s URL is malformed", scheme)
	case scheme != "file" && u.Hostname() == "":
		return fmt.Errorf("the %s URL names no host", scheme)
	case strings.HasPrefix(u.Hostname(), "-"), strings.HasPrefix(u.User.Username(), "-"), strings.HasPrefix(u.Path, "/-"):
		return errors.New("the location looks like an option, because a part of it begins with a dash")
	case u.RawQuery != "":
		return fmt.Errorf("the %s URL has a query, which a repository's never has", scheme)
	}
	if password, ok := u.User.Password(); ok {
		a.user, a.password = u.User.Username(), password
		u.User = url.User(a.user)
		a.URL = u.String()
	}
	return nil
}
