package chart_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

func selfReview() *authenticationv1.SelfSubjectReview { return &authenticationv1.SelfSubjectReview{} }

func groupVersion(t *testing.T, text string) schema.GroupVersion {
	t.Helper()
	gv, err := schema.ParseGroupVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return gv
}

func TestTheConnectorHasTheseRightsAndNoOthers(t *testing.T) {
	t.Parallel()
	cp := controlplane.New(t, controlplane.Options{}) // labelled roles of other tests would add to its rights
	c := chart.Install(t, cp, chart.Values{})
	nobody := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
	if _, err := client(t, cp.AdminConfig()).CoreV1().ServiceAccounts("default").Create(t.Context(), nobody, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	everyone, err := cp.ServiceAccountConfig(t.Context(), "default", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(config *rest.Config, namespace string) []string {
		review, err := client(t, config).AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(),
			&authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if review.Status.Incomplete {
			t.Fatalf("the API server does not know them all: %s", review.Status.EvaluationError)
		}
		var got []string
		for _, r := range review.Status.ResourceRules {
			line := strings.Join(r.Verbs, ",") + " " + strings.Join(r.Resources, ",")
			if len(r.ResourceNames) > 0 {
				line += " named " + strings.Join(r.ResourceNames, ",")
			}
			got = append(got, line)
		}
		slices.Sort(got)
		return got
	}
	rules := func(namespace string) []string {
		anyway := ask(everyone, namespace) // what every ServiceAccount has
		return slices.DeleteFunc(ask(c.Config, namespace), func(rule string) bool { return slices.Contains(anyway, rule) })
	}
	everywhere := []string{
		"bind clusterroles named cluster-admin,admin,edit,view,infra:logs,infra:exec,infra:port-forward",
		"get,list,watch clusterroles",
		"get,list,watch namespaces",
		"get,list,watch,create,update,delete rolebindings,clusterrolebindings",
	}
	if diff := cmp.Diff(everywhere, rules("default")); diff != "" {
		t.Errorf("in other namespaces (-want +got):\n%s", diff)
	}
	own := slices.Sorted(slices.Values(append(everywhere, "get,update secrets named infra-connector-state")))
	if diff := cmp.Diff(own, rules(c.Namespace)); diff != "" {
		t.Errorf("in its own namespace (-want +got):\n%s", diff)
	}

	user := "system:serviceaccount:" + c.Namespace + ":" + c.ServiceAccount
	for _, q := range []controlplane.Question{
		{Verb: "get", Resource: "secrets", Namespace: c.Namespace, Name: "infra-connector"},
		{Verb: "get", Resource: "secrets", Namespace: "default", Name: "infra-connector-state"},
		{Verb: "list", Resource: "secrets", Namespace: c.Namespace},
		{Verb: "watch", Resource: "secrets", Namespace: c.Namespace, Name: "infra-connector-state"},
		{Verb: "create", Resource: "secrets", Namespace: c.Namespace},
		{Verb: "delete", Resource: "secrets", Namespace: c.Namespace, Name: "infra-connector-state"},
		{Verb: "escalate", Resource: "clusterroles.rbac.authorization.k8s.io"},
		{Verb: "update", Resource: "clusterroles.rbac.authorization.k8s.io", Name: "infra-connector-" + c.Name},
		{Verb: "bind", Resource: "clusterroles.rbac.authorization.k8s.io"},
		{Verb: "bind", Resource: "clusterroles.rbac.authorization.k8s.io", Name: "system:node"},
		{Verb: "bind", Resource: "roles.rbac.authorization.k8s.io", Namespace: c.Namespace},
		{Verb: "impersonate", Resource: "users"},
		{Verb: "create", Resource: "serviceaccounts/token", Namespace: c.Namespace, Name: c.ServiceAccount},
		{Verb: "list", Resource: "pods"},
		{Verb: "update", Resource: "validatingadmissionpolicies.admissionregistration.k8s.io"},
	} {
		q.User, q.Groups = user, []string{"system:serviceaccounts", "system:serviceaccounts:" + c.Namespace}
		if yes, err := cp.Can(t.Context(), q); err != nil || yes {
			t.Errorf("%s: %t, %v", q, yes, err)
		}
	}
}

// clusterBinding is a binding as the connector of c would write it.
func clusterBinding(c *chart.Connector, role string, subjects ...rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "infra:" + c.Name + ":" + role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   subjects,
	}
}

func user(name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}
}

// clusterRole makes a ClusterRole for a test, labelled as grantable or not.
func clusterRole(t *testing.T, cp *controlplane.ControlPlane, labelled bool, verb, resource string) *rbacv1.ClusterRole {
	t.Helper()
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: controlplane.Name(t)},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Verbs: []string{verb}, Resources: []string{resource}}},
	}
	if labelled {
		role.Labels = map[string]string{"app.infrahq.com/include-role": "true"}
	}
	roles := client(t, cp.AdminConfig()).RbacV1().ClusterRoles()
	role, err := roles.Create(t.Context(), role, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = roles.Delete(context.Background(), role.Name, metav1.DeleteOptions{}) })
	return role
}

// eventually waits until try says yes.
func eventually(t *testing.T, what string, try func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		return try(), nil
	})
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestTheConnectorBindsTheListedRolesAndNoUnlabelledOne(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{Set: []string{"roles={admin,edit,view,infra:logs,infra:exec,infra:port-forward}"}})
	bindings := client(t, c.Config).RbacV1().ClusterRoleBindings()
	unlabelled := clusterRole(t, cp, false, "update", "nodes")
	for role, allowed := range map[string]bool{
		"admin": true, "edit": true, "view": true, "infra:logs": true, "infra:exec": true, "infra:port-forward": true,
		"cluster-admin": false, "system:node": false, unlabelled.Name: false,
	} {
		created, err := bindings.Create(t.Context(), clusterBinding(c, role, user("fisher@example.com")), metav1.CreateOptions{})
		if allowed != (err == nil) || !allowed && !apierrors.IsForbidden(err) {
			t.Errorf("binding %s: %v, want it to be allowed: %t", role, err, allowed)
		}
		if err == nil {
			created.Subjects = append(created.Subjects, user("ops@example.com"))
			if _, err := bindings.Update(t.Context(), created, metav1.UpdateOptions{}); err != nil {
				t.Errorf("adding a person to the binding of %s: %v", role, err)
			}
			if err := bindings.Delete(t.Context(), created.Name, metav1.DeleteOptions{}); err != nil {
				t.Errorf("deleting the binding of %s: %v", role, err)
			}
		}
	}
}

func TestALabelledRoleCanBeBoundUntilItsLabelGoes(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	role := clusterRole(t, cp, true, "patch", "persistentvolumes/status")
	bindings := client(t, c.Config).RbacV1().ClusterRoleBindings()
	create := func() error {
		_, err := bindings.Create(t.Context(), clusterBinding(c, role.Name, user("fisher@example.com")),
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	eventually(t, "binding a labelled role", func() bool { return create() == nil })

	if _, err := bindings.Create(t.Context(), clusterBinding(c, role.Name, user("fisher@example.com")), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	role.Labels = nil
	if _, err := client(t, cp.AdminConfig()).RbacV1().ClusterRoles().Update(t.Context(), role, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "being refused without the label", func() bool {
		err := create()
		return apierrors.IsForbidden(err)
	})
	if err := bindings.Delete(t.Context(), clusterBinding(c, role.Name).Name, metav1.DeleteOptions{}); err != nil {
		t.Errorf("taking the role away without the label: %v", err)
	}
}
