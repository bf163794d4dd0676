package schema_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/schema"
)

const prodEntry = "destinations/prod.yaml"

func prefix(text string) *string { return &text }

func change(c schema.DestinationChange) func(fstest.MapFS) (schema.Edit, error) {
	return func(fsys fstest.MapFS) (schema.Edit, error) { return schema.AddDestination(fsys, "prod", c) }
}

func addRoles(roles ...schema.Role) func(fstest.MapFS) (schema.Edit, error) {
	return func(fsys fstest.MapFS) (schema.Edit, error) { return schema.AddRoles(fsys, "prod", roles...) }
}

func removeRoles(names ...string) func(fstest.MapFS) (schema.Edit, error) {
	return func(fsys fstest.MapFS) (schema.Edit, error) { return schema.RemoveRoles(fsys, "prod", names...) }
}

var (
	observe = change(schema.DestinationChange{Mode: schema.ModeObserve})
	label   = change(schema.DestinationChange{Labels: map[string]string{"team": "web"}})
	unlabel = change(schema.DestinationChange{Labels: map[string]string{"env": ""}})
	prefixs = change(schema.DestinationChange{UserPrefix: prefix("oidc:"), GroupPrefix: prefix("oidc:")})
	bare    = change(schema.DestinationChange{UserPrefix: prefix("")})
	deploy  = addRoles(schema.Role{Name: "deploy"})
	ruled   = addRoles(schema.Role{Name: "deploy", Rules: []schema.Rule{
		{APIGroups: []string{""}, Resources: []string{"pods", "pods/log"}, Verbs: []string{"get", "*"}},
		{NonResourceURLs: []string{"/healthz"}, Verbs: []string{"get"}},
	}})
)

const rules = "{apiGroups: [\"\"], resources: [pods, pods/log], verbs: [get, \"*\"]}"

// destinationStyles are entries as people write them, and what an edit makes of them.
var destinationStyles = []struct {
	name          string
	edit          func(fstest.MapFS) (schema.Edit, error)
	before, after string
}{
	{"a mode, where there is none", observe,
		"destinations:\n  - name: prod # the one\n    labels: {env: prod}\n",
		"destinations:\n  - name: prod # the one\n    mode: observe\n    labels: {env: prod}\n"},
	{"another mode", observe,
		"destinations:\r\n- mode: 'enforce' # yes\r\n  name: prod\r\n",
		"destinations:\r\n- mode: observe # yes\r\n  name: prod\r\n"},
	{"a mode, in braces", observe, "destinations: [{name: prod}]\n", "destinations: [{name: prod, mode: observe}]\n"},
	{"a mode, in JSON", observe, "{\"destinations\": [{\"name\": \"prod\"}]}\n", "{\"destinations\": [{\"name\": \"prod\", \"mode\": observe}]}\n"},
	{"the first label", label,
		"destinations:\n  - name: prod\n    # which may be granted\n    roles: []\n",
		"destinations:\n  - name: prod\n    labels: {team: web}\n    # which may be granted\n    roles: []\n"},
	{"a label more, in braces", label,
		"destinations:\n  - name: prod\n    labels: {env: prod} # sorted\n",
		"destinations:\n  - name: prod\n    labels: {env: prod, team: web} # sorted\n"},
	{"a label more, a line each", label,
		"destinations:\n  - name: prod\n    labels:\n      env: \"prod\" # real\n      # deep\n    # shallow\n    mode: suspend\n",
		"destinations:\n  - name: prod\n    labels:\n      env: \"prod\" # real\n      team: \"web\"\n      # deep\n    # shallow\n    mode: suspend\n"},
	{"another value of a label", label,
		"destinations:\n  - name: prod\n    labels:\n      team: 'ops' # them\n      env: prod\n",
		"destinations:\n  - name: prod\n    labels:\n      team: web # them\n      env: prod\n"},
	{"a label in no labels", label, "destinations:\n  - name: prod\n    labels: {}\n", "destinations:\n  - name: prod\n    labels: {team: web}\n"},
	{"the last label goes", unlabel,
		"destinations:\n  - labels:\n      env: prod\n    name: prod\n    mode: observe",
		"destinations:\n  - name: prod\n    mode: observe"},
	{"the last label goes, in braces", unlabel, "destinations: [{name: prod, labels: {env: prod}, roles: []}]\n", "destinations: [{name: prod, roles: []}]\n"},
	{"one label of two goes", unlabel,
		"destinations:\n  - name: prod\n    labels: {env: prod, team: web}\n",
		"destinations:\n  - name: prod\n    labels: {team: web}\n"},
	{"one label of two goes, a line each", unlabel,
		"destinations:\n  - name: prod\n    labels:\n      team: web\n      env: prod # this\n\n# end\n",
		"destinations:\n  - name: prod\n    labels:\n      team: web\n\n# end\n"},
	{"prefixes", prefixs,
		"destinations:\n  - name: prod\n    mode: enforce\n    roles:\n      - name: a\n",
		"destinations:\n  - name: prod\n    mode: enforce\n    subjects: {userPrefix: \"oidc:\", groupPrefix: \"oidc:\"}\n    roles:\n      - name: a\n"},
	{"another prefix", prefixs,
		"destinations:\n  - name: prod\n    subjects:\n      groupPrefix: x-\n",
		"destinations:\n  - name: prod\n    subjects:\n      groupPrefix: \"oidc:\"\n      userPrefix: \"oidc:\"\n"},
	{"one prefix goes", bare,
		"destinations:\n  - name: prod\n    subjects: {userPrefix: \"oidc:\", groupPrefix: \"oidc:\"}   # us\n",
		"destinations:\n  - name: prod\n    subjects: {groupPrefix: \"oidc:\"}   # us\n"},
	{"the last prefix goes", bare,
		"destinations:\n  - name: prod\n    subjects: {userPrefix: \"oidc:\"}\n    labels: {a: b}\n",
		"destinations:\n  - name: prod\n    labels: {a: b}\n"},
	{"the first role", deploy,
		"destinations:\n  - name: prod\n\n# end\n",
		"destinations:\n  - name: prod\n    roles:\n      - name: deploy\n\n# end\n"},
	{"the first role, in JSON", deploy,
		"{\"destinations\": [{\"name\": \"prod\"}]}\n",
		"{\"destinations\": [{\"name\": \"prod\", \"roles\": [{\"name\": \"deploy\"}]}]}\n"},
	{"a role among others", deploy,
		"destinations:\n  - name: prod\n    roles:\n      - name: auditor # sees\n        rules: []\n      - name: restart\n    mode: observe\n",
		"destinations:\n  - name: prod\n    roles:\n      - name: auditor # sees\n        rules: []\n      - name: deploy\n      - name: restart\n    mode: observe\n"},
	{"a role among others, in brackets", deploy,
		"destinations:\n  - name: prod\n    roles: [{name: auditor}] # all\n",
		"destinations:\n  - name: prod\n    roles: [{name: auditor}, {name: deploy}] # all\n"},
	{"a role with rules", ruled,
		"destinations:\r\n  - name: prod\r\n    roles:\r\n      - name: auditor",
		"destinations:\r\n  - name: prod\r\n    roles:\r\n      - name: auditor\r\n      - name: deploy\r\n        rules:\r\n          - " + rules + "\r\n          - {nonResourceURLs: [\"/healthz\"], verbs: [get]}"},
	{"a role with rules, in brackets", ruled,
		"destinations:\n  - name: prod\n    roles: [{name: auditor}]\n",
		"destinations:\n  - name: prod\n    roles: [{name: auditor}, {name: deploy, rules: [" + rules + ", {nonResourceURLs: [\"/healthz\"], verbs: [get]}]}]\n"},
	{"other rules", ruled,
		"destinations:\n  - name: prod\n    roles:\n      - name: deploy # Argo\n        rules:\n          - apiGroups: [apps]\n            verbs: [get]\n      # next\n      - name: auditor\n",
		"destinations:\n  - name: prod\n    roles:\n      - name: deploy # Argo\n        rules:\n          - " + rules + "\n          - {nonResourceURLs: [\"/healthz\"], verbs: [get]}\n      # next\n      - name: auditor\n"},
	{"a role goes", removeRoles("deploy"),
		"destinations:\n  - name: prod\n    roles:\n      - name: auditor\n      - name: deploy\n        rules:\n          - verbs: [get]\n    mode: observe\n",
		"destinations:\n  - name: prod\n    roles:\n      - name: auditor\n    mode: observe\n"},
	{"all roles go", removeRoles("deploy", "auditor"),
		"destinations:\n  - name: prod\n    roles: # few\n      - name: auditor\n      - name: deploy\n    mode: observe\n",
		"destinations:\n  - name: prod\n    roles: [] # few\n    mode: observe\n"},
}

func TestAnEditOfADestinationKeepsEveryOtherByte(t *testing.T) {
	t.Parallel()
	for _, tt := range destinationStyles {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := files("infra.yaml", "version: 1\n", prodEntry, tt.before)
			e, err := tt.edit(before)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(e.Files[prodEntry])); diff != "" {
				t.Errorf("%s: -want +got:\n%s", e.Outcome, diff)
			}
			if e.Outcome == schema.Removed {
				return
			}
			if again, err := tt.edit(apply(before, e)); err != nil || again.Outcome != schema.Unchanged || len(again.Files) > 0 {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

func TestADestinationIsDeclaredAndRemoved(t *testing.T) {
	t.Parallel()
	empty := files("infra.yaml", "version: 1\n")
	c := schema.DestinationChange{Mode: schema.ModeObserve, UserPrefix: prefix("oidc:"), Labels: map[string]string{"env": "prod", "app.example.com/on": "yes"}}
	added, err := schema.AddDestination(empty, "prod", c)
	if err != nil || added.Outcome != schema.Added {
		t.Fatal(added.Outcome, err)
	}
	want := "destinations:\n  - name: prod\n    mode: observe\n    subjects: {userPrefix: \"oidc:\"}\n    labels: {app.example.com/on: \"yes\", env: prod}\n"
	if diff := cmp.Diff(want, string(added.Files[prodEntry])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	with := apply(empty, added)
	s, problems, err := schema.Load(with, nil)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	if diff := cmp.Diff([]schema.Destination{added.Destination}, s.Destinations, cmpopts.IgnoreTypes(schema.Pos{})); diff != "" {
		t.Error(diff)
	}
	if again, err := schema.AddDestination(with, "prod", schema.DestinationChange{}); err != nil || again.Outcome != schema.Unchanged {
		t.Errorf("again: %+v, %v", again, err)
	}
	removed, err := schema.RemoveDestination(with, "prod")
	if err != nil || removed.Files[prodEntry] != nil || len(removed.Files) != 1 {
		t.Errorf("removed: %+v, %v", removed, err)
	}
	for name, refuse := range map[string]func(fstest.MapFS) (schema.Edit, error){
		"given roles": deploy,
		"rid of them": removeRoles("deploy"),
		"removed":     func(fsys fstest.MapFS) (schema.Edit, error) { return schema.RemoveDestination(fsys, "prod") },
	} {
		if _, err := refuse(empty); !errors.Is(err, schema.ErrNoSuchDestination) {
			t.Errorf("%s where it is not declared: %v", name, err)
		}
	}
	if _, err := removeRoles("deploy")(with); !errors.Is(err, schema.ErrNoSuchRole) {
		t.Errorf("a role that is not listed: %v", err)
	}
}

func TestWhatNoDestinationCanSayIsRefused(t *testing.T) {
	t.Parallel()
	before := files("infra.yaml", "version: 1\n", prodEntry, "destinations:\n  - name: prod\n", "grants/prod.yaml", "grants:\n  - {user: a, role: mine, resource: prod}\n")
	for name, refuse := range map[string]func(fstest.MapFS) (schema.Edit, error){
		"a mode that there is not":          change(schema.DestinationChange{Mode: "off"}),
		"a prefix of Kubernetes":            change(schema.DestinationChange{UserPrefix: prefix("system:")}),
		"a label with a line end":           change(schema.DestinationChange{Labels: map[string]string{"a": "b\nc"}}),
		"a label without a name":            change(schema.DestinationChange{Labels: map[string]string{"": "b"}}),
		"a role that is built in":           addRoles(schema.Role{Name: "admin"}),
		"a role of Kubernetes":              addRoles(schema.Role{Name: "system:node"}),
		"a verb with a blank at its end":    addRoles(schema.Role{Name: "x", Rules: []schema.Rule{{Verbs: []string{"get "}}}}),
		"a list that lacks what is granted": addRoles(schema.Role{Name: "other"}),
		"the server itself": func(fsys fstest.MapFS) (schema.Edit, error) {
			return schema.AddDestination(fsys, "infra", schema.DestinationChange{})
		},
		"a path": func(fsys fstest.MapFS) (schema.Edit, error) {
			return schema.AddDestination(fsys, "../x", schema.DestinationChange{})
		},
	} {
		if e, err := refuse(before); err == nil {
			t.Errorf("%s was taken: %s", name, e.Files[prodEntry])
		}
	}
}
