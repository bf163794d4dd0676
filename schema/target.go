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

// Covers says whether t reaches everything that o reaches: the same, the whole
// destination for a namespace of it, a pattern for what matches it. It may say
// no of two unusual patterns of which one does cover the other, never yes where
// it does not.
func (t Target) Covers(o Target) bool {
	if !MatchDestination(t.Destination, o.Destination) {
		return false
	}
	return t.Namespace == "" || o.Namespace != "" && MatchNamespace(t.Namespace, o.Namespace)
}

// Overlaps says whether there is a destination, or a namespace of one, that both
// reach. Of two patterns it may say yes also where whatever fits both is longer
// than a name may be.
func (t Target) Overlaps(o Target) bool {
	return overlapExcept(t.Destination, o.Destination, "", MatchDestination) && overlapNamespaces(t.Namespace, o.Namespace)
}

func overlapNamespaces(a, b string) bool {
	if a == "" {
		a, b = b, a
	}
	switch {
	case b != "":
	case !IsPattern(a): // a name, or the whole destination too
		return true
	default:
		b = "*" // of the namespaces that the pattern a can mean, all
	}
	return overlapExcept(a, b, systemNamespaces, MatchNamespace)
}
