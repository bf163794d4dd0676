package repo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// newHTTPClient is a client of its own for each source, as each may trust other
// authorities.
func newHTTPClient(o Options) (*http.Client, error) {
	// No time-outs of its own for the steps of a request: the one of the whole
	// covers them, and has one name, however far the host came.
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 2,
	}
	if len(o.CABundle) > 0 {
		pool := x509.NewCertPool()
		if !o.bundleAlone {
			var err error
			if pool, err = x509.SystemCertPool(); err != nil {
				return nil, fmt.Errorf("reading the system's certificates: %w", err)
			}
		}
		pool.AppendCertsFromPEM(o.CABundle)
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: &gitOnly{base: t}}, nil
}

// gitOnly lets only the answers of a Git host through. A captive portal, a
// sign-in page or a misspelt address answers with HTML, often as 200, which
// would otherwise show as a malformed line of the protocol.
type gitOnly struct{ base http.RoundTripper }

func (g *gitOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.base.RoundTrip(req)
	if err != nil || resp.StatusCode/100 == 3 {
		return resp, err
	}
	if err := checkAnswer(req, resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

func checkAnswer(req *http.Request, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		if req.Header.Get("Authorization") == "" {
			return errAsksPassword
		}
		return errors.New("the Git host does not accept the user name and password")
	case http.StatusForbidden:
		if service(req) == transport.ReceivePackServiceName {
			return errors.New("the Git host forbids pushing to this repository")
		}
		return errors.New("the Git host forbids reading this repository")
	case http.StatusNotFound, http.StatusGone:
		return errNoRepository
	default:
		return fmt.Errorf("the Git host answers %s", resp.Status)
	}
	want := "application/x-" + service(req) + "-advertisement"
	if req.Method == http.MethodPost {
		want = "application/x-" + service(req) + "-result"
	}
	got, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err == nil && got == want:
		return nil
	case err != nil:
		got = "something that it does not name"
	}
	return fmt.Errorf("this is not a Git host, or not a repository's address: it answers with %s", got)
}

// errAsksPassword is for a host that wants to know who asks, and nobody said.
var errAsksPassword = errors.New("the Git host asks for a user name and a password")

// errNoRepository is for an address at which there is none.
var errNoRepository = fmt.Errorf("the Git host has no such repository, or shows it only to whom it knows: %w", ErrNotFound)

// service is what a request is about: reading, which is git-upload-pack, or pushing.
func service(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/"+transport.ReceivePackServiceName) || req.URL.Query().Get("service") == transport.ReceivePackServiceName {
		return transport.ReceivePackServiceName
	}
	return transport.UploadPackServiceName
}

// explain says in plain words what went wrong on the way to the host. It drops
// the address, which the caller names, from errors of net/http.
func explain(ctx context.Context, err error) error {
	if deadline, ok := ctx.Deadline(); ok && isTimeout(err) && !time.Now().Before(deadline) {
		<-ctx.Done() // a connection has the same deadline, and may notice first
	}
	if ctx.Err() != nil {
		if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
			return fmt.Errorf("%w: %w", cause, ctx.Err())
		}
		return ctx.Err()
	}
	if u, ok := errors.AsType[*plumbing.UnexpectedError](err); ok {
		err = u.Err // which it does not unwrap to
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if c, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("the Git host's certificate is not trusted: %w; if its authority is your own, give a CA bundle", c.Err)
	}
	switch {
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return errors.New("the Git host speaks http, not https")
	case slices.ContainsFunc(cutOff, func(e error) bool { return errors.Is(err, e) }):
		return fmt.Errorf("the Git host's answer was cut off: %w", err)
	}
	return err
}

// cutOff are the ways in which an answer that ends too early shows, by where it
// ends and by whether the host's system closes or resets the connection.
var cutOff = []error{
	io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE,
	transport.ErrEmptyUploadPackRequest, packp.ErrEmptyInput,
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}
