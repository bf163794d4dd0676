package schema

import (
	"fmt"
	"regexp"
	"strings"
)

// ParseTarget reads `cluster` or `cluster.namespace`. Destinations are labels,
// so the first dot splits.
func ParseTarget(text string) (Target, error) {
	destination, namespace, dot := strings.Cut(text, ".")
	t := Target{Destination: destination, Namespace: namespace}
	if dot && namespace == "" {
		return Target{}, fmt.Errorf("resource %s: nothing after the dot", quoted(text))
	}
	if err := t.Validate(); err != nil {
		return Target{}, err
	}
	return t, nil
}

// Validate says why a target cannot be granted anything on, or nil.
func (t Target) Validate() error {
	for _, part := range []struct{ what, name string }{{"destination", t.Destination}, {"namespace", t.Namespace}} {
		switch {
		case part.name == "" && part.what == "namespace":
		case IsPattern(part.name):
			if !patternForm.MatchString(part.name) || strings.Contains(part.name, "**") {
				return fmt.Errorf("resource %s: a pattern is of lower-case letters, digits, hyphens and single *", quoted(t.String()))
			}
		case !label.MatchString(part.name):
			return fmt.Errorf("resource %s: a resource is CLUSTER or CLUSTER.NAMESPACE, but %s is no name of a %s: %s",
				quoted(t.String()), quoted(part.name), part.what, labelRule)
		}
	}
	switch {
	case t.Destination == InfraDestination && t.Namespace != "":
		return fmt.Errorf("resource %s: %q has no namespaces", quoted(t.String()), InfraDestination)
	case IsPattern(t.Namespace) && strings.HasPrefix(t.Namespace, systemNamespaces):
		return fmt.Errorf("resource %s: patterns never match %s namespaces: write the name out", quoted(t.String()), systemNamespaces+"*")
	}
	return nil
}

// systemNamespaces begin the names of namespaces in which a role is equal to
// cluster-admin.
const systemNamespaces = "kube-"

var patternForm = regexp.MustCompile(`^[-a-z0-9*]{1,63}$`)

// IsPattern says whether a name of a destination or namespace is a pattern.
func IsPattern(name string) bool { return strings.Contains(name, "*") }

// MatchDestination says whether a name or pattern means a destination. No
// pattern means InfraDestination.
func MatchDestination(pattern, name string) bool {
	if !IsPattern(pattern) {
		return pattern == name
	}
	return name != InfraDestination && matchStars(pattern, name)
}

// MatchNamespace says whether a name or pattern means a namespace. No pattern
// means a kube-* namespace; that none means the connector's own is for the
// connector to see to, which knows where it runs.
func MatchNamespace(pattern, name string) bool {
	if !IsPattern(pattern) {
		return pattern == name
	}
	return !strings.HasPrefix(name, systemNamespaces) && matchStars(pattern, name)
}

// matchStars matches a pattern whose * stands for any number of characters.
func matchStars(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		at := strings.Index(name, p)
		if at < 0 {
			return false
		}
		name = name[at+len(p):]
	}
	return true
}
