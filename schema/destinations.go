package schema

import (
	"fmt"
	"strings"
)

var destinationKeys = []string{"name", "labels", "mode", "formerly", "subjects", "roles"}

func (f *parsedFile) readDestination(r *reader, n *node) {
	before := len(r.problems)
	d := Destination{Pos: r.pos(n), Mode: ModeEnforce}
	ok := r.mapping(n, "a destination", destinationKeys, func(key string, _, v *node) {
		switch key {
		case "name":
			d.Name = r.name(v, key, validateOwnDestination)
			if d.Name != "" && d.Name != stem(f.path) {
				r.errorf(r.pos(v), "destination %s in the file of %s: it belongs in destinations/%s.yaml",
					quoted(d.Name), quoted(stem(f.path)), d.Name)
			}
		case "labels":
			d.Labels = r.labels(v)
		case "mode":
			if m := r.oneOf(v, key, []string{string(ModeEnforce), string(ModeObserve), string(ModeSuspend)}); m != "" {
				d.Mode = Mode(m)
			}
		case "formerly":
			r.each(v, key, func(item *node) {
				if name := r.name(item, "a former name", validateOwnDestination); name != "" {
					d.Formerly = append(d.Formerly, name)
				}
			})
		case "subjects":
			r.mapping(v, key, []string{"userPrefix", "groupPrefix"}, func(key string, _, v *node) {
				prefix := r.name(v, key, validatePrefix)
				if key == "userPrefix" {
					d.Subjects.UserPrefix = prefix
				} else {
					d.Subjects.GroupPrefix = prefix
				}
			})
		case "roles":
			d.Roles = []Role{}
			r.each(v, key, func(item *node) { d.Roles = append(d.Roles, r.role(item)) })
		}
	})
	if !ok {
		return
	}
	r.missing(n, "a destination", "name")
	if len(r.problems) == before {
		f.destinations = append(f.destinations, d)
	}
}

func (r *reader) labels(n *node) map[string]string {
	if !r.plain(n) {
		return nil
	}
	if n.Kind != mappingNode {
		r.errorf(r.pos(n), "labels is a mapping, not %s", kindOf(n))
		return nil
	}
	labels := map[string]string{}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, ok := r.key(k)
		if !ok {
			continue
		}
		if err := deceptive(key); err != nil {
			r.errorf(r.pos(k), "label %s: %s", quoted(key), err)
			continue
		}
		if first[key] != 0 {
			r.errorf(r.pos(k), "%s twice: first on line %d", quoted(key), first[key])
			continue
		}
		first[key] = k.Line
		labels[key] = r.name(v, "a label", deceptive)
	}
	return labels
}

func (r *reader) role(n *node) Role {
	role := Role{Pos: r.pos(n)}
	ok := r.mapping(n, "a role", []string{"name", "rules"}, func(key string, _, v *node) {
		switch key {
		case "name":
			role.Name = r.name(v, key, ValidateRole)
			if indexOf(BuiltinRoles, role.Name) >= 0 {
				r.errorf(r.pos(v), "role %s: every destination has it", quoted(role.Name))
			}
		case "rules":
			role.Rules = []Rule{}
			r.each(v, key, func(item *node) { role.Rules = append(role.Rules, r.rule(item)) })
		}
	})
	if ok {
		r.missing(n, "a role", "name")
	}
	return role
}

func (r *reader) rule(n *node) Rule {
	var rule Rule
	keys := []string{"apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"}
	lists := []*[]string{&rule.APIGroups, &rule.Resources, &rule.Verbs, &rule.ResourceNames, &rule.NonResourceURLs}
	r.mapping(n, "a rule", keys, func(key string, _, v *node) {
		list := lists[indexOf(keys, key)]
		r.each(v, key, func(item *node) {
			// The core API group is the empty string.
			if key == "apiGroups" && item.Kind == scalarNode && item.Value == "" && item.Style&quotedStyles != 0 {
				*list = append(*list, "")
			} else if s := r.name(item, "an item of "+key, deceptive); s != "" {
				*list = append(*list, s)
			}
		})
	})
	return rule
}

// validateOwnDestination is ValidateDestination for a cluster's name.
func validateOwnDestination(name string) error {
	if name == InfraDestination {
		return fmt.Errorf("destination %q: that name is reserved for the server itself", name)
	}
	return ValidateDestination(name)
}

// validatePrefix refuses a prefix with which a name could become one of Kubernetes' own.
func validatePrefix(prefix string) error {
	for _, c := range prefix {
		if invisible(c) {
			return fmt.Errorf("prefix %s: %s", quoted(prefix), charName(c))
		}
	}
	lower := strings.ToLower(prefix)
	if strings.HasPrefix(lower, systemPrefix) || strings.HasPrefix(systemPrefix, lower) {
		return fmt.Errorf("prefix %s: with it, a name could begin with %q, which is Kubernetes' own", quoted(prefix), systemPrefix)
	}
	return nil
}
