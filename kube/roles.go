package kube

import (
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/infrahq/infra/schema"
)

// Rules are what a built-in role allows, as Kubernetes and the chart define it;
// false: there is no such role.
func Rules(role string) ([]schema.Rule, bool) {
	rules, ok := tables().Roles[role]
	if !ok {
		return nil, false
	}
	out := make([]schema.Rule, len(rules))
	for i, r := range rules {
		out[i] = schema.Rule{APIGroups: r.APIGroups, Resources: r.Resources, Verbs: r.Verbs,
			ResourceNames: r.ResourceNames, NonResourceURLs: r.NonResourceURLs}
	}
	return out, true
}

// Everyone is the role by which every authenticated user may make a request on a
// cluster that nobody has changed in that; empty: by none.
func Everyone(r Request) string {
	for _, name := range slices.Sorted(maps.Keys(tables().Everyone)) {
		if covers(tables().Everyone[name], r) {
			return name
		}
	}
	return ""
}

// Extensible says whether other roles of a cluster can add to a built-in role: it
// is put together from all that carry a label (aggregation).
func Extensible(role string) bool { return slices.Contains([]string{"admin", "edit", "view"}, role) }

// policyRules are rules as Kubernetes' libraries take them.
func policyRules(rules []schema.Rule) []rbacv1.PolicyRule {
	out := make([]rbacv1.PolicyRule, len(rules))
	for i, r := range rules {
		out[i] = rbacv1.PolicyRule{APIGroups: r.APIGroups, Resources: r.Resources, Verbs: r.Verbs,
			ResourceNames: r.ResourceNames, NonResourceURLs: r.NonResourceURLs}
	}
	return out
}
