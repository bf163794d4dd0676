package chart_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// refusedBy fails the test unless an error is the admission policy's, with a message.
func refusedBy(t *testing.T, err error, message string) {
	t.Helper()
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") || !strings.Contains(err.Error(), message) {
		t.Errorf("got %v\nwant the policy's refusal: %s", err, message)
	}
}

const ofConnectorOnly = "are written by the infra connector only"

func TestAnAdministratorCannotWriteTheConnectorsBindings(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	// Another destination's connector is a stranger too, with or without a policy of its own.
	other := chart.Install(t, cp, chart.Values{Set: []string{"admissionPolicy.enabled=false"}})
	namespace := cp.Namespace(t)
	name := "infra:" + c.Name + ":view"
	for who, config := range map[string]*chart.Connector{"an administrator": {Config: cp.AdminConfig()}, "another connector": other} {
		rbac := client(t, config.Config).RbacV1()
		t.Run(who+" by a ClusterRoleBinding", func(t *testing.T) {
			_, err := rbac.ClusterRoleBindings().Create(t.Context(), clusterBinding(c, "view", user("mallory@example.com")), metav1.CreateOptions{})
			refusedBy(t, err, ofConnectorOnly)
		})
		t.Run(who+" by a RoleBinding", func(t *testing.T) {
			binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: clusterBinding(c, "view").RoleRef}
			_, err := rbac.RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{})
			refusedBy(t, err, ofConnectorOnly)
		})
		t.Run(who+" by a generated name", func(t *testing.T) {
			binding := clusterBinding(c, "view", user("mallory@example.com"))
			binding.Name, binding.GenerateName = "", "infra:"+c.Name+":view-"
			_, err := rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
			refusedBy(t, err, ofConnectorOnly)
		})
	}

	admin := client(t, cp.AdminConfig()).RbacV1().ClusterRoleBindings()
	made, err := client(t, c.Config).RbacV1().ClusterRoleBindings().Create(t.Context(),
		clusterBinding(c, "view", user("fisher@example.com")), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("by adding a person", func(t *testing.T) {
		changed := made.DeepCopy()
		changed.Subjects = append(changed.Subjects, user("mallory@example.com"))
		_, err := admin.Update(t.Context(), changed, metav1.UpdateOptions{})
		refusedBy(t, err, ofConnectorOnly)
	})
	t.Run("by removing everyone", func(t *testing.T) {
		changed := made.DeepCopy()
		changed.Subjects = nil
		_, err := admin.Update(t.Context(), changed, metav1.UpdateOptions{})
		refusedBy(t, err, ofConnectorOnly)
	})
	t.Run("but may touch what gives nobody access, as a storage migration does", func(t *testing.T) {
		if _, err := admin.Update(t.Context(), made, metav1.UpdateOptions{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("and may delete", func(t *testing.T) {
		if err := admin.Delete(t.Context(), made.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("and may use every other name", func(t *testing.T) {
		for _, name := range []string{"infra:" + c.Name, "infra:" + c.Name + "x:view", "x-infra:" + c.Name + ":view"} {
			binding := clusterBinding(c, "view")
			binding.Name = name
			if _, err := admin.Create(t.Context(), binding, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestTheConnectorCannotWriteAnythingElse(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	bindings := client(t, c.Config).RbacV1().ClusterRoleBindings()
	fisher := user("fisher@example.com")
	edit := func(change func(*rbacv1.ClusterRoleBinding)) *rbacv1.ClusterRoleBinding {
		binding := clusterBinding(c, "view", fisher)
		change(binding)
		return binding
	}
	for name, test := range map[string]struct {
		binding *rbacv1.ClusterRoleBinding
		want    string
	}{
		"another name":               {edit(func(b *rbacv1.ClusterRoleBinding) { b.Name = "mine" }), "bindings named infra:" + c.Name + ":... only"},
		"another destination's name": {edit(func(b *rbacv1.ClusterRoleBinding) { b.Name = "infra:other:view" }), "bindings named infra:" + c.Name + ":... only"},
		"system:masters":             {edit(func(b *rbacv1.ClusterRoleBinding) { b.Subjects[0].Kind, b.Subjects[0].Name = "Group", "system:masters" }), "people and groups only"},
		"system:anonymous, behind a person": {edit(func(b *rbacv1.ClusterRoleBinding) {
			b.Subjects = append(b.Subjects, user("system:anonymous"))
		}), "people and groups only"},
		"itself, as a user": {edit(func(b *rbacv1.ClusterRoleBinding) {
			b.Subjects[0].Name = "system:serviceaccount:" + c.Namespace + ":" + c.ServiceAccount
		}), "people and groups only"},
		"itself, as a ServiceAccount": {edit(func(b *rbacv1.ClusterRoleBinding) {
			b.Subjects[0] = rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: c.Namespace, Name: c.ServiceAccount}
		}), "people and groups only"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bindings.Create(t.Context(), test.binding, metav1.CreateOptions{})
			refusedBy(t, err, test.want)
		})
	}
	t.Run("an update of a binding of others", func(t *testing.T) {
		own, err := bindings.Get(t.Context(), "infra-connector-"+c.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		own.Subjects = append(own.Subjects, fisher)
		_, err = bindings.Update(t.Context(), own, metav1.UpdateOptions{})
		if !apierrors.IsForbidden(err) {
			t.Errorf("it may let others act as itself: %v", err)
		}
	})
}

func TestANamespaceWithTheConnectorsBindingsEnds(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := chart.Install(t, cp, chart.Values{})
	admin := client(t, cp.AdminConfig())
	name := controlplane.Name(t)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := admin.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := clusterBinding(c, "admin", user("fisher@example.com"))
	if _, err := client(t, c.Config).RbacV1().RoleBindings(name).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: binding.ObjectMeta, RoleRef: binding.RoleRef, Subjects: binding.Subjects,
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := admin.CoreV1().Namespaces().Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace ends", func() bool {
		_, err := admin.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}
