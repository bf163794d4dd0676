package way_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/test/way"
)

// seedVariable says which dice the test throws again.
const seedVariable = "INFRA_TEST_SEED"

func TestWhateverIsKilledTheClusterEndsAsTheFilesSay(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("to throw the same dice again: %s=%d", seedVariable, seed)
	dice := rand.New(rand.NewPCG(seed, 0))

	w := way.Begin(t)
	m := newModel(t, w, dice)
	var teams strings.Builder
	teams.WriteString("groups:\n")
	for _, name := range slices.Sorted(maps.Keys(m.members)) {
		fmt.Fprintf(&teams, "  - name: %s\n    users: [%s]\n", name, strings.Join(m.members[name], ", "))
	}
	for range 30 {
		m.granted[m.anotherGrant()] = true
	}
	w.Commit("grants: to begin with", map[string]string{"groups/" + w.Name + ".yaml": teams.String(), m.file(): m.text()})
	w.InForce()

	// What is killed, and at which sign of work being under way. At each of them
	// the connector has a request at the server besides.
	type moment struct {
		kills []*way.Process
		sees  *way.Process
		sign  string
	}
	moments := []moment{
		{[]*way.Process{w.Server}, w.Server, `"msg":"a revision was accepted"`},
		{[]*way.Process{w.Server}, w.Server, `"msg":"serving a revision"`},
		{[]*way.Process{w.Server}, w.Connector, `"msg":"new desired state"`},
		{[]*way.Process{w.Connector}, w.Server, `"msg":"serving a revision"`},
		{[]*way.Process{w.Connector}, w.Connector, `"msg":"new desired state"`},
		{[]*way.Process{w.Connector}, w.Connector, `"msg":"binding changed"`},
		{[]*way.Process{w.Connector, w.Server}, w.Connector, `"msg":"new desired state"`},
		{[]*way.Process{w.Server, w.Connector}, w.Connector, `"msg":"binding changed"`},
	}
	killed, added, removed := map[string]int{}, 0, 0
	for round := 0; added < 50 || removed < 50 || killed["server"] < 20 || killed["connector"] < 20; round++ {
		at := moments[round%len(moments)]
		if round >= len(moments) {
			at = moments[dice.IntN(len(moments))]
		}
		mark := at.sees.Mark()
		byCommand := dice.IntN(3) == 0
		for range 1 + dice.IntN(3) {
			g := m.anyGranted()
			delete(m.granted, g)
			removed++
			if byCommand {
				w.Infra(append([]string{"grants", "remove"}, g.arguments()...)...)
			}
		}
		few := max(0, 30-len(m.granted)) // or the dice might leave next to nothing to compare
		for i := range max(1+dice.IntN(3), few) {
			g := m.anotherGrant()
			if i == 0 {
				g = m.newcomer(round) // others may have by a group what a grant says: no sign of work would come
			}
			m.granted[g] = true
			added++
			if byCommand {
				w.Infra(append([]string{"grants", "add"}, g.arguments()...)...)
			}
		}
		if !byCommand {
			w.Commit(fmt.Sprintf("grants: round %d", round), map[string]string{m.file(): m.text()})
		}
		at.sees.AwaitLog(mark, at.sign)
		for _, p := range at.kills {
			p.Kill()
			killed[p.Name()]++
		}
		for _, i := range dice.Perm(len(at.kills)) {
			at.kills[i].Start()
		}
	}
	t.Logf("killed %v while %d grants were added and %d removed", killed, added, removed)

	d := w.InForce()
	w.UntilConnectorEnforces(d.Desired)
	if diff := cmp.Diff(m.bindings(t), inCluster(t, w)); diff != "" {
		t.Errorf("who is bound to what (-what the files say, +what the cluster has):\n%s", diff)
	}
	mark := w.Mark()
	w.Connector.Restart()
	w.Until("the connector to be ready again", w.ConnectorReady)
	if writes := w.Writes(mark); len(writes) > 0 {
		t.Errorf("there was still something to do: %q", writes)
	}
}

// A model is what is granted, and what that means, without a word of infra's own
// code: the oracle.
type model struct {
	dice       *rand.Rand
	name       string // of the destination
	namespaces []string
	pattern    string              // that matches all of them
	members    map[string][]string // of declared groups
	granted    map[grant]bool
}

// A grant is one line of the model.
type grant struct {
	group     bool
	subject   string
	role      string
	namespace string // empty: the whole cluster
	resource  string
}

func newModel(t *testing.T, w *way.Way, dice *rand.Rand) *model {
	t.Helper()
	m := &model{dice: dice, name: w.Name, granted: map[grant]bool{}, members: map[string][]string{}}
	for range 3 {
		m.namespaces = append(m.namespaces, w.Namespace(t))
	}
	// It matches the connector's own namespace too, where no pattern counts.
	m.pattern = "t*" + m.namespaces[0][strings.IndexByte(m.namespaces[0], '-'):]
	for i := range 4 {
		for j := range 3 + i {
			m.members[m.team(i)] = append(m.members[m.team(i)], m.person(5*i+j))
		}
	}
	return m
}

func (m *model) team(i int) string   { return fmt.Sprintf("%s-team-%d", m.name, i) }
func (m *model) person(i int) string { return fmt.Sprintf("p%d@%s.example.com", i, m.name) }

// anotherGrant is one that is not granted: to a person, a declared group or one of
// the identity provider's, on the cluster, in a namespace or in all that a pattern
// matches.
func (m *model) anotherGrant() grant {
	for {
		g := grant{role: []string{"view", "edit", "admin", "logs", "exec", "port-forward", "cluster-admin"}[m.dice.IntN(7)]}
		switch m.dice.IntN(4) {
		case 0:
			g.group, g.subject = true, m.team(m.dice.IntN(len(m.members)))
		case 1:
			g.group, g.subject = true, fmt.Sprintf("%s-idp-%d", m.name, m.dice.IntN(5))
		default:
			g.subject = m.person(m.dice.IntN(20))
		}
		g.resource = m.name
		switch m.dice.IntN(4) {
		case 0:
		case 1:
			g.namespace = m.pattern
		default:
			g.namespace = m.namespaces[m.dice.IntN(len(m.namespaces))]
		}
		if g.namespace != "" {
			g.resource += "." + g.namespace
		}
		if !m.granted[g] {
			return g
		}
	}
}

// newcomer is a grant to somebody who has nothing yet.
func (m *model) newcomer(round int) grant {
	return grant{subject: m.person(1000 + round), role: "view", resource: m.name}
}

// anyGranted is one of those that are granted.
func (m *model) anyGranted() grant {
	all := slices.SortedFunc(maps.Keys(m.granted), func(a, b grant) int { return strings.Compare(a.line(), b.line()) })
	return all[m.dice.IntN(len(all))]
}

// arguments are those of `infra grants add` and `infra grants remove`.
func (g grant) arguments() []string {
	arguments := []string{g.subject, g.resource, "--role", g.role}
	if g.group {
		arguments = append(arguments, "--group")
	}
	return arguments
}

func (g grant) line() string {
	kind := "user"
	if g.group {
		kind = "group"
	}
	return fmt.Sprintf("  - {%s: %s, role: %s, resource: %q}\n", kind, g.subject, g.role, g.resource)
}

// file is where its grants stand.
func (m *model) file() string { return "grants/" + m.name + ".yaml" }

func (m *model) text() string {
	var b strings.Builder
	b.WriteString("grants:\n")
	for g := range m.granted { // the order of lines is to mean nothing
		b.WriteString(g.line())
	}
	return b.String()
}

// A bound is one subject of one binding.
type bound struct{ Namespace, ClusterRole, Kind, Subject string }

// bindings are all that the cluster is to have, once each.
func (m *model) bindings(t *testing.T) map[bound]int {
	t.Helper()
	out := map[bound]int{}
	for g := range m.granted {
		namespaces := []string{g.namespace}
		if g.namespace == m.pattern {
			namespaces = m.namespaces
		}
		clusterRole := g.role
		if g.role == "logs" || g.role == "exec" || g.role == "port-forward" {
			clusterRole = "infra:" + g.role
		}
		for _, namespace := range namespaces {
			switch members, declared := m.members[g.subject]; {
			case !g.group:
				out[bound{namespace, clusterRole, "User", g.subject}] = 1
			case declared:
				for _, member := range members {
					out[bound{namespace, clusterRole, "User", member}] = 1
				}
			default:
				out[bound{namespace, clusterRole, "Group", g.subject}] = 1
			}
		}
	}
	return out
}

// inCluster counts how often the destination's bindings say each thing.
func inCluster(t *testing.T, w *way.Way) map[bound]int {
	t.Helper()
	out := map[bound]int{}
	count := func(name, namespace string, role rbacv1.RoleRef, subjects []rbacv1.Subject) {
		if !strings.HasPrefix(name, "infra:"+w.Name+":") {
			return
		}
		if role.Kind != "ClusterRole" || len(subjects) == 0 {
			t.Errorf("binding %s in %q refers to %s and has %d subjects", name, namespace, role, len(subjects))
		}
		for _, s := range subjects {
			out[bound{namespace, role.Name, s.Kind, s.Name}]++
		}
	}
	whole, err := w.Kube.RbacV1().ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range whole.Items {
		count(b.Name, "", b.RoleRef, b.Subjects)
	}
	parts, err := w.Kube.RbacV1().RoleBindings("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range parts.Items {
		count(b.Name, b.Namespace, b.RoleRef, b.Subjects)
	}
	return out
}
