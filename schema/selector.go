package schema

import (
	"errors"
	"fmt"
	"strings"
)

var selectorKeys = []string{"roles", "destinations", "namespaces", "scope", "users", "groups", "undeclared"}

// A namedThing is a name, and no pattern, that infra.yaml has in a policy or a
// brake. It is compared with the names that the other files have.
type namedThing struct {
	kind string // user, group, role or destination
	name string
	pos  Pos
	try  bool // it is in a case, where people may be made up
}

// selector reads what picks access. more are keys that the rule has beside, and
// rest is called with them.
func (f *parsedFile) selector(r *reader, n *node, what string, more []string, rest func(key string, v *node)) Selector {
	var s Selector
	var usersKey, namespacesKey *node
	r.mapping(n, what, append(append([]string(nil), selectorKeys...), more...), func(key string, k, v *node) {
		switch key {
		case "roles":
			s.Roles = f.patterns(r, v, key, "role", validateRolePattern)
		case "destinations":
			s.Destinations = f.patterns(r, v, key, "destination", validateDestinationPattern)
		case "namespaces":
			namespacesKey = k
			s.Namespaces = f.patterns(r, v, key, "namespace", validateNamespacePattern)
		case "scope":
			s.Scope = Scope(r.oneOf(v, key, []string{string(ScopeCluster), string(ScopeNamespace)}))
		case "users":
			usersKey = k
			s.Users = f.patterns(r, v, key, "user", singleStars(ValidateUser))
		case "groups":
			s.Groups = f.patterns(r, v, key, "group", singleStars(ValidateGroup))
		case "undeclared":
			s.Undeclared = r.yes(v, key)
		default:
			rest(key, v)
		}
	})
	if usersKey != nil && s.Undeclared {
		r.errorf(r.pos(usersKey), "users beside undeclared, which is of groups: make two rules")
	}
	if namespacesKey != nil && s.Scope == ScopeCluster {
		r.errorf(r.pos(namespacesKey), "namespaces beside scope: cluster: a grant on a whole cluster is on no one namespace, so leave out one of the two")
	}
	return s
}

// some reads a selector that must pick something: what picks everything is
// more often an accident than meant. empty says what it would do.
func (f *parsedFile) some(r *reader, n *node, what, empty string) Selector {
	before := r.errors
	s := f.selector(r, n, what, nil, nil)
	if r.errors == before && len(n.Content) == 0 {
		r.errorf(r.pos(n), "%s", empty)
	}
	return s
}

// patterns reads a list of names and patterns of one kind, of which there is at
// least one.
func (f *parsedFile) patterns(r *reader, n *node, what, kind string, check func(string) error) []string {
	var list []string
	seen := map[string]bool{}
	r.each(n, what, func(item *node) {
		if f.patternCount++; f.patternCount > maxPatterns {
			return
		}
		text := r.name(item, "an item of "+what, check)
		switch {
		case text == "":
			return
		case seen[text]:
			r.warnf(r.pos(item), "%s %s twice in one list", kind, quoted(text))
			return
		}
		seen[text] = true
		list = append(list, text)
		f.name(r, item, kind, text)
	})
	if n.Kind == sequenceNode && len(n.Content) == 0 {
		r.errorf(r.pos(n), "%s is empty: leave it out to ask for none, or write [\"*\"]", what)
	}
	return list
}

// name notes a name that a policy has.
func (f *parsedFile) name(r *reader, n *node, kind, name string) {
	if name != "" && !IsPattern(name) && kind != "namespace" {
		f.named = append(f.named, namedThing{kind: kind, name: name, pos: r.pos(n)})
	}
}

// singleStars is a check of names for patterns of them.
func singleStars(check func(string) error) func(string) error {
	return func(text string) error {
		if strings.Contains(text, "**") {
			return doubleStar(text)
		}
		return check(text)
	}
}

func doubleStar(text string) error {
	return fmt.Errorf("pattern %s: a single * stands for any characters already", quoted(text))
}

// validateRolePattern is ValidateRole for a pattern.
func validateRolePattern(text string) error {
	switch {
	case !IsPattern(text):
		return ValidateRole(text)
	case strings.Contains(text, "**"):
		return doubleStar(text)
	}
	// What a star leaves is part of a name.
	err := deceptive(text)
	switch {
	case err != nil:
	case strings.ContainsAny(text, "/% "):
		err = errors.New("the name of a role has no blank, slash or percent sign")
	case reserved(text):
		err = fmt.Errorf("roles that begin with %q are Kubernetes' own", systemPrefix)
	default:
		return nil
	}
	return fmt.Errorf("role %s: %w", quoted(text), err)
}

// validateDestinationPattern is ValidateDestination for a pattern too.
func validateDestinationPattern(text string) error { return validateLabelPattern("destination", text) }

// validateNamespacePattern says why a text is no namespace and no pattern of them.
func validateNamespacePattern(text string) error { return validateLabelPattern("namespace", text) }

func validateLabelPattern(what, text string) error {
	switch {
	case strings.Contains(text, "**"):
		return doubleStar(text)
	case IsPattern(text) && !patternForm.MatchString(text):
		return fmt.Errorf("%s %s: a pattern is of lower-case letters, digits, hyphens and single *", what, quoted(text))
	case !IsPattern(text) && !label.MatchString(text):
		return fmt.Errorf("%s %s: %s", what, quoted(text), labelRule)
	}
	return nil
}
