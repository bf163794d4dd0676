package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/repo/gittest"
)

// A fixture is a repository and a server that follows it.
type fixture struct {
	t      testing.TB
	repo   *gittest.Repo
	dir    string // of data
	url    string
	client *http.Client
	log    *logBuffer
	stop   func() error
	keys   map[string]auth.Key
}

// A logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

const oneGrant = "grants:\n  - {user: fisher@example.com, role: admin, resource: example}\n"

// newFixture makes a repository with one destination and keys of several kinds.
func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, repo: gittest.New(t), dir: t.TempDir(), log: &logBuffer{}, keys: map[string]auth.Key{}}
	f.repo.Commit(map[string]string{
		"infra.yaml":          "version: 1\n",
		"grants/example.yaml": oneGrant,
		"grants/infra.yaml": "grants:\n  - {user: ann@example.com, role: admin, resource: infra}\n" +
			"  - {user: bob@example.com, role: view, resource: infra}\n" +
			"  - {user: old@example.com, role: admin, resource: infra, expires: 2020-01-01T00:00:00Z}\n",
		"keys/any.yaml":     f.key("any", "connector", ""),
		"keys/example.yaml": f.key("example", "connector", "destination: example"),
		"keys/other.yaml":   f.key("other", "connector", "destination: other"),
		"keys/expired.yaml": f.key("expired", "connector", "expires: 2020-06-01T00:00:00Z"),
		"keys/ann.yaml":     f.key("ann", "ann@example.com", ""),
		"keys/bob.yaml":     f.key("bob", "bob@example.com", ""),
		"keys/old.yaml":     f.key("old", "old@example.com", ""),
		"keys/fisher.yaml":  f.key("fisher", "fisher@example.com", ""),
	})
	t.Cleanup(func() {
		for name, k := range f.keys {
			if strings.Contains(f.log.String(), strings.TrimPrefix(k.Text(), "infra1_"+k.ID+"_")) {
				t.Errorf("the secret of key %s is in the log", name)
			}
		}
	})
	return f
}

// key mints a key and is the text of its file.
func (f *fixture) key(name, user, more string) string {
	f.t.Helper()
	k, err := auth.Mint(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.keys[name] = k
	text := fmt.Sprintf("keys:\n  - name: %s\n    user: %s\n    id: %s\n    hash: %s\n    created: 2020-01-01T00:00:00Z\n", name, user, k.ID, k.Hash())
	if more != "" {
		text += "    " + more + "\n"
	}
	return text
}

// start runs the server until the test ends or stop is called.
func (f *fixture) start(change ...func(*Options)) *fixture {
	f.t.Helper()
	o := Options{Repo: f.repo.Dir, Listen: "127.0.0.1:0", DataDir: f.dir, Version: "test",
		Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, c := range change {
		c(&o)
	}
	addr := make(chan string, 1)
	o.Ready = func(a string) { addr <- a }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	f.stop = sync.OnceValue(func() error {
		cancel()
		if f.client != nil {
			f.client.CloseIdleConnections()
		}
		return <-done
	})
	f.t.Cleanup(func() {
		if err := f.stop(); err != nil {
			f.t.Errorf("the server ended with: %v", err)
		}
	})
	select {
	case a := <-addr:
		f.url = "https://" + a
	case err := <-done:
		done <- nil // for stop
		f.t.Fatalf("the server did not start: %v", err)
	}
	if o.PlainHTTP {
		f.url, f.client = strings.Replace(f.url, "https", "http", 1), &http.Client{Transport: &http.Transport{}}
		return f
	}
	text, err := os.ReadFile(filepath.Join(f.dir, "tls.crt"))
	if err != nil {
		f.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	f.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 10_000}}
	return f
}

// until waits for something that the server does in its own time.
func (f *fixture) until(what string, holds func() bool) {
	f.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			f.t.Fatalf("it did not come about: %s\nreport: %+v\n%s", what, f.report(), f.log)
		case <-tick.C:
		}
	}
}

func (f *fixture) accepted(revision string) {
	f.t.Helper()
	f.until("revision "+revision+" is in force", func() bool { r := f.report(); return r.Accepted == revision && r.Tip == revision })
}

func (f *fixture) report() (r api.RevisionReport) {
	resp, err := f.client.Get(f.url + "/readyz")
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		f.t.Fatal(err)
	}
	return r
}

// An ask is a request as a test says it; the zero header values are a
// connector's of cluster "uid-1".
type ask struct {
	method, path string
	key          string // a name of fixture.keys, or any text
	cluster      string
	digest       string
	version      string
	body         string
	ctx          context.Context
}

type reply struct {
	code   int
	body   string
	header http.Header
	err    error
}

func (f *fixture) ask(a ask) reply {
	ctx := a.ctx
	if ctx == nil {
		ctx = f.t.Context()
	}
	if a.method == "" {
		a.method = "GET"
	}
	var body io.Reader
	if a.body != "" {
		body = strings.NewReader(a.body)
	}
	req, err := http.NewRequestWithContext(ctx, a.method, f.url+a.path, body)
	if err != nil {
		return reply{err: err}
	}
	text := a.key
	if k, ok := f.keys[a.key]; ok {
		text = k.Text()
	}
	if text != "" {
		req.Header.Set("Authorization", "Bearer "+text)
	}
	if a.digest != "" {
		req.Header.Set("If-None-Match", `"`+a.digest+`"`)
	}
	req.Header.Set(api.VersionHeader, strings.ReplaceAll(orElse(a.version, "1"), "none", ""))
	req.Header.Set(api.ClusterHeader, strings.ReplaceAll(orElse(a.cluster, "uid-1"), "none", ""))
	resp, err := f.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, string(all), resp.Header, err}
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// state asks for the desired state of a destination and wants one.
func (f *fixture) state(destination string) api.DesiredState {
	f.t.Helper()
	r := f.ask(ask{path: api.StatePath(destination), key: "any"})
	d, err := api.DecodeState(strings.NewReader(r.body), destination)
	if err != nil || r.code != 200 {
		f.t.Fatalf("%d %s: %v", r.code, r.body, err)
	}
	return d
}

// hold asks for a state that is held, and returns once it is.
func (f *fixture) hold(destination, key string) <-chan reply {
	f.t.Helper()
	digest := f.state(destination).Digest
	before := f.metric("infra_held_requests")
	out := make(chan reply, 1)
	ctx := f.t.Context()
	go func() {
		out <- f.ask(ask{path: api.StatePath(destination) + "?wait=50s", key: key, digest: digest, ctx: ctx})
	}()
	f.until("the request is held", func() bool { return f.metric("infra_held_requests") > before })
	return out
}

// metric is the value of a metric without labels.
func (f *fixture) metric(name string) (v float64) {
	f.t.Helper()
	for line := range strings.Lines(f.ask(ask{path: "/metrics"}).body) {
		if _, err := fmt.Sscanf(line, name+" %g", &v); err == nil {
			return v
		}
	}
	f.t.Fatalf("there is no metric %s", name)
	return 0
}
