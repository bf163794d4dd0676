package connector_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/test/controlplane"
)

func TestHealthAndMetricsSayHowItIs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.change(func() { b.raw = func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) } })
	b.start()
	b.logged(0, "the server cannot be followed", "503")
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/healthz": {200, "ok\n"},
		"/readyz":  {503, "the server answered 503"},
	} {
		if code, text := b.ask(path); code != want.code || !strings.Contains(text, want.text) {
			t.Errorf("before the first answer %s says %d: %s", path, code, text)
		}
	}

	digest := b.grant(entry("ann", "view", ""), entry("bob", "none", ""))
	b.enforced(digest)
	b.await("the server to be followed again", func() bool { return b.count(0, "the server can be followed again") > 0 })
	if code, text := b.ask("/readyz"); code != 200 || text != "ok\n" {
		t.Errorf("/readyz says %d: %s", code, text)
	}
	code, text := b.ask("/metrics")
	for _, want := range []string{
		`infra_connector_changes_total{verb="create"} 1`,
		`infra_connector_digest_info{digest="` + digest + `",state="enforced"} 1`,
		"infra_connector_bindings 1", "infra_connector_held 1", "infra_connector_pending_changes 0",
		"infra_connector_drift_total 0", "infra_connector_server_errors_total ",
		"infra_connector_last_success_timestamp_seconds 1.",
	} {
		if code != 200 || !strings.Contains(text, want) {
			t.Errorf("/metrics says %d without %s", code, want)
		}
	}
}

// It has a control plane of its own, to take it away.
func TestAClusterThatIsAwayIsSaidOnceAndCaughtUpWith(t *testing.T) {
	t.Parallel()
	cp := controlplane.New(t, controlplane.Options{})
	b := newBenchIn(t, cp)
	b.start()
	b.enforced(b.grant(entry("ann", "view", "")))

	mark := b.mark()
	cp.KillAPIServer()
	b.logged(mark, "the cluster cannot be reached", "connection refused")
	// Nothing would have to be written for this one: still, nobody knows what the cluster has now.
	unseen := b.grant(entry("ann", "view", ""), entry("ann", "view", "comes-later"))
	if s := b.until("the new state to be looked at", func(s api.Status) bool { return s.Desired == unseen }); s.Enforced != "" {
		t.Errorf("it reports %+v of a cluster that it cannot see", s)
	}
	digest := b.grant(entry("ann", "view", ""), entry("bob", "view", ""))
	s := b.until("the change to fail", func(s api.Status) bool { return s.Desired == digest && len(s.Held) == 1 })
	if s.Enforced != "" || s.Pending != 1 || !strings.HasPrefix(s.Held[0].Reason, "update of infra:"+b.name+":view: dial tcp ") {
		t.Errorf("it reports %+v", s)
	}
	if code, text := b.ask("/readyz"); code != 200 || !strings.Contains(text, "connection refused") {
		t.Errorf("/readyz says %d: %s", code, text)
	}
	b.logged(mark, "a binding could not be changed")
	if err := cp.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.logged(mark, "the cluster can be reached again")
	b.enforced(digest)
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.count(mark, "the cluster cannot be reached", "connection refused"); n != 1 {
		t.Errorf("that the cluster refuses connections is said %d times", n)
	}
}
