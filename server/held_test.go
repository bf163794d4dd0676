package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

// Bad input, line 19: many held requests, over real connections.
func TestTwoThousandHeldRequestsEndWithOneCommit(t *testing.T) {
	t.Parallel()
	const n = 2000
	f := newFixture(t).start()
	f.accepted(f.repo.Head())
	digest := f.state("example").Digest
	// Over ten connections with HTTP/2, which is what connectors speak.
	var clients []*fixture
	for range 10 {
		c := *f
		transport := f.client.Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = true
		defer transport.CloseIdleConnections()
		c.client = &http.Client{Transport: transport}
		if r := c.ask(ask{path: "/healthz"}); r.code != 200 {
			t.Fatal(r)
		}
		clients = append(clients, &c)
	}
	ctx := t.Context()
	replies := make(chan reply, n)
	var all sync.WaitGroup
	for i := range n {
		c := clients[i%len(clients)]
		all.Go(func() {
			replies <- c.ask(ask{path: api.StatePath("example") + "?wait=50s", key: "any", digest: digest, ctx: ctx})
		})
	}
	f.until("all are held", func() bool { return f.metric("infra_held_requests") == n })
	f.accepted(f.repo.Commit(map[string]string{"grants/example.yaml": "grants: []\n"}))
	all.Wait()
	close(replies)
	for r := range replies {
		if r.err != nil || r.code != 200 {
			t.Fatalf("%d %s: %v", r.code, r.body, r.err)
		}
	}
	f.until("none is held any more", func() bool { return f.metric("infra_held_requests") == 0 })
}

// A bare is a server without network and repository, with one connector key.
type bare struct {
	*server
	handler http.Handler
	key     auth.Key
	keys    []schema.Key
}

func newBare(t testing.TB, expires time.Time) *bare {
	t.Helper()
	key, err := auth.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	records, unlock, err := openRecords(t.TempDir(), "bare")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unlock)
	s := &server{log: slog.New(slog.DiscardHandler), records: records, stopping: make(chan struct{}), times: times{}.orUsual(), now: time.Now}
	s.report.Store(&api.RevisionReport{})
	s.metrics = newMetrics(s)
	return &bare{server: s, handler: s.handler(), key: key,
		keys: []schema.Key{{Name: "any", User: schema.ConnectorUser, ID: key.ID, Hash: key.Hash(), Expires: expires}}}
}

// publish serves one grant of a role, and returns its digest.
func (b *bare) publish(role string) (digest string) {
	snapshot := &schema.Snapshot{Keys: b.keys, Grants: []schema.Grant{{Subject: schema.Subject{Kind: schema.User, Name: "fisher@example.com"},
		Role: role, Target: schema.Target{Destination: "example"}}}}
	p := newPublished(role, time.Now(), access.Resolve(snapshot, schema.Revoked{}), b.keys, schema.Revoked{}, b.records)
	p.replace(b.current.Load(), func() { b.current.Store(p) })
	return p.state("example").state.Digest
}

// hold asks for the state and returns the answer; held is called when nothing
// but a change, or time, stands between the two.
func (b *bare) hold(digest string, held func()) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, api.StatePath("example")+"?wait=50s", nil)
	r = r.WithContext(&waited{Context: r.Context(), held: sync.OnceFunc(held)})
	r.Header.Set("Authorization", "Bearer "+b.key.Text())
	r.Header.Set(api.VersionHeader, "1")
	r.Header.Set(api.ClusterHeader, "uid-1")
	r.Header.Set("If-None-Match", `"`+digest+`"`)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

// A waited context says when somebody waits for its end.
type waited struct {
	context.Context
	held func()
}

func (c *waited) Done() <-chan struct{} {
	c.held()
	return c.Context.Done()
}

func TestAKeyThatExpiresWhileItIsHeldEndsTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBare(t, time.Now().Add(10*time.Second))
		begin := time.Now()
		w := b.hold(b.publish("view"), func() {})
		if took := time.Since(begin); w.Code != 401 || took != 10*time.Second || !strings.Contains(w.Body.String(), "has expired") {
			t.Errorf("after %s: %d %s", took, w.Code, w.Body)
		}
	})
}

func TestARequestIsHeldForAsLongAsItAskedLessJitter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBare(t, time.Time{})
		begin := time.Now()
		w := b.hold(b.publish("view"), func() {})
		if took := time.Since(begin); w.Code != 304 || took < 45*time.Second || took > 50*time.Second {
			t.Errorf("after %s: %d %s", took, w.Code, w.Body)
		}
	})
}

// BenchmarkHeld wakes 10,000 requests that wait for one destination, without
// the network.
func BenchmarkHeld(b *testing.B) {
	const n = 10_000
	s := newBare(b, time.Time{})
	digest := s.publish("view")
	roles := []string{"edit", "view"}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		var held, all sync.WaitGroup
		held.Add(n)
		for range n {
			all.Go(func() {
				if w := s.hold(digest, held.Done); w.Code != http.StatusOK {
					b.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		held.Wait()
		b.StartTimer()
		digest = s.publish(roles[i%2])
		all.Wait()
	}
}
