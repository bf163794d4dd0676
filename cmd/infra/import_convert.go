package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/infrahq/infra/adopt"
	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// bootstrapping is the label of what the API server itself makes.
const bootstrapping = "kubernetes.io/bootstrapping"

func (c *rbacCollector) binding(kind string, meta *metav1.ObjectMeta, role rbacv1.RoleRef, subjects []rbacv1.Subject) error {
	fresh, err := c.first(kind, meta, []any{role, subjects})
	if !fresh {
		return err
	}
	b := adopt.Binding{
		Kind: kind, Namespace: meta.Namespace, Name: meta.Name,
		Role:   reconciler.RoleRef{Kind: role.Kind, Name: role.Name},
		System: meta.Labels[bootstrapping] != "",
		Owner:  ownerOf(meta),
	}
	if kind == adopt.ClusterRoleBinding {
		b.Namespace = ""
	}
	switch {
	case role.APIGroup != "" && role.APIGroup != rbacv1.GroupName:
		b.Unclear = fmt.Sprintf("it binds something of API group %q", role.APIGroup)
	case meta.DeletionTimestamp != nil:
		b.Unclear = "it is being deleted"
	}
	for _, s := range subjects {
		if s.APIGroup != "" && s.APIGroup != rbacv1.GroupName {
			b.Unclear = fmt.Sprintf("it has a subject of API group %q", s.APIGroup)
		}
		b.Subjects = append(b.Subjects, reconciler.Subject{Kind: s.Kind, Name: s.Name, Namespace: s.Namespace})
	}
	c.Bindings = append(c.Bindings, b)
	return nil
}

func ownerOf(meta *metav1.ObjectMeta) adopt.Owner {
	var references []string
	for _, r := range meta.OwnerReferences {
		references = append(references, r.Kind+"/"+r.Name)
	}
	return adopt.OwnerOf(meta.Labels, meta.Annotations, references)
}

func adoptable(meta *metav1.ObjectMeta, rules []rbacv1.PolicyRule, aggregated bool) adopt.Role {
	r := adopt.Role{Namespace: meta.Namespace, Name: meta.Name, Aggregated: aggregated, Included: meta.Labels[reconciler.IncludeRoleLabel] == "true"}
	for _, p := range rules {
		r.Rules = append(r.Rules, schema.Rule{APIGroups: p.APIGroups, Resources: p.Resources, Verbs: p.Verbs,
			ResourceNames: p.ResourceNames, NonResourceURLs: p.NonResourceURLs})
	}
	return r
}

// writeRoles writes the ClusterRoles that are to be made, as manifests.
func writeRoles(file string, roles []schema.Role) error {
	var text bytes.Buffer
	for _, r := range roles {
		// Written by hand, as ClusterRole would have a creationTimestamp of null.
		object := map[string]any{
			"apiVersion": rbacv1.SchemeGroupVersion.String(),
			"kind":       adopt.ClusterRole,
			"metadata":   map[string]any{"name": r.Name, "labels": map[string]string{reconciler.IncludeRoleLabel: "true"}},
			"rules":      policyRules(r.Rules),
		}
		manifest, err := yaml.Marshal(object)
		if err != nil {
			return fmt.Errorf("writing the ClusterRoles: %w", err)
		}
		fmt.Fprintf(&text, "---\n%s", manifest)
	}
	if err := os.WriteFile(filepath.Clean(file), text.Bytes(), 0o666); err != nil {
		return fmt.Errorf("writing the ClusterRoles: %w", err)
	}
	return nil
}

func policyRules(rules []schema.Rule) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for _, r := range rules {
		out = append(out, rbacv1.PolicyRule{APIGroups: r.APIGroups, Resources: r.Resources, Verbs: r.Verbs,
			ResourceNames: r.ResourceNames, NonResourceURLs: r.NonResourceURLs})
	}
	return out
}

// equalJSON says whether two values are written alike.
func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
