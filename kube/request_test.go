package kube_test

import (
	"errors"
	"testing"

	"github.com/infrahq/infra/kube"
	"github.com/infrahq/infra/schema"
)

func TestResourcesAreReadAsKubectlTakesThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"pods":                         {"", "pods"},
		"pod":                          {"", "pods"},
		"po":                           {"", "pods"},
		"pods/exec":                    {"", "pods/exec"},
		"deploy":                       {"apps", "deployments"},
		"deployments.apps/scale":       {"apps", "deployments/scale"},
		"events":                       {"", "events"},
		"events.events.k8s.io":         {"events.k8s.io", "events"},
		"certificates.cert-manager.io": {"cert-manager.io", "certificates"},
		"things.":                      {"", "things"},
		"users":                        {"", "users"},
		"*":                            {"", "*"},
	} {
		group, resource, err := kube.ParseResource(text)
		if err != nil || group != want[0] || resource != want[1] {
			t.Errorf("%q is %q of group %q: %v; want %q", text, resource, group, err, want)
		}
	}
	for _, text := range []string{"podz", "deployment/s/"} {
		if _, _, err := kube.ParseResource(text); text == "podz" != errors.Is(err, kube.ErrNoResource) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", ".apps", "pods/", "a b"} {
		if _, _, err := kube.ParseResource(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

func TestRulesAllowWhatKubernetesWouldAllowByThem(t *testing.T) {
	t.Parallel()
	rule := func(groups, resources, verbs, names []string) []schema.Rule {
		return []schema.Rule{{APIGroups: groups, Resources: resources, Verbs: verbs, ResourceNames: names}}
	}
	for _, c := range []struct {
		what  string
		rules []schema.Rule
		r     kube.Request
		want  bool
	}{
		{"the verb", rule([]string{""}, []string{"pods"}, []string{"get"}, nil), kube.Request{Verb: "get", Resource: "pods"}, true},
		{"another verb", rule([]string{""}, []string{"pods"}, []string{"get"}, nil), kube.Request{Verb: "list", Resource: "pods"}, false},
		{"another group", rule([]string{"apps"}, []string{"pods"}, []string{"get"}, nil), kube.Request{Verb: "get", Resource: "pods"}, false},
		{"no subresource", rule([]string{""}, []string{"pods"}, []string{"get"}, nil), kube.Request{Verb: "get", Resource: "pods/log"}, false},
		{"a subresource of all", rule([]string{""}, []string{"*/log"}, []string{"get"}, nil), kube.Request{Verb: "get", Resource: "pods/log"}, true},
		{"everything", rule([]string{"*"}, []string{"*"}, []string{"*"}, nil), kube.Request{Verb: "reboot", Group: "example.com", Resource: "machines/fan", Name: "x"}, true},
		{"a name that is asked", rule([]string{""}, []string{"pods"}, []string{"get"}, []string{"web"}), kube.Request{Verb: "get", Resource: "pods", Name: "web"}, true},
		{"a name that is not asked", rule([]string{""}, []string{"pods"}, []string{"get"}, []string{"web"}), kube.Request{Verb: "get", Resource: "pods"}, false},
		{"another name", rule([]string{""}, []string{"pods"}, []string{"get"}, []string{"web"}), kube.Request{Verb: "get", Resource: "pods", Name: "db"}, false},
		{"a URL below", []schema.Rule{{NonResourceURLs: []string{"/logs/*"}, Verbs: []string{"get"}}}, kube.Request{Verb: "get", URL: "/logs/kubelet"}, true},
		{"a URL beside", []schema.Rule{{NonResourceURLs: []string{"/logs/*"}, Verbs: []string{"get"}}}, kube.Request{Verb: "get", URL: "/metrics"}, false},
		{"resources are no URLs", rule([]string{"*"}, []string{"*"}, []string{"*"}, nil), kube.Request{Verb: "get", URL: "/metrics"}, false},
		{"no rules", nil, kube.Request{Verb: "get", Resource: "pods"}, false},
	} {
		if got := c.r.AllowedBy(c.rules); got != c.want {
			t.Errorf("%s: %s is allowed: %t", c.what, c.r, got)
		}
	}
}

func TestEachBuiltinRoleHasRules(t *testing.T) {
	t.Parallel()
	for _, role := range schema.BuiltinRoles {
		if rules, ok := kube.Rules(role); !ok || len(rules) == 0 {
			t.Errorf("%s has no rules", role)
		}
	}
	if _, ok := kube.Rules("no-such-role"); ok {
		t.Error("a role that is not built in has rules")
	}
}
