package reconciler

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Labels that are of infra. Those on bindings are for people, who select by
// them; that on ClusterRoles offers one to infra.
const (
	ManagedByLabel   = "app.kubernetes.io/managed-by"
	ManagedBy        = "infra"
	DestinationLabel = "app.infrahq.com/destination"
	IncludeRoleLabel = "app.infrahq.com/include-role"
)

// Prefix is how the names of a destination's bindings begin.
func Prefix(destination string) string { return reserved + destination + ":" }

const reserved = "infra:"

// builtin are the roles that every destination has, and their ClusterRoles.
// The first four come with Kubernetes, the others with the connector's chart.
var builtin = map[string]string{
	"cluster-admin": "cluster-admin",
	"admin":         "admin",
	"edit":          "edit",
	"view":          "view",
	"logs":          "infra:logs",
	"exec":          "infra:exec",
	"port-forward":  "infra:port-forward",
}

// BuiltIn are the names of the ClusterRoles of the seven built-in roles, sorted.
func BuiltIn() []string { return slices.Sorted(maps.Values(builtin)) }

// ClusterRole is the name of the ClusterRole that a role as granted means.
func ClusterRole(role string) string {
	if name, ok := builtin[role]; ok {
		return name
	}
	return role
}

// bound finds the ClusterRole for a role as granted, or the reason why the
// cluster cannot give it. roles maps every ClusterRole to whether it is labelled.
func bound(role string, roles map[string]bool) (RoleRef, string) {
	name, isBuiltin := builtin[role]
	if !isBuiltin {
		name = role
		if strings.HasPrefix(role, reserved) {
			return RoleRef{}, `a role that begins with "infra:" is infra's own and cannot be granted by that name`
		}
	}
	included, exists := roles[name]
	switch {
	case !exists:
		return RoleRef{}, "ClusterRole " + strconv.Quote(name) + " does not exist"
	case !isBuiltin && !included:
		return RoleRef{}, "ClusterRole " + strconv.Quote(name) + " does not have the label " + IncludeRoleLabel + "=true"
	}
	return RoleRef{clusterRole, name}, ""
}

const clusterRole = "ClusterRole"

// granted is the role as people say it, for a role reference.
func granted(r RoleRef) string {
	if r.Kind != clusterRole {
		return r.String()
	}
	if short, ok := strings.CutPrefix(r.Name, reserved); ok && builtin[short] == r.Name {
		return short
	}
	return r.Name
}

// grantable are the labelled ClusterRoles that a grant can name, sorted.
func grantable(roles []Role) []string {
	var out []string
	for _, r := range roles {
		_, isBuiltin := builtin[r.Name]
		if r.Included && !isBuiltin && !strings.HasPrefix(r.Name, reserved) {
			out = append(out, r.Name)
		}
	}
	slices.Sort(out)
	return out
}

// names tells by its name whose a binding is.
type names struct {
	own    string
	former []string
}

func newNames(destination string, formerly []string) names {
	n := names{own: Prefix(destination)}
	for _, f := range formerly {
		if f != destination {
			n.former = append(n.former, Prefix(f))
		}
	}
	return n
}

type owner int

const (
	nobody owner = iota
	own
	former
)

func (n names) owner(name string) owner {
	if strings.HasPrefix(name, n.own) {
		return own
	}
	for _, p := range n.former {
		if strings.HasPrefix(name, p) {
			return former
		}
	}
	return nobody
}

// A namer gives names that no binding has yet.
type namer struct {
	taken map[Key]bool
	next  map[Key]int // per first choice: the number to try next
}

func (n namer) free(first Key) Key {
	for {
		key := first
		if i := n.next[first]; i > 0 {
			key.Name += ":" + strconv.Itoa(i+1)
		}
		n.next[first]++
		if !n.taken[key] {
			n.taken[key] = true
			return key
		}
	}
}

// matches says whether a namespace's name fits a pattern, in which * stands for
// any characters, none included.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}
