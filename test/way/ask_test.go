package way_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

// An asked is a question of the API server, and where infra is asked it.
type asked struct {
	controlplane.Question
	where string // the resource, as infra names it
}

// TestExplainAndWhoCanAgreeWithTheAPIServer asks both commands and the API server
// the same random questions about a random repository.
func TestExplainAndWhoCanAgreeWithTheAPIServer(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	a := &asker{Rand: rand.New(rand.NewPCG(seed, 5)), name: w.Name}
	for range 2 {
		a.namespaces = append(a.namespaces, w.Namespace(t))
	}
	a.makeRoles(t, w.Kube)
	w.Commit("a random repository", a.files(t))
	w.InForce()
	plain := filepath.Join(t.TempDir(), "access") // without Git, who wrote what is not looked up a thousand times
	if err := os.CopyFS(plain, os.DirFS(w.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(plain, ".git")); err != nil {
		t.Fatal(err)
	}

	const questions = 1000
	var all []asked
	for range questions {
		all = append(all, a.question())
	}
	a.opaquely = map[string]bool{}
	for _, place := range append(a.namespaces, "kube-system") {
		for _, h := range infraAsked(t, plain, []string{"who-can", a.opaque.Name, a.name + "." + place, "--exact", "-o", "json", "-q"}) {
			a.opaquely[h.User] = true
		}
	}
	explained, listed := a.explain(t, plain, all), a.whoCan(t, plain, all)
	count := map[string]int{}
	for i, q := range all {
		if explained[i] != listed[i] {
			t.Errorf("%s: explain says %q, who-can %q", q, explained[i], listed[i])
		}
		if explained[i] == "unknown" && !a.mayBeUnknown(q) {
			t.Errorf("%s: unknown, though all rules are known", q)
		}
		count[explained[i]]++
	}
	for _, i := range a.wrong(t, w, all, explained) {
		t.Errorf("%s on %s: infra says %s, and the API server does not", all[i], all[i].where, explained[i])
	}
	t.Logf("%d questions: %v", len(all), count)
	if count["yes"] < questions/10 || count["no"] < questions/10 || count["unknown"] == 0 || count["unknown"] > questions/5 {
		t.Errorf("the dice ask too little: %v", count)
	}

	// What is in kube-system does not end with a namespace of the test.
	w.Commit("nothing", map[string]string{"grants/" + w.Name + ".yaml": "grants: []\n", "grants/_shared.yaml": "grants: []\n",
		"acknowledgements/nothing.yaml": "acknowledgements: [{destination: " + w.Name + ", removals: 100, reason: it is meant}]\n"})
	w.InForce()
}

// An asker makes a repository and questions by dice.
type asker struct {
	*rand.Rand
	name       string // of the destination
	namespaces []string
	known      []*rbacv1.ClusterRole // whose rules are in the repository
	opaque     *rbacv1.ClusterRole   // whose are not
	opaquely   map[string]bool       // who has that one somewhere
}

func (a *asker) pick(from ...string) string { return from[a.IntN(len(from))] }
func (a *asker) person(i int) string        { return fmt.Sprintf("p%d@%s.example.com", i, a.name) }
func (a *asker) group(i int) string         { return fmt.Sprintf("%s-g%d", a.name, i) }

// people and teams are how many there are. The last team is the identity
// provider's.
const people, teams = 10, 6

// makeRoles makes labelled ClusterRoles.
func (a *asker) makeRoles(t *testing.T, kube kubernetes.Interface) {
	t.Helper()
	make := func(name string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
		role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: a.name + "-" + name, Labels: map[string]string{"app.infrahq.com/include-role": "true"}}, Rules: rules}
		if _, err := kube.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = kube.RbacV1().ClusterRoles().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
		})
		return role
	}
	a.known = append(a.known,
		make("machinist",
			rbacv1.PolicyRule{APIGroups: []string{"example.com"}, Verbs: []string{"reboot"}, Resources: []string{"machines", "*/fan"}},
			rbacv1.PolicyRule{APIGroups: []string{""}, Verbs: []string{"get"}, Resources: []string{"configmaps"}, ResourceNames: []string{"motd", "news"}}),
		make("quotas",
			rbacv1.PolicyRule{APIGroups: []string{"", "batch"}, Verbs: []string{"*"}, Resources: []string{"resourcequotas", "jobs"}},
			rbacv1.PolicyRule{APIGroups: []string{""}, Verbs: []string{"get", "list"}, Resources: []string{"nodes"}}))
	a.opaque = make("opaque", rbacv1.PolicyRule{APIGroups: []string{""}, Verbs: []string{"get"}, Resources: []string{"secrets"}})
}

// files are a repository in which groups contain groups.
func (a *asker) files(t *testing.T) map[string]string {
	t.Helper()
	type object = map[string]any
	roles := []object{{"name": a.opaque.Name}}
	for _, r := range a.known {
		roles = append(roles, object{"name": r.Name, "rules": r.Rules})
	}
	var users, groups, own, shared []object
	for i := range people {
		users = append(users, object{"name": a.person(i)})
	}
	for i := range teams - 1 {
		g := object{"name": a.group(i), "users": []string{a.person(a.IntN(people))}}
		if i == 0 {
			g["users"] = []string{a.person(0), a.person(1)}
		}
		if inner := i + 1 + a.IntN(teams-i-1); a.IntN(3) > 0 {
			g["groups"] = []string{a.group(inner)}
		}
		groups = append(groups, g)
	}
	for range 50 {
		g := object{"user": a.person(a.IntN(people))}
		if a.IntN(2) == 0 {
			g = object{"group": a.group(a.IntN(teams))}
		}
		g["role"] = a.pick("cluster-admin", "admin", "edit", "view", "view", "logs", "exec", "port-forward", a.known[0].Name, a.known[1].Name, a.opaque.Name)
		destination := a.pick(a.name, a.name, a.name, a.name[:2]+"*")
		if strings.HasPrefix(g["role"].(string), a.name) {
			destination = a.name
		}
		pattern := "t*" + a.namespaces[0][strings.IndexByte(a.namespaces[0], '-'):]
		g["resource"] = destination
		if place := a.pick(slices.Concat(a.namespaces, a.namespaces, []string{pattern, "kube-system", ""})...); place != "" {
			g["resource"] = destination + "." + place
		}
		if ends := a.pick("", "", "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"); ends != "" {
			g["expires"] = ends
		}
		if destination == a.name {
			own = append(own, g)
		} else {
			shared = append(shared, g)
		}
	}
	files := map[string]string{}
	for path, content := range map[string]object{
		"destinations/" + a.name + ".yaml": {"destinations": []object{{"name": a.name, "roles": roles}}},
		"users/all.yaml":                   {"users": users},
		"groups/all.yaml":                  {"groups": groups},
		"grants/" + a.name + ".yaml":       {"grants": own},
		"grants/_shared.yaml":              {"grants": shared},
		"revoked.yaml":                     {"revoked": []object{{"user": a.person(0)}, {"group": a.group(1)}}},
	} {
		text, err := yaml.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = strings.ReplaceAll(string(text), `"2`, `2`)
		files[path] = strings.ReplaceAll(files[path], `00Z"`, `00Z`)
	}
	return files
}

// question is one of those to which roles give different answers.
func (a *asker) question() asked {
	q := asked{Question: controlplane.Question{User: a.person(a.IntN(people)), Namespace: a.pick(a.namespaces...)}}
	q.Verb, q.Resource, _ = strings.Cut(a.pick("get pods", "list pods", "delete pods", "get pods/log", "create pods/exec", "get pods/exec",
		"create pods/portforward", "get configmaps", "update configmaps", "get secrets", "list secrets", "create secrets",
		"patch deployments.apps", "watch deployments.apps", "update deployments.apps/scale", "create jobs.batch", "get jobs.batch", "list events",
		"create rolebindings.rbac.authorization.k8s.io", "get roles.rbac.authorization.k8s.io", "escalate roles.rbac.authorization.k8s.io",
		"update resourcequotas", "get resourcequotas", "create serviceaccounts/token", "impersonate serviceaccounts", "get namespaces",
		"list nodes", "get nodes", "get nodes/proxy", "impersonate users", "create namespaces",
		"reboot machines.example.com", "reboot machines.example.com/fan", "reboot trains.example.com/fan"), " ")
	switch resource, _, _ := strings.Cut(q.Resource, "/"); {
	case resource == "nodes", resource == "users", q.Verb == "create" && resource == "namespaces", a.IntN(8) == 0:
		q.Namespace = ""
	case a.IntN(12) == 0:
		q.Namespace = "kube-system"
	}
	if q.Resource == "configmaps" {
		q.Name = a.pick("", "motd", "other")
	}
	q.where = a.name
	if q.Namespace != "" {
		q.where += "." + q.Namespace
	}
	return q
}

// mayBeUnknown says whether somebody could have something by rules that the
// repository does not have: those of the opaque role, and those that a cluster
// adds to admin, edit and view for an API group of its own.
func (a *asker) mayBeUnknown(q asked) bool {
	return strings.Contains(q.Resource, "example.com") || a.opaquely[q.User]
}

// arguments are those with which infra is asked.
func (q asked) arguments() []string {
	args := []string{q.where, "--verb", q.Verb, "--resource", q.Resource, "-q", "-o", "json"}
	if q.Name != "" {
		args = append(args, "--name", q.Name)
	}
	return args
}

// An answer is a grant, as both commands print it with -o json.
type answer struct{ User, Role, State, Allowed string }

func counted(answers []answer) string {
	said := "no"
	for _, a := range answers {
		switch {
		case a.State != "" && a.State != "in force" && a.State != "included":
		case a.Allowed == "yes":
			return "yes"
		case a.Allowed == "unknown":
			said = "unknown"
		}
	}
	return said
}

// explain asks about each person alone.
func (a *asker) explain(t *testing.T, dir string, all []asked) []string {
	t.Helper()
	out := make([]string, len(all))
	each(len(all), func(i int) {
		out[i] = counted(infraAsked(t, dir, append([]string{"explain", all[i].User}, all[i].arguments()...)))
	})
	return out
}

// whoCan asks each thing once, about everybody.
func (a *asker) whoCan(t *testing.T, dir string, all []asked) []string {
	t.Helper()
	calls := map[string][]string{}
	for _, q := range all {
		calls[strings.Join(q.arguments(), " ")] = q.arguments()
	}
	keys := slices.Sorted(maps.Keys(calls))
	answers := make([][]answer, len(keys))
	each(len(keys), func(i int) { answers[i] = infraAsked(t, dir, append([]string{"who-can"}, calls[keys[i]]...)) })
	out := make([]string, len(all))
	for i, q := range all {
		n, _ := slices.BinarySearch(keys, strings.Join(q.arguments(), " "))
		out[i] = counted(slices.DeleteFunc(slices.Clone(answers[n]), func(a answer) bool { return a.User != q.User }))
	}
	return out
}

// wrong are the questions to which the API server gives another answer than yes or
// no. It learns of bindings by a watch, so that it is given ten seconds.
func (a *asker) wrong(t *testing.T, w *way.Way, all []asked, said []string) []int {
	t.Helper()
	var left []int
	for i := range all {
		if said[i] != "unknown" {
			left = append(left, i)
		}
	}
	for patience := time.Now().Add(10 * time.Second); ; {
		right := make([]bool, len(left))
		each(len(left), func(n int) {
			can, err := w.Can(t.Context(), all[left[n]].Question)
			if err != nil {
				t.Error(err)
			}
			right[n] = can == (said[left[n]] == "yes")
		})
		var still []int
		for n, i := range left {
			if !right[n] {
				still = append(still, i)
			}
		}
		left = still
		if len(left) == 0 || t.Failed() || time.Now().After(patience) {
			return left
		}
	}
}

// each runs something for 0 to n-1, a few at a time.
func each(n int, do func(int)) {
	var group sync.WaitGroup
	const workers = 3
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < n; i += workers {
				do(i)
			}
		})
	}
	group.Wait()
}

func infraAsked(t *testing.T, dir string, args []string) []answer {
	cmd := exec.CommandContext(t.Context(), way.Program(t), append([]string{"-C", dir}, args...)...)
	out, err := cmd.Output()
	var answers []answer
	if err == nil {
		err = json.Unmarshal(out, &answers)
	}
	if err != nil {
		t.Errorf("infra %s: %v", strings.Join(args, " "), err)
	}
	return answers
}
