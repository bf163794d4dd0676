package connector

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	rbaclisters "k8s.io/client-go/listers/rbac/v1"
	kubecache "k8s.io/client-go/tools/cache"

	"github.com/infrahq/infra/reconciler"
)

// overlayFor is how long an own write is believed against what the watch shows.
// A watch is some milliseconds behind; one that is longer has missed something.
const overlayFor = 10 * time.Second

// A cache is what the watches have seen of the cluster, with the connector's own
// writes laid over it. A watch lags behind: without the writes, the next plan
// would make them again, and take its own hand for a stranger's.
type cache struct {
	factory         informers.SharedInformerFactory
	clusterBindings rbaclisters.ClusterRoleBindingLister
	bindings        rbaclisters.RoleBindingLister
	roles           rbaclisters.ClusterRoleLister
	namespaces      corelisters.NamespaceLister

	mu     sync.Mutex
	writes map[reconciler.Key]write
}

// A write is an own one that the watch may not have seen yet.
type write struct {
	object *rbacv1.RoleBinding // as it was left; nil: deleted
	uid    types.UID           // of what was deleted
	until  time.Time
}

// newCache watches; changed is called for whatever changes. start begins.
func newCache(kube kubernetes.Interface, changed func()) (*cache, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(kube, 0, informers.WithTransform(slim))
	rbac := factory.Rbac().V1()
	c := &cache{
		factory:         factory,
		clusterBindings: rbac.ClusterRoleBindings().Lister(),
		bindings:        rbac.RoleBindings().Lister(),
		roles:           rbac.ClusterRoles().Lister(),
		namespaces:      factory.Core().V1().Namespaces().Lister(),
		writes:          map[reconciler.Key]write{},
	}
	handler := kubecache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changed() },
		UpdateFunc: func(any, any) { changed() },
		DeleteFunc: func(o any) { c.deleted(o); changed() },
	}
	for _, informer := range []kubecache.SharedIndexInformer{
		rbac.ClusterRoleBindings().Informer(), rbac.RoleBindings().Informer(),
		rbac.ClusterRoles().Informer(), factory.Core().V1().Namespaces().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, fmt.Errorf("watching the cluster: %w", err)
		}
	}
	return c, nil
}

// slim drops what nobody here reads and what is most of an object: who set
// which field, and the rules of roles.
func slim(o any) (any, error) {
	if m, ok := o.(metav1.Object); ok {
		m.SetManagedFields(nil)
	}
	if r, ok := o.(*rbacv1.ClusterRole); ok {
		r.Rules, r.Annotations = nil, nil
	}
	return o, nil
}

// start begins to watch and waits for the first whole picture. The watches end
// with ctx; stop waits for that.
func (c *cache) start(ctx context.Context) error {
	c.factory.StartWithContext(ctx)
	for kind, synced := range c.factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("watching %v: %w", kind, context.Cause(ctx))
		}
	}
	return nil
}

func (c *cache) stop() { c.factory.Shutdown() }

// clusterUID is the UID of the namespace kube-system, which stands for the cluster.
func (c *cache) clusterUID() (string, error) {
	n, err := c.namespaces.Get(metav1.NamespaceSystem)
	if err != nil {
		return "", fmt.Errorf("telling which cluster this is: %w", err)
	}
	return string(n.UID), nil
}

// A picture is the cluster at one moment, in the core's words and in those of
// Kubernetes.
type picture struct {
	cluster reconciler.Cluster
	objects map[reconciler.Key]*rbacv1.RoleBinding // shared: not to be changed
	waiting bool                                   // an own write has not been seen yet
}

func (c *cache) picture(ownNamespace string) (picture, error) {
	p := picture{cluster: reconciler.Cluster{OwnNamespace: ownNamespace}, objects: map[reconciler.Key]*rbacv1.RoleBinding{}}
	clusterBindings, err := c.clusterBindings.List(labels.Everything())
	if err != nil {
		return picture{}, fmt.Errorf("listing cluster role bindings: %w", err)
	}
	bindings, err := c.bindings.List(labels.Everything())
	if err != nil {
		return picture{}, fmt.Errorf("listing role bindings: %w", err)
	}
	roles, err := c.roles.List(labels.Everything())
	if err != nil {
		return picture{}, fmt.Errorf("listing cluster roles: %w", err)
	}
	namespaces, err := c.namespaces.List(labels.Everything())
	if err != nil {
		return picture{}, fmt.Errorf("listing namespaces: %w", err)
	}
	for _, b := range clusterBindings {
		p.objects[keyOf(b)] = fromCluster(b)
	}
	for _, b := range bindings {
		p.objects[keyOf(b)] = b
	}
	p.waiting = c.overlay(p.objects)
	for _, key := range slices.SortedFunc(maps.Keys(p.objects), reconciler.Key.Compare) {
		p.cluster.Objects = append(p.cluster.Objects, observed(p.objects[key]))
	}
	for _, r := range roles {
		p.cluster.Roles = append(p.cluster.Roles,
			reconciler.Role{Name: r.Name, Included: r.Labels[reconciler.IncludeRoleLabel] == "true"})
	}
	for _, n := range namespaces {
		ends := n.DeletionTimestamp != nil || n.Status.Phase == corev1.NamespaceTerminating
		p.cluster.Namespaces = append(p.cluster.Namespaces, reconciler.Namespace{Name: n.Name, Terminating: ends})
	}
	slices.SortFunc(p.cluster.Roles, func(a, b reconciler.Role) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(p.cluster.Namespaces, func(a, b reconciler.Namespace) int { return cmp.Compare(a.Name, b.Name) })
	return p, nil
}
