package kube

import (
	"errors"
	"fmt"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/infrahq/infra/schema"
)

// A Request is what somebody may or may not do: a verb on a resource, or on a URL
// that is none of a resource. The zero value is none.
type Request struct {
	Verb     string
	Group    string // the resource's API group; empty: the core group
	Resource string // in the plural, with the subresource: pods, pods/exec
	Name     string // of the one thing; empty: of any
	URL      string // such as /metrics; then there is no group, resource or name
}

// String is the request as people say it: get pods/log web-1.
func (r Request) String() string {
	switch {
	case r.URL != "":
		return r.Verb + " " + r.URL
	case r.Name != "":
		return r.Verb + " " + r.Of() + " " + r.Name
	}
	return r.Verb + " " + r.Of()
}

// Of is the resource as ParseResource reads it.
func (r Request) Of() string { return qualified(r.Resource, r.Group) }

func qualified(resource, group string) string {
	base, sub, ok := strings.Cut(resource, "/")
	if group != "" {
		base += "." + group
	}
	if ok {
		base += "/" + sub
	}
	return base
}

// AllowedBy says whether rules allow a request where they apply.
func (r Request) AllowedBy(rules []schema.Rule) bool { return covers(policyRules(rules), r) }

// covers asks Kubernetes' own comparison of rules: a request is a rule that allows
// that one thing.
func covers(rules []rbacv1.PolicyRule, r Request) bool {
	asked := rbacv1.PolicyRule{Verbs: []string{r.Verb}}
	if r.URL != "" {
		asked.NonResourceURLs = []string{r.URL}
	} else {
		asked.APIGroups, asked.Resources = []string{r.Group}, []string{r.Resource}
		if r.Name != "" {
			asked.ResourceNames = []string{r.Name}
		}
	}
	ok, _ := validation.Covers(rules, []rbacv1.PolicyRule{asked})
	return ok
}

// ErrNoResource says that Kubernetes has no resource of a name.
var ErrNoResource = errors.New("no such resource")

// ParseResource reads a resource as kubectl takes it: pods, po, deployments.apps,
// pods/exec. Without a group it is one that Kubernetes has, the core group first;
// else the error wraps ErrNoResource, since nobody could tell a misspelt one from
// one of the cluster's own. With a group it may be any; a dot at the end is the
// core group.
func ParseResource(text string) (group, resource string, err error) {
	name, sub, hasSub := strings.Cut(text, "/")
	name, group, said := strings.Cut(name, ".")
	if name == "" || hasSub && sub == "" || strings.ContainsAny(text, " \t\n") {
		return "", "", fmt.Errorf("%q is not a resource", text)
	}
	found, ok := find(name, group, said)
	switch {
	case ok:
		name, group = found.Name, found.Group
	case !said && name != rbacv1.ResourceAll && !isVirtual(name):
		return "", "", fmt.Errorf("%q: %w in Kubernetes %s", name, ErrNoResource, Version)
	}
	if hasSub {
		name += "/" + sub
	}
	return group, name, nil
}

// find looks a resource up by any of its names; the table has the core group first.
func find(name, group string, said bool) (Resource, bool) {
	for _, by := range []func(Resource) bool{
		func(r Resource) bool { return r.Name == name },
		func(r Resource) bool { return r.Singular == name },
		func(r Resource) bool {
			for _, s := range r.Short {
				if s == name {
					return true
				}
			}
			return false
		},
	} {
		for _, r := range tables().Resources {
			if by(r) && (!said || r.Group == group) {
				return r, true
			}
		}
	}
	return Resource{}, false
}

// isVirtual says whether a name of the core group is one that is only ever asked
// about, as whom somebody impersonates.
func isVirtual(name string) bool {
	return name == "users" || name == "groups" || name == "uids" || name == "userextras"
}

// ResourceNames are the names of the resources that Kubernetes has, as
// ParseResource reads them.
func ResourceNames() []string {
	var out []string
	for _, r := range tables().Resources {
		out = append(out, qualified(r.Name, r.Group))
	}
	return out
}

// Owns says whether an API group is one that Kubernetes itself has.
func Owns(group string) bool {
	for _, r := range tables().Resources {
		if r.Group == group {
			return true
		}
	}
	return false
}

// OfCluster says whether a request is known to be about what lies in no namespace,
// so that no role in a namespace allows it. A namespace itself is asked for in
// itself.
func (r Request) OfCluster() bool {
	if r.URL != "" {
		return true
	}
	base, _, _ := strings.Cut(r.Resource, "/")
	if r.Group == "" && base == "namespaces" {
		return false
	}
	found, ok := find(base, r.Group, true)
	return ok && !found.Namespaced
}
