package way_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

// TestAnImportedClusterAnswersAsBefore takes a cluster with bindings of all makes to
// infra: everything that anybody may do is asked before, and again when grants stand
// for the bindings and these are gone.
func TestAnImportedClusterAnswersAsBefore(t *testing.T) {
	t.Parallel()
	cp := controlplane.New(t, controlplane.Options{})
	w := way.BeginOn(t, cp)
	config := cp.AdminConfig()
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	m := &mess{T: t, Rand: rand.New(rand.NewPCG(5, 5)), kube: kube}
	m.make()
	m.seen()
	before := m.answers()
	allowed := 0
	for _, yes := range before {
		if yes {
			allowed++
		}
	}
	t.Logf("%d bindings; %d questions, of which %d are answered with yes", m.count, len(before), allowed)
	if len(before) < 500 || allowed < 100 {
		t.Fatal("that is too little to ask")
	}

	kubeconfig, roles := filepath.Join(t.TempDir(), "kubeconfig"), filepath.Join(t.TempDir(), "roles.yaml")
	if err := cp.WriteKubeconfig(kubeconfig, ""); err != nil {
		t.Fatal(err)
	}
	imported := func(args ...string) string {
		return w.Infra(append([]string{"import", "--kubeconfig", kubeconfig, "--destination", w.Name, "-q"}, args...)...)
	}
	names := imported("--write-roles", roles, "-o", "name")
	if names != "" {
		t.Errorf("before infra enforces anything, these could be deleted:\n%s", names)
	}
	if diff := cmp.Diff(before, m.answers()); diff != "" {
		t.Errorf("reading changed something:\n%s", diff)
	}
	m.kubectl(kubeconfig, "create", "-f", roles)
	m.kubectl(kubeconfig, "label", "clusterrole", "restart", "app.infrahq.com/include-role=true")
	w.InForce()

	var objects struct {
		Items []struct {
			Kind, Namespace, Name string
			Superseded, Enforced  bool
			Owner                 *struct{ Tool, Name string }
		}
	}
	w.Until("infra to stand for every superseded binding", func() error {
		if err := json.Unmarshal([]byte(`{"items":`+imported("-o", "json")+"}"), &objects); err != nil {
			t.Fatal(err)
		}
		for _, o := range objects.Items {
			if o.Superseded && !o.Enforced {
				return fmt.Errorf("%s %s/%s is superseded and not enforced", o.Kind, o.Namespace, o.Name)
			}
		}
		return nil
	})
	owners, gone, left := map[string]int{}, 0, 0
	for _, o := range objects.Items {
		switch {
		case !o.Superseded:
			left++
		case o.Owner != nil: // as if their owners had let go of them
			owners[o.Owner.Tool]++
			m.remove(o.Namespace, o.Name)
		default:
			gone++
		}
	}
	lines := strings.Split(strings.TrimSpace(imported("-o", "name")), "\n")
	if len(lines) < gone {
		t.Errorf("-o name has %d bindings, and %d can go", len(lines), gone)
	}
	for _, line := range lines {
		m.kubectl(kubeconfig, append([]string{"delete"}, strings.Fields(line)...)...)
	}
	t.Logf("%d bindings were deleted, and of owners %v; %d were left", gone, owners, left)
	if gone < 10 || left < 5 || len(owners) < 4 {
		t.Error("the mess is too tidy")
	}
	m.seen()
	if diff := cmp.Diff(before, m.answers()); diff != "" {
		t.Errorf("the answers changed (-before +after):\n%s", diff)
	}
	head := w.Head()
	if imported(); w.Head() != head {
		t.Error("an import of what is left made a commit")
	}
}

// A mess is a cluster's RBAC as it has grown.
type mess struct {
	*testing.T
	*rand.Rand
	kube  kubernetes.Interface
	count int // of bindings
	marks int
}

var messyNamespaces = []string{"web", "api", "data"}

func (m *mess) pick(from ...string) string { return from[m.IntN(len(from))] }

func (m *mess) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// make makes roles, and bindings by dice.
func (m *mess) make() {
	rules := func(verb, resource string, names ...string) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{{APIGroups: []string{"example.com"}, Verbs: []string{verb}, Resources: []string{resource}, ResourceNames: names}}
	}
	roles := m.kube.RbacV1()
	for _, namespace := range messyNamespaces {
		_, err := m.kube.CoreV1().Namespaces().Create(m.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{})
		m.must(err)
		for name, allowed := range map[string][]rbacv1.PolicyRule{
			"deployer": rules("deploy", "apps"),
			"tuner":    rules("tune", namespace), // another one in each
		} {
			_, err := roles.Roles(namespace).Create(m.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: allowed}, metav1.CreateOptions{})
			m.must(err)
		}
	}
	for _, role := range []*rbacv1.ClusterRole{
		{ObjectMeta: metav1.ObjectMeta{Name: "restart"}, Rules: rules("restart", "machines", "one")},
		{ObjectMeta: metav1.ObjectMeta{Name: "monitor"}, AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"monitor": "yes"}}}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "monitor-machines", Labels: map[string]string{"monitor": "yes"}}, Rules: rules("monitor", "machines")},
	} {
		_, err := roles.ClusterRoles().Create(m.Context(), role, metav1.CreateOptions{})
		m.must(err)
	}
	for range 70 {
		m.bind()
	}
}

// bind makes a binding.
func (m *mess) bind() {
	m.count++
	meta := metav1.ObjectMeta{Name: fmt.Sprintf("b%d", m.count)}
	switch m.IntN(7) {
	case 0:
		meta.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "apps:rbac.authorization.k8s.io/RoleBinding:web/x"}
	case 1:
		meta.Labels = map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	case 2:
		meta.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"}
	case 3:
		meta.Labels = map[string]string{"rbac-manager": "reactiveops"}
	}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: m.pick("cluster-admin", "admin", "edit", "view", "view", "edit", "restart", "monitor", "away")}
	var subjects []rbacv1.Subject
	for range 1 + m.IntN(3) {
		subjects = append(subjects, m.subject())
	}
	if m.IntN(3) == 0 {
		_, err := m.kube.RbacV1().ClusterRoleBindings().Create(m.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
		m.must(err)
		return
	}
	meta.Namespace = m.pick(append(messyNamespaces, "web", "api", "kube-system")...)
	if m.IntN(3) == 0 {
		ref.Kind, ref.Name = "Role", m.pick("deployer", "deployer", "tuner", "away")
	}
	_, err := m.kube.RbacV1().RoleBindings(meta.Namespace).Create(m.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	m.must(err)
}

func (m *mess) subject() rbacv1.Subject {
	switch m.IntN(12) {
	case 0:
		return rbacv1.Subject{Kind: "ServiceAccount", Namespace: "web", Name: "ci"}
	case 1, 2:
		return rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: m.pick("sre", "developers")}
	case 3:
		return rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: "Carl@example.com"}
	}
	return rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: m.pick("ann", "bob", "dave", "eve") + "@example.com"}
}

// remove deletes a binding.
func (m *mess) remove(namespace, name string) {
	m.Helper()
	if namespace == "" {
		m.must(m.kube.RbacV1().ClusterRoleBindings().Delete(m.Context(), name, metav1.DeleteOptions{}))
		return
	}
	m.must(m.kube.RbacV1().RoleBindings(namespace).Delete(m.Context(), name, metav1.DeleteOptions{}))
}

// seen waits until the authorizer has seen all that was written to bindings so far: it
// learns of each kind in the order in which they changed.
func (m *mess) seen() {
	m.Helper()
	m.marks++
	who := fmt.Sprintf("mark-%d", m.marks)
	subjects := []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: who}}
	meta := metav1.ObjectMeta{Name: who}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:node"}
	_, err := m.kube.RbacV1().ClusterRoleBindings().Create(m.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	m.must(err)
	ref.Name = "view"
	_, err = m.kube.RbacV1().RoleBindings("data").Create(m.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
	m.must(err)
	for _, q := range []importQuestion{{user: who, verb: "create", resource: "nodes"}, {user: who, verb: "list", resource: "configmaps", namespace: "data"}} {
		for patience := time.Now().Add(time.Minute); !m.ask(q); {
			if time.Now().After(patience) {
				m.Fatalf("%v is never allowed", q)
			}
		}
	}
	m.remove("", who)
	m.remove("data", who)
}

// An importQuestion is one that is asked before and after.
type importQuestion struct{ user, group, verb, apiGroup, resource, namespace, name string }

func (m *mess) ask(q importQuestion) bool {
	m.Helper()
	spec := authorizationv1.SubjectAccessReviewSpec{User: q.user, Groups: []string{"system:authenticated"}, ResourceAttributes: &authorizationv1.ResourceAttributes{
		Verb: q.verb, Group: q.apiGroup, Resource: q.resource, Namespace: q.namespace, Name: q.name,
	}}
	if q.group != "" {
		spec.Groups = append(spec.Groups, q.group)
	}
	answer, err := m.kube.AuthorizationV1().SubjectAccessReviews().Create(m.Context(), &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
	if err != nil {
		m.Error(err)
		return false
	}
	return answer.Status.Allowed
}

// answers asks everybody for everything.
func (m *mess) answers() map[string]bool {
	m.Helper()
	var questions []importQuestion
	for _, who := range []importQuestion{{user: "ann@example.com"}, {user: "bob@example.com"}, {user: "dave@example.com"}, {user: "eve@example.com"},
		{user: "Carl@example.com"}, {user: "carl@example.com"}, {user: "system:serviceaccount:web:ci"}, {user: "x", group: "sre"}, {user: "x", group: "developers"}, {user: "nobody"}} {
		for _, namespace := range append([]string{"", "kube-system"}, messyNamespaces...) {
			for _, what := range []importQuestion{
				{verb: "get", resource: "configmaps"}, {verb: "create", resource: "configmaps"}, {verb: "get", resource: "secrets"},
				{verb: "create", resource: "rolebindings", apiGroup: rbacv1.GroupName}, {verb: "create", resource: "resourcequotas"}, {verb: "delete", resource: "nodes"},
				{verb: "deploy", resource: "apps", apiGroup: "example.com"}, {verb: "tune", resource: "web", apiGroup: "example.com"}, {verb: "tune", resource: "api", apiGroup: "example.com"},
				{verb: "restart", resource: "machines", apiGroup: "example.com", name: "one"}, {verb: "restart", resource: "machines", apiGroup: "example.com"},
				{verb: "monitor", resource: "machines", apiGroup: "example.com"},
			} {
				what.user, what.group, what.namespace = who.user, who.group, namespace
				questions = append(questions, what)
			}
		}
	}
	out := map[string]bool{}
	var group sync.WaitGroup
	var mu sync.Mutex
	const workers = 16
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < len(questions); i += workers {
				answer := m.ask(questions[i])
				mu.Lock()
				out[fmt.Sprintf("%+v", questions[i])] = answer
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if m.Failed() {
		m.FailNow()
	}
	return out
}

func (m *mess) kubectl(kubeconfig string, args ...string) {
	m.Helper()
	path, err := controlplane.Binary(m.Context(), controlplane.Kubectl, os.Stderr)
	m.must(err)
	cmd := exec.CommandContext(m.Context(), path, append([]string{"--kubeconfig", kubeconfig}, args...)...)
	cmd.Env = []string{"HOME=" + m.TempDir()}
	if out, err := cmd.CombinedOutput(); err != nil {
		m.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
