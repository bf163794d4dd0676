package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/connector"
	"github.com/infrahq/infra/test/controlplane"
)

func TestAGrantAppearsAndDisappears(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
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
	b := newBench(t, "admissionPolicy.enabled=false") // which keeps others from editing the binding
	b.start()
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
	stop := b.start()
	digest := b.grant(entry("ann", "view", ""), entry("bob", "view", ""))
	b.enforced(digest)
	before, err := b.binding("view")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	b.change(func() { b.status = api.Status{} })
	b.start()
	b.enforced(digest)
	after, err := b.binding("view")
	if err != nil || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("it was written: version %s, then %s (%v)", before.ResourceVersion, after.ResourceVersion, err)
	}
}

func TestAnExpiryIsEnforcedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	short := entry("ann", "view", "")
	short.Expires = b.now().Add(time.Hour).UTC().Truncate(time.Second)
	b.enforced(b.grant(short))
	b.answer(func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
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
	b.start()
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
	b.start()
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
	b.start()
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
		b.answer(func(w http.ResponseWriter) { _, _ = w.Write([]byte(answer)) })
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
	config, err := connector.LoadConfig(b.release.File)
	if err != nil {
		t.Fatal(err)
	}
	err = connector.Run(t.Context(), config, connector.Options{Kube: b.cp.ConfigFor("nobody@example.com")})
	missing, ok := errors.AsType[*connector.MissingRights](err)
	if !ok || len(missing.Rights) != 16 || !strings.Contains(err.Error(), "delete rolebindings.rbac.authorization.k8s.io") {
		t.Errorf("got %v", err)
	}
}
