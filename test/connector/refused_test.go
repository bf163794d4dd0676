package connector_test

import (
	"context"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/infrahq/infra/api"
)

func named(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func TestARemovalThatIsRefusedIsMadeAnotherWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.start()
	b.enforced(b.grant(entry("ann", "view", ""), entry("eve", "view", "")))

	policies := b.kube.AdmissionregistrationV1()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: b.name},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Update},
					Rule: admissionv1.Rule{
						APIGroups: []string{"rbac.authorization.k8s.io"}, APIVersions: []string{"v1"}, Resources: []string{"clusterrolebindings"},
					},
				},
			}}},
			Validations: []admissionv1.Validation{{Expression: "!object.metadata.name.startsWith('infra:" + b.name + ":')", Message: "no updates"}},
		},
	}
	if _, err := policies.ValidatingAdmissionPolicies().Create(t.Context(), policy, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = policies.ValidatingAdmissionPolicies().Delete(context.Background(), b.name, metav1.DeleteOptions{})
	})
	_, err := policies.ValidatingAdmissionPolicyBindings().Create(t.Context(), &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: b.name},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: b.name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = policies.ValidatingAdmissionPolicyBindings().Delete(context.Background(), b.name, metav1.DeleteOptions{})
	})
	// A policy counts some time after it was made.
	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		o, err := b.binding("view")
		if err != nil {
			return false, err
		}
		_, err = b.kube.RbacV1().ClusterRoleBindings().Update(ctx, o, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		return err != nil && strings.Contains(err.Error(), "no updates"), nil
	})
	if err != nil {
		t.Fatal("the policy does not come into force:", err)
	}

	b.enforced(b.grant(entry("ann", "view", "")))
	o, err := b.binding("view:2")
	if err != nil || len(o.Subjects) != 1 || o.Subjects[0].Name != "ann" {
		t.Errorf("who stays is not bound under another name: %v, %v", o, err)
	}

	b.grant(entry("ann", "view", ""), entry("bob", "view", ""), entry("bob", "edit", ""))
	s := b.until("the refused addition to be held, and nothing else", func(s api.Status) bool { return s.Pending == 1 && s.Bindings == 2 })
	if len(s.Held) != 1 || !strings.Contains(s.Held[0].Reason, "no updates") || s.Enforced != "" {
		t.Errorf("status %+v", s)
	}
}
