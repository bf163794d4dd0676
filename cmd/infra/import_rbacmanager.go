package main

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/infrahq/infra/adopt"
)

const rbacManagerGroup = "rbacmanager.reactiveops.io"

// An rbacDefinition is rbac-manager's custom resource,
// rbacmanager.reactiveops.io/v1beta1.
type rbacDefinition struct {
	metav1.ObjectMeta `json:"metadata"`
	RBACBindings      []struct {
		Name                string           `json:"name"`
		Subjects            []rbacv1.Subject `json:"subjects"`
		ClusterRoleBindings []struct {
			ClusterRole string `json:"clusterRole"`
		} `json:"clusterRoleBindings"`
		RoleBindings []definedRoleBinding `json:"roleBindings"`
	} `json:"rbacBindings"`
}

type definedRoleBinding struct {
	ClusterRole       string               `json:"clusterRole"`
	Role              string               `json:"role"`
	Namespace         string               `json:"namespace"`
	NamespaceSelector metav1.LabelSelector `json:"namespaceSelector"`
}

func (c *rbacCollector) definition(d *rbacDefinition) error {
	fresh, err := c.first("RBACDefinition", d, d.RBACBindings)
	if fresh {
		c.definitions = append(c.definitions, *d)
	}
	return err
}

// expand makes the bindings of the definitions, under the names that rbac-manager
// gives them. What selects namespaces needs to know those of the cluster.
func (c *rbacCollector) expand(knowsNamespaces bool) error {
	for _, d := range c.definitions {
		for _, b := range d.RBACBindings {
			prefix := d.Name + "-" + b.Name + "-"
			for _, r := range b.ClusterRoleBindings {
				c.defined(d, adopt.ClusterRoleBinding, "", prefix+r.ClusterRole, rbacv1.RoleRef{Kind: "ClusterRole", Name: r.ClusterRole}, b.Subjects, "")
			}
			for _, r := range b.RoleBindings {
				if err := c.expandRoleBinding(d, prefix, r, b.Subjects, knowsNamespaces); err != nil {
					return fmt.Errorf("RBACDefinition %s: %w", d.Name, err)
				}
			}
		}
	}
	return nil
}

func (c *rbacCollector) expandRoleBinding(d rbacDefinition, prefix string, r definedRoleBinding, subjects []rbacv1.Subject, knowsNamespaces bool) error {
	role, name := rbacv1.RoleRef{Kind: "ClusterRole", Name: r.ClusterRole}, prefix+r.ClusterRole
	if r.ClusterRole == "" {
		role, name = rbacv1.RoleRef{Kind: "Role", Name: r.Role}, prefix+r.Role+"-"+r.Namespace
	}
	bind := func(namespace, unclear string) {
		c.defined(d, adopt.RoleBinding, namespace, name, role, subjects, unclear)
	}
	if r.NamespaceSelector.MatchLabels == nil && len(r.NamespaceSelector.MatchExpressions) == 0 {
		bind(r.Namespace, "")
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(&r.NamespaceSelector)
	if err != nil {
		return err
	}
	if !knowsNamespaces {
		bind("", fmt.Sprintf("it is for namespaces with %s, and which these are only the cluster knows: give --kubeconfig, too", selector))
		return nil
	}
	for _, n := range c.namespaces {
		if selector.Matches(labels.Set(n.Labels)) {
			bind(n.Name, "")
		}
	}
	return nil
}

func (c *rbacCollector) defined(d rbacDefinition, kind, namespace, name string, role rbacv1.RoleRef, subjects []rbacv1.Subject, unclear string) {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name, OwnerReferences: []metav1.OwnerReference{{Kind: "RBACDefinition", Name: d.Name}}}
	made := &rbacCollector{seen: map[string]any{}}
	_ = made.binding(kind, &meta, role, subjects)
	for _, b := range made.Bindings {
		if unclear != "" {
			b.Unclear = unclear
		}
		c.Bindings = append(c.Bindings, b)
	}
}
