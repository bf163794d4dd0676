package reconciler

import (
	"cmp"

	"github.com/infrahq/infra/api"
)

// A Cluster is what a cluster has, as far as it matters here, in any order.
// These types stand for those of Kubernetes, which the core does not import.
type Cluster struct {
	OwnNamespace string // the connector's own, which no pattern matches; empty: none
	Namespaces   []Namespace
	Roles        []Role
	Objects      []Binding // every ClusterRoleBinding and RoleBinding, those of others too
}

// A Namespace is one that exists.
type Namespace struct {
	Name        string
	Terminating bool // nothing can be created in it any more
}

// A Role is a ClusterRole.
type Role struct {
	Name     string
	Included bool // it has the label app.infrahq.com/include-role=true
}

// A Binding is a ClusterRoleBinding, or a RoleBinding where it has a namespace.
type Binding struct {
	Namespace string // empty: a ClusterRoleBinding
	Name      string
	Role      RoleRef
	Subjects  []Subject
	Labels    map[string]string
	Version   string // resourceVersion, and UID below: opaque, for preconditions
	UID       string
}

// Key names the binding among all of a cluster.
func (b Binding) Key() Key { return Key{b.Namespace, b.Name} }

// A Key is the place and name of a binding.
type Key struct {
	Namespace, Name string // Namespace is empty for a ClusterRoleBinding
}

// Compare orders keys by namespace and name.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Namespace, o.Namespace), cmp.Compare(k.Name, o.Name))
}

// A RoleRef is the role that a binding gives: a ClusterRole, or a Role of the
// binding's namespace, which infra never binds.
type RoleRef struct {
	Kind, Name string
}

// String is Kind/Name.
func (r RoleRef) String() string { return r.Kind + "/" + r.Name }

// A Subject is who is bound, as rbac.authorization.k8s.io/v1 has it.
type Subject struct {
	Kind      string // User, Group or ServiceAccount
	Name      string
	Namespace string // of a ServiceAccount; infra binds none
}

// String is Kind/Name, with a ServiceAccount's namespace between them.
func (s Subject) String() string {
	if s.Namespace != "" {
		return s.Kind + "/" + s.Namespace + "/" + s.Name
	}
	return s.Kind + "/" + s.Name
}

// Compare orders subjects by kind, name and namespace.
func (s Subject) Compare(o Subject) int {
	return cmp.Or(cmp.Compare(s.Kind, o.Kind), cmp.Compare(s.Name, o.Name), cmp.Compare(s.Namespace, o.Namespace))
}

func subjectOf(e api.Entry) Subject { return Subject{Kind: string(e.Kind), Name: e.Name} }
