// Package connector_test runs connectors against a real API server, each with
// exactly the configuration and the rights that the chart gives it. The server
// that most of them follow is a small one of the tests that speaks package api,
// because it also has to say what a real one never does.
package connector_test

import (
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/test/controlplane"
)

func TestMain(m *testing.M) { controlplane.Main(m) }

// A bench is a site with the server of the tests.
type bench struct {
	*site
	polls  int // requests for the state that were answered
	state  api.DesiredState
	raw    func(w http.ResponseWriter) // answers instead of the state
	status api.Status
}

func newBench(t *testing.T, set ...string) *bench {
	t.Helper()
	return newBenchIn(t, controlplane.Shared(t), set...)
}

func newBenchIn(t *testing.T, cp *controlplane.ControlPlane, set ...string) *bench {
	t.Helper()
	b := &bench{site: newSite(t, cp)}
	server := httptest.NewUnstartedServer(b)
	server.Config.ErrorLog = log.New(t.Output(), "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	b.install(server.URL, "infra1_0000000000_a-key", set...)
	return b
}

// ServeHTTP is the server.
func (b *bench) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", b.now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodPut {
		var s api.Status
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			b.t.Error(err)
		}
		b.change(func() { b.status = s })
		return
	}
	defer b.change(func() { b.polls++ })
	for {
		b.mu.Lock()
		state, raw, changed := b.state, b.raw, b.changed
		b.mu.Unlock()
		switch {
		case raw != nil:
			raw(w)
			return
		case state.Version != 0 && r.Header.Get("If-None-Match") != `"`+state.Digest+`"`:
			if err := json.NewEncoder(w).Encode(state); err != nil {
				b.t.Error(err)
			}
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

func entry(subject, role, namespace string) api.Entry {
	return api.Entry{Kind: api.User, Name: subject, Role: role, Namespace: namespace}
}

// grant makes the server say this and nothing else from now on, and gives its digest.
func (b *bench) grant(entries ...api.Entry) string { return b.say(api.DesiredState{Entries: entries}) }

// say is grant with more than entries to say.
func (b *bench) say(d api.DesiredState) string {
	d.Destination = b.name
	d = api.Seal(d)
	b.change(func() { b.state, b.raw = d, nil })
	return d.Digest
}

// answer makes the server give these answers from now on, and waits until one of
// them was given for certain.
func (b *bench) answer(with func(w http.ResponseWriter)) {
	b.t.Helper()
	before := 0
	b.change(func() { b.raw, before = with, b.polls })
	b.await("it to ask again", func() bool { return b.polls >= before+2 }) // one was under way
}

// until waits for a status.
func (b *bench) until(what string, ok func(api.Status) bool) (last api.Status) {
	b.t.Helper()
	b.await(what, func() bool {
		last = b.status
		return last.Version != 0 && ok(last)
	})
	return last
}

func (b *bench) enforced(digest string) api.Status {
	b.t.Helper()
	return b.until("the digest to be enforced", func(s api.Status) bool { return s.Enforced == digest })
}
