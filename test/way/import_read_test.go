package way_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

// An importHome is an access repository for imports alone.
type importHome struct {
	dir string
	env []string
}

func newImportHome(t testing.TB) *importHome {
	t.Helper()
	h := &importHome{dir: t.TempDir()}
	h.env = []string{"HOME=" + h.dir, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "INFRA_REPO=" + filepath.Join(h.dir, "access"),
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com"}
	if _, said, err := h.infra(t, "init", filepath.Join(h.dir, "access")); err != nil {
		t.Fatal(err, said)
	}
	return h
}

// infra gives what the command writes to stdout and to stderr.
func (h *importHome) infra(t testing.TB, args ...string) (string, string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), way.Program(t), args...)
	cmd.Env = h.env
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	return out.String(), said.String(), err
}

// kubeconfig is one of a user; empty: the administrator.
func (h *importHome) kubeconfig(t testing.TB, cp *controlplane.ControlPlane, user string, groups ...string) string {
	t.Helper()
	path := filepath.Join(h.dir, "kubeconfig-"+user)
	if err := cp.WriteKubeconfig(path, user, groups...); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnImportNeedsToListFourKindsAndNoMore(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	h := newImportHome(t)
	name := controlplane.Name(t)
	_, said, err := h.infra(t, "import", "--kubeconfig", h.kubeconfig(t, cp, name), "--destination", "prod")
	if err == nil || !strings.Contains(said, "error: reading the cluster: it does not let you list clusterroles:") ||
		!strings.Contains(said, "hint: docs/import.md has the ClusterRole that this needs") {
		t.Errorf("without rights: %v, and it says %s", err, said)
	}
	kube, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	roles := kube.RbacV1()
	if _, err := roles.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{rbacv1.GroupName}, Verbs: []string{"list"}, Resources: []string{"clusterrolebindings", "rolebindings", "clusterroles", "roles"},
	}}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = roles.ClusterRoles().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	if _, err := roles.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: name}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = roles.ClusterRoleBindings().Delete(context.Background(), name, metav1.DeleteOptions{}) })
	for _, resource := range []string{"clusterroles", "roles", "clusterrolebindings", "rolebindings"} {
		cp.Eventually(t, controlplane.Question{User: name, Verb: "list", Resource: resource + "." + rbacv1.GroupName}, true)
	}
	out, said, err := h.infra(t, "import", "--kubeconfig", h.kubeconfig(t, cp, name), "--destination", "prod", "--dry-run")
	if err != nil || !strings.Contains(out, "User/"+name) {
		t.Errorf("with the rights: %v %s\n%s", err, said, out)
	}
}

func TestARBACDefinitionIsExpandedByTheNamespacesOfTheCluster(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	h := newImportHome(t)
	kube, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	team := controlplane.Name(t)
	var namespaces []string
	for _, label := range []string{team, team, "other"} {
		name := cp.Namespace(t)
		namespaces = append(namespaces, name)
		n, err := kube.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
		if err == nil {
			n.Labels = map[string]string{"team": label}
			_, err = kube.CoreV1().Namespaces().Update(t.Context(), n, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	definition := filepath.Join(h.dir, "definition.yaml")
	text := fmt.Sprintf(`apiVersion: rbacmanager.reactiveops.io/v1beta1
kind: RBACDefinition
metadata: {name: joe}
rbacBindings:
- name: team
  subjects: [{kind: User, name: joe@example.com}]
  roleBindings:
  - {clusterRole: edit, namespaceSelector: {matchLabels: {team: %s}}}
  - {clusterRole: view, namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [%s]}]}}
  - {clusterRole: away, namespace: %s}
`, team, team, namespaces[2])
	if err := os.WriteFile(definition, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, said, err := h.infra(t, "import", "--kubeconfig", h.kubeconfig(t, cp, ""), "-f", definition, "--destination", "prod", "-o", "custom-columns=IN:.namespace,NAME:.name,BECAME:.subjects[*].became", "--no-headers", "--sort-by", "name")
	if err != nil {
		t.Fatal(err, said)
	}
	var got []string
	for line := range strings.Lines(out) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{namespaces[2] + " joe-team-away left"}
	for _, role := range []string{"edit", "view"} {
		for _, n := range namespaces[:2] {
			want = append(want, n+" joe-team-"+role+" granted")
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("it became\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// BenchmarkImport reads 10,000 bindings of a real API server, plans, proves and judges
// the grants.
func BenchmarkImport(b *testing.B) {
	cp := controlplane.New(b, controlplane.Options{})
	config := cp.AdminConfig()
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		b.Fatal(err)
	}
	const bindings, perNamespace, workers = 10_000, 100, 32
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < bindings/perNamespace; i += workers {
				namespace := fmt.Sprintf("team-%d", i)
				if _, err := kube.CoreV1().Namespaces().Create(b.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
					b.Error(err)
					return
				}
				for n := range perNamespace {
					if _, err := kube.RbacV1().RoleBindings(namespace).Create(b.Context(), &rbacv1.RoleBinding{
						ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("b%d", n)},
						RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
						Subjects:   []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: fmt.Sprintf("p%d@example.com", (i*perNamespace+n)%3000)}},
					}, metav1.CreateOptions{}); err != nil {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	if group.Wait(); b.Failed() {
		b.FailNow()
	}
	for b.Loop() {
		h := newImportHome(b)
		if _, said, err := h.infra(b, "import", "--kubeconfig", h.kubeconfig(b, cp, ""), "--destination", "prod", "-o", "name"); err != nil || !strings.Contains(said, "10000 grants on prod") {
			b.Fatal(err, said)
		}
	}
}
