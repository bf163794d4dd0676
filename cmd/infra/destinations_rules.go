package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/infrahq/infra/schema"
)

// ruleFlags are the rules of a role, as "kubectl create clusterrole" takes them.
type ruleFlags struct{ verbs, resources, names, urls []string }

func (f *ruleFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.verbs, "verb", nil, "`verbs` that the role allows, with commas between")
	flags.StringSliceVar(&f.resources, "resource", nil, "`resources` that it allows them on: pods, pods/log, deployments.apps")
	flags.StringSliceVar(&f.names, "resource-name", nil, "only on objects of these `names`")
	flags.StringSliceVar(&f.urls, "non-resource-url", nil, "`paths` of the API server that it allows them on")
	verbs := []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
	check(cmd.RegisterFlagCompletionFunc("verb", cobra.FixedCompletions(verbs, cobra.ShellCompDirectiveNoFileComp)))
	check(cmd.RegisterFlagCompletionFunc("resource", cobra.FixedCompletions(slices.Sorted(maps.Keys(apiGroups())), cobra.ShellCompDirectiveNoFileComp)))
}

func (f *ruleFlags) any() bool { return len(f.verbs)+len(f.resources)+len(f.names)+len(f.urls) > 0 }

// roles are the roles of these names, with the rules where some are given.
func (f *ruleFlags) roles(names []string) ([]schema.Role, error) {
	rules, err := f.rules()
	var out []schema.Role
	for _, n := range names {
		out = append(out, schema.Role{Name: n, Rules: rules})
	}
	return out, err
}

// rules are one for each API group, and one for paths. nil: none are given.
func (f *ruleFlags) rules() ([]schema.Rule, error) {
	switch {
	case !f.any():
		return nil, nil
	case len(f.verbs) == 0:
		return nil, hint(errors.New("--verb is missing: what may be done"), "--verb get,list")
	case len(f.resources)+len(f.urls) == 0:
		return nil, hint(errors.New("--resource is missing: on what"), "--resource pods,deployments.apps")
	}
	byGroup := map[string][]string{}
	for _, text := range f.resources {
		group, resource, err := apiResource(text)
		if err != nil {
			return nil, fmt.Errorf("--resource: %w", err)
		}
		byGroup[group] = append(byGroup[group], resource)
	}
	var rules []schema.Rule
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		rules = append(rules, schema.Rule{APIGroups: []string{group}, Resources: byGroup[group], ResourceNames: f.names, Verbs: f.verbs})
	}
	if len(f.urls) > 0 {
		rules = append(rules, schema.Rule{NonResourceURLs: f.urls, Verbs: f.verbs})
	}
	return rules, nil
}

// apiResource reads resource[.group][/subresource]. kubectl asks the cluster for the group
// where none is given; here it is that of Kubernetes' own resources, and of others it
// must be said: a wrong group would be a rule that allows something else.
func apiResource(text string) (group, resource string, err error) {
	name, sub, hasSub := strings.Cut(text, "/")
	resource, group, said := strings.Cut(name, ".")
	if !said && resource != "*" {
		groups := apiGroups()[resource]
		switch {
		case len(groups) == 0:
			return "", "", hint(fmt.Errorf("%q is no resource of Kubernetes' own", text), "write it with its API group, as in certificates.cert-manager.io")
		case len(groups) > 1 && groups[0] != "":
			return "", "", hint(fmt.Errorf("%q is in the API groups %s", text, strings.Join(groups, ", ")), "write it with one of them: %s.%s", resource, groups[0])
		}
		group = groups[0]
	}
	if !said && resource == "*" {
		group = "*"
	}
	if hasSub {
		resource += "/" + sub
	}
	return group, resource, nil
}

// apiGroups are the API groups of Kubernetes' own resources, the core group, "", first. Groups
// that no server has any more do not count where there is another one.
func apiGroups() map[string][]string {
	groups := map[string][]string{}
	for kind := range scheme.Scheme.AllKnownTypes() {
		if strings.HasSuffix(kind.Kind, "List") || strings.HasSuffix(kind.Kind, "Options") {
			continue
		}
		plural, _ := meta.UnsafeGuessKindToResource(kind)
		if !slices.Contains(groups[plural.Resource], plural.Group) {
			groups[plural.Resource] = append(groups[plural.Resource], plural.Group)
		}
	}
	for resource, all := range groups {
		slices.Sort(all)
		if len(all) > 1 {
			all = slices.DeleteFunc(all, func(g string) bool { return g == "extensions" })
		}
		groups[resource] = all
	}
	return groups
}

// A manifest is a ClusterRole, or a list of them, as kubectl prints either.
type manifest struct {
	rbacv1.ClusterRole `json:",inline"`
	Items              []rbacv1.ClusterRole `json:"items"`
}

// clusterRoles reads the ClusterRoles in a file, or, of "-", in what comes from elsewhere.
func clusterRoles(stdin io.Reader, name string) ([]rbacv1.ClusterRole, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading roles: %w", err)
		}
		defer f.Close()
		in = f
	}
	d := utilyaml.NewYAMLOrJSONDecoder(in, 4096)
	var all []rbacv1.ClusterRole
	for {
		var doc manifest
		switch err := d.Decode(&doc); {
		case errors.Is(err, io.EOF) && len(all) == 0:
			return nil, fmt.Errorf("there is no ClusterRole in %s", name)
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("reading roles from %s: %w", name, err)
		case doc.Kind == "" && doc.Name == "":
			continue // an empty document
		}
		roles := doc.Items
		if !strings.HasSuffix(doc.Kind, "List") {
			roles = []rbacv1.ClusterRole{doc.ClusterRole}
		}
		for _, r := range roles {
			if r.Kind != "ClusterRole" && doc.Kind != "ClusterRoleList" {
				return nil, hint(fmt.Errorf("there is a %s in %s: only ClusterRoles can be listed", r.Kind, name), "kubectl get clusterrole NAME -o yaml shows one")
			}
		}
		all = append(all, roles...)
	}
}

// listable are ClusterRoles as destinations list them, and the names of those without
// the label that says they may be granted.
func listable(all []rbacv1.ClusterRole) (roles []schema.Role, unlabelled []string) {
	for _, c := range all {
		r := schema.Role{Name: c.Name, Rules: []schema.Rule{}}
		for _, rule := range c.Rules {
			r.Rules = append(r.Rules, schema.Rule{APIGroups: rule.APIGroups, Resources: rule.Resources, Verbs: rule.Verbs,
				ResourceNames: rule.ResourceNames, NonResourceURLs: rule.NonResourceURLs})
		}
		roles = append(roles, r)
		if c.Labels[includeLabel] != "true" {
			unlabelled = append(unlabelled, c.Name)
		}
	}
	return roles, unlabelled
}

// includeLabel is what a ClusterRole of a cluster's own has so that it may be granted.
const includeLabel = "app.infrahq.com/include-role"
