package repo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// newHTTPClient is a client of its own for each source, as each may trust other
// authorities.
func newHTTPClient(o Options) (*http.Client, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   15 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   2,
		ResponseHeaderTimeout: o.Timeout,
	}
	if len(o.CABundle) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("reading the system's certificates: %w", err)
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
			return errors.New("the Git host asks for a user name and a password")
		}
		return errors.New("the Git host does not accept the user name and password")
	case http.StatusForbidden:
		return errors.New("the Git host forbids reading this repository")
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("the Git host has no such repository, or shows it only to whom it knows: %w", ErrNotFound)
	default:
		return fmt.Errorf("the Git host answers %s", resp.Status)
	}
	want := "application/x-git-upload-pack-advertisement"
	if req.Method == http.MethodPost {
		want = "application/x-git-upload-pack-result"
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

// explain says in plain words what went wrong on the way to the host. It drops
// the address, which the caller names, from errors of net/http.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), ctx.Err())
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
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, transport.ErrEmptyUploadPackRequest), errors.Is(err, packp.ErrEmptyInput):
		return fmt.Errorf("the Git host's answer was cut off: %w", err)
	}
	return err
}
