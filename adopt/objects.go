package adopt

import (
	"cmp"
	"slices"
	"strings"

	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// Objects are what a cluster, or a set of manifests, has of RBAC, in any order. These
// types stand for those of Kubernetes, which the core does not import.
type Objects struct {
	Bindings []Binding
	Roles    []Role
	Complete bool // they are a whole cluster: what is not among them does not exist
}

// The kinds of objects, as rbac.authorization.k8s.io/v1 has them.
const (
	ClusterRole        = "ClusterRole"
	ClusterRoleBinding = "ClusterRoleBinding"
	RoleBinding        = "RoleBinding"
	roleKind           = "Role"
	serviceAccount     = "ServiceAccount"
)

// A Binding is a ClusterRoleBinding or a RoleBinding.
type Binding struct {
	Kind      string
	Namespace string // empty for a ClusterRoleBinding, and where a manifest does not say it
	Name      string
	Role      reconciler.RoleRef
	Subjects  []reconciler.Subject
	System    bool   // it has Kubernetes' label for what it makes itself: kubernetes.io/bootstrapping=rbac-defaults
	Unclear   string // why it cannot be told what it gives; empty: it can
	Owner     Owner
}

// Compare orders bindings by kind, namespace and name.
func (b Binding) Compare(o Binding) int {
	return cmp.Or(cmp.Compare(b.Kind, o.Kind), cmp.Compare(b.Namespace, o.Namespace), cmp.Compare(b.Name, o.Name))
}

// ofInfra says whether a connector made it, whichever destination's.
func (b Binding) ofInfra() bool { return strings.HasPrefix(b.Name, "infra:") }

// Internal says whether a binding is Kubernetes' own, or infra's: one that is never
// adopted. Who puts people into such a binding is told apart by namesPeople.
func (b Binding) Internal() bool {
	return b.System && (strings.HasPrefix(b.Name, systemPrefix) || b.Name == "cluster-admin") || b.ofInfra()
}

// namesPeople says whether a binding names somebody whom Kubernetes itself does not.
func (b Binding) namesPeople() bool {
	return slices.ContainsFunc(b.Subjects, func(s reconciler.Subject) bool {
		return s.Kind != serviceAccount && !strings.HasPrefix(s.Name, systemPrefix)
	})
}

// inSystem says whether it is in a namespace of Kubernetes' own.
func (b Binding) inSystem() bool { return strings.HasPrefix(b.Namespace, "kube-") }

// A Role is a ClusterRole, or a Role where it has a namespace.
type Role struct {
	Namespace  string
	Name       string
	Rules      []schema.Rule
	Aggregated bool // its rules are those of other roles, which come and go
	Included   bool // it has the label app.infrahq.com/include-role=true
}

// An Owner is what makes an object, and would make it anew. The zero value is nobody:
// somebody made it by hand.
type Owner struct {
	Tool string // Argo CD, Flux, Helm, rbac-manager, or the kind of an owner reference
	Name string // of what is to be changed there
}

// String is the tool, and what it makes the object from.
func (o Owner) String() string {
	if o.Name == "" {
		return o.Tool
	}
	return o.Tool + " " + o.Name
}

// OwnerOf finds the owner of an object by what tools write on it. References are its
// ownerReferences, as Kind/name.
func OwnerOf(labels, annotations map[string]string, references []string) Owner {
	if len(references) > 0 {
		kind, name, _ := strings.Cut(references[0], "/")
		if kind == "RBACDefinition" {
			kind = "rbac-manager"
		}
		return Owner{kind, name}
	}
	if id := annotations["argocd.argoproj.io/tracking-id"]; id != "" {
		app, _, _ := strings.Cut(id, ":") // app:group/kind:namespace/name
		return Owner{"Argo CD", app}
	}
	for _, by := range []struct{ prefix, kind string }{{"kustomize", "Kustomization"}, {"helm", "HelmRelease"}} {
		if name := labels[by.prefix+".toolkit.fluxcd.io/name"]; name != "" {
			return Owner{"Flux", by.kind + " " + in(labels[by.prefix+".toolkit.fluxcd.io/namespace"], name)}
		}
	}
	if name := labels["argocd.argoproj.io/instance"]; name != "" {
		return Owner{"Argo CD", name}
	}
	instance := labels["app.kubernetes.io/instance"]
	if name := annotations["meta.helm.sh/release-name"]; name != "" {
		return Owner{"Helm", in(annotations["meta.helm.sh/release-namespace"], name)}
	}
	if labels["app.kubernetes.io/managed-by"] == "Helm" {
		return Owner{"Helm", instance}
	}
	if labels["rbac-manager"] != "" {
		return Owner{"rbac-manager", ""}
	}
	if instance != "" { // Argo CD's default label
		return Owner{"Argo CD", instance}
	}
	return Owner{}
}

func in(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

const systemPrefix = "system:"

// builtin are the roles that every destination has, by their ClusterRoles.
var builtin = func() map[string]string {
	out := map[string]string{}
	for _, role := range schema.BuiltinRoles {
		out[reconciler.ClusterRole(role)] = role
	}
	return out
}()

// same says whether two sets of rules allow the same, however they are written.
func same(a, b []schema.Rule) bool { return slices.Equal(atoms(a), atoms(b)) }
