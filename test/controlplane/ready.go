package controlplane

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
)

// untilUsable waits for what a cluster has from its first minute on and tests
// build upon: its namespaces, and the rules of view, edit and admin, which are
// empty until the aggregation controller has run.
func (cp *ControlPlane) untilUsable(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		return err
	}
	if err := cp.until(ctx, "the namespaces to be there", func(ctx context.Context) error {
		for _, name := range []string{metav1.NamespaceSystem, metav1.NamespaceDefault} {
			if _, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return cp.until(ctx, "the aggregated ClusterRoles to have their rules", func(ctx context.Context) error {
		roles, err := client.RbacV1().ClusterRoles().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		return aggregated(roles.Items)
	})
}

// aggregated says which ClusterRole lacks a rule of those that it aggregates.
func aggregated(roles []rbacv1.ClusterRole) error {
	for _, role := range roles {
		if role.AggregationRule == nil {
			continue
		}
		for _, selector := range role.AggregationRule.ClusterRoleSelectors {
			matches, err := metav1.LabelSelectorAsSelector(&selector)
			if err != nil {
				return err
			}
			for _, source := range roles {
				if source.Name == role.Name || !matches.Matches(labels.Set(source.Labels)) {
					continue
				}
				for _, rule := range source.Rules {
					if !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return reflect.DeepEqual(r, rule) }) {
						return fmt.Errorf("ClusterRole %s lacks a rule of %s", role.Name, source.Name)
					}
				}
			}
		}
	}
	return nil
}
