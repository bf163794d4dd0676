package server

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
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

// BenchmarkHeld wakes 10,000 requests that wait for one destination, without
// the network.
func BenchmarkHeld(b *testing.B) {
	const n = 10_000
	key, err := auth.Mint(nil)
	if err != nil {
		b.Fatal(err)
	}
	records, unlock, err := openRecords(b.TempDir(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer unlock()
	s := &server{log: slog.New(slog.DiscardHandler), records: records, stopping: make(chan struct{}), now: time.Now}
	s.report.Store(&api.RevisionReport{})
	s.metrics = newMetrics(s)
	handler := s.handler()
	keys := []schema.Key{{Name: "any", User: schema.ConnectorUser, ID: key.ID, Hash: key.Hash()}}
	publish := func(role string) *published {
		snapshot := &schema.Snapshot{Keys: keys, Grants: []schema.Grant{{Subject: schema.Subject{Kind: schema.User, Name: "fisher@example.com"},
			Role: role, Target: schema.Target{Destination: "example"}}}}
		p := newPublished(role, time.Now(), access.Resolve(snapshot, schema.Revoked{}), keys, schema.Revoked{}, records)
		p.replace(s.current.Load(), func() { s.current.Store(p) })
		return p
	}
	digest := publish("view").state("example").state.Digest
	roles := []string{"edit", "view"}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				r := httptest.NewRequest(http.MethodGet, api.StatePath("example")+"?wait=50s", nil)
				r.Header.Set("Authorization", "Bearer "+key.Text())
				r.Header.Set(api.VersionHeader, "1")
				r.Header.Set(api.ClusterHeader, "uid-1")
				r.Header.Set("If-None-Match", `"`+digest+`"`)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		for s.metrics.held.Load() < n {
			runtime.Gosched()
		}
		b.StartTimer()
		next := publish(roles[i%2])
		all.Wait()
		digest = next.state("example").state.Digest
	}
}
