// Package connector_test runs connectors against a real API server. The server
// that they follow is a small one of the tests that speaks package api, because
// it also has to say what a real one never does.
package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/connector"
	"github.com/infrahq/infra/test/controlplane"
)

func TestMain(m *testing.M) { controlplane.Main(m) }

// A bench is one destination: its server, its cluster, its connector.
type bench struct {
	t       *testing.T
	cp      *controlplane.ControlPlane
	kube    kubernetes.Interface
	name    string
	url     string
	ahead   atomic.Int64 // of the clocks of server and connector, in nanoseconds
	polls   atomic.Int64
	mu      sync.Mutex
	changed chan struct{} // closed and made anew with everything that changes
	state   api.DesiredState
	raw     func(w http.ResponseWriter) // answers instead of the state
	status  api.Status
}

func newBench(t *testing.T) *bench {
	cp := controlplane.Shared(t)
	b := &bench{t: t, cp: cp, name: controlplane.Name(t), changed: make(chan struct{})}
	var err error
	if b.kube, err = kubernetes.NewForConfig(cp.AdminConfig()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	t.Cleanup(func() {
		list, err := b.kube.RbacV1().ClusterRoleBindings().List(context.Background(), metav1.ListOptions{})
		if err != nil {
			t.Error(err)
		}
		for _, o := range list.Items {
			if strings.HasPrefix(o.Name, "infra:"+b.name+":") {
				_ = b.kube.RbacV1().ClusterRoleBindings().Delete(context.Background(), o.Name, metav1.DeleteOptions{})
			}
		}
	})
	return b
}

func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }

func (b *bench) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	close(b.changed)
	b.changed = make(chan struct{})
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
	defer b.polls.Add(1)
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
func (b *bench) grant(entries ...api.Entry) string {
	d := api.Seal(api.DesiredState{Destination: b.name, Entries: entries})
	b.change(func() { b.state, b.raw = d, nil })
	return d.Digest
}

// until waits for a status.
func (b *bench) until(what string, ok func(api.Status) bool) api.Status {
	b.t.Helper()
	deadline := time.After(45 * time.Second)
	for {
		b.mu.Lock()
		s, changed := b.status, b.changed
		b.mu.Unlock()
		if s.Version != 0 && ok(s) {
			return s
		}
		select {
		case <-changed:
		case <-deadline:
			b.t.Fatalf("waited for %s; the last status is %+v", what, s)
		}
	}
}

func (b *bench) enforced(digest string) api.Status {
	b.t.Helper()
	return b.until("the digest to be enforced", func(s api.Status) bool { return s.Enforced == digest })
}

// start runs a connector and gives a function that ends it.
func (b *bench) start(kube *rest.Config) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- connector.Run(ctx, connector.Config{
			Name: b.name, Namespace: "default", StateSecret: "infra-connector-state",
			Server: connector.ServerConfig{URL: b.url, AccessKey: "a-key"},
		}, connector.Options{Kube: kube, Version: "test", Now: b.now, Logger: slog.New(slog.NewTextHandler(b.t.Output(), nil))})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error("the connector ended with:", err)
		}
	})
	b.t.Cleanup(stop)
	return stop
}

func (b *bench) binding(role string) (*rbacv1.ClusterRoleBinding, error) {
	return b.kube.RbacV1().ClusterRoleBindings().Get(b.t.Context(), "infra:"+b.name+":"+role, metav1.GetOptions{})
}

func TestAGrantAppearsAndDisappears(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(b.cp.AdminConfig())
	user := b.name + "@example.com"
	question := controlplane.Question{User: user, Verb: "list", Resource: "pods"}
	b.enforced(b.grant(entry(user, "view", "")))
	b.cp.Eventually(t, question, true)
	b.enforced(b.grant())
	b.cp.Eventually(t, question, false)
	if _, err := b.binding("view"); !apierrors.IsNotFound(err) {
		t.Errorf("the binding is still there: %v", err)
	}
}

func TestDriftIsRepairedAndCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(b.cp.AdminConfig())
	digest := b.grant(entry("ann", "view", ""))
	if s := b.enforced(digest); s.Drift != 0 {
		t.Errorf("its own writes are %d drift", s.Drift)
	}
	o, err := b.binding("view")
	if err != nil {
		t.Fatal(err)
	}
	o.Subjects[0].Name, o.Labels = "eve", nil
	if _, err := b.kube.RbacV1().ClusterRoleBindings().Update(t.Context(), o, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	drifted := b.until("the edit to be repaired", func(s api.Status) bool { return s.Drift > 0 && s.Enforced == digest }).Drift
	if err := b.kube.RbacV1().ClusterRoleBindings().Delete(t.Context(), o.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.until("the deletion to be repaired", func(s api.Status) bool { return s.Drift == drifted+1 && s.Enforced == digest })
	if o, err = b.binding("view"); err != nil || o.Subjects[0].Name != "ann" || o.Labels["app.kubernetes.io/managed-by"] != "infra" {
		t.Errorf("it is not repaired: %v, %v", o, err)
	}
}

func TestARestartWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stop := b.start(b.cp.AdminConfig())
	digest := b.grant(entry("ann", "view", ""), entry("bob", "view", ""))
	b.enforced(digest)
	before, err := b.binding("view")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	b.change(func() { b.status = api.Status{} })
	b.start(b.cp.AdminConfig())
	b.enforced(digest)
	after, err := b.binding("view")
	if err != nil || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("it was written: version %s, then %s (%v)", before.ResourceVersion, after.ResourceVersion, err)
	}
}

func TestAnExpiryIsEnforcedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(b.cp.AdminConfig())
	short := entry("ann", "view", "")
	short.Expires = b.now().Add(time.Hour).UTC().Truncate(time.Second)
	b.enforced(b.grant(short))
	b.change(func() { b.raw = func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) } })
	b.ahead.Store(int64(2 * time.Hour))
	b.cp.Namespace(t) // any event makes the connector look at its clock
	b.until("the expiry", func(s api.Status) bool { return s.Bindings == 0 })
	b.ahead.Store(0)
	b.cp.Namespace(t)
	if _, err := b.binding("view"); !apierrors.IsNotFound(err) {
		t.Errorf("a clock that jumped back revived it: %v", err)
	}
}

func TestALabelledRoleComesAndGoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(b.cp.AdminConfig())
	digest := b.grant(entry("ann", b.name, ""))
	b.until("the missing role to be held", func(s api.Status) bool {
		return len(s.Held) == 1 && strings.Contains(s.Held[0].Reason, "does not exist")
	})
	roles := b.kube.RbacV1().ClusterRoles()
	role, err := roles.Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{
		Name: b.name, Labels: map[string]string{"app.infrahq.com/include-role": "true"},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = roles.Delete(context.Background(), b.name, metav1.DeleteOptions{}) })
	b.until("the role to be bound", func(s api.Status) bool { return s.Enforced == digest && s.Bindings == 1 && len(s.Held) == 0 })
	role.Labels = nil
	if _, err := roles.Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	b.until("the role to be unbound", func(s api.Status) bool { return s.Bindings == 0 && len(s.Held) == 1 })
}

func TestANamespaceComesLaterAndGoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(b.cp.AdminConfig())
	namespace := b.name + "-late"
	b.grant(entry("ann", "view", namespace))
	b.until("the namespace to be held", func(s api.Status) bool { return len(s.Held) == 1 && s.Held[0].Namespace == namespace })
	_, err := b.kube.CoreV1().Namespaces().Create(t.Context(), named(namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.until("the namespace to be bound", func(s api.Status) bool { return s.Bindings == 1 && len(s.Held) == 0 })
	if err := b.kube.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.until("the namespace to be gone", func(s api.Status) bool {
		return s.Bindings == 0 && len(s.Held) == 1 && s.Pending == 0 && strings.Contains(s.Held[0].Reason, "does not exist")
	})
}

func TestABadAnswerRemovesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start(b.cp.AdminConfig())
	b.enforced(b.grant(entry("ann", "view", "")))
	before, err := b.binding("view")
	if err != nil {
		t.Fatal(err)
	}
	text := func(d api.DesiredState) string { out, _ := json.Marshal(d); return string(out) }
	smaller := api.Seal(api.DesiredState{Destination: b.name})
	for name, answer := range map[string]string{
		"HTML":                     "<html>502</html>",
		"an empty answer":          "",
		"an empty object":          "{}",
		"an answer that is cut":    text(smaller)[:40],
		"another destination's":    text(api.Seal(api.DesiredState{Destination: "other"})),
		"a field that is unknown":  strings.Replace(text(smaller), "{", `{"new":1,`, 1),
		"a digest that is not its": strings.Replace(text(smaller), `"enforce"`, `"observe"`, 1),
	} {
		polls := b.polls.Load()
		b.change(func() { b.raw = func(w http.ResponseWriter) { _, _ = w.Write([]byte(answer)) } })
		for b.polls.Load() < polls+2 { // one that was under way, and one that is bad for certain
			select {
			case <-t.Context().Done():
				t.Fatal("it is not asked for again")
			case <-time.After(20 * time.Millisecond):
			}
		}
		if after, err := b.binding("view"); err != nil || after.ResourceVersion != before.ResourceVersion {
			t.Errorf("%s changed the binding: %v", name, err)
		}
		// A good answer counts again, and ends the pause after errors.
		b.enforced(b.grant(entry("ann", "view", ""), entry("bob", "edit", "")))
		b.enforced(b.grant(entry("ann", "view", "")))
	}
}

func TestMissingRightsAreNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	err := connector.Run(t.Context(), connector.Config{
		Name: b.name, Namespace: "default", StateSecret: "infra-connector-state",
		Server: connector.ServerConfig{URL: b.url, AccessKey: "a-key"},
	}, connector.Options{Kube: b.cp.ConfigFor("nobody@example.com")})
	missing, ok := errors.AsType[*connector.MissingRights](err)
	if !ok || len(missing.Rights) != 14 || !strings.Contains(err.Error(), "delete rolebindings.rbac.authorization.k8s.io") {
		t.Errorf("got %v", err)
	}
}
