package access

import (
	"slices"
	"strings"

	"github.com/infrahq/infra/schema"
)

// An assessment is what a role comes to on a target.
type assessment struct {
	danger   Danger
	powers   []Power
	outlives string
}

// assess says how dangerous a role is on a target. Of a custom role the rules
// decide that destinations gives; nil stands for rules that nobody knows, and so
// does none at all. With several, as under a pattern, it is the worst.
func assess(role string, t schema.Target, rules [][]schema.Rule) assessment {
	w := reachOf(t)
	var found assessment
	add := func(d Danger, powers []Power) {
		found.danger = max(found.danger, d)
		for _, p := range powers {
			if !slices.Contains(found.powers, p) {
				found.powers = append(found.powers, p)
			}
		}
	}
	switch {
	case t.Destination == schema.InfraDestination:
		if role == "admin" {
			found.danger = Administers
		}
		return found
	case slices.Contains(schema.BuiltinRoles, role):
		add(builtinDanger(role, w), builtinPowers[role])
	default:
		for _, known := range rules {
			if known != nil {
				add(ruleDanger(known, w))
			}
		}
		if len(rules) == 0 || slices.ContainsFunc(rules, func(r []schema.Rule) bool { return r == nil }) {
			add(Unknown, []Power{PowerUnknownRules})
		}
	}
	slices.SortFunc(found.powers, func(a, b Power) int { return slices.Index(allPowers, a) - slices.Index(allPowers, b) })
	found.outlives = outlives(found.powers)
	return found
}

// A reach is how far a target goes.
type reach int

const (
	inNamespace reach = iota
	inSystemNamespace
	inCluster
)

func reachOf(t schema.Target) reach {
	switch {
	case t.Namespace == "":
		return inCluster
	case strings.HasPrefix(t.Namespace, "kube-"): // where the cluster's own controllers live; no pattern is one
		return inSystemNamespace
	}
	return inNamespace
}

// builtinPowers are those of the built-in roles that have any, after the rules
// of plugin/pkg/auth/authorizer/rbac/bootstrappolicy in Kubernetes 1.37: editRules
// have secrets, pods, pods/exec, serviceaccounts/token, and impersonate on
// serviceaccounts; system:aggregate-to-admin adds roles and rolebindings. exec
// is the chart's.
var builtinPowers = map[string][]Power{
	"cluster-admin": {PowerEverything},
	"admin":         {PowerBindings, PowerActAs, PowerMintTokens, PowerExec, PowerSecrets},
	"edit":          {PowerActAs, PowerMintTokens, PowerExec, PowerSecrets},
	"exec":          {PowerExec},
}

func builtinDanger(role string, w reach) Danger {
	switch {
	case len(builtinPowers[role]) == 0:
		return Ordinary
	case role == "cluster-admin" && w == inCluster:
		return ClusterAdmin
	case w != inNamespace:
		return EqualsAdmin
	case role == "exec" || role == "edit":
		return Executes
	}
	return Administers
}

// allPowers are the powers, most dangerous first.
var allPowers = []Power{
	PowerEverything, PowerEscalate, PowerBind, PowerImpersonate, PowerNodesProxy, PowerBindings, PowerAdmission,
	PowerCertificates, PowerVolumes, PowerActAs, PowerMintTokens, PowerExec, PowerSecrets, PowerUnknownRules,
}

// outlives says how what has these powers can go on when it is taken away.
func outlives(powers []Power) string {
	for _, way := range []struct {
		power  Power
		phrase string
	}{
		{PowerEverything, "may write role bindings"},
		{PowerBindings, "may write role bindings"},
		{PowerBind, "may write role bindings"},
		{PowerEscalate, "may write roles"},
		{PowerMintTokens, "may mint tokens of service accounts"},
		{PowerCertificates, "may sign certificates"},
		{PowerAdmission, "may change what others write"},
		{PowerImpersonate, "may impersonate other people"},
		{PowerActAs, "may impersonate service accounts"},
	} {
		if slices.Contains(powers, way.power) {
			return way.phrase
		}
	}
	return ""
}

// An assessedKey is all that an assessment depends on in one comparison.
type assessedKey struct {
	isNew  bool
	role   string
	target schema.Target
}

// assess is assess with what a side knows of custom roles, remembered.
func (c *comparison) assess(on *side, role string, t schema.Target) assessment {
	key := assessedKey{on.isNew, role, t}
	found, ok := c.assessed[key]
	if !ok {
		found = assess(role, t, c.rulesOf(on, role, t.Destination))
		c.assessed[key] = found
	}
	return found
}

// rulesOf are the rules of a custom role on all destinations that a name or
// pattern means: nil where a destination takes any role that the cluster has.
func (c *comparison) rulesOf(on *side, role, destination string) [][]schema.Rule {
	if slices.Contains(schema.BuiltinRoles, role) {
		return nil
	}
	places := c.places.new
	if !on.isNew {
		places = c.places.old
	}
	var rules [][]schema.Rule
	for name := range places {
		now := name
		if !on.isNew {
			now = c.places.now(name)
		}
		if !schema.MatchDestination(destination, now) {
			continue
		}
		d := on.destinations[name]
		if d.Roles == nil {
			rules = append(rules, nil)
		}
		for _, r := range d.Roles {
			if r.Name == role {
				rules = append(rules, r.Rules)
			}
		}
	}
	return rules
}
