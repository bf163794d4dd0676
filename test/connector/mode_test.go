package connector_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/api"
)

func TestOnlyEnforceWrites(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	ann, bob := entry("ann", "view", ""), entry("bob", "view", "")

	b.say(api.DesiredState{Mode: api.Observe, Entries: []api.Entry{ann}})
	s := b.until("it to observe", func(s api.Status) bool { return s.Mode == api.Observe })
	if s.Pending != 1 || s.Bindings != 0 || s.Enforced != "" {
		t.Errorf("observing, it reports %+v", s)
	}
	if _, err := b.binding("view"); !apierrors.IsNotFound(err) {
		t.Errorf("observing, it wrote: %v", err)
	}

	b.enforced(b.grant(ann))
	before := b.version("view")
	for _, mode := range []api.Mode{api.Observe, api.Suspend} {
		b.say(api.DesiredState{Mode: mode, Entries: []api.Entry{bob}})
		b.until("it to "+string(mode), func(s api.Status) bool { return s.Mode == mode })
		b.answer(func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }) // and has asked again since
		if b.version("view") != before {
			t.Errorf("in mode %s it wrote", mode)
		}
	}
	s = b.until("it to be suspended", func(s api.Status) bool { return s.Mode == api.Suspend })
	if s.Enforced != "" || s.Pending != 0 {
		t.Errorf("suspended, it reports %+v", s)
	}

	b.enforced(b.grant(bob))
	if o, err := b.binding("view"); err != nil || len(o.Subjects) != 1 || o.Subjects[0].Name != "bob" {
		t.Errorf("enforcing again, it has %v, %v", o, err)
	}
}

func TestANamespaceThatCannotEndHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	namespaces, maps := b.kube.CoreV1().Namespaces(), b.kube.CoreV1().ConfigMaps(b.name)
	if _, err := namespaces.Create(t.Context(), named(b.name), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	stuck := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "stuck", Finalizers: []string{"example.com/never"}}}
	stuck, err := maps.Create(t.Context(), stuck, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	release := func(ctx context.Context) error {
		_, err := maps.Patch(ctx, stuck.Name, "application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		return err
	}
	t.Cleanup(func() { _ = release(context.Background()) }) // the test may have done it
	there, everywhere := entry("ann", "view", b.name), entry("bob", "edit", "")
	b.enforced(b.grant(there))

	if err := namespaces.Delete(t.Context(), b.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.until("the grant there to be held", func(s api.Status) bool {
		return s.Bindings == 0 && len(s.Held) == 1 && strings.Contains(s.Held[0].Reason, "is being deleted")
	})
	digest := b.grant(there, everywhere)
	s := b.until("the other grant", func(s api.Status) bool { return s.Desired == digest && s.Bindings == 1 })
	if s.Enforced != digest || s.Pending != 0 || len(s.Held) != 1 || s.Drift != 0 {
		t.Errorf("it reports %+v", s)
	}
	if err := release(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.until("the namespace to be gone", func(s api.Status) bool {
		return len(s.Held) == 1 && strings.Contains(s.Held[0].Reason, "does not exist")
	})
}
