package reconciler

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infrahq/infra/api"
)

// A fact is one subject that holds one role at one place through bindings of infra's.
type fact struct {
	place
	subject Subject
}

type facts map[fact]bool

func (f facts) within(o facts) bool {
	for x := range f {
		if !o[x] {
			return false
		}
	}
	return true
}

func (f facts) minus(o facts) facts {
	out := facts{}
	for x := range f {
		if !o[x] {
			out[x] = true
		}
	}
	return out
}

// A model is a cluster that can be written to.
type model struct {
	objects map[Key]Binding
	version int
}

func newModel(objects []Binding) *model {
	m := &model{objects: map[Key]Binding{}}
	for _, o := range objects {
		m.objects[o.Key()] = o
	}
	return m
}

func (m *model) list() []Binding {
	return slices.SortedFunc(maps.Values(m.objects), func(a, b Binding) int { return a.Key().Compare(b.Key()) })
}

// apply makes a change as an API server would, by its preconditions where the
// change is the first of its object.
func (m *model) apply(t *testing.T, c Change, first bool) {
	t.Helper()
	key := c.Object.Key()
	old, exists := m.objects[key]
	switch {
	case c.Verb == Create && exists:
		t.Fatalf("%s: it exists", c)
	case c.Verb != Create && !exists:
		t.Fatalf("%s: it does not exist", c)
	case c.Verb != Create && old.UID != c.Object.UID && first, c.Verb != Create && first && old.Version != c.Object.Version:
		t.Fatalf("%s: precondition: %s %s", c, old.UID, old.Version)
	case c.Verb == Update && old.Role != c.Object.Role:
		t.Fatalf("%s: a role reference cannot change", c)
	}
	if c.Verb == Delete {
		delete(m.objects, key)
		return
	}
	m.version++
	object := c.Object
	object.Version = fmt.Sprint("v", m.version)
	if c.Verb == Create {
		object.UID = fmt.Sprint("u", m.version)
	} else {
		object.UID = old.UID
	}
	m.objects[key] = object
}

func (m *model) facts(prefixes ...string) facts {
	out := facts{}
	for _, o := range m.objects {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(o.Name, p) }) {
			continue
		}
		for _, s := range o.Subjects {
			out[fact{place{o.Namespace, o.Role}, s}] = true
		}
	}
	return out
}

// A world is a random case.
type world struct {
	desired  api.DesiredState
	cluster  Cluster
	prefixes []string // own first
}

func randomWorld(r *rand.Rand) world {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	people := []string{"ann", "bob", "cat", "dan", "eve", "fay"}
	roles := []string{"admin", "view", "logs", "exec", "custom", "plain", "missing", "infra:exec"}
	places := []string{"", "", "web", "pay-1", "pay-2", "ending", "kube-system", "infra", "gone"}
	d := api.DesiredState{Destination: "d"}
	w := world{prefixes: []string{"infra:d:"}}
	if r.IntN(3) == 0 {
		d.Formerly = []string{"old", "d"}
		w.prefixes = append(w.prefixes, "infra:old:")
	}
	for range r.IntN(16) {
		e := api.Entry{
			Kind: api.Kind(pick("User", "User", "Group")), Name: pick(people...), Role: pick(roles...),
			Namespace: pick(append(places, "pay-*", "*", "kube-*", "zz*")...),
		}
		if r.IntN(3) == 0 {
			e.Expires = now.Add(time.Duration(r.IntN(5)-2) * time.Hour)
		}
		d.Entries = append(d.Entries, e)
	}
	w.desired = api.Seal(d)

	w.cluster.OwnNamespace = "infra"
	for _, n := range []string{"web", "pay-1", "pay-2", "ending", "kube-system", "infra"} {
		if r.IntN(6) > 0 {
			w.cluster.Namespaces = append(w.cluster.Namespaces, Namespace{n, n == "ending"})
		}
	}
	for _, n := range []string{"admin", "view", "infra:logs", "infra:exec", "custom", "plain", "logs"} {
		if r.IntN(6) > 0 {
			w.cluster.Roles = append(w.cluster.Roles, Role{n, n != "plain"})
		}
	}
	have := map[Key]bool{}
	for i := range r.IntN(14) {
		b := Binding{
			Namespace: pick(places...),
			Name: pick("infra:d:", "infra:d:", "infra:d:", "infra:old:", "infra:dd:", "d:") +
				pick("admin", "admin:2", "view", "logs", "logs:2", "custom", "exec", ""),
			Role:    RoleRef{"ClusterRole", pick("admin", "view", "infra:logs", "infra:exec", "custom", "plain", "missing", "logs")},
			Version: fmt.Sprint("r", i), UID: fmt.Sprint("o", i),
		}
		if r.IntN(10) == 0 && b.Namespace != "" {
			b.Role.Kind = "Role"
		}
		if r.IntN(4) > 0 {
			b.Labels = map[string]string{ManagedByLabel: "infra", DestinationLabel: pick("d", "d", "d", "old")}
		}
		for range r.IntN(6) {
			s := Subject{Kind: pick("User", "User", "Group"), Name: pick(people...)}
			if r.IntN(12) == 0 {
				s = Subject{Kind: pick("ServiceAccount", "User"), Name: "robot", Namespace: "ci"}
			}
			b.Subjects = append(b.Subjects, s)
		}
		if !have[b.Key()] {
			have[b.Key()] = true
			w.cluster.Objects = append(w.cluster.Objects, b)
		}
	}
	return w
}

// due says what the cluster is to give, in the plainest way: entry by entry,
// namespace by namespace.
func (w world) due(before facts) facts {
	out := facts{}
	standing := newModel(w.cluster.Objects).facts(w.prefixes[0])
	everywhere := map[string]bool{}
	for _, n := range w.cluster.Namespaces {
		everywhere[n.Name] = true
	}
	for _, o := range w.cluster.Objects {
		everywhere[o.Namespace] = true
	}
	for _, e := range w.desired.Entries {
		if !e.Expires.IsZero() && !e.Expires.After(now) {
			continue
		}
		role, ok := map[string]string{"admin": "admin", "view": "view", "logs": "infra:logs", "exec": "infra:exec", "custom": "custom"}[e.Role]
		if !ok || !slices.ContainsFunc(w.cluster.Roles, func(r Role) bool { return r.Name == role }) {
			continue
		}
		for n := range everywhere {
			var meant bool
			switch e.Namespace {
			case "*":
				meant = n != "" && n != "kube-system" && n != "infra"
			case "pay-*":
				meant = strings.HasPrefix(n, "pay-")
			default:
				meant = n == e.Namespace
			}
			if !meant && !(e.Namespace == "" && n == "") {
				continue
			}
			f := fact{place{n, RoleRef{"ClusterRole", role}}, Subject{Kind: string(e.Kind), Name: e.Name}}
			open := n == "" || slices.Contains(w.cluster.Namespaces, Namespace{Name: n})
			if open || standing[f] {
				out[f] = true
			}
		}
		if e.Namespace == "" {
			out[fact{place{"", RoleRef{"ClusterRole", role}}, Subject{Kind: string(e.Kind), Name: e.Name}}] = true
		}
	}
	return out
}

const few = 3 // subjects in a binding: small, so that small cases overflow it

func FuzzPlan(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := randomWorld(r)
		p := plan(w.desired, w.cluster, now, few)
		checkApplied(t, w, p)
		checkShuffled(t, r, w, p)
		checkFailing(t, r, w, p)
		checkAfter(t, r, w)
	})
}

// checkApplied: a plan that is applied leaves an empty one and what the naive
// evaluator says; at each step the cluster gives no more than before or no more
// than after; what both give is never lost on the way; each change says truly
// who gains and loses; and nobody else's binding is touched.
func checkApplied(t *testing.T, w world, p Plan) {
	m := newModel(w.cluster.Objects)
	before := m.facts(w.prefixes...)
	due := w.due(before)
	kept := before.minus(before.minus(due))
	if len(w.prefixes) > 1 { // in a namespace that ends nothing is adopted
		for f := range kept {
			if slices.Contains(w.cluster.Namespaces, Namespace{f.namespace, true}) {
				delete(kept, f)
			}
		}
	}
	touched := map[Key]bool{}
	gained, lost := facts{}, facts{}
	for _, c := range p.Changes {
		switch {
		case strings.HasPrefix(c.Object.Name, w.prefixes[0]):
		case c.Verb == Delete && len(w.prefixes) > 1 && strings.HasPrefix(c.Object.Name, w.prefixes[1]):
		default:
			t.Errorf("%s: it is not infra's to write", c)
		}
		for _, k := range c.After {
			if !touched[k] {
				t.Errorf("%s: comes after %v, which has not been written", c, k)
			}
		}
		was := m.facts(w.prefixes...)
		m.apply(t, c, !touched[c.Object.Key()])
		touched[c.Object.Key()] = true
		is := m.facts(w.prefixes...)
		where := place{c.Object.Namespace, c.Object.Role}
		for _, s := range c.Gains {
			gained[fact{where, s}] = true
		}
		for _, s := range c.Loses {
			lost[fact{where, s}] = true
		}
		switch grew, shrank := len(is.minus(was)) > 0, len(was.minus(is)) > 0; {
		case c.Stage == Keep && (grew || shrank), c.Stage == Take && grew, c.Stage == Add && shrank:
			t.Errorf("%s: stage %s, grew %t, shrank %t", c, c.Stage, grew, shrank)
		}
		if !is.within(before) && !is.within(due) {
			t.Errorf("after %s more is given than before or after the plan", c)
		}
		if !kept.within(is) {
			t.Errorf("after %s somebody lost what both give: %v", c, kept.minus(is))
		}
	}
	after := m.facts(w.prefixes...)
	if !after.within(due) || !due.within(after) {
		t.Errorf("too much: %v\nmissing: %v", after.minus(due), due.minus(after))
	}
	if diff := cmp.Diff(after.minus(before), gained); len(gained) != len(after.minus(before)) || !gained.within(after.minus(before)) {
		t.Errorf("gains: %s", diff)
	}
	if !lost.within(before.minus(after)) || !before.minus(after).within(lost) {
		t.Errorf("said to lose: %v, lost: %v", lost, before.minus(after))
	}
	w.cluster.Objects = m.list()
	again := plan(w.desired, w.cluster, now, few)
	if again.Changes != nil {
		t.Errorf("an applied plan leaves %v", lines(again.Changes))
	}
}

// checkShuffled: the order in which a cluster lists things does not matter.
func checkShuffled(t *testing.T, r *rand.Rand, w world, p Plan) {
	c := w.cluster
	c.Objects, c.Namespaces, c.Roles = slices.Clone(c.Objects), slices.Clone(c.Namespaces), slices.Clone(c.Roles)
	r.Shuffle(len(c.Objects), func(i, j int) { c.Objects[i], c.Objects[j] = c.Objects[j], c.Objects[i] })
	r.Shuffle(len(c.Namespaces), func(i, j int) { c.Namespaces[i], c.Namespaces[j] = c.Namespaces[j], c.Namespaces[i] })
	r.Shuffle(len(c.Roles), func(i, j int) { c.Roles[i], c.Roles[j] = c.Roles[j], c.Roles[i] })
	if diff := cmp.Diff(p, plan(w.desired, c, now, few)); diff != "" {
		t.Errorf("a shuffled cluster has another plan:\n%s", diff)
	}
}

// checkFailing: whatever writes fail, nobody holds more than before or after
// give, and planning again comes to the same end, by fallbacks too.
func checkFailing(t *testing.T, r *rand.Rand, w world, p Plan) {
	m := newModel(w.cluster.Objects)
	before := m.facts(w.prefixes...)
	due := w.due(before)
	for round := 0; p.Changes != nil; round++ {
		if round > 20 {
			t.Fatalf("after 20 rounds there is still %v", lines(p.Changes))
		}
		failed, wrote := map[Key]bool{}, map[Key]bool{}
		var run func(changes []Change)
		run = func(changes []Change) {
			for _, c := range changes {
				key := c.Object.Key()
				switch {
				case slices.ContainsFunc(c.After, func(k Key) bool { return failed[k] }):
					failed[key] = true
				case round < 8 && r.IntN(2) == 0:
					failed[key] = true
					if !wrote[key] {
						run(Fallback(c, "d", m.list()))
					}
				default:
					m.apply(t, c, !wrote[key])
					wrote[key] = true
				}
				for f := range m.facts(w.prefixes...) {
					if !before[f] && !due[f] {
						t.Errorf("after %s: %v", c, f)
					}
				}
			}
		}
		run(p.Changes)
		w.cluster.Objects = m.list()
		p = plan(w.desired, w.cluster, now, few)
	}
	standing := m.facts(w.prefixes...)
	if !standing.within(due) {
		t.Errorf("too much after failures: %v", standing.minus(due))
	}
	for f := range due.minus(standing) {
		if f.namespace == "" || slices.Contains(w.cluster.Namespaces, Namespace{Name: f.namespace}) {
			t.Errorf("missing after failures: %v", f)
		}
	}
}

// checkAfter: from a cluster that is as it should be, one grant more or less is
// one write for each namespace that it means.
func checkAfter(t *testing.T, r *rand.Rand, w world) {
	m := newModel(w.cluster.Objects)
	for _, c := range plan(w.desired, w.cluster, now, few).Changes {
		m.apply(t, c, false)
	}
	w.cluster.Objects = m.list()
	before := m.facts(w.prefixes...)
	d := w.desired
	if len(d.Entries) > 0 && r.IntN(2) == 0 {
		d.Entries = slices.Delete(slices.Clone(d.Entries), 0, 1)
	} else {
		d.Entries = append(slices.Clone(d.Entries), api.Entry{Kind: api.User, Name: "new", Role: "view", Namespace: "pay-*"})
	}
	w.desired = api.Seal(d)
	due := w.due(before)
	differs := len(due.minus(before)) + len(before.minus(due))
	if changes := plan(w.desired, w.cluster, now, few).Changes; len(changes) != differs {
		t.Errorf("%d differences take %d writes: %v", differs, len(changes), lines(changes))
	}
}

func benchmarkState(people int) (api.DesiredState, Cluster) {
	d, c := api.DesiredState{Destination: "example"}, cluster()
	for i := range 100 {
		c.Namespaces = append(c.Namespaces, Namespace{Name: fmt.Sprint("n", i)})
	}
	roles := []string{"admin", "edit", "view", "logs"}
	for i := range people {
		d.Entries = append(d.Entries, api.Entry{
			Kind: api.User, Name: fmt.Sprintf("u%d@example.com", i/8), Role: roles[i%4], Namespace: fmt.Sprint("n", i%97),
		})
	}
	return api.Seal(d), c
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		d, c := benchmarkState(n)
		b.Run(fmt.Sprint("first/", n), func(b *testing.B) {
			for b.Loop() {
				New(d, c, now)
			}
		})
		for _, change := range New(d, c, now).Changes {
			c.Objects = append(c.Objects, change.Object)
		}
		b.Run(fmt.Sprint("nothing/", n), func(b *testing.B) {
			for b.Loop() {
				if p := New(d, c, now); p.Changes != nil {
					b.Fatal(p.Changes)
				}
			}
		})
	}
}
