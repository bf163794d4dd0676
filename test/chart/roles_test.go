package chart_test

import (
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// It lists what is asked and which roles may do it, for someone who has the role
// on the cluster and someone who has it in one namespace.
func TestTheRolesAllowWhatTheGuideSays(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	namespace, elsewhere := cp.Namespace(t), cp.Namespace(t)

	const all, admin, edit, view, logs, exec, forward = "cluster-admin", "admin", "edit", "view", "infra:logs", "infra:exec", "infra:port-forward"
	roles := []string{all, admin, edit, view, logs, exec, forward}
	table := []struct {
		verb, resource string
		allowed        []string
	}{
		{"get", "pods", roles},
		{"list", "pods", []string{all, admin, edit, view, logs, forward}},
		{"watch", "pods", []string{all, admin, edit, view}},
		{"create", "pods", []string{all, admin, edit}},
		{"delete", "pods", []string{all, admin, edit}},
		{"get", "pods/log", []string{all, admin, edit, view, logs}},
		{"create", "pods/exec", []string{all, admin, edit, exec}},
		{"get", "pods/exec", []string{all, admin, edit, exec}},
		{"create", "pods/portforward", []string{all, admin, edit, forward}},
		{"get", "pods/portforward", []string{all, admin, edit, forward}},
		{"create", "pods/attach", []string{all, admin, edit}},
		{"update", "pods/ephemeralcontainers", []string{all}},
		{"list", "deployments.apps", []string{all, admin, edit, view}},
		{"patch", "deployments.apps", []string{all, admin, edit}},
		{"list", "configmaps", []string{all, admin, edit, view}},
		{"get", "secrets", []string{all, admin, edit}},
		{"list", "roles.rbac.authorization.k8s.io", []string{all, admin}},
		{"create", "rolebindings.rbac.authorization.k8s.io", []string{all, admin}},
		{"create", "serviceaccounts/token", []string{all, admin, edit}},
		{"escalate", "roles.rbac.authorization.k8s.io", []string{all}},
		{"update", "resourcequotas", []string{all}},
	}
	clusterLevel := []struct {
		verb, resource string
		allowed        []string
	}{
		{"get", "nodes", []string{all}},
		{"get", "nodes/proxy", []string{all}},
		{"create", "namespaces", []string{all}},
		{"list", "clusterroles.rbac.authorization.k8s.io", []string{all}},
		{"create", "clusterrolebindings.rbac.authorization.k8s.io", []string{all}},
		{"impersonate", "users", []string{all}},
	}

	rbac := client(t, c.Config).RbacV1()
	for _, role := range roles {
		everywhere, here := controlplane.Name(t)+"@example.com", controlplane.Name(t)+"@example.com"
		whole := clusterBinding(c, role, user(everywhere))
		if _, err := rbac.ClusterRoleBindings().Create(t.Context(), whole, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := rbac.RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: whole.ObjectMeta, RoleRef: whole.RoleRef, Subjects: []rbacv1.Subject{user(here)},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		ask := func(want bool, user, verb, resource, namespace string) {
			t.Helper()
			q := controlplane.Question{User: user, Verb: verb, Resource: resource, Namespace: namespace}
			got, err := cp.Can(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s with role %s: %t, want %t", q, role, got, want)
			}
		}
		for _, user := range []string{everywhere, here} { // the authorizer learns of a binding by a watch
			cp.Eventually(t, controlplane.Question{User: user, Verb: "get", Resource: "pods", Namespace: namespace}, true)
		}
		t.Run(role, func(t *testing.T) {
			for _, row := range table {
				want := slices.Contains(row.allowed, role)
				ask(want, everywhere, row.verb, row.resource, namespace)
				ask(want, everywhere, row.verb, row.resource, elsewhere)
				ask(want, everywhere, row.verb, row.resource, "")
				ask(want, here, row.verb, row.resource, namespace)
				ask(false, here, row.verb, row.resource, elsewhere)
				ask(false, here, row.verb, row.resource, "")
			}
			for _, row := range clusterLevel {
				ask(slices.Contains(row.allowed, role), everywhere, row.verb, row.resource, "")
				ask(false, here, row.verb, row.resource, "")
			}
		})
	}
}
