package chart_test

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// It binds the roles by hand, with the rights of the connector: what a role allows
// is the chart's affair and Kubernetes'.
func TestTheRolesAllowWhatTheGuideSays(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	namespace, elsewhere := cp.Namespace(t), cp.Namespace(t)
	clusterRoles := map[string]string{"logs": "infra:logs", "exec": "infra:exec", "port-forward": "infra:port-forward"}
	rbac := client(t, c.Config).RbacV1()
	for _, role := range chart.Roles() {
		t.Run(role, func(t *testing.T) {
			clusterRole := role
			if name, ok := clusterRoles[role]; ok {
				clusterRole = name
			}
			everywhere, here := controlplane.Name(t)+"@example.com", controlplane.Name(t)+"@example.com"
			whole := clusterBinding(c, clusterRole, user(everywhere))
			if _, err := rbac.ClusterRoleBindings().Create(t.Context(), whole, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if _, err := rbac.RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
				ObjectMeta: whole.ObjectMeta, RoleRef: whole.RoleRef, Subjects: []rbacv1.Subject{user(here)},
			}, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			chart.CheckRole(t, cp, role, chart.Holder{User: everywhere}, chart.Holder{User: here}, namespace, elsewhere)
		})
	}
}
