package way_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
	"github.com/infrahq/infra/test/way"
)

// A probe is something that is allowed by one role and by those that contain it,
// and by no other.
type probe struct {
	verb, group, resource, subresource string
	roles                              string // with blanks around each
}

// probes are one for each role. "reboot" stands for the custom role.
var probes = []probe{
	{"create", "", "resourcequotas", "", " cluster-admin "},
	{"create", "rbac.authorization.k8s.io", "rolebindings", "", " cluster-admin admin "},
	{"create", "", "configmaps", "", " cluster-admin admin edit "},
	{"get", "", "configmaps", "", " cluster-admin admin edit view "},
	{"get", "", "pods", "log", " cluster-admin admin edit view logs "},
	{"create", "", "pods", "exec", " cluster-admin admin edit exec "},
	{"create", "", "pods", "portforward", " cluster-admin admin edit port-forward "},
	{"reboot", "example.com", "machines", "", " cluster-admin reboot "},
}

// A question asks whether somebody may do what a probe says in a namespace;
// empty: in all of them.
type question struct {
	who       schema.Subject
	probe     int
	namespace string
}

func TestAnswersChangeForExactlyWhatTheDiffNames(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	config := w.AdminConfig()
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	reboot := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: w.Name + "-reboot", Labels: map[string]string{"app.infrahq.com/include-role": "true"}},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"example.com"}, Verbs: []string{"reboot"}, Resources: []string{"machines"}}},
	}
	if _, err := kube.RbacV1().ClusterRoles().Create(t.Context(), reboot, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kube.RbacV1().ClusterRoles().Delete(context.Background(), reboot.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})

	d := &differ{Rand: rand.New(rand.NewPCG(4, 4)), name: w.Name, custom: reboot.Name, namespaces: []string{w.Namespace(t), w.Namespace(t)}}
	d.namespaces = append(d.namespaces, "t*"+d.namespaces[0][strings.IndexByte(d.namespaces[0], '-'):])

	w.Commit("to begin with", d.files())
	w.InForce()
	table := d.table(t, w)
	answers := map[question]bool{}
	ask(t, kube, d.questions(), answers)
	const pairs = 100
	named, changed := 0, 0
	for pair := range pairs {
		before := table
		for files := d.files(); maps.Equal(files, d.files()); {
			d.change()
		}
		w.Commit(fmt.Sprintf("pair %d", pair), d.files())
		w.InForce()
		table = d.table(t, w)

		changes := access.Compare(before, table, time.Now())
		want := maps.Clone(answers)
		for q := range want {
			if d.names(changes, q, access.Gained) {
				want[q] = true
			}
			if d.names(changes, q, access.Lost) {
				want[q] = false
			}
			if want[q] != answers[q] {
				changed++
			}
		}
		for _, c := range changes {
			if c.Kind.OfAccess() {
				named++
			}
		}
		if wrong := d.compare(t, kube, want); len(wrong) > 0 {
			var said []string
			for _, c := range changes {
				said = append(said, fmt.Sprint(c.Subject, " ", c.Kind, " ", c.Role, " ", c.Target, " beside ", c.Others))
			}
			t.Fatalf("pair %d: the answers are not those before and what the diff names: %v\nthe diff:\n%s", pair, wrong, strings.Join(said, "\n"))
		}
		answers = want
	}
	t.Logf("in %d pairs %d changes were named and %d of %d answers changed", pairs, named, changed, pairs*len(answers))
	if named < pairs || changed < 5*pairs {
		t.Error("the dice change too little")
	}

	// What is in kube-system does not end with a namespace of the test.
	d.grants = nil
	w.Commit("nothing", d.files())
	w.InForce()
}

// compare asks everything until the answers are as wanted, since the authorizer
// learns of bindings by a watch; it gives the questions whose answers stay wrong.
func (d *differ) compare(t *testing.T, kube kubernetes.Interface, want map[question]bool) []string {
	t.Helper()
	questions := d.questions()
	for patience := time.Now().Add(10 * time.Second); ; {
		got := map[question]bool{}
		ask(t, kube, questions, got)
		questions = slices.DeleteFunc(questions, func(q question) bool { return got[q] == want[q] })
		if len(questions) == 0 {
			return nil
		}
		if time.Now().After(patience) {
			var wrong []string
			for _, q := range questions {
				wrong = append(wrong, fmt.Sprintf("%s %s in %q is %t", q.who, strings.Fields(probes[q.probe].roles), q.namespace, got[q]))
			}
			return wrong
		}
	}
}

// ask has the API server's authorizer answer questions, many at a time.
func ask(t *testing.T, kube kubernetes.Interface, questions []question, answers map[question]bool) {
	t.Helper()
	var group sync.WaitGroup
	var mu sync.Mutex
	const workers = 16
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < len(questions); i += workers {
				q := questions[i]
				p := probes[q.probe]
				spec := authorizationv1.SubjectAccessReviewSpec{User: q.who.Name, Groups: []string{"system:authenticated"}, ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: q.namespace, Verb: p.verb, Group: p.group, Resource: p.resource, Subresource: p.subresource,
				}}
				if q.who.Kind == schema.GroupKind {
					spec.User, spec.Groups = "somebody@example.com", append(spec.Groups, q.who.Name)
				}
				review, err := kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				answers[q] = review.Status.Allowed
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// A differ makes revisions by dice.
type differ struct {
	*rand.Rand
	name, custom string   // of the destination, and of a role of its own
	namespaces   []string // two, and a pattern that means both
	grants       []given
	groups       map[string][]string // members of the declared groups, as lines of a file
	revoked      string              // a line of a file
}

// A given is a grant in a file.
type given struct{ subject, role, destination, namespace, more string }

func (d *differ) pick(from ...string) string { return from[d.IntN(len(from))] }
func (d *differ) person(i int) string        { return fmt.Sprintf("p%d@%s.example.com", i, d.name) }

// anybody is a person, a declared group or one of the identity provider.
func (d *differ) anybody() string {
	if d.IntN(2) == 0 {
		return "user: " + d.person(d.IntN(4))
	}
	return fmt.Sprintf("group: %s-%s", d.name, d.pick("all", "team", "idp"))
}

func (d *differ) grant() given {
	g := given{
		subject:     d.anybody(),
		role:        d.pick("cluster-admin", "admin", "edit", "view", "logs", "exec", "port-forward", d.custom, "edit", "view"),
		destination: d.pick(d.name, d.name, d.name, "*", d.name[:2]+"*"),
		namespace:   d.pick(append(d.namespaces, "", "kube-system")...),
		more:        d.pick("", "", "", ", expires: 2020-01-01T00:00:00Z", ", expires: 2100-01-01T00:00:00Z"),
	}
	return g
}

// change changes a few things.
func (d *differ) change() {
	for range 1 + d.IntN(4) {
		switch i := d.IntN(max(1, len(d.grants))); {
		case len(d.grants) < 8 || len(d.grants) < 16 && d.IntN(3) == 0:
			d.grants = append(d.grants, d.grant())
		case d.IntN(3) == 0:
			d.grants[i] = d.grant()
		case d.IntN(2) == 0:
			d.grants = slices.Delete(d.grants, i, i+1)
		case d.IntN(3) == 0:
			d.revoked = d.pick("", "user: "+d.person(0), "group: "+d.name+"-team", "group: "+d.name+"-idp")
		default:
			d.declare()
		}
	}
}

// declare puts people into the groups.
func (d *differ) declare() {
	d.groups = map[string][]string{"all": {"users: [%s]", "groups: [%s]"}, "team": {"users: [%s]"}}
	for _, lines := range d.groups {
		var people []string
		for i := range 4 {
			if d.IntN(3) == 0 {
				people = append(people, d.person(i))
			}
		}
		lines[0] = fmt.Sprintf(lines[0], strings.Join(people, ", "))
		if len(lines) > 1 {
			lines[1] = fmt.Sprintf(lines[1], d.pick("", d.name+"-team", d.name+"-idp", d.name+"-team, "+d.name+"-idp"))
		}
	}
}

// files are what there is to commit.
func (d *differ) files() map[string]string {
	if d.groups == nil {
		d.declare()
	}
	own, shared, groups, revoked := "grants:\n", "grants:\n", "groups:\n", "revoked:\n"
	for _, g := range d.grants {
		resource := g.destination
		if g.namespace != "" {
			resource += "." + g.namespace
		}
		line := fmt.Sprintf("  - {%s, role: %s, resource: %q%s}\n", g.subject, g.role, resource, g.more)
		if g.destination == d.name {
			own += line
		} else {
			shared += line
		}
	}
	for _, name := range []string{"all", "team"} {
		groups += fmt.Sprintf("  - {name: %s-%s, %s}\n", d.name, name, strings.Join(d.groups[name], ", "))
	}
	if d.revoked != "" {
		revoked += "  - {" + d.revoked + "}\n"
	}
	for _, text := range []*string{&own, &shared, &revoked} {
		if strings.HasSuffix(*text, ":\n") {
			*text = strings.TrimSuffix(*text, "\n") + " []\n"
		}
	}
	return map[string]string{"grants/" + d.name + ".yaml": own, "grants/_shared.yaml": shared, "groups/teams.yaml": groups, "revoked.yaml": revoked}
}

// table is the access that the files give.
func (d *differ) table(t *testing.T, w *way.Way) *access.Table {
	t.Helper()
	s, problems, err := schema.Load(os.DirFS(w.Dir), nil)
	if err != nil || len(problems.Errors()) > 0 {
		t.Fatal(problems.Errors(), err)
	}
	return access.Resolve(s, s.Revoked)
}

// questions are all that there is to ask.
func (d *differ) questions() []question {
	subjects := []schema.Subject{{Kind: schema.GroupKind, Name: d.name + "-idp"}, {Kind: schema.GroupKind, Name: d.name + "-all"}, {Kind: schema.GroupKind, Name: d.name + "-team"}}
	for i := range 4 {
		subjects = append(subjects, schema.Subject{Kind: schema.User, Name: d.person(i)})
	}
	var out []question
	for _, who := range subjects {
		for i := range probes {
			for _, namespace := range append(d.namespaces[:2:2], "", "kube-system") {
				out = append(out, question{who, i, namespace})
			}
		}
	}
	return out
}

// names says whether a change of this kind names what is asked, and nothing that
// overlaps with the change excepts it.
func (d *differ) names(changes []access.Change, q question, kind access.Kind) bool {
	return slices.ContainsFunc(changes, func(c access.Change) bool {
		return c.Kind == kind && c.Subject == q.who && slices.Contains(c.Destinations, d.name) && d.allows(c.Role, c.Target.Namespace, q) &&
			!slices.ContainsFunc(c.Others, func(o access.Row) bool { return d.allows(o.Role, o.Target.Namespace, q) })
	})
}

// allows says whether a role on a namespace allows what is asked.
func (d *differ) allows(role, namespace string, q question) bool {
	if role == d.custom {
		role = "reboot"
	}
	reaches := namespace == "" || namespace == q.namespace
	if strings.Contains(namespace, "*") {
		reaches = q.namespace == d.namespaces[0] || q.namespace == d.namespaces[1]
	}
	return reaches && strings.Contains(probes[q.probe].roles, " "+role+" ")
}
