package server

import (
	"encoding/json"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/auth"
)

// Bad input, line 17, and everything else about who may what.
func TestWhoMayAskForWhat(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	unknown, err := auth.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.start().accepted(f.repo.Head())
	wrong := f.keys["any"].Text()[:len("infra1_")+11] + unknown.Text()[len("infra1_")+11:]
	f.keys["wrong secret"] = mustParse(t, rechecksum(wrong))
	f.keys["unknown id"] = unknown
	example, other := api.StatePath("example"), api.StatePath("other")
	status := statusText(t, api.Status{Version: 1, Destination: "example", ClusterUID: "uid-1", Mode: api.Enforce, ObservedAt: time.Now().UTC()})
	for _, tt := range []struct {
		who  string
		ask  ask
		code int
		says string
	}{
		{"an unbound connector key", ask{path: example, key: "any"}, 200, `"name":"fisher@example.com"`},
		{"an unbound connector key, elsewhere", ask{path: api.StatePath("nowhere"), key: "any"}, 200, `"empty":true`},
		{"a bound key, at home", ask{path: example, key: "example"}, 200, "fisher"},
		{"a bound key, elsewhere", ask{path: other, key: "example"}, 403, "is for destination example"},
		{"an unknown id", ask{path: example, key: "unknown id"}, 401, "the access key is not accepted"},
		{"a wrong secret", ask{path: example, key: "wrong secret"}, 401, "the access key is not accepted"},
		{"an expired key", ask{path: example, key: "expired"}, 401, "has expired"},
		{"no key", ask{path: example}, 401, "no access key"},
		{"something that is no key", ask{path: example, key: "hunter2"}, 401, "no access key"},
		{"a person's key", ask{path: example, key: "fisher"}, 403, "is a person's"},
		{"an admin's key", ask{path: example, key: "ann"}, 403, "is a person's"},
		{"the reserved destination", ask{path: api.StatePath("infra"), key: "any"}, 404, "the server itself"},
		{"a name that is none", ask{path: api.StatePath("Not_A_Label"), key: "any"}, 404, "no destination can"},
		{"a newer connector", ask{path: example, key: "any", version: "2"}, 400, "version"},
		{"a connector without a version", ask{path: example, key: "any", version: "none"}, 400, "version"},
		{"a connector without a cluster", ask{path: example, key: "any", cluster: "none"}, 400, "which cluster"},
		{"a wait that is none", ask{path: example + "?wait=soon", key: "any"}, 400, "not a time"},
		{"a body where none is meant", ask{path: example, key: "any", body: "x"}, 400, "has a body"},
		{"a status", ask{method: "PUT", path: api.StatusPath("example"), key: "example", body: status}, 204, ""},
		{"a status by a foreign key", ask{method: "PUT", path: api.StatusPath("example"), key: "other", body: status}, 403, "is for destination other"},
		{"a status by a person", ask{method: "PUT", path: api.StatusPath("example"), key: "ann", body: status}, 403, "a person's"},
		{"a status of another destination", ask{method: "PUT", path: api.StatusPath("other"), key: "other", body: status}, 400, "it is for destination"},
		{"a status with an unknown field", ask{method: "PUT", path: api.StatusPath("example"), key: "example", body: `{"more":1}`}, 400, "unknown field"},
		{"a status that is no JSON", ask{method: "PUT", path: api.StatusPath("example"), key: "example", body: `<html>`}, 400, "not a status"},
		{"a status that is too large", ask{method: "PUT", path: api.StatusPath("example"), key: "example", body: strings.Repeat(" ", maxStatus+1)}, 413, "larger than"},
		{"an admin of infra, for the list", ask{path: "/v1/destinations", key: "ann"}, 200, `"name": "example"`},
		{"a viewer of infra, for the list", ask{path: "/v1/destinations", key: "bob"}, 200, `"name": "example"`},
		{"a viewer of infra, for the revision", ask{path: "/v1/revision", key: "bob"}, 200, f.repo.Head()},
		{"an admin whose grant has expired", ask{path: "/v1/destinations", key: "old"}, 403, "does not give role view"},
		{"a person without a grant on infra", ask{path: "/v1/destinations", key: "fisher"}, 403, "does not give role view"},
		{"a connector, for the list", ask{path: "/v1/destinations", key: "any"}, 403, "does not give role view"},
		{"nobody, for the list", ask{path: "/v1/destinations"}, 401, "no access key"},
		{"a viewer, who would release a name", ask{method: "DELETE", path: "/v1/destinations/example/cluster", key: "bob"}, 403, "does not give role admin"},
		{"a connector, which would release a name", ask{method: "DELETE", path: "/v1/destinations/example/cluster", key: "any"}, 403, "role admin"},
		{"anybody, for health", ask{path: "/healthz"}, 200, "ok"},
		{"anybody, for readiness", ask{path: "/readyz"}, 200, f.repo.Head()},
		{"anybody, for the version", ask{path: "/version"}, 200, `"wire": 1`},
		{"anybody, for metrics", ask{path: "/metrics"}, 200, "infra_accepted_revision_info"},
		{"anybody, for anything else", ask{path: "/v1/secrets"}, 404, "nothing at this path"},
	} {
		t.Run(tt.who, func(t *testing.T) {
			r := f.ask(tt.ask)
			if r.err != nil || r.code != tt.code || !strings.Contains(r.body, tt.says) {
				t.Errorf("%s %s: %d %s (%v), want %d and %q", tt.ask.method, tt.ask.path, r.code, r.body, r.err, tt.code, tt.says)
			}
			for name, k := range f.keys {
				if strings.Contains(r.body, k.Text()[len("infra1_")+11:]) {
					t.Errorf("the secret of %s is in the answer", name)
				}
			}
		})
	}
	if a, b := f.ask(ask{path: example, key: "unknown id"}), f.ask(ask{path: example, key: "wrong secret"}); a.body != b.body {
		t.Errorf("an unknown id and a wrong secret get different answers: %s, %s", a.body, b.body)
	}
}

func TestADestinationBelongsToTheFirstClusterThatUsesIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	f.accepted(f.repo.Head())
	path := api.StatePath("example")
	want := func(what string, a ask, code int) {
		t.Helper()
		if r := f.ask(a); r.code != code {
			t.Errorf("%s: %d %s, want %d", what, r.code, r.body, code)
		}
	}
	want("the first", ask{path: path, key: "any", cluster: "uid-1"}, 200)
	want("another", ask{path: path, key: "any", cluster: "uid-2"}, 409)
	if r := f.ask(ask{path: path, key: "any", cluster: "uid-2"}); !strings.Contains(r.body, "DELETE /v1/destinations/example/cluster") {
		t.Errorf("nothing says how to release it: %s", r.body)
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	f.start().accepted(f.repo.Head())
	want("another, after a restart", ask{path: path, key: "any", cluster: "uid-2"}, 409)
	want("an admin releases it", ask{method: "DELETE", path: "/v1/destinations/example/cluster", key: "ann"}, 204)
	want("another, then", ask{path: path, key: "any", cluster: "uid-2"}, 200)
	want("the first, then", ask{path: path, key: "any", cluster: "uid-1"}, 409)
}

func TestPeopleSeeWhatEachClusterEnforces(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	first := f.repo.Head()
	f.accepted(first)
	digest := f.state("example").Digest
	report := func() {
		t.Helper()
		s := api.Status{Version: 1, Destination: "example", ClusterUID: "uid-1", Mode: api.Enforce, ObservedAt: time.Now().UTC(), Desired: digest, Enforced: digest, Drift: 3}
		if r := f.ask(ask{method: "PUT", path: api.StatusPath("example"), key: "any", body: statusText(t, s)}); r.code != 204 {
			t.Fatal(r.body)
		}
	}
	seen := func() api.DestinationReport {
		t.Helper()
		var d api.Destinations
		if err := json.Unmarshal([]byte(f.ask(ask{path: "/v1/destinations", key: "bob"}).body), &d); err != nil || len(d.Destinations) != 1 {
			t.Fatalf("%+v, %v", d, err)
		}
		return d.Destinations[0]
	}
	report()
	if d := seen(); d.Desired != digest || d.Enforced != digest || d.Revision != first || d.Status.Drift != 3 || d.LastSeen.IsZero() || d.EnforcedSince.IsZero() {
		t.Errorf("%+v", d)
	}
	// A commit that changes nothing there is satisfied too, and one that does is not.
	second := f.repo.Commit(map[string]string{"README.md": "hello\n"})
	f.accepted(second)
	if d := seen(); d.Revision != second {
		t.Errorf("the enforced digest satisfies %s, not %s", d.Revision, second)
	}
	third := f.repo.Commit(map[string]string{"grants/example.yaml": oneGrant + "  - {user: eve@example.com, role: view, resource: example}\n"})
	f.accepted(third)
	if d := seen(); d.Desired == digest || d.Enforced != digest || d.Revision != second {
		t.Errorf("%+v", d)
	}
}

func statusText(t *testing.T, s api.Status) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mustParse(t *testing.T, text string) auth.Key {
	t.Helper()
	k, err := auth.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheStateIsWhatTheRepositorySays(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	f.accepted(f.repo.Head())
	want := api.Seal(api.DesiredState{Destination: "example", Entries: []api.Entry{{Kind: api.User, Name: "fisher@example.com", Role: "admin"}}})
	if diff := cmp.Diff(want, f.state("example")); diff != "" {
		t.Error(diff)
	}
	if r := f.ask(ask{path: api.StatePath("example"), key: "any", digest: want.Digest}); r.code != 304 || r.header.Get("ETag") != `"`+want.Digest+`"` {
		t.Errorf("with that digest: %d %v", r.code, r.header)
	}
}

// rechecksum gives a text in the form of a key the checksum that fits it.
func rechecksum(text string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body := text[:len(text)-6]
	n, sum := crc32.ChecksumIEEE([]byte(body)), make([]byte, 6)
	for i := range sum {
		sum[5-i] = alphabet[n%62]
		n /= 62
	}
	return body + string(sum)
}
