package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/pager"

	"github.com/infrahq/infra/adopt"
)

// An rbacSource is where the role bindings are.
type rbacSource struct {
	kubeconfig, context string
	files               []string // manifests; none: the cluster's own objects
	recursive           bool
	stdin               io.Reader
}

// live says whether the bindings are those of a cluster.
func (s *rbacSource) live() bool { return len(s.files) == 0 }

// flags are those with which kubectl reaches the cluster.
func (s *rbacSource) flags() string {
	out := ""
	if s.kubeconfig != "" {
		out += " --kubeconfig " + shell(s.kubeconfig)
	}
	if s.context != "" {
		out += " --context " + shell(s.context)
	}
	return out
}

// read reads the objects. Nothing is ever written to the cluster.
func (s *rbacSource) read(ctx context.Context) (adopt.Objects, error) {
	c := &rbacCollector{seen: map[string]any{}}
	var cluster *rbacReader
	if s.kubeconfig != "" {
		var err error
		if cluster, err = s.connect(); err != nil {
			return adopt.Objects{}, err
		}
		c.Complete = true
		if err := cluster.roles(ctx, c); err != nil {
			return adopt.Objects{}, err
		}
	}
	if s.live() {
		return c.Objects, cluster.bindings(ctx, c)
	}
	for _, file := range s.files {
		if err := s.readManifests(ctx, file, c); err != nil {
			return adopt.Objects{}, err
		}
	}
	if len(c.definitions) > 0 {
		if cluster != nil {
			var err error
			if c.namespaces, err = cluster.namespaces(ctx); err != nil {
				return adopt.Objects{}, err
			}
		}
		if err := c.expand(cluster != nil); err != nil {
			return adopt.Objects{}, err
		}
	}
	if len(c.Bindings) == 0 {
		return adopt.Objects{}, hint(fmt.Errorf("no role binding in %s", shell(s.files...)), "kubectl get clusterrolebindings,rolebindings,clusterroles,roles -A -o yaml gives what is to be read")
	}
	return c.Objects, nil
}

// An rbacReader reads a cluster.
type rbacReader struct{ kube kubernetes.Interface }

// requestTimeout is how long one page of a list may take.
const requestTimeout = time.Minute

func (s *rbacSource) connect() (*rbacReader, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: s.kubeconfig},
		&clientcmd.ConfigOverrides{CurrentContext: s.context},
	).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig %s: %w", s.kubeconfig, err)
	}
	config.QPS, config.Burst = 50, 100 // of pages of a list, one after the other
	config.Timeout = requestTimeout
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reaching the cluster: %w", err)
	}
	return &rbacReader{kube}, nil
}

// bindings reads all of them, a page at a time.
func (r *rbacReader) bindings(ctx context.Context, c *rbacCollector) error {
	err := each(ctx, "clusterrolebindings", r.kube.RbacV1().ClusterRoleBindings().List, c.clusterRoleBinding)
	if err == nil {
		err = each(ctx, "rolebindings", r.kube.RbacV1().RoleBindings(metav1.NamespaceAll).List, c.roleBinding)
	}
	return err
}

func (r *rbacReader) roles(ctx context.Context, c *rbacCollector) error {
	err := each(ctx, "clusterroles", r.kube.RbacV1().ClusterRoles().List, c.clusterRole)
	if err == nil {
		err = each(ctx, "roles", r.kube.RbacV1().Roles(metav1.NamespaceAll).List, c.role)
	}
	return err
}

func (r *rbacReader) namespaces(ctx context.Context) ([]corev1.Namespace, error) {
	var out []corev1.Namespace
	err := each(ctx, "namespaces", r.kube.CoreV1().Namespaces().List, func(n *corev1.Namespace) error {
		out = append(out, *n)
		return nil
	})
	return out, err
}

// each lists a resource and calls do with every object.
func each[T, L runtime.Object](ctx context.Context, resource string, list func(context.Context, metav1.ListOptions) (L, error), do func(T) error) error {
	pages := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return list(ctx, o) })
	err := pages.EachListItem(ctx, metav1.ListOptions{}, func(o runtime.Object) error { return do(o.(T)) })
	switch {
	case apierrors.IsForbidden(err):
		return hint(fmt.Errorf("reading the cluster: it does not let you list %s: %w", resource, err),
			"docs/import.md has the ClusterRole that this needs; an administrator makes it with: kubectl create clusterrole infra-import --verb=list --resource=clusterrolebindings,rolebindings,clusterroles,roles,namespaces")
	case err != nil:
		return fmt.Errorf("listing the %s of the cluster: %w", resource, err)
	}
	return nil
}

// completeContexts lets the shell complete the contexts of the kubeconfig.
func completeContexts(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	file, _ := cmd.Flags().GetString("kubeconfig")
	config, err := clientcmd.LoadFromFile(file)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Sorted(maps.Keys(config.Contexts)), cobra.ShellCompDirectiveNoFileComp
}

// An rbacCollector turns objects of Kubernetes into those of the core.
type rbacCollector struct {
	adopt.Objects
	definitions []rbacDefinition
	namespaces  []corev1.Namespace
	seen        map[string]any // the objects, by kind and name
}

// first says whether an object is seen for the first time. Where manifests have it
// twice, both must say the same.
func (c *rbacCollector) first(kind string, o metav1.Object, says any) (bool, error) {
	key := kind + " " + o.GetName()
	if o.GetNamespace() != "" {
		key += " of namespace " + o.GetNamespace()
	}
	before, twice := c.seen[key]
	c.seen[key] = says
	switch {
	case o.GetName() == "":
		return false, fmt.Errorf("a %s without a name", kind)
	case twice && !equalJSON(before, says):
		return false, fmt.Errorf("%s is there twice, and says two things", key)
	}
	return !twice, nil
}

func (c *rbacCollector) clusterRoleBinding(b *rbacv1.ClusterRoleBinding) error {
	return c.binding(adopt.ClusterRoleBinding, &b.ObjectMeta, b.RoleRef, b.Subjects)
}

func (c *rbacCollector) roleBinding(b *rbacv1.RoleBinding) error {
	return c.binding(adopt.RoleBinding, &b.ObjectMeta, b.RoleRef, b.Subjects)
}

func (c *rbacCollector) clusterRole(r *rbacv1.ClusterRole) error {
	fresh, err := c.first("ClusterRole", r, []any{r.Rules, r.AggregationRule})
	if fresh {
		c.Roles = append(c.Roles, adoptable(&r.ObjectMeta, r.Rules, r.AggregationRule != nil))
	}
	return err
}

func (c *rbacCollector) role(r *rbacv1.Role) error {
	fresh, err := c.first("Role", r, r.Rules)
	if fresh {
		c.Roles = append(c.Roles, adoptable(&r.ObjectMeta, r.Rules, false))
	}
	return err
}
