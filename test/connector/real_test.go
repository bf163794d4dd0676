package connector_test

import (
	"context"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/repo/gittest"
	"github.com/infrahq/infra/server"
	"github.com/infrahq/infra/test/controlplane"
)

// A house is a site with an access repository and a real server, on which TLS is
// on as it always is.
type house struct {
	*site
	repo *gittest.Repo
	keys map[string]string // whole keys, by name
	addr string
	data string // the server's data directory
	stop func() // the server
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{site: newSite(t, controlplane.Shared(t)), repo: gittest.New(t), keys: map[string]string{}, addr: "127.0.0.1:0"}
	h.repo.Commit(map[string]string{
		"infra.yaml":        "version: 1\n",
		"keys/good.yaml":    h.key("good", "connector", ""),
		"keys/expired.yaml": h.key("expired", "connector", "expires: 2020-06-01T00:00:00Z"),
		"keys/foreign.yaml": h.key("foreign", "connector", "destination: elsewhere"),
		"keys/ann.yaml":     h.key("ann", "ann@example.com", ""),
		"keys/alike.yaml":   h.key("alike", "connector", ""),
	})
	h.key("never committed", "connector", "")
	h.key("alike", "connector", "") // with the identifier of the one that is committed, and another secret
	h.keys["cut off"] = h.keys["good"][:40]
	h.serve(t.TempDir())
	h.install(h.addr, h.keys["good"])
	return h
}

// key mints a key and is the text of its file.
func (h *house) key(name, user, more string) string {
	h.t.Helper()
	random := rand.Reader
	if name == "alike" {
		random = io.MultiReader(strings.NewReader(strings.Repeat("a", 10)), rand.Reader) // an identifier takes ten bytes
	}
	k, err := auth.Mint(random)
	if err != nil {
		h.t.Fatal(err)
	}
	h.keys[name] = k.Text()
	text := fmt.Sprintf("keys:\n  - name: %s\n    user: %s\n    id: %s\n    hash: %s\n    created: 2020-01-01T00:00:00Z\n", name, user, k.ID, k.Hash())
	if more != "" {
		text += "    " + more + "\n"
	}
	return text
}

// serve runs a server with this data directory, at the address of the one before.
func (h *house) serve(data string) {
	h.t.Helper()
	h.data = data
	ready, done := make(chan string, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		done <- server.Run(ctx, server.Options{
			Repo: h.repo.Dir, Listen: h.addr, DataDir: data, PollInterval: time.Second, Version: "test",
			Logger: h.logger.With("by", "server"), Ready: func(addr string) { ready <- addr },
		})
	}()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error("the server ended with:", err)
		}
	})
	h.t.Cleanup(h.stop)
	select {
	case h.addr = <-ready:
	case err := <-done:
		h.t.Fatal("the server does not start:", err)
	}
}

// grant commits that these have the role view and nobody else does.
func (h *house) grant(users ...string) (revision string) {
	h.t.Helper()
	text := "grants: []\n"
	if users != nil {
		text = "grants:\n"
		for _, user := range users {
			text += fmt.Sprintf("  - {user: %s, role: view, resource: %s}\n", h.user(user), h.name)
		}
	}
	return h.repo.Commit(map[string]string{"grants/" + h.name + ".yaml": text})
}

// served waits until the server serves a revision.
func (h *house) served(mark int, revision string) {
	h.t.Helper()
	h.logged(mark, "serving a revision", revision)
}

func (h *house) user(name string) string { return name + "." + h.name + "@example.com" }

// eventually waits for the API server's answer to whether somebody can view.
func (h *house) eventually(user string, want bool) {
	h.t.Helper()
	h.cp.Eventually(h.t, controlplane.Question{User: h.user(user), Verb: "list", Resource: "pods"}, want)
}

func TestACertificateIsTrustedOnFirstUseAndAnotherOneRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	secrets := h.kube.CoreV1().Secrets(h.release.Namespace)
	h.grant("ann")
	stop := h.start()
	h.eventually("ann", true)
	h.logged(0, "trusted from now on", "fingerprint=")

	certificate, err := os.ReadFile(filepath.Join(h.data, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := secrets.Get(t.Context(), "infra-connector-state", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := pem.Decode(certificate)
	kept, _ := pem.Decode(secret.Data["server.crt"])
	if kept == nil || cmp.Diff(shown.Bytes, kept.Bytes) != "" {
		t.Fatalf("the Secret has another certificate than the server: %q", secret.Data)
	}

	stop()
	mark := h.mark()
	stop = h.start()
	h.logged(mark, "new desired state")
	h.mu.Lock()
	if h.count(mark, "trusted from now on") > 0 {
		t.Error("after a restart it trusts anew")
	}
	h.mu.Unlock()

	// A server with another certificate, that would take ann's access away.
	before := h.version("view")
	h.stop()
	revision := h.grant()
	mark = h.mark()
	h.serve(t.TempDir())
	h.served(mark, revision)
	refused := []string{"the server cannot be followed", "certificate is not the one that is remembered", "hint=", "kubectl patch secret infra-connector-state"}
	h.logged(mark, refused...)
	if code, text := h.ask("/readyz"); code != 200 || !strings.Contains(text, "is not the one that is remembered") || !strings.Contains(text, "kubectl patch secret") {
		t.Errorf("/readyz says %d: %s", code, text)
	}
	if after := h.version("view"); after != before {
		t.Error("a server that is not trusted changed the binding")
	}

	// One that starts anew refuses it too, and never becomes ready.
	stop()
	mark = h.mark()
	h.start()
	h.logged(mark, refused...)
	if code, text := h.ask("/readyz"); code != 503 || !strings.Contains(text, "is not the one that is remembered") {
		t.Errorf("/readyz says %d: %s", code, text)
	}
	if after := h.version("view"); after != before {
		t.Error("a server that is not trusted changed the binding")
	}

	// The hint is the way out.
	forget := []byte(`[{"op":"remove","path":"/data/server.crt"}]`)
	if _, err := secrets.Patch(t.Context(), "infra-connector-state", types.JSONPatchType, forget, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	h.eventually("ann", false)
}

func TestAKeyThatIsNoGoodIsNamedAndChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.grant("ann")
	h.start()
	h.eventually("ann", true)
	for _, test := range []struct {
		key, code string
		says      []string
	}{
		{"never committed", "401", []string{"the access key is not accepted", "infra keys add NAME connector"}},
		{"alike", "401", []string{"the access key is not accepted", "infra keys add NAME connector"}},
		{"cut off", "401", []string{"no access key that could be valid", "infra keys add NAME connector"}},
		{"expired", "401", []string{"has expired", "infra keys add NAME connector"}},
		{"foreign", "403", []string{"is for destination elsewhere"}},
		{"ann", "403", []string{"is a person's, not a connector's", "infra keys add NAME connector"}},
	} {
		h.setKey(h.keys[test.key])
		mark := h.mark()
		h.grant("ann", "bob") // the request that is held ends with it, and the next has the other key
		h.logged(mark, append(test.says, "the server cannot be followed")...)
		h.eventually("bob", true)
		code, text := h.ask("/readyz")
		for _, want := range test.says {
			if code != 200 || !strings.Contains(text, want) {
				t.Errorf("with the key %s /readyz says %d: %s", test.key, code, text)
			}
		}

		before := h.version("view")
		mark = h.mark()
		h.served(mark, h.grant("ann"))
		h.logged(h.mark(), "/state", "code="+test.code) // asked after that
		if h.version("view") != before {
			t.Errorf("with the key %s the binding changed", test.key)
		}

		h.setKey(h.keys["good"])
		h.logged(mark, "the server can be followed again")
		h.eventually("bob", false)
		if code, text := h.ask("/readyz"); code != 200 || text != "ok\n" {
			t.Errorf("/readyz says %d: %s", code, text)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, key := range h.keys {
		if strings.Contains(h.journal.String(), key) {
			t.Errorf("the key %s is in the log", name)
		}
	}
}

func TestAKeyThatIsRemovedEndsTheRequestThatIsHeld(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.grant("ann")
	h.start()
	h.eventually("ann", true)
	before := h.version("view")
	h.repo.Git("rm", "--quiet", "keys/good.yaml")
	mark := h.mark()
	h.served(mark, h.grant()) // which takes ann's access away too
	h.logged(mark, "the server cannot be followed", "401 Unauthorized")
	if h.version("view") != before {
		t.Error("with a key that was removed the binding changed")
	}
	h.repo.Commit(map[string]string{"keys/next.yaml": h.key("next", "connector", "destination: "+h.name)})
	h.setKey(h.keys["next"])
	h.logged(mark, "the server can be followed again")
	h.eventually("ann", false)
}
