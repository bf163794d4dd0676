package way_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

func TestALabelledClusterRoleIsGrantableUntilItsLabelGoes(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	namespace := w.Namespace(t)
	roles := w.Kube.RbacV1().ClusterRoles()
	role, err := roles.Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: w.Name + "-rebooter"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Verbs: []string{"deletecollection"}, Resources: []string{"pods"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = roles.Delete(context.Background(), role.Name, metav1.DeleteOptions{}) })
	label := func(labels map[string]string) {
		t.Helper()
		role.Labels = labels
		if role, err = roles.Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	everywhere, here := "ops@"+w.Name+".example.com", "dev@"+w.Name+".example.com"
	both := func(want bool) {
		t.Helper()
		reboot := controlplane.Question{Verb: "deletecollection", Resource: "pods", Namespace: namespace}
		for _, reboot.User = range []string{everywhere, here} {
			w.Eventually(t, reboot, want)
		}
	}
	held := func(want string) {
		t.Helper()
		w.UntilReported("what is held to be "+want, func(d api.DestinationReport) error {
			got := fmt.Sprint(d.Status)
			if d.Status != nil {
				got = fmt.Sprint(d.Status.Held)
			}
			if d.Enforced != d.Desired || !strings.Contains(got, want) {
				return fmt.Errorf("status %+v", d.Status)
			}
			return nil
		})
	}

	w.Infra("grants", "add", everywhere, w.Name, "--role", role.Name)
	w.Infra("grants", "add", here, w.Name+"."+namespace, "--role", role.Name)
	held("does not have the label")
	both(false)

	label(map[string]string{"app.infrahq.com/include-role": "true"})
	both(true)
	held("[]")

	label(nil)
	both(false)
	held("does not have the label")

	label(map[string]string{"app.infrahq.com/include-role": "true"})
	both(true)
}
