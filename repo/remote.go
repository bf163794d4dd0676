package repo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"
)

// remote is a repository behind http or https, or, for a push without git, ssh.
//
// It speaks the protocol through go-git's session rather than through its
// Remote, which hides a rewritten branch ("already up-to-date"), takes a CA
// bundle but no check of what the host answers with, and has one client for the
// whole process.
type remote struct {
	endpoint transport.Endpoint
	auth     transport.AuthMethod // nil: none
	client   transport.Transport
	timeout  time.Duration
	maxBytes int64
}

func newRemote(loc location, o Options) (*remote, error) {
	ep, err := transport.NewEndpoint(loc.url.String())
	if err != nil {
		return nil, errors.New("the URL is malformed")
	}
	client, err := newHTTPClient(o)
	if err != nil {
		return nil, err
	}
	r := &remote{endpoint: *ep, client: githttp.NewClient(client), timeout: o.Timeout, maxBytes: o.MaxBytes}
	user, password := loc.user, loc.password
	if o.Username != "" || o.Password != "" {
		user, password = o.Username, o.Password
	}
	switch {
	case user == "" && password != "":
		user = "git" // most hosts want some name beside a token
		fallthrough
	case user != "":
		r.auth = &githttp.BasicAuth{Username: user, Password: password}
	}
	return r, nil
}

// depths are tried one after another until the known commit is found; the last
// is everything. 50 costs as much as 1.
var depths = []int{50, 500, 0}

func (r *remote) tip(ctx context.Context, branch string) (string, error) {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	s, err := r.dial(ctx)
	if err != nil {
		return "", err
	}
	defer s.Close()
	hash, _, err := r.advertised(ctx, s, branch)
	if err != nil {
		return "", explain(ctx, err)
	}
	return hash.String(), nil
}

func (r *remote) fetch(ctx context.Context, branch, have string) (*History, error) {
	for _, depth := range depths {
		h, err := r.fetchDepth(ctx, branch, depth)
		if err != nil {
			return nil, err
		}
		enough, err := h.reaches(have)
		if err != nil {
			return nil, err
		}
		if enough || depth == 0 {
			return h, nil
		}
	}
	panic("unreachable: the last depth is 0")
}

func (r *remote) fetchDepth(ctx context.Context, branch string, depth int) (*History, error) {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	s, err := r.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	tip, caps, err := r.advertised(ctx, s, branch)
	if err != nil {
		return nil, explain(ctx, err)
	}
	store := memory.NewStorage()
	shallow, err := r.download(ctx, s, caps, tip, depth, store)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return newHistory(&objects{store: store}, tip.String(), shallow, &fetched{branch, tip, store})
}

func (r *remote) watch() (<-chan struct{}, func()) { return nil, func() {} }

func (r *remote) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.timeout, fmt.Errorf("no complete answer within %v", r.timeout))
}

func (r *remote) dial(ctx context.Context) (transport.UploadPackSession, error) {
	ep := r.endpoint // the session changes it where the host redirects
	return abandoned(ctx, func() (transport.UploadPackSession, error) { return r.client.NewUploadPackSession(&ep, r.auth) })
}

// dialPush is dial for what is to be pushed.
func (r *remote) dialPush(ctx context.Context) (transport.ReceivePackSession, error) {
	ep := r.endpoint
	return abandoned(ctx, func() (transport.ReceivePackSession, error) { return r.client.NewReceivePackSession(&ep, r.auth) })
}

// advertised asks for the host's refs and finds the branch among them.
func (r *remote) advertised(ctx context.Context, s transport.UploadPackSession, branch string) (plumbing.Hash, *capability.List, error) {
	refs, err := s.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return plumbing.ZeroHash, nil, fmt.Errorf("the repository has no commits: %w", ErrNotFound)
	}
	if err != nil {
		return plumbing.ZeroHash, nil, err
	}
	if branch == "" {
		if refs.Head == nil {
			return plumbing.ZeroHash, nil, ErrNotFound
		}
		return *refs.Head, refs.Capabilities, nil
	}
	hash, ok := refs.References[plumbing.NewBranchReferenceName(branch).String()]
	if !ok {
		return plumbing.ZeroHash, nil, ErrNotFound
	}
	return hash, refs.Capabilities, nil
}

// download gets one commit and its ancestors to a depth; 0 is all of them. It
// returns the commits whose parents were left out.
func (r *remote) download(ctx context.Context, s transport.UploadPackSession, caps *capability.List, tip plumbing.Hash, depth int, store *memory.Storage) (shallow []plumbing.Hash, err error) {
	req := packp.NewUploadPackRequestFromCapabilities(caps)
	req.Wants = []plumbing.Hash{tip}
	if depth > 0 && caps.Supports(capability.Shallow) {
		req.Depth = packp.DepthCommits(depth)
		if err := req.Capabilities.Set(capability.Shallow); err != nil {
			return nil, err
		}
	}
	resp, err := s.UploadPack(ctx, req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resp.Close()) }()

	var pack io.Reader = resp
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, resp)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, resp)
	}
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(pack), store, &sizeLimit{left: r.maxBytes, max: r.maxBytes})
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(); err != nil {
		return nil, fmt.Errorf("reading the pack: %w", err)
	}
	return resp.Shallows, nil
}

// sizeLimit stops a pack that unpacks to more than fits. It implements
// packfile.Observer.
type sizeLimit struct{ left, max int64 }

func (l *sizeLimit) OnInflatedObjectHeader(_ plumbing.ObjectType, size, _ int64) error {
	if l.left -= size; l.left < 0 || size < 0 {
		return fmt.Errorf("the repository is larger than the limit of %d bytes", l.max)
	}
	return nil
}

func (l *sizeLimit) OnHeader(uint32) error                                              { return nil }
func (l *sizeLimit) OnInflatedObjectContent(plumbing.Hash, int64, uint32, []byte) error { return nil }
func (l *sizeLimit) OnFooter(plumbing.Hash) error                                       { return nil }

// fetched resolves names in what one fetch brought.
type fetched struct {
	branch string
	tip    plumbing.Hash
	store  *memory.Storage // its maps are no longer written to
}

func (f *fetched) named(name string) ([]namedRef, error) {
	if name == "HEAD" || name != "" && strings.TrimPrefix(name, "refs/heads/") == f.branch {
		return []namedRef{{name, f.tip.String()}}, nil
	}
	return nil, ErrNotFound
}

func (f *fetched) withPrefix(prefix []byte) ([]plumbing.Hash, error) {
	var all []plumbing.Hash
	for hash := range f.store.Commits {
		if strings.HasPrefix(string(hash[:]), string(prefix)) {
			all = append(all, hash)
		}
	}
	return all, nil
}
