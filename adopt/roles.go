package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// catalogue knows the roles that there are, and which of them a grant can name.
type catalogue struct {
	complete bool
	roles    map[reconciler.Key]*Role // a ClusterRole has no namespace
	bound    map[string][]*Role       // Roles of namespaces that are bound, by name
	listed   map[string]schema.Role   // of the destination's entry
	entry    schema.Destination
}

func newCatalogue(o Objects, d schema.Destination) *catalogue {
	c := &catalogue{complete: o.Complete, roles: map[reconciler.Key]*Role{}, bound: map[string][]*Role{}, listed: map[string]schema.Role{}, entry: d}
	for i := range o.Roles {
		r := &o.Roles[i]
		c.roles[reconciler.Key{Namespace: r.Namespace, Name: r.Name}] = r
	}
	for _, r := range d.Roles {
		c.listed[r.Name] = r
	}
	seen := map[*Role]bool{}
	for _, b := range o.Bindings {
		if r := c.of(b); r != nil && r.Namespace != "" && !b.Internal() && !b.inSystem() && !seen[r] {
			seen[r] = true
			c.bound[r.Name] = append(c.bound[r.Name], r)
		}
	}
	return c
}

// of is the role that a binding gives; nil where it is not known.
func (c *catalogue) of(b Binding) *Role {
	key := reconciler.Key{Name: b.Role.Name}
	if b.Role.Kind == roleKind {
		key.Namespace = b.Namespace
	}
	return c.roles[key]
}

// granted is the role as a grant names it that gives exactly what a binding gives, or
// the reason why there is none.
func (c *catalogue) granted(b Binding) (role, reason string) {
	name := b.Role.Name
	r := c.of(b)
	switch {
	case b.Role.Kind != ClusterRole && b.Role.Kind != roleKind:
		return "", fmt.Sprintf("it binds a %s", b.Role.Kind)
	case r == nil && c.complete:
		return "", fmt.Sprintf("%s %s does not exist, so it gives nothing", b.Role.Kind, name)
	case b.Role.Kind == ClusterRole && builtin[name] != "":
		return builtin[name], ""
	case strings.HasPrefix(name, systemPrefix):
		return "", fmt.Sprintf("%s %s is Kubernetes' own", b.Role.Kind, name)
	case strings.HasPrefix(name, "infra:"):
		return "", fmt.Sprintf("%s %s is infra's own", b.Role.Kind, name)
	case slices.Contains(schema.BuiltinRoles, name):
		return "", fmt.Sprintf("%s %s has the name of a built-in role, and is none", b.Role.Kind, name)
	case r == nil:
		return "", fmt.Sprintf("%s %s is not among the manifests, so its rules are not known", b.Role.Kind, name)
	case r.Aggregated:
		return "", fmt.Sprintf("%s %s is put together from other roles, so its rules may change", b.Role.Kind, name)
	case len(r.Rules) == 0:
		return "", fmt.Sprintf("%s %s has no rules, so it gives nothing", b.Role.Kind, name)
	}
	if err := (schema.Role{Name: name, Rules: r.Rules}).Validate(); err != nil {
		return "", err.Error()
	}
	if listed, ok := c.listed[name]; ok && listed.Rules != nil && !same(listed.Rules, r.Rules) {
		return "", fmt.Sprintf("role %q has other rules at %s", name, listed.Pos)
	}
	return name, c.clash(r)
}

// clash says why a Role cannot become a ClusterRole of its name; empty: it can, or it
// is a ClusterRole.
func (c *catalogue) clash(r *Role) string {
	if r.Namespace == "" {
		return ""
	}
	if cluster := c.roles[reconciler.Key{Name: r.Name}]; cluster != nil && (cluster.Aggregated || !same(cluster.Rules, r.Rules)) {
		return fmt.Sprintf("Role %s has other rules than the ClusterRole of that name", r.Name)
	}
	for _, other := range c.bound[r.Name] {
		if !same(other.Rules, r.Rules) {
			return fmt.Sprintf("Role %s has other rules in namespace %s", r.Name, other.Namespace)
		}
	}
	return ""
}

// Steps are what is to be done to the ClusterRoles of a cluster, for the grants of a
// plan to give what they say.
type Steps struct {
	Label []string      // that are there and lack the label, sorted
	Make  []schema.Role // of Roles, which infra cannot bind, sorted
}

// steps are those for the custom roles that are granted.
func (c *catalogue) steps(roles []string) Steps {
	var s Steps
	for _, name := range roles {
		switch r := c.roles[reconciler.Key{Name: name}]; {
		case r == nil && len(c.bound[name]) > 0:
			s.Make = append(s.Make, schema.Role{Name: name, Rules: c.bound[name][0].Rules})
		case r != nil && !r.Included:
			s.Label = append(s.Label, name)
		}
	}
	return s
}

// list are the roles that the destination's entry is to list, too: those that are
// granted, and, where it lists none yet, those that were granted before, which would
// else be refused.
func (c *catalogue) list(roles []string, before *schema.Snapshot) []schema.Role {
	if len(roles) == 0 {
		return nil
	}
	all := slices.Clone(roles)
	if c.entry.Roles == nil {
		for _, g := range before.Grants {
			if !slices.Contains(schema.BuiltinRoles, g.Role) && schema.MatchDestination(g.Target.Destination, c.entry.Name) {
				all = append(all, g.Role)
			}
		}
	}
	slices.Sort(all)
	var out []schema.Role
	for _, name := range slices.Compact(all) {
		if _, ok := c.listed[name]; !ok {
			out = append(out, schema.Role{Name: name, Rules: c.rules(name)})
		}
	}
	return out
}

// rules are those of a custom role; nil where they are not known.
func (c *catalogue) rules(name string) []schema.Rule {
	if r := c.roles[reconciler.Key{Name: name}]; r != nil && !r.Aggregated {
		return r.Rules
	}
	if bound := c.bound[name]; len(bound) > 0 {
		return bound[0].Rules
	}
	return nil
}
