// Package client is the HTTP client with which a connector asks a server for
// the desired state of its destination and reports what the cluster has.
//
// It trusts little. An answer counts only if all of it arrived, it has the
// content type of the API, knows no field that this version does not, and bears
// a digest that fits (api.DecodeState). Redirects are not followed, so that the
// access key never reaches a host that nobody named. The key is in no error and
// no log line.
//
// The server's certificate is verified against the system's roots and the
// certificates that Options trusts. Where that is switched off, it is trusted on
// first use: see Pin.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/infrahq/infra/api"
)

const (
	maxState   = 64 << 20 // of a desired state when it is unpacked: about 500,000 entries
	maxFailure = 64 << 10 // of the body of an answer that is not a success

	// grace is how long an answer may take beyond the time that it was asked to
	// be held for.
	grace = 30 * time.Second
)

// Options say where the server is and whom to trust.
type Options struct {
	// URL of the server. A host name, or a host name and port, means https. With
	// http:// nothing is encrypted, the key neither, which New warns of.
	URL string
	// Key gives the access key. It is called for every request, so that a key that
	// was replaced in its file counts at once.
	Key func() (string, error)
	// TrustedCertificate holds certificates in PEM that are trusted in addition
	// to the system's roots: a certificate authority's, or the server's own.
	TrustedCertificate []byte
	// SkipTLSVerify trusts the server's certificate on first use; Pin remembers it.
	SkipTLSVerify bool
	Pin           Pin
	UserAgent     string       // "infra" where empty
	Logger        *slog.Logger // nothing is logged where nil
}

// A Client talks to one server. It may be used by several goroutines at once.
type Client struct {
	base      *url.URL
	key       func() (string, error)
	userAgent string
	http      *http.Client
	transport *http.Transport
}

// New makes a client. It opens no connection.
func New(o Options) (*Client, error) {
	base, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Key == nil {
		return nil, errors.New("an access key is needed to talk to the server")
	}
	log := cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if base.Scheme == "http" {
		log.Warn("the connection to the server is not encrypted: the access key can be read on the way", "server", base.String())
	}
	config, err := tlsConfig(o, base.Hostname(), log)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    15 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2, // the held request, and the status beside it
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// A connection that died without a word is noticed by these, not by a held
		// request that never ends.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 20 * time.Second, PingTimeout: 15 * time.Second},
	}
	return &Client{
		base:      base,
		key:       o.Key,
		userAgent: cmp.Or(o.UserAgent, "infra"),
		transport: transport,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close ends connections that are idle. Requests that are under way end with their context.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// A StateRequest asks for the desired state of a destination.
type StateRequest struct {
	Destination string
	ClusterUID  string        // UID of the namespace kube-system
	Digest      string        // of the state that is known already; empty: none
	Wait        time.Duration // how long the server may hold the request until the digest changes; zero: not at all
}

// A StateAnswer is the server's answer.
type StateAnswer struct {
	State      api.DesiredState // checked; the zero value where Changed is false
	Changed    bool             // the digest differs from the one in the request
	ServerDate time.Time        // the server's clock, to the second; zero where it did not say
}

// State asks for the desired state. An answer that cannot be trusted whole is
// api.ErrBadState; an answer that is not a success is an *Error.
func (c *Client) State(ctx context.Context, r StateRequest) (StateAnswer, error) {
	answer, err := c.state(ctx, r)
	if err != nil {
		return StateAnswer{}, fmt.Errorf("asking for the desired state of %s: %w", r.Destination, err)
	}
	return answer, nil
}

func (c *Client) state(ctx context.Context, r StateRequest) (StateAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Wait+grace)
	defer cancel()
	u := c.base.JoinPath(api.StatePath(r.Destination))
	if r.Wait > 0 {
		u.RawQuery = url.Values{"wait": {r.Wait.String()}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return StateAnswer{}, err
	}
	if r.Digest != "" {
		req.Header.Set("If-None-Match", `"`+r.Digest+`"`)
	}
	resp, err := c.do(req, r.ClusterUID)
	if err != nil {
		return StateAnswer{}, err
	}
	defer resp.Body.Close()

	answer := StateAnswer{}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		answer.ServerDate = date.UTC()
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && r.Digest != "":
		return answer, nil
	case resp.StatusCode != http.StatusOK:
		return StateAnswer{}, &Error{Status: resp.StatusCode, Message: "it is an answer that the server never gives here"}
	}
	if err := wantJSON(resp); err != nil {
		return StateAnswer{}, fmt.Errorf("%w: %w", api.ErrBadState, err)
	}
	answer.State, err = api.DecodeState(&limited{r: resp.Body, left: maxState}, r.Destination)
	if err != nil {
		return StateAnswer{}, err
	}
	answer.Changed = answer.State.Digest != r.Digest
	if !answer.Changed {
		answer.State = api.DesiredState{}
	}
	return answer, nil
}

// PutStatus reports the status of the destination that it names.
func (c *Client) PutStatus(ctx context.Context, s api.Status) error {
	if err := c.putStatus(ctx, s); err != nil {
		return fmt.Errorf("reporting the status of %s: %w", s.Destination, err)
	}
	return nil
}

func (c *Client) putStatus(ctx context.Context, s api.Status) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	u := c.base.JoinPath(api.StatusPath(s.Destination))
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, u.String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.do(req, s.ClusterUID)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxFailure)) // so that the connection can be used again
	return err
}

// do sends a request with what every request carries, and makes an error of
// every answer that is neither a success nor "not modified".
func (c *Client) do(req *http.Request, clusterUID string) (*http.Response, error) {
	key, err := c.key()
	if err != nil {
		return nil, fmt.Errorf("reading the access key: %w", err)
	}
	key = strings.TrimSpace(key)
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("reading the access key: what was read is empty, or is not a key")
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set(api.VersionHeader, strconv.Itoa(api.Version))
	if clusterUID != "" {
		req.Header.Set(api.ClusterHeader, clusterUID)
	}
	// Compression is the transport's: it asks for gzip and unpacks it, and readers
	// of the body bound what comes out.
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 || resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readError(resp, key)
}

// wantJSON refuses a body that is something else: a proxy's page, mostly.
func wantJSON(resp *http.Response) error {
	kind := resp.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
		return fmt.Errorf("its content type is %q: something other than an infra server answers at this address", kind)
	}
	return nil
}

// limited reads at most so many bytes and then fails, where io.LimitReader would
// pass a cut-off text for a whole one.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("%w: it is larger than %d MiB", api.ErrBadState, maxState>>20)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: it was cut off: %w", api.ErrBadState, err)
	}
	return n, err
}
