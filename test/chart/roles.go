package chart

import (
	"slices"
	"strings"
	"testing"

	"github.com/infrahq/infra/test/controlplane"
)

// Roles are the roles of the guide, as grants name them, from the widest on.
func Roles() []string { return strings.Fields(all) }

const all = "cluster-admin admin edit view logs exec port-forward"

// An allowance is something that can be asked, and the roles that allow it.
type allowance struct {
	verb, resource string
	roles          string // with blanks between them
}

func (a allowance) by(role string) bool { return slices.Contains(strings.Fields(a.roles), role) }

// inNamespaces is about what lies in namespaces: whoever has a role on the cluster
// has it in all of them.
var inNamespaces = []allowance{
	{"get", "pods", all},
	{"list", "pods", "cluster-admin admin edit view logs port-forward"},
	{"watch", "pods", "cluster-admin admin edit view"},
	{"create", "pods", "cluster-admin admin edit"},
	{"delete", "pods", "cluster-admin admin edit"},
	{"get", "pods/log", "cluster-admin admin edit view logs"},
	{"create", "pods/exec", "cluster-admin admin edit exec"},
	{"get", "pods/exec", "cluster-admin admin edit exec"},
	{"create", "pods/portforward", "cluster-admin admin edit port-forward"},
	{"get", "pods/portforward", "cluster-admin admin edit port-forward"},
	{"create", "pods/attach", "cluster-admin admin edit"},
	{"update", "pods/ephemeralcontainers", "cluster-admin"},
	{"list", "deployments.apps", "cluster-admin admin edit view"},
	{"patch", "deployments.apps", "cluster-admin admin edit"},
	{"list", "configmaps", "cluster-admin admin edit view"},
	{"get", "secrets", "cluster-admin admin edit"},
	{"list", "roles.rbac.authorization.k8s.io", "cluster-admin admin"},
	{"create", "rolebindings.rbac.authorization.k8s.io", "cluster-admin admin"},
	{"create", "serviceaccounts/token", "cluster-admin admin edit"},
	{"escalate", "roles.rbac.authorization.k8s.io", "cluster-admin"},
	{"update", "resourcequotas", "cluster-admin"},
}

// ofTheCluster is about what lies in no namespace.
var ofTheCluster = []allowance{
	{"get", "nodes", "cluster-admin"},
	{"get", "nodes/proxy", "cluster-admin"},
	{"create", "namespaces", "cluster-admin"},
	{"list", "clusterroles.rbac.authorization.k8s.io", "cluster-admin"},
	{"create", "clusterrolebindings.rbac.authorization.k8s.io", "cluster-admin"},
	{"impersonate", "users", "cluster-admin"},
}

// A Holder is someone who was given a role, as an authenticator would name them.
type Holder struct {
	User   string
	Groups []string
}

// CheckRole asks the API server all that the guide's table of roles is about, for
// someone who has a role on the cluster and someone who has it in one namespace:
// it is to allow what the guide says, and nothing else. It waits only until the
// role has arrived at all.
func CheckRole(t *testing.T, cp *controlplane.ControlPlane, role string, everywhere, here Holder, namespace, elsewhere string) {
	t.Helper()
	ask := func(want bool, by Holder, verb, resource, namespace string) {
		t.Helper()
		q := controlplane.Question{User: by.User, Groups: by.Groups, Verb: verb, Resource: resource, Namespace: namespace}
		got, err := cp.Can(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s with role %s: %t, want %t", q, role, got, want)
		}
	}
	for _, by := range []Holder{everywhere, here} { // the authorizer learns of a binding by a watch
		cp.Eventually(t, controlplane.Question{User: by.User, Groups: by.Groups, Verb: "get", Resource: "pods", Namespace: namespace}, true)
	}
	for _, a := range inNamespaces {
		want := a.by(role)
		ask(want, everywhere, a.verb, a.resource, namespace)
		ask(want, everywhere, a.verb, a.resource, elsewhere)
		ask(want, everywhere, a.verb, a.resource, "")
		ask(want, here, a.verb, a.resource, namespace)
		ask(false, here, a.verb, a.resource, elsewhere)
		ask(false, here, a.verb, a.resource, "")
	}
	for _, a := range ofTheCluster {
		ask(a.by(role), everywhere, a.verb, a.resource, "")
		ask(false, here, a.verb, a.resource, "")
	}
}
