package repo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Options say how a repository is reached. The zero value is ready for use.
type Options struct {
	// Username and Password are for a Git host that asks for them; a token
	// counts as a password, and most hosts then take any user name. They win
	// over those in the URL. Redirects to another host do not see them.
	Username, Password string

	// CABundle holds PEM certificates that are trusted in addition to the
	// system's, for a Git host with an authority of its own.
	CABundle []byte

	bundleAlone bool // CABundle is trusted instead of the system's, as with git's http.sslCAInfo

	// Timeout bounds one answer of the Git host, from the request to the last
	// byte; zero: 2 minutes.
	Timeout time.Duration

	// MaxBytes bounds what one fetch may hold in memory, after decompression;
	// zero: 1 GiB.
	MaxBytes int64
}

// A Source is a Git repository that is read: a folder or a URL. It keeps no
// connection and no copy. It is safe for concurrent use.
type Source struct {
	name    string // how the location is shown; without credentials
	backend backend
}

// backend is where the objects come from: a folder, or a Git host.
type backend interface {
	tip(ctx context.Context, branch string) (string, error)
	fetch(ctx context.Context, branch, have string) (*History, error)

	// watch reports changes until stop has returned; nil where there is no way to see them.
	watch() (changes <-chan struct{}, stop func())
}

// Open names the repository at location: the path of a folder (a work tree or a
// bare repository), or an http or https URL. It opens or asks nothing yet,
// except that a folder must be a repository.
//
// A location that looks like an option (`--upload-pack=...`) or a command
// (`ext::...`), and a scheme that infra does not speak, are refused.
func Open(location string, o Options) (*Source, error) {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if len(o.CABundle) > 0 && !x509.NewCertPool().AppendCertsFromPEM(o.CABundle) {
		return nil, errors.New("reading the CA bundle: no certificate in PEM form")
	}
	loc, err := parseLocation(location)
	if err != nil {
		return nil, err
	}
	if loc.url == nil {
		l, err := openLocal(loc.path)
		if err != nil {
			return nil, fmt.Errorf("opening repository %s: %w", loc, err)
		}
		return &Source{name: loc.String(), backend: l}, nil
	}
	r, err := newRemote(loc, o)
	if err != nil {
		return nil, fmt.Errorf("opening repository %s: %w", loc, err)
	}
	return &Source{name: loc.String(), backend: r}, nil
}

// String is the location without credentials, fit for logs.
func (s *Source) String() string { return s.name }

// Tip asks for the commit that the branch points to. An empty branch is the
// one that HEAD names. The error wraps [ErrNotFound] where there is no such branch.
func (s *Source) Tip(ctx context.Context, branch string) (string, error) {
	if err := checkBranch(branch); err != nil {
		return "", err
	}
	tip, err := s.backend.tip(ctx, branch)
	if err != nil {
		return "", fmt.Errorf("asking %s for its branch %s: %w", s.name, shownBranch(branch), err)
	}
	return tip, nil
}

// Fetch gets the branch's tip and its ancestors. Of a remote repository it gets
// no more of them than it takes to reach have, the last commit that the caller
// knows; have may be empty, or be no ancestor at all, which [History.Since] then
// tells. An empty branch is the one that HEAD names.
func (s *Source) Fetch(ctx context.Context, branch, have string) (*History, error) {
	if err := checkBranch(branch); err != nil {
		return nil, err
	}
	h, err := s.backend.fetch(ctx, branch, have)
	if err != nil {
		return nil, fmt.Errorf("fetching branch %s of %s: %w", shownBranch(branch), s.name, err)
	}
	return h, nil
}

func shownBranch(branch string) string {
	if branch == "" {
		return "HEAD"
	}
	return branch
}
