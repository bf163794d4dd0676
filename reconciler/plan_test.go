package reconciler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infrahq/infra/api"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// state seals entries written "admin ann", "view @engineering payments" or
// "edit bob pay-* until +1h"; @ is a group.
func state(entries ...string) api.DesiredState {
	d := api.DesiredState{Destination: "example"}
	for _, text := range entries {
		fields := strings.Fields(text)
		e := api.Entry{Role: fields[0], Kind: api.User, Name: fields[1]}
		if g, ok := strings.CutPrefix(e.Name, "@"); ok {
			e.Kind, e.Name = api.Group, g
		}
		rest := fields[2:]
		if len(rest)%2 == 1 {
			e.Namespace, rest = rest[0], rest[1:]
		}
		if len(rest) == 2 {
			after, err := time.ParseDuration(rest[1])
			if err != nil {
				panic(err)
			}
			e.Expires = now.Add(after)
		}
		d.Entries = append(d.Entries, e)
	}
	return api.Seal(d)
}

// binding makes one of "name" or "namespace/name", a ClusterRole and subjects,
// with infra's labels.
func binding(key, role string, subjects ...string) Binding {
	b := Binding{Name: key, Role: RoleRef{"ClusterRole", role}, Version: "7", UID: "uid-" + key, Labels: map[string]string{
		ManagedByLabel: ManagedBy, DestinationLabel: "example"}}
	if namespace, name, ok := strings.Cut(key, "/"); ok {
		b.Namespace, b.Name = namespace, name
	}
	for _, s := range subjects {
		b.Subjects = append(b.Subjects, who(s))
	}
	return b
}

func who(text string) Subject {
	if g, ok := strings.CutPrefix(text, "@"); ok {
		return Subject{Kind: "Group", Name: g}
	}
	return Subject{Kind: "User", Name: text}
}

func say(subjects []Subject) string {
	var out []string
	for _, s := range subjects {
		switch s.Kind {
		case "User":
			out = append(out, s.Name)
		case "Group":
			out = append(out, "@"+s.Name)
		default:
			out = append(out, s.String())
		}
	}
	return strings.Join(out, " ")
}

// lines are the changes as text: what is done, to what, and who is in it then.
func lines(changes []Change) []string {
	var out []string
	for _, c := range changes {
		line := fmt.Sprintf("%s: %s %s/%s", c.Stage, c.Verb, c.Object.Namespace, c.Object.Name)
		line = strings.Replace(line, " /", " ", 1)
		if c.Verb != Delete {
			line += fmt.Sprintf(" (%s) [%s]", c.Object.Role.Name, say(c.Object.Subjects))
		}
		if c.Gains != nil {
			line += " gains " + say(c.Gains)
		}
		if c.Loses != nil {
			line += " loses " + say(c.Loses)
		}
		for _, k := range c.After {
			line += " after " + strings.TrimPrefix(k.Namespace+"/"+k.Name, "/")
		}
		out = append(out, line)
	}
	return out
}

func cluster(objects ...Binding) Cluster {
	c := Cluster{
		OwnNamespace: "infra",
		Namespaces: []Namespace{
			{Name: "default"}, {Name: "kube-system"}, {Name: "infra"}, {Name: "payments"}, {Name: "pay-eu"}, {Name: "ending", Terminating: true},
		},
		Roles:   []Role{{Name: "deploy-bot", Included: true}, {Name: "unlabelled"}, {Name: "logs", Included: true}},
		Objects: objects,
	}
	for _, name := range BuiltIn() {
		c.Roles = append(c.Roles, Role{Name: name})
	}
	return c
}

func crowd(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("u%03d", i))
	}
	return out
}

func grants(role string, people []string) []string {
	var out []string
	for _, p := range people {
		out = append(out, role+" "+p)
	}
	return out
}

func TestPlan(t *testing.T) {
	t.Parallel()
	unlabelled := binding("infra:example:admin", "admin", "ann")
	unlabelled.Labels = map[string]string{"team": "sre"}
	roleRef := binding("payments/infra:example:x", "admin", "ann")
	roleRef.Role.Kind = "Role"
	robot := binding("infra:example:admin", "admin", "ann")
	robot.Subjects = append(robot.Subjects, Subject{Kind: "ServiceAccount", Namespace: "ci", Name: "robot"})
	formerly := func(d api.DesiredState) api.DesiredState { d.Formerly = []string{"old"}; return api.Seal(d) }

	for name, test := range map[string]struct {
		desired api.DesiredState
		cluster Cluster
		want    []string
		held    []api.Held
	}{
		"a first grant makes a binding": {
			desired: state("admin fisher"), cluster: cluster(),
			want: []string{"add: create infra:example:admin (admin) [fisher] gains fisher"},
		},
		"a user and a group of the same name are two subjects": {
			desired: state("view ops", "view @ops"), cluster: cluster(),
			want: []string{"add: create infra:example:view (view) [@ops ops] gains @ops ops"},
		},
		"logs, exec and port-forward are ClusterRoles of the chart": {
			desired: state("logs ann", "exec ann", "port-forward ann"), cluster: cluster(),
			want: []string{
				"add: create infra:example:exec (infra:exec) [ann] gains ann",
				"add: create infra:example:logs (infra:logs) [ann] gains ann",
				"add: create infra:example:port-forward (infra:port-forward) [ann] gains ann",
			},
		},
		"a second grant is one update, and nobody changes places": {
			desired: state("admin zoe", "admin ann", "admin bob"),
			cluster: cluster(binding("infra:example:admin", "admin", "zoe", "bob")),
			want:    []string{"add: update infra:example:admin (admin) [zoe bob ann] gains ann"},
		},
		"nothing is written where nothing differs, whatever the order": {
			desired: state("admin ann", "admin bob", "view ann payments"),
			cluster: cluster(binding("infra:example:admin", "admin", "bob", "ann"), binding("payments/infra:example:view", "view", "ann")),
		},
		"a removed grant is one update": {
			desired: state("admin ann"),
			cluster: cluster(binding("infra:example:admin", "admin", "bob", "ann")),
			want:    []string{"take: update infra:example:admin (admin) [ann] loses bob"},
		},
		"the last removed grant deletes the binding": {
			desired: state(), cluster: cluster(binding("infra:example:admin", "admin", "bob")),
			want: []string{"take: delete infra:example:admin loses bob"},
		},
		"who leaves goes before who joins, in the same binding too": {
			desired: state("admin bob"), cluster: cluster(binding("infra:example:admin", "admin", "ann")),
			want: []string{
				"take: update infra:example:admin (admin) [] loses ann",
				"add: update infra:example:admin (admin) [bob] gains bob after infra:example:admin",
			},
		},
		"an expired grant is not wanted": {
			desired: state("admin ann until 0s", "view ann until 1ns"), cluster: cluster(binding("infra:example:admin", "admin", "ann")),
			want: []string{
				"take: delete infra:example:admin loses ann",
				"add: create infra:example:view (view) [ann] gains ann",
			},
		},
		"the hundred-and-first goes into a second binding": {
			desired: state(grants("view", crowd(101))...), cluster: cluster(binding("infra:example:view", "view", crowd(100)...)),
			want: []string{"add: create infra:example:view:2 (view) [u100] gains u100"},
		},
		"a gap in a full binding is filled before another is made": {
			desired: state(grants("view", append(crowd(100), "zoe"))...),
			cluster: cluster(binding("infra:example:view", "view", crowd(99)...), binding("infra:example:view:2", "view", "zoe")),
			want:    []string{"add: update infra:example:view (view) [" + strings.Join(crowd(100), " ") + "] gains u099"},
		},
		"a name that is taken by another role is not used": {
			desired: state("view ann", "admin ann"),
			cluster: cluster(binding("infra:example:view", "admin", "ann")),
			want:    []string{"add: create infra:example:view:2 (view) [ann] gains ann"},
		},
		"a role reference that nobody was granted is deleted with its binding": {
			desired: state("view ann"), cluster: cluster(binding("infra:example:view", "cluster-admin", "ann")),
			want: []string{
				"take: delete infra:example:view loses ann",
				"add: create infra:example:view:2 (view) [ann] gains ann",
			},
		},
		"a reference to a Role is never infra's doing": {
			desired: state("admin ann payments"), cluster: cluster(roleRef),
			want: []string{
				"take: delete payments/infra:example:x loses ann",
				"add: create payments/infra:example:admin (admin) [ann] gains ann",
			},
		},
		"subjects that others put into a binding are removed": {
			desired: state("admin ann"), cluster: cluster(robot),
			want: []string{"take: update infra:example:admin (admin) [ann] loses ServiceAccount/ci/robot"},
		},
		"a subject listed twice is listed once again, and loses nothing": {
			desired: state("admin ann"), cluster: cluster(binding("infra:example:admin", "admin", "ann", "ann")),
			want: []string{"take: update infra:example:admin (admin) [ann]"},
		},
		"a subject in two bindings stays in the one that needs no change": {
			desired: state("admin ann"),
			cluster: cluster(binding("infra:example:admin", "admin", "ann", "eve"), binding("infra:example:admin:2", "admin", "ann")),
			want:    []string{"take: delete infra:example:admin loses eve"},
		},
		"labels are repaired": {
			desired: state("admin ann"), cluster: cluster(unlabelled),
			want: []string{"keep: update infra:example:admin (admin) [ann]"},
		},
		"labels are repaired along with another change": {
			desired: state("admin ann", "admin bob"), cluster: cluster(unlabelled),
			want: []string{"add: update infra:example:admin (admin) [ann bob] gains bob"},
		},
		"bindings of other names are not touched": {
			desired: state("admin ann"),
			cluster: cluster(binding("infra:example:admin", "admin", "ann"), binding("infra:example-2:admin", "admin", "eve"),
				binding("infra:exam:admin", "admin", "eve"), binding("example:admin", "admin", "eve"), binding("payments/other", "edit", "eve")),
		},
		"a labelled ClusterRole is a role": {
			desired: state("deploy-bot ann"), cluster: cluster(),
			want: []string{"add: create infra:example:deploy-bot (deploy-bot) [ann] gains ann"},
		},
		"a role that lost its label is unbound and held": {
			desired: state("unlabelled ann", "unlabelled bob payments"), cluster: cluster(binding("infra:example:unlabelled", "unlabelled", "ann")),
			want: []string{"take: delete infra:example:unlabelled loses ann"},
			held: []api.Held{
				{Role: "unlabelled", Subjects: 1, Reason: `ClusterRole "unlabelled" does not have the label app.infrahq.com/include-role=true`},
				{Role: "unlabelled", Namespace: "payments", Subjects: 1, Reason: `ClusterRole "unlabelled" does not have the label app.infrahq.com/include-role=true`},
			},
		},
		"a role that does not exist is held": {
			desired: state("nosuch ann", "nosuch bob", "view ann"), cluster: cluster(),
			want: []string{"add: create infra:example:view (view) [ann] gains ann"},
			held: []api.Held{{Role: "nosuch", Subjects: 2, Reason: `ClusterRole "nosuch" does not exist`}},
		},
		"a ClusterRole called logs does not stand in for infra's": {
			desired: state("logs ann"), cluster: Cluster{Roles: []Role{{Name: "logs", Included: true}}},
			held: []api.Held{{Role: "logs", Subjects: 1, Reason: `ClusterRole "infra:logs" does not exist`}},
		},
		"infra's own ClusterRoles have one name only": {
			desired: state("infra:exec ann"), cluster: Cluster{Roles: []Role{{Name: "infra:exec", Included: true}}},
			held: []api.Held{{Role: "infra:exec", Subjects: 1, Reason: `a role that begins with "infra:" is infra's own and cannot be granted by that name`}},
		},
		"a namespace that does not exist holds its grants, and no others": {
			desired: state("view ann nowhere", "view bob nowhere", "view ann payments"), cluster: cluster(),
			want: []string{"add: create payments/infra:example:view (view) [ann] gains ann"},
			held: []api.Held{{Role: "view", Namespace: "nowhere", Subjects: 2, Reason: `namespace "nowhere" does not exist`}},
		},
		"in a namespace that ends there are removals only": {
			desired: state("view ann ending", "view bob ending", "edit ann ending"),
			cluster: cluster(binding("ending/infra:example:view", "view", "ann", "eve"), binding("ending/infra:example:admin", "admin", "eve")),
			want: []string{
				"take: delete ending/infra:example:admin loses eve",
				"take: update ending/infra:example:view (view) [ann] loses eve",
			},
			held: []api.Held{
				{Role: "edit", Namespace: "ending", Subjects: 1, Reason: `namespace "ending" is being deleted`},
				{Role: "view", Namespace: "ending", Subjects: 1, Reason: `namespace "ending" is being deleted`},
			},
		},
		"a list of namespaces that lags behind unbinds nobody": {
			desired: state("view ann payments", "view bob pay*"),
			cluster: Cluster{Roles: []Role{{Name: "view"}}, Objects: []Binding{binding("payments/infra:example:view", "view", "ann", "bob")}},
		},
		"a pattern is every namespace that matches": {
			desired: state("view ann pay*"), cluster: cluster(),
			want: []string{
				"add: create pay-eu/infra:example:view (view) [ann] gains ann",
				"add: create payments/infra:example:view (view) [ann] gains ann",
			},
		},
		"a pattern never is kube-system or the connector's own namespace": {
			desired: state("view ann *", "view ann kube-*", "view ann inf*"), cluster: cluster(binding("default/infra:example:view", "view", "ann")),
			want: []string{
				"add: create pay-eu/infra:example:view (view) [ann] gains ann",
				"add: create payments/infra:example:view (view) [ann] gains ann",
			},
			held: []api.Held{{Role: "view", Namespace: "ending", Subjects: 1, Reason: `namespace "ending" is being deleted`}},
		},
		"kube-system is bound where it is written out": {
			desired: state("view ann kube-system", "view ann infra"), cluster: cluster(),
			want: []string{
				"add: create infra/infra:example:view (view) [ann] gains ann",
				"add: create kube-system/infra:example:view (view) [ann] gains ann",
			},
		},
		"a pattern that matches nothing is not held": {
			desired: state("view ann zz*"), cluster: cluster(),
		},
		"a pattern and a name for the same namespace are one subject": {
			desired: state("view ann pay-eu", "view ann pay-*"), cluster: cluster(),
			want: []string{"add: create pay-eu/infra:example:view (view) [ann] gains ann"},
		},
		"bindings of a former name are made anew, then deleted": {
			desired: formerly(state("admin ann", "view bob")),
			cluster: cluster(binding("infra:old:admin", "admin", "ann"), binding("infra:older:admin", "admin", "ann")),
			want: []string{
				"keep: create infra:example:admin (admin) [ann]",
				"take: delete infra:old:admin after infra:example:admin",
				"add: create infra:example:view (view) [bob] gains bob",
			},
		},
		"adopting widens nobody's access before it narrows": {
			desired: formerly(state("admin ann", "admin bob")),
			cluster: cluster(binding("infra:old:admin", "admin", "ann", "eve")),
			want: []string{
				"keep: create infra:example:admin (admin) [ann]",
				"take: delete infra:old:admin loses eve",
				"add: update infra:example:admin (admin) [ann bob] gains bob after infra:example:admin",
			},
		},
		"nothing is adopted in a namespace that ends": {
			desired: formerly(state("admin ann ending")), cluster: cluster(binding("ending/infra:old:admin", "admin", "ann")),
			want: []string{"take: delete ending/infra:old:admin loses ann"},
			held: []api.Held{{Role: "admin", Namespace: "ending", Subjects: 1, Reason: `namespace "ending" is being deleted`}},
		},
		"what takes away comes before what adds, over all places": {
			desired: state("admin ann", "view bob payments"),
			cluster: cluster(binding("infra:example:view", "view", "ann"), binding("payments/infra:example:edit", "edit", "bob", "ann")),
			want: []string{
				"take: delete infra:example:view loses ann",
				"take: delete payments/infra:example:edit loses ann bob",
				"add: create infra:example:admin (admin) [ann] gains ann",
				"add: create payments/infra:example:view (view) [bob] gains bob",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(test.desired, test.cluster, now)
			if diff := cmp.Diff(test.want, lines(p.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.held, p.Held); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			for _, c := range p.Changes {
				if c.Verb != Delete && (c.Object.Labels[ManagedByLabel] != "infra" || c.Object.Labels[DestinationLabel] != "example") {
					t.Errorf("%s writes labels %v", c, c.Object.Labels)
				}
				if (c.Verb == Create) != (c.Object.UID == "" && c.Object.Version == "") && c.After == nil {
					t.Errorf("%s goes by version %q, UID %q", c, c.Object.Version, c.Object.UID)
				}
			}
		})
	}
}

func TestPlanKeepsLabelsOfOthers(t *testing.T) {
	t.Parallel()
	b := binding("infra:example:admin", "admin", "ann")
	b.Labels = map[string]string{"team": "sre", ManagedByLabel: "Helm"}
	p := New(state("admin ann"), cluster(b), now)
	want := map[string]string{"team": "sre", ManagedByLabel: "infra", DestinationLabel: "example"}
	if diff := cmp.Diff(want, p.Changes[0].Object.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if b.Labels[ManagedByLabel] != "Helm" {
		t.Error("the plan wrote into what it was given")
	}
}

func TestForeignBindingsAreListed(t *testing.T) {
	t.Parallel()
	role := binding("payments/theirs", "payer", "ann")
	role.Role.Kind = "Role"
	c := cluster(
		binding("sre", "cluster-admin", "ann", "@ops", "stranger", "ann"),
		role,
		binding("infra:another:view", "view", "ann"),
		binding("infra:example:view", "view", "ann"),
		binding("unrelated", "view", "stranger", "ops"),
	)
	p := New(state("view ann", "view @ops payments", "admin gone until -1h"), c, now)
	want := []api.Foreign{
		{Name: "infra:another:view", Role: "ClusterRole/view", Subjects: []string{"User/ann"}},
		{Name: "sre", Role: "ClusterRole/cluster-admin", Subjects: []string{"Group/ops", "User/ann"}},
		{Namespace: "payments", Name: "theirs", Role: "Role/payer", Subjects: []string{"User/ann"}},
	}
	if diff := cmp.Diff(want, p.Foreign); diff != "" {
		t.Errorf("foreign (-want +got):\n%s", diff)
	}
}

func TestPlanSaysWhatElseIsThere(t *testing.T) {
	t.Parallel()
	d := state("view ann", "view bob until 2h", "view eve until 1h", "view old until -1h")
	d.Formerly = []string{"old"}
	p := New(api.Seal(d), cluster(binding("infra:example:view", "view"), binding("infra:old:view", "view"), binding("x", "view")), now)
	if want := now.Add(time.Hour); !p.Until.Equal(want) {
		t.Errorf("until %v, want %v", p.Until, want)
	}
	if p.Owned != 2 {
		t.Errorf("%d bindings are infra's, want 2", p.Owned)
	}
	if want := []string{"deploy-bot"}; !slices.Equal(p.Roles, want) {
		t.Errorf("roles %v, want %v", p.Roles, want)
	}
	if p := New(state("view ann"), cluster(), now); !p.Until.IsZero() {
		t.Errorf("without expiries it is good until %v", p.Until)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	d := state("view ann")
	d.Mode = api.Suspend
	if diff := cmp.Diff(Plan{}, New(api.Seal(d), cluster(binding("infra:example:view", "view", "eve")), now)); diff != "" {
		t.Errorf("suspended, it plans:\n%s", diff)
	}
	d.Mode = api.Observe
	if p := New(api.Seal(d), cluster(), now); len(p.Changes) != 1 {
		t.Errorf("observed, it plans %d changes, want 1", len(p.Changes))
	}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	objects := []Binding{binding("payments/infra:example:logs", "infra:logs", "ann", "eve"), binding("infra:example:view", "view", "eve")}
	c := cluster(objects...)
	p := New(state("logs ann payments", "view ann"), c, now)
	var got []string
	for _, change := range p.Changes {
		got = append(got, "for "+string(change.Verb)+" "+change.Object.Name)
		got = append(got, lines(Fallback(change, "example", objects))...)
	}
	want := []string{
		"for update infra:example:view",
		"take: delete infra:example:view loses eve",
		"for update infra:example:logs",
		"keep: create payments/infra:example:logs:2 (infra:logs) [ann]",
		"take: delete payments/infra:example:logs loses eve after payments/infra:example:logs:2",
		"for update infra:example:view",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fallbacks (-want +got):\n%s", diff)
	}
	if f := Fallback(p.Changes[1], "example", nil); f != nil {
		t.Errorf("a binding that is gone has the fallback %v", lines(f))
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"pay-*", "pay-eu", true}, {"pay-*", "pay-", true}, {"pay-*", "payments", false}, {"*", "x", true},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"*b*b*", "b", false}, {"*b*b*", "bxb", true}, {"a*b*c", "abbc", true},
		{"a?c", "abc", false}, {"[a]", "a", false}, {"**", "", true}, {"x*yx", "xyyx", true}, {"*ab", "abab", true},
	} {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("%q matches %q: %t, want %t", test.pattern, test.name, got, test.want)
		}
	}
}
