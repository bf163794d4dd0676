package kube_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/kube"
	"github.com/infrahq/infra/schema"
	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

func TestMain(m *testing.M) { controlplane.Main(m) }

var update = flag.Bool("update", false, "write kube/kube.json anew")

// TestTheTablesAreThoseOfARealAPIServer: what infra says of roles and resources
// without a cluster is what a cluster says.
func TestTheTablesAreThoseOfARealAPIServer(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	chart.Install(t, cp, chart.Values{})
	client, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	want := kube.Tables{Version: version.GitVersion, Roles: map[string][]rbacv1.PolicyRule{}, Everyone: map[string][]rbacv1.PolicyRule{}, Resources: resources(t, client)}
	for _, role := range schema.BuiltinRoles {
		name := role
		if slices.Contains([]string{"logs", "exec", "port-forward"}, role) {
			name = "infra:" + role
		}
		want.Roles[role] = rules(t, client, name)
	}
	for _, role := range everyone(t, client) {
		want.Everyone[role] = rules(t, client, role)
	}
	if *update {
		text, err := json.MarshalIndent(want, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("../../kube/kube.json", append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(kube.Embedded(), want); diff != "" {
		t.Errorf("kube/kube.json is not what the API server says; go test ./kube -update\n(-table +server):\n%s", diff)
	}
	if !strings.HasPrefix(want.Version, "v"+kube.Version+".") {
		t.Errorf("kube.Version is %s, and the server's %s", kube.Version, want.Version)
	}
}

func rules(t *testing.T, client kubernetes.Interface, name string) []rbacv1.PolicyRule {
	t.Helper()
	role, err := client.RbacV1().ClusterRoles().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return role.Rules
}

// everyone are the roles that Kubernetes itself binds to all who are authenticated.
func everyone(t *testing.T, client kubernetes.Interface) []string {
	t.Helper()
	bindings, err := client.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/bootstrapping=rbac-defaults"})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, b := range bindings.Items {
		if slices.ContainsFunc(b.Subjects, func(s rbacv1.Subject) bool { return s.Name == "system:authenticated" }) {
			out = append(out, b.RoleRef.Name)
		}
	}
	return out
}

// resources are those of the preferred versions, the core group first.
func resources(t *testing.T, client kubernetes.Interface) []kube.Resource {
	t.Helper()
	lists, err := client.Discovery().ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := client.Discovery().ServerGroupsAndResources() // with subresources
	if err != nil {
		t.Fatal(err)
	}
	byName := map[[2]string]kube.Resource{}
	for _, list := range append(all, lists...) {
		group := ""
		if g, _, ok := strings.Cut(list.GroupVersion, "/"); ok {
			group = g
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") {
				r.SingularName, r.ShortNames = "", nil
			}
			byName[[2]string{group, r.Name}] = kube.Resource{Group: group, Name: r.Name, Singular: r.SingularName, Short: r.ShortNames, Namespaced: r.Namespaced}
		}
	}
	var out []kube.Resource
	for _, r := range byName {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b kube.Resource) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Name, b.Name))
	})
	return out
}
