package adopt_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/adopt"
	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

func user(name string) reconciler.Subject  { return reconciler.Subject{Kind: "User", Name: name} }
func group(name string) reconciler.Subject { return reconciler.Subject{Kind: "Group", Name: name} }

func clusterBinding(name, role string, subjects ...reconciler.Subject) adopt.Binding {
	return adopt.Binding{Kind: adopt.ClusterRoleBinding, Name: name, Role: reconciler.RoleRef{Kind: "ClusterRole", Name: role}, Subjects: subjects}
}

func binding(namespace, name, role string, subjects ...reconciler.Subject) adopt.Binding {
	b := clusterBinding(name, role, subjects...)
	b.Kind, b.Namespace = adopt.RoleBinding, namespace
	return b
}

func ofRole(b adopt.Binding) adopt.Binding {
	b.Role.Kind = "Role"
	return b
}

func system(b adopt.Binding) adopt.Binding {
	b.System = true
	return b
}

func rules(verbs ...string) []schema.Rule {
	return []schema.Rule{{APIGroups: []string{"apps"}, Resources: []string{"deployments"}, Verbs: verbs}}
}

// roles are those of the cluster of the tests.
var roles = []adopt.Role{
	{Name: "cluster-admin", Rules: rules("*")},
	{Name: "admin", Rules: rules("delete"), Aggregated: true},
	{Name: "edit", Rules: rules("update"), Aggregated: true},
	{Name: "view", Rules: rules("get"), Aggregated: true},
	{Name: "infra:logs", Rules: rules("logs")},
	{Name: "system:node", Rules: rules("node")},
	{Name: "labelled", Rules: rules("label"), Included: true},
	{Name: "restart", Rules: rules("patch")},
	{Name: "metrics", Rules: rules("metrics"), Aggregated: true},
	{Name: "nothing"},
	{Name: "exec", Rules: rules("exec")},
	{Name: "strange", Rules: rules("get\u200b")},
	{Name: "taken", Rules: rules("list")},
	{Namespace: "web", Name: "deploy", Rules: rules("create", "proxy")},
	{Namespace: "api", Name: "deploy", Rules: []schema.Rule{rules("proxy")[0], rules("create")[0]}},
	{Namespace: "kube-system", Name: "deploy", Rules: rules("*")},
	{Namespace: "web", Name: "differs", Rules: rules("evict")},
	{Namespace: "api", Name: "differs", Rules: rules("drain")},
	{Namespace: "web", Name: "taken", Rules: rules("watch")},
	{Namespace: "web", Name: "view", Rules: rules("*")},
}

// before is what the repository of the tests says.
func before() *schema.Snapshot {
	at := func(line int) schema.Pos { return schema.Pos{File: "grants/prod.yaml", Line: line, Column: 5} }
	person := func(name string) schema.Subject { return schema.Subject{Kind: schema.User, Name: name} }
	prod := schema.Target{Destination: "prod"}
	return &schema.Snapshot{
		Grants: []schema.Grant{
			{Subject: person("had@example.com"), Role: "view", Target: prod, Pos: at(2)},
			{Subject: person("ends@example.com"), Role: "view", Target: prod, Expires: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), Pos: at(5)},
			{Subject: schema.Subject{Kind: schema.GroupKind, Name: "team"}, Role: "edit", Target: schema.Target{Destination: "*", Namespace: "web"}, Pos: at(8)},
		},
		Groups:       []schema.Group{{Name: "team", Users: []schema.Member{{Name: "member@example.com"}}, Pos: schema.Pos{File: "groups/team.yaml", Line: 2, Column: 5}}},
		Destinations: []schema.Destination{{Name: "prod"}, {Name: "oidc", Subjects: schema.SubjectNames{UserPrefix: "oidc:", GroupPrefix: "g:"}}},
		Revoked:      schema.Revoked{Revocations: []schema.Revocation{{User: "gone@example.com"}}},
	}
}

// after is what the repository says once it has what a plan adds.
func after(s *schema.Snapshot, p adopt.Plan) *schema.Snapshot {
	out := *s
	out.Grants = append(slices.Clone(s.Grants), p.Grants...)
	out.Groups = append(slices.Clone(s.Groups), p.Groups...)
	return &out
}

func TestWhatBecomesOfABinding(t *testing.T) {
	ann := user("ann@example.com")
	for _, test := range []struct {
		name        string
		binding     adopt.Binding
		others      []adopt.Binding
		destination string
		want        string // fate, and the grant or the reason
	}{
		{name: "a built-in role on the cluster", binding: clusterBinding("x", "cluster-admin", ann), want: "granted ann@example.com cluster-admin on prod"},
		{name: "a ClusterRole in a namespace", binding: binding("web", "x", "edit", ann), want: "granted ann@example.com edit on prod.web"},
		{name: "a group", binding: binding("web", "x", "view", group("sre")), want: `granted group "sre" view on prod.web`},
		{name: "a role of the chart", binding: binding("web", "x", "infra:logs", ann), want: "granted ann@example.com logs on prod.web"},
		{name: "a role of the chart where it is not installed", binding: binding("web", "x", "infra:exec", ann), want: "left ClusterRole infra:exec does not exist, so it gives nothing"},
		{name: "a ClusterRole of the cluster's own", binding: clusterBinding("x", "restart", ann), want: "granted ann@example.com restart on prod"},
		{name: "a Role that is the same in two namespaces", binding: ofRole(binding("web", "x", "deploy", ann)),
			others: []adopt.Binding{ofRole(binding("api", "y", "deploy", ann)), ofRole(binding("kube-system", "z", "deploy", ann))}, want: "granted ann@example.com deploy on prod.web"},
		{name: "a Role that is another one elsewhere", binding: ofRole(binding("web", "x", "differs", ann)),
			others: []adopt.Binding{ofRole(binding("api", "y", "differs", ann))}, want: "left Role differs has other rules in namespace api"},
		{name: "a Role that is called like another ClusterRole", binding: ofRole(binding("web", "x", "taken", ann)), want: "left Role taken has other rules than the ClusterRole of that name"},
		{name: "a Role that is called like a built-in role", binding: ofRole(binding("web", "x", "view", ann)), want: "left Role view has the name of a built-in role, and is none"},
		{name: "a ClusterRole that is called like a role of the chart", binding: clusterBinding("x", "exec", ann), want: "left ClusterRole exec has the name of a built-in role, and is none"},
		{name: "an aggregated ClusterRole", binding: clusterBinding("x", "metrics", ann), want: "left ClusterRole metrics is put together from other roles, so its rules may change"},
		{name: "a role without rules", binding: clusterBinding("x", "nothing", ann), want: "left ClusterRole nothing has no rules, so it gives nothing"},
		{name: "a role that is not there", binding: ofRole(binding("web", "x", "away", ann)), want: "left Role away does not exist, so it gives nothing"},
		{name: "a role of Kubernetes", binding: clusterBinding("x", "system:node", ann), want: "left ClusterRole system:node is Kubernetes' own"},
		{name: "rules with what cannot be seen", binding: clusterBinding("x", "strange", ann), want: "left role \"strange\": verbs: \"get\ufffd\": an invisible character (U+200B) in a name"},
		{name: "a ServiceAccount", binding: binding("web", "x", "view", reconciler.Subject{Kind: "ServiceAccount", Namespace: "web", Name: "ci"}), want: "left infra grants to people and groups, not to ServiceAccounts"},
		{name: "everybody", binding: clusterBinding("x", "view", group("system:authenticated")), want: "left names that begin with system: are Kubernetes' own"},
		{name: "a subject of no kind", binding: clusterBinding("x", "view", reconciler.Subject{Kind: "Robot", Name: "r"}), want: "left a subject of kind Robot is nobody"},
		{name: "an address in capitals", binding: clusterBinding("x", "view", user("Ann@example.com")), want: `left user "Ann@example.com": e-mail addresses are in lower case: "ann@example.com"`},
		{name: "kube-system", binding: binding("kube-system", "x", "view", ann), want: "left a role in a kube-* namespace is as good as cluster-admin: write that grant by hand"},
		{name: "a binding of a connector", binding: clusterBinding("infra:prod:view", "view", ann), want: "left it is infra's own"},
		{name: "a binding of Kubernetes", binding: system(clusterBinding("cluster-admin", "cluster-admin", ann)), want: "left it is Kubernetes' own"},
		{name: "a binding that only looks like one of Kubernetes", binding: clusterBinding("system:mine", "view", ann), want: "granted ann@example.com view on prod"},
		{name: "a binding that only has the label of one", binding: system(clusterBinding("mine", "view", ann)), want: "granted ann@example.com view on prod"},
		{name: "a RoleBinding from a manifest that does not say its namespace", binding: binding("", "x", "view", ann), want: "left it does not say its namespace"},
		{name: "what is granted already", binding: clusterBinding("x", "view", user("had@example.com")), want: "unchanged had@example.com view on prod"},
		{name: "what is granted through a group, on a pattern", binding: binding("web", "x", "edit", user("member@example.com")), want: `unchanged group "team" edit on *.web`},
		{name: "what is granted until some time", binding: clusterBinding("x", "view", user("ends@example.com")), want: "left it is granted at grants/prod.yaml:5:5, with an end that the binding does not have"},
		{name: "a group that is declared", binding: clusterBinding("x", "view", group("team")), want: `left group "team" is declared at groups/team.yaml:2:5: a grant would be to those who are in it there`},
		{name: "who is revoked", binding: clusterBinding("x", "view", user("gone@example.com")), want: "left gone@example.com is revoked, so a grant would give nothing"},
		{name: "a name with the cluster's prefix", destination: "oidc", binding: clusterBinding("x", "view", user("oidc:ann@example.com")), want: "granted ann@example.com view on oidc"},
		{name: "a name without it", destination: "oidc", binding: clusterBinding("x", "view", group("sre")), want: `left names of groups on oidc begin with "g:", and this one does not`},
	} {
		t.Run(test.name, func(t *testing.T) {
			destination := test.destination
			if destination == "" {
				destination = "prod"
			}
			o := adopt.Objects{Bindings: append(test.others, test.binding), Roles: roles, Complete: true}
			s := before()
			p := adopt.New(o, s, destination, adopt.Options{})
			i := slices.IndexFunc(p.Items, func(i adopt.Item) bool { return i.Binding.Compare(test.binding) == 0 })
			a := p.Items[i].Subjects[0]
			got := fmt.Sprint(a.Fate, " ", a.Reason)
			if a.Fate != adopt.Left {
				got = fmt.Sprint(a.Fate, " ", a.Grant)
			}
			if got != test.want {
				t.Errorf("it became %s\nwant      %s", got, test.want)
			}
			if p.Items[i].Superseded() != (a.Fate != adopt.Left) {
				t.Errorf("superseded: %t", p.Items[i].Superseded())
			}
			if _, err := adopt.Prove(o, p, s, after(s, p)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestARoleThatNoManifestHasIsNotTrusted(t *testing.T) {
	o := adopt.Objects{Bindings: []adopt.Binding{clusterBinding("x", "restart", user("ann")), clusterBinding("y", "view", user("ann"))}}
	p := adopt.New(o, &schema.Snapshot{}, "prod", adopt.Options{})
	if got := p.Items[0].Subjects[0]; got.Reason != "ClusterRole restart is not among the manifests, so its rules are not known" {
		t.Errorf("restart: %+v", got)
	}
	if got := p.Items[1].Subjects[0]; got.Fate != adopt.Adopted {
		t.Errorf("view: %+v", got)
	}
}

func TestCustomRolesAreListedLabelledAndMade(t *testing.T) {
	s := before()
	s.Grants = append(s.Grants, schema.Grant{Subject: schema.Subject{Kind: schema.User, Name: "old"}, Role: "labelled", Target: schema.Target{Destination: "*"}})
	o := adopt.Objects{Complete: true, Roles: roles, Bindings: []adopt.Binding{
		clusterBinding("x", "restart", user("ann")),
		ofRole(binding("web", "y", "deploy", user("ann"))),
	}}
	p := adopt.New(o, s, "prod", adopt.Options{})
	want := adopt.Steps{Label: []string{"restart"}, Make: []schema.Role{{Name: "deploy", Rules: rules("create", "proxy")}}}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Errorf("steps:\n%s", diff)
	}
	listed := []schema.Role{{Name: "deploy", Rules: rules("create", "proxy")}, {Name: "labelled", Rules: rules("label")}, {Name: "restart", Rules: rules("patch")}}
	if diff := cmp.Diff(listed, p.Roles); diff != "" {
		t.Errorf("roles:\n%s", diff)
	}
}

func TestPeopleWhoAreBoundTogetherBecomeAGroup(t *testing.T) {
	ann, bob, zoe := user("ann"), user("bob"), user("zoe")
	o := adopt.Objects{Complete: true, Roles: roles, Bindings: []adopt.Binding{
		binding("web", "web-team", "edit", ann, bob),
		binding("api", "web-team", "view", bob, ann, reconciler.Subject{Kind: "ServiceAccount", Name: "ci"}),
		binding("api", "pair", "edit", ann, zoe),
		clusterBinding("x", "view", group("web-team")), // so that name is a group of the identity provider
	}}
	s := &schema.Snapshot{}
	p := adopt.New(o, s, "prod", adopt.Options{Groups: true})
	want := []schema.Group{{Name: "web-team-2", Destination: "prod", Users: []schema.Member{{Name: "ann"}, {Name: "bob"}}}}
	if diff := cmp.Diff(want, p.Groups); diff != "" {
		t.Error(diff)
	}
	if len(p.Grants) != 5 {
		t.Errorf("grants: %v", p.Grants)
	}
	made := after(s, p)
	if _, err := adopt.Prove(o, p, s, made); err != nil {
		t.Error(err)
	}
	again := adopt.New(o, made, "prod", adopt.Options{Groups: true})
	if len(again.Grants)+len(again.Groups) > 0 {
		t.Errorf("the second time: %v %v", again.Grants, again.Groups)
	}
	refused := adopt.New(o, s, "prod", adopt.Options{Groups: true, Refused: map[schema.Grant]string{p.Grants[2]: "no"}})
	if _, err := adopt.Prove(o, refused, s, after(s, refused)); err != nil {
		t.Error(err)
	}
}

func TestWhatInfraEnforcesCanBeDeleted(t *testing.T) {
	o := adopt.Objects{Complete: true, Roles: roles, Bindings: []adopt.Binding{
		clusterBinding("x", "view", user("ann"), group("sre")),
		clusterBinding("y", "infra:logs", user("ann")),
		clusterBinding("infra:prod:view", "view", user("ann")),
		clusterBinding("infra:prod:logs", "infra:logs", user("ann")),
		clusterBinding("infra:other:view", "view", group("sre")),
	}}
	enforced := func() string {
		out := ""
		for _, i := range adopt.New(o, &schema.Snapshot{}, "prod", adopt.Options{}).Items {
			if i.Enforced {
				out += i.Binding.Name + " "
			}
		}
		return out
	}
	if got := enforced(); got != "y " {
		t.Errorf("enforced: %s", got)
	}
	o.Bindings = append(o.Bindings, clusterBinding("infra:prod:view:2", "view", group("sre")))
	if got := enforced(); got != "x y " {
		t.Errorf("enforced: %s", got)
	}
}

func TestOnlyWhatEveryClusterHasIsExpected(t *testing.T) {
	p := adopt.Plan{Destination: "prod"}
	for _, test := range []struct {
		binding adopt.Binding
		want    bool
	}{
		{system(clusterBinding("cluster-admin", "cluster-admin", group("system:masters"))), true},
		{system(clusterBinding("cluster-admin", "cluster-admin", group("system:masters"), user("ann"))), false},
		{system(clusterBinding("mine", "cluster-admin")), false},
		{clusterBinding("system:mine", "cluster-admin"), false},
		{clusterBinding("infra:prod:view", "view", user("ann")), true},
		{clusterBinding("infra:other:view", "view", user("ann")), false},
		{clusterBinding("x", "view", user("ann")), false},
	} {
		if got := p.Expected(test.binding); got != test.want {
			t.Errorf("%s of %v: %t", test.binding.Name, test.binding.Subjects, got)
		}
	}
}

func TestOwnersAreFoundByWhatTheyWrite(t *testing.T) {
	for _, test := range []struct {
		labels, annotations map[string]string
		references          []string
		want                string
	}{
		{want: ""},
		{annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"}, want: ""},
		{annotations: map[string]string{"argocd.argoproj.io/tracking-id": "apps:rbac.authorization.k8s.io/RoleBinding:web/x"}, want: "Argo CD apps"},
		{labels: map[string]string{"argocd.argoproj.io/instance": "apps"}, want: "Argo CD apps"},
		{labels: map[string]string{"app.kubernetes.io/instance": "apps"}, want: "Argo CD apps"},
		{labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}, want: "Flux Kustomization flux-system/apps"},
		{labels: map[string]string{"helm.toolkit.fluxcd.io/name": "web", "app.kubernetes.io/managed-by": "Helm"}, want: "Flux HelmRelease web"},
		{labels: map[string]string{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "web"}, want: "Helm web"},
		{annotations: map[string]string{"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "default"}, want: "Helm default/web"},
		{labels: map[string]string{"app.kubernetes.io/managed-by": "Helm"}, annotations: map[string]string{"argocd.argoproj.io/tracking-id": "web:x"}, want: "Argo CD web"},
		{labels: map[string]string{"rbac-manager": "reactiveops"}, want: "rbac-manager"},
		{labels: map[string]string{"rbac-manager": "reactiveops"}, references: []string{"RBACDefinition/joe"}, want: "rbac-manager joe"},
		{references: []string{"ProjectRole/dev"}, want: "ProjectRole dev"},
	} {
		if got := adopt.OwnerOf(test.labels, test.annotations, test.references).String(); got != test.want {
			t.Errorf("%v %v %v: %q, want %q", test.labels, test.annotations, test.references, got, test.want)
		}
	}
}
