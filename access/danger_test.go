package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// rules reads "get,list pods,secrets of apps named a,b at /metrics; ...".
func rules(text string) []schema.Rule {
	out := []schema.Rule{}
	for _, line := range strings.Split(text, "; ") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		r := schema.Rule{Verbs: strings.Split(f[0], ","), Resources: strings.Split(f[1], ","), APIGroups: []string{""}}
		for i := 2; i+1 < len(f); i += 2 {
			switch items := strings.Split(f[i+1], ","); f[i] {
			case "of":
				r.APIGroups = items
			case "named":
				r.ResourceNames = items
			}
		}
		out = append(out, r)
	}
	return out
}

func TestCompareSaysHowDangerousARoleIs(t *testing.T) {
	const rbac = " of rbac.authorization.k8s.io"
	tests := []struct{ name, role, rules, target, want string }{
		{"cluster-admin is the most there is", "cluster-admin", "", "dev", "cluster admin: everything; may write role bindings"},
		{"under a pattern of destinations too", "cluster-admin", "", "*", "cluster admin: everything; may write role bindings"},
		{"in a namespace it administers that", "cluster-admin", "", "dev.web", " administers: everything; may write role bindings"},
		{"in one of the cluster's own it is equal to cluster-admin", "cluster-admin", "", "dev.kube-system", " equals admin: everything; may write role bindings"},
		{"admin of the whole cluster", "admin", "", "dev", " equals admin: writes role bindings, acts as service accounts, mints tokens, runs commands in pods, reads secrets; may write role bindings"},
		{"admin of a namespace", "admin", "", "dev.web", " administers: writes role bindings, acts as service accounts, mints tokens, runs commands in pods, reads secrets; may write role bindings"},
		{"edit of the whole cluster", "edit", "", "dev", " equals admin: acts as service accounts, mints tokens, runs commands in pods, reads secrets; may mint tokens of service accounts"},
		{"edit of a namespace", "edit", "", "dev.pay-*", " executes: acts as service accounts, mints tokens, runs commands in pods, reads secrets; may mint tokens of service accounts"},
		{"exec in one of the cluster's own", "exec", "", "dev.kube-system", " equals admin: runs commands in pods"},
		{"exec in a namespace", "exec", "", "dev.web", " executes: runs commands in pods"},
		{"view reads no secrets", "view", "", "dev", ""},
		{"port-forward and logs are what they are", "port-forward", "", "dev.kube-system", ""},
		{"admin of the server", "admin", "", "infra", " administers"},
		{"view of the server", "view", "", "infra", ""},

		{"nobody knows the rules", "custom", "unknown", "dev", " unknown: what it allows is unknown"},
		{"the rules allow nothing", "custom", "", "dev", ""},
		{"everything in a namespace", "custom", "* * of *", "dev.web", " administers: everything, escalate, bind, writes role bindings, acts as service accounts, mints tokens, runs commands in pods, reads secrets; may write role bindings"},
		{"everything on the cluster", "custom", "* * of *", "dev", " equals admin: everything, escalate, bind, impersonate, nodes/proxy, writes role bindings, changes every request, signs certificates, mounts nodes' files, acts as service accounts, mints tokens, runs commands in pods, reads secrets; may write role bindings"},
		{"everything of the core group is not everything", "custom", "* *", "dev.web", " administers: acts as service accounts, mints tokens, runs commands in pods, reads secrets; may mint tokens of service accounts"},
		{"escalate", "custom", "escalate clusterroles" + rbac, "dev", " equals admin: escalate; may write roles"},
		{"escalate on ClusterRoles means nothing in a namespace", "custom", "escalate clusterroles" + rbac, "dev.web", ""},
		{"escalate in a namespace", "custom", "escalate roles" + rbac, "dev.web", " administers: escalate; may write roles"},
		{"bind", "custom", "bind clusterroles" + rbac, "dev.web", " administers: bind; may write role bindings"},
		{"bind of any role everywhere", "custom", "bind clusterroles" + rbac, "dev", " equals admin: bind; may write role bindings"},
		{"bind of roles that only read", "custom", "bind clusterroles" + rbac + " named view,infra:logs", "dev", " administers: bind; may write role bindings"},
		{"bind of a role that does more", "custom", "bind clusterroles" + rbac + " named view,edit", "dev", " equals admin: bind; may write role bindings"},
		{"bind of another API group", "custom", "bind clusterroles of apps", "dev", ""},
		{"impersonate", "custom", "impersonate users", "dev", " equals admin: impersonate; may impersonate other people"},
		{"impersonate one group", "custom", "impersonate groups named system:masters", "dev", " equals admin: impersonate; may impersonate other people"},
		{"people are of the whole cluster", "custom", "impersonate users,groups", "dev.web", ""},
		{"service accounts are of a namespace", "custom", "impersonate serviceaccounts", "dev.web", " administers: acts as service accounts; may impersonate service accounts"},
		{"impersonation that is constrained", "custom", "impersonate:user-info users of authentication.k8s.io", "dev", " equals admin: impersonate; may impersonate other people"},
		{"the kubelet's API", "custom", "get nodes/proxy", "dev", " equals admin: nodes/proxy"},
		{"every proxy, the kubelet's too", "custom", "create */proxy", "dev", " equals admin: nodes/proxy"},
		{"it is of the whole cluster", "custom", "get nodes/proxy", "dev.web", ""},
		{"nodes are not their proxy", "custom", "get nodes", "dev", ""},
		{"writing role bindings", "custom", "create rolebindings" + rbac, "dev.web", " administers: writes role bindings; may write role bindings"},
		{"writing roles everywhere", "custom", "patch clusterroles" + rbac, "dev", " equals admin: writes role bindings; may write role bindings"},
		{"to create takes a right without names", "custom", "create rolebindings" + rbac + " named one", "dev.web", ""},
		{"to change does not", "custom", "update rolebindings" + rbac + " named one", "dev.web", " administers: writes role bindings; may write role bindings"},
		{"minting tokens", "custom", "create serviceaccounts/token", "dev.web", " executes: mints tokens; may mint tokens of service accounts"},
		{"minting them everywhere", "custom", "create serviceaccounts/token", "dev", " equals admin: mints tokens; may mint tokens of service accounts"},
		{"exec everywhere", "custom", "create pods/exec", "dev", " equals admin: runs commands in pods"},
		{"exec in one pod, wherever it is", "custom", "create pods/exec named one", "dev", " executes: runs commands in pods"},
		{"pods/* is no pattern", "custom", "create pods/*", "dev", ""},
		{"creating pods", "custom", "create pods", "dev.web", " executes: runs commands in pods"},
		{"changing what makes pods", "custom", "patch deployments of apps", "dev.web", " executes: runs commands in pods"},
		{"changing a pod that runs", "custom", "patch pods", "dev.web", " executes: runs commands in pods"},
		{"deleting pods", "custom", "delete pods", "dev", ""},
		{"deleting them among the cluster's own", "custom", "delete pods", "dev.kube-system", " equals admin"},
		{"reading among the cluster's own", "custom", "get pods", "dev.kube-system", ""},
		{"secrets of a namespace", "custom", "list secrets", "dev.web", " reads secrets: reads secrets"},
		{"all secrets", "custom", "watch secrets", "dev", " equals admin: reads secrets"},
		{"a secret of this name", "custom", "get secrets named tls", "dev", " reads secrets: reads secrets"},
		{"secrets that can be patched can be read", "custom", "patch secrets", "dev.web", " reads secrets: reads secrets"},
		{"what the API server asks before it writes", "custom", "patch mutatingwebhookconfigurations of admissionregistration.k8s.io", "dev", " equals admin: changes every request; may change what others write"},
		{"signing certificates", "custom", "approve signers of certificates.k8s.io", "dev", " equals admin: signs certificates; may sign certificates"},
		{"volumes of a node's files", "custom", "create persistentvolumes", "dev", " equals admin: mounts nodes' files"},
		{"all of these are of the whole cluster", "custom", "* mutatingwebhookconfigurations,signers,persistentvolumes of *", "dev.web", ""},
		{"of several rules the worst", "custom", "get secrets; create pods/exec; get pods", "dev.web", " executes: runs commands in pods, reads secrets"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dev := schema.Destination{Name: "dev"}
			if test.rules != "unknown" {
				dev.Roles = []schema.Role{{Name: "custom", Rules: rules(test.rules)}}
			}
			w := world{grants: grants("ann " + test.role + " " + test.target), destinations: []schema.Destination{dev}}
			changes := ofAccess(access.Compare(nil, w.table(), now))
			if len(changes) != 1 {
				t.Fatalf("%d changes: %v", len(changes), saidAll(changes))
			}
			c := changes[0]
			got := dangers[c.Danger]
			for i, p := range c.Powers {
				got += []string{": ", ", "}[min(i, 1)] + string(p)
			}
			if c.Outlives != "" {
				got += "; " + c.Outlives
			}
			if strings.TrimSpace(got) != strings.TrimSpace(test.want) {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestUnderAPatternTheWorstKnownRuleCounts(t *testing.T) {
	role := func(text string) []schema.Role { return []schema.Role{{Name: "ops", Rules: rules(text)}} }
	known := []schema.Destination{{Name: "a", Roles: role("get pods")}, {Name: "b", Roles: role("create pods/exec")}, {Name: "c", Roles: role("get secrets")}}
	with := func(d schema.Destination) []schema.Destination { return append(slices.Clone(known), d) }
	tests := []struct {
		name string
		w    world
		want string
	}{
		{"all are known", world{destinations: known}, "ann gains ops *.web at [a b c] executes, by grants:1"},
		{"one does not say", world{destinations: with(schema.Destination{Name: "d", Roles: []schema.Role{{Name: "ops"}}})},
			"ann gains ops *.web at [a b c d] unknown, by grants:1"},
		{"one takes any role", world{destinations: with(schema.Destination{Name: "d"})}, "ann gains ops *.web at [a b c d] unknown, by grants:1"},
		{"one has no entry", world{grants: grants("g:none view d"), groups: groups("none:"), destinations: known},
			"ann gains ops *.web at [a b c d] unknown, by grants:1"},
		{"one is worse than unknown", world{destinations: with(schema.Destination{Name: "d", Roles: role("bind roles of *")})},
			"ann gains ops *.web at [a b c d] administers, by grants:1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.w.grants = append(grants("ann ops *.web"), test.w.grants...)
			got := saidAll(ofAccess(access.Compare(nil, test.w.table(), now)))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
