package connector

import (
	"maps"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/reconciler"
)

// A ClusterRoleBinding and a RoleBinding say the same but for the namespace.
// Here both are a RoleBinding, with an empty namespace for the whole cluster.

func fromCluster(b *rbacv1.ClusterRoleBinding) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{ObjectMeta: b.ObjectMeta, Subjects: b.Subjects, RoleRef: b.RoleRef}
}

func toCluster(b *rbacv1.RoleBinding) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{ObjectMeta: b.ObjectMeta, Subjects: b.Subjects, RoleRef: b.RoleRef}
}

// observed is a binding as the core sees it.
func observed(b *rbacv1.RoleBinding) reconciler.Binding {
	out := reconciler.Binding{
		Namespace: b.Namespace,
		Name:      b.Name,
		Role:      reconciler.RoleRef{Kind: b.RoleRef.Kind, Name: b.RoleRef.Name},
		Labels:    b.Labels,
		Version:   b.ResourceVersion,
		UID:       string(b.UID),
	}
	for _, s := range b.Subjects {
		out.Subjects = append(out.Subjects, reconciler.Subject{Kind: s.Kind, Name: s.Name, Namespace: s.Namespace})
	}
	return out
}

// wanted is a binding as the core wants it, written over what the cluster has:
// annotations and whatever else the core does not know stay. has may be nil.
func wanted(b reconciler.Binding, has *rbacv1.RoleBinding) *rbacv1.RoleBinding {
	out := &rbacv1.RoleBinding{}
	if has != nil {
		out = has.DeepCopy()
	}
	out.Namespace, out.Name = b.Namespace, b.Name
	out.ResourceVersion = b.Version
	out.Labels = maps.Clone(b.Labels)
	out.RoleRef = rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: b.Role.Kind, Name: b.Role.Name}
	out.Subjects = nil
	for _, s := range b.Subjects {
		subject := rbacv1.Subject{Kind: s.Kind, Name: s.Name, Namespace: s.Namespace}
		if s.Kind != rbacv1.ServiceAccountKind {
			subject.APIGroup = rbacv1.GroupName
		}
		out.Subjects = append(out.Subjects, subject)
	}
	return out
}

func keyOf(o metav1.Object) reconciler.Key {
	return reconciler.Key{Namespace: o.GetNamespace(), Name: o.GetName()}
}
