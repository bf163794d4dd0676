package access

import (
	"slices"
	"strings"

	"github.com/infrahq/infra/schema"
)

// ruleDanger says what the rules of a custom role allow as far as they reach.
// What is of the whole cluster counts only there: a RoleBinding gives nothing of
// it.
func ruleDanger(rules []schema.Rule, w reach) (Danger, []Power) {
	danger, powers := Ordinary, []Power(nil)
	for _, check := range checks {
		if check.power != PowerBindings && slices.Contains(powers, check.power) {
			continue
		}
		if check.clusterOnly && w != inCluster {
			continue
		}
		i := slices.IndexFunc(rules, func(r schema.Rule) bool { return check.allowedBy(r) })
		if i < 0 {
			continue
		}
		if !slices.Contains(powers, check.power) {
			powers = append(powers, check.power)
		}
		d := check.inNamespace
		switch {
		case w == inSystemNamespace:
			d = EqualsAdmin
		case w == inCluster && !slices.ContainsFunc(rules, func(r schema.Rule) bool { return check.allowedBy(r) && !check.isTame(r) }):
			// Of few named things, it is as in a namespace.
		case w == inCluster:
			d = EqualsAdmin
		}
		danger = max(danger, d)
	}
	if w == inSystemNamespace && slices.ContainsFunc(rules, writes) {
		danger = EqualsAdmin
	}
	return danger, powers
}

// A check asks rules for one power.
type check struct {
	power       Power
	verbs       []string // any of them
	group       string
	resources   []string // any of them
	unnamed     bool     // the request bears no name, so that a rule with resourceNames does not allow it
	clusterOnly bool
	inNamespace Danger
}

// API groups.
const (
	rbacGroup         = "rbac.authorization.k8s.io"
	admissionGroup    = "admissionregistration.k8s.io"
	certificatesGroup = "certificates.k8s.io"
)

// checks are asked in this order. Of each, what the API server asks for is what
// counts: docs of RBAC, "Privilege escalation prevention and bootstrapping".
var checks = []check{
	{power: PowerEverything, verbs: []string{"*"}, group: "*", resources: []string{"*"}, unnamed: true, inNamespace: Administers},
	{power: PowerEscalate, verbs: []string{"escalate"}, group: rbacGroup, resources: []string{"roles"}, inNamespace: Administers},
	{power: PowerEscalate, verbs: []string{"escalate"}, group: rbacGroup, resources: []string{"clusterroles"}, clusterOnly: true},
	{power: PowerBind, verbs: []string{"bind"}, group: rbacGroup, resources: []string{"roles", "clusterroles"}, inNamespace: Administers},
	{power: PowerActAs, verbs: []string{"impersonate"}, resources: []string{"serviceaccounts"}, inNamespace: Administers},
	{power: PowerImpersonate, verbs: []string{"impersonate"}, resources: []string{"users", "groups"}, clusterOnly: true},
	// Constrained impersonation, KEP-5284.
	{power: PowerActAs, verbs: []string{"impersonate:serviceaccount"}, group: "authentication.k8s.io", resources: []string{"serviceaccounts"}, inNamespace: Administers},
	{power: PowerImpersonate, verbs: []string{"impersonate:user-info", "impersonate:arbitrary-node"}, group: "authentication.k8s.io",
		resources: []string{"users", "groups", "nodes"}, clusterOnly: true},
	{power: PowerNodesProxy, verbs: []string{"get", "create"}, resources: []string{"nodes/proxy"}, clusterOnly: true},
	{power: PowerBindings, verbs: []string{"create"}, group: rbacGroup, resources: []string{"rolebindings", "roles"}, unnamed: true, inNamespace: Administers},
	{power: PowerBindings, verbs: []string{"update", "patch"}, group: rbacGroup, resources: []string{"rolebindings", "roles"}, inNamespace: Administers},
	{power: PowerBindings, verbs: []string{"create"}, group: rbacGroup, resources: []string{"clusterrolebindings", "clusterroles"}, unnamed: true, clusterOnly: true},
	{power: PowerBindings, verbs: []string{"update", "patch"}, group: rbacGroup, resources: []string{"clusterrolebindings", "clusterroles"}, clusterOnly: true},
	{power: PowerMintTokens, verbs: []string{"create"}, resources: []string{"serviceaccounts/token"}, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"get", "create"}, resources: []string{"pods/exec", "pods/attach"}, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"update", "patch"}, resources: []string{"pods/ephemeralcontainers"}, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"create"}, resources: []string{"pods", "replicationcontrollers"}, unnamed: true, inNamespace: Executes},
	// The image of a pod that runs can be changed.
	{power: PowerExec, verbs: []string{"update", "patch"}, resources: []string{"pods", "replicationcontrollers"}, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"create"}, group: "apps", resources: workloads, unnamed: true, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"update", "patch"}, group: "apps", resources: workloads, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"create"}, group: "batch", resources: []string{"jobs", "cronjobs"}, unnamed: true, inNamespace: Executes},
	{power: PowerExec, verbs: []string{"update", "patch"}, group: "batch", resources: []string{"cronjobs"}, inNamespace: Executes},
	// A patch, be it of nothing, is answered with all of it.
	{power: PowerSecrets, verbs: []string{"get", "list", "watch", "patch"}, resources: []string{"secrets"}, inNamespace: ReadsSecrets},
	// "Role Based Access Control Good Practices" of Kubernetes' documentation.
	{power: PowerAdmission, verbs: []string{"create"}, group: admissionGroup, resources: admission, unnamed: true, clusterOnly: true},
	{power: PowerAdmission, verbs: []string{"update", "patch"}, group: admissionGroup, resources: admission, clusterOnly: true},
	{power: PowerCertificates, verbs: []string{"update", "patch"}, group: certificatesGroup,
		resources: []string{"certificatesigningrequests/approval", "certificatesigningrequests/status"}, clusterOnly: true},
	{power: PowerCertificates, verbs: []string{"approve", "sign"}, group: certificatesGroup, resources: []string{"signers"}, clusterOnly: true},
	{power: PowerVolumes, verbs: []string{"create"}, resources: []string{"persistentvolumes"}, unnamed: true, clusterOnly: true},
}

var admission = []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations", "mutatingadmissionpolicies"}

var workloads = []string{"deployments", "statefulsets", "daemonsets", "replicasets"}

func (c check) allowedBy(r schema.Rule) bool {
	return !(c.unnamed && len(r.ResourceNames) > 0) && allows(r.APIGroups, c.group) &&
		slices.ContainsFunc(c.verbs, func(verb string) bool { return allows(r.Verbs, verb) }) &&
		slices.ContainsFunc(c.resources, func(resource string) bool { return allowsResource(r.Resources, resource) })
}

// isTame says whether a rule that allows it does so for named things that do
// not make it equal to cluster-admin: some secrets, some pods, the right to bind
// roles that only read.
func (c check) isTame(r schema.Rule) bool {
	if len(r.ResourceNames) == 0 {
		return false
	}
	switch c.power {
	case PowerExec, PowerSecrets:
		return true
	case PowerBind:
		return !slices.ContainsFunc(r.ResourceNames, func(name string) bool {
			return name != "view" && name != "infra:logs" && name != "infra:port-forward"
		})
	}
	return false
}

func allows(listed []string, wanted string) bool {
	return slices.Contains(listed, wanted) || slices.Contains(listed, "*")
}

// allowsResource is ResourceMatches of k8s.io/kubernetes/pkg/apis/rbac/v1: `*` is
// all, and `*/sub` is that subresource of all. Nothing else is a pattern.
func allowsResource(listed []string, wanted string) bool {
	if allows(listed, wanted) {
		return true
	}
	_, sub, ok := strings.Cut(wanted, "/")
	return ok && slices.Contains(listed, "*/"+sub)
}

// writes says whether a rule changes anything.
func writes(r schema.Rule) bool {
	return len(r.Resources) > 0 && slices.ContainsFunc([]string{"create", "update", "patch", "delete", "deletecollection"},
		func(verb string) bool { return allows(r.Verbs, verb) })
}
