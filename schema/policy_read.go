package schema

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Limits on a policy, so that judging a revision takes bounded time. They are
// far above what people can keep in mind.
const (
	maxRules      = 1_000
	maxCases      = 10_000 // of all rules
	maxPatterns   = 10_000 // names and patterns in all rules
	maxExpression = 200    // bytes of a regular expression
	maxSteps      = 1_000  // of a regular expression, with its repetitions written out
)

// ruleKinds are the keys of which a rule has exactly one.
var ruleKinds = []string{"deny", "require", "protect", "limit", "separate", "declared", "local", "keys"}

// reservedRules are the names of the rules that hold in every repository: a
// refusal by one must not read as one by another. Package policy has them.
var reservedRules = []string{"readable", "declaration", "brake"}

// readPolicy reads the rules of infra.yaml.
func (f *parsedFile) readPolicy(r *reader, n *node) {
	names := map[string]Pos{}
	count := 0
	r.each(n, "policy", func(item *node) {
		if count++; count > maxRules {
			return
		}
		rule, ok := f.rule(r, item)
		if !ok {
			return
		}
		if first, twice := names[rule.Name]; twice {
			r.errorf(rule.Pos, "rule %s twice: first on line %d", quoted(rule.Name), first.Line)
			return
		}
		names[rule.Name] = rule.Pos
		f.settings.Policy = append(f.settings.Policy, rule)
	})
	for _, limit := range []struct {
		what       string
		have, most int
	}{{"rules", count, maxRules}, {"cases", f.caseCount, maxCases}, {"names and patterns", f.patternCount, maxPatterns}} {
		if limit.have > limit.most {
			r.errorf(r.pos(n), "the policy has %d %s: at most %d", limit.have, limit.what, limit.most)
		}
	}
}

// rule reads one rule. What it cannot read does not become a rule, and is an
// error.
func (f *parsedFile) rule(r *reader, n *node) (PolicyRule, bool) {
	before := r.errors
	rule := PolicyRule{Pos: r.pos(n)}
	var kind *node
	keys := append(append([]string{"name", "message"}, ruleKinds...), "cases")
	ok := r.mapping(n, "a rule", keys, func(key string, k, v *node) {
		if indexOf(ruleKinds, key) >= 0 {
			if kind != nil {
				r.errorf(r.pos(k), "a rule is of one kind, and this one is %q already, on line %d: make two rules", kind.Value, kind.Line)
				return
			}
			kind = k
		}
		switch key {
		case "name":
			rule.Name = r.name(v, key, validateRuleName)
		case "message":
			rule.Message = r.line(v, "the message")
		case "deny":
			rule.Deny = f.readDeny(r, v)
		case "require":
			rule.Require = f.readRequire(r, v)
		case "protect":
			rule.Protect = f.readProtect(r, v)
		case "limit":
			rule.Limit = f.readLimit(r, v)
		case "separate":
			rule.Separate = f.readSeparate(r, v)
		case "declared":
			rule.Declared = f.readDeclared(r, v)
		case "local":
			rule.Local = f.patterns(r, v, key, "destination", func(s string) error {
				if s == InfraDestination {
					return validateOwnDestination(s)
				}
				return validateDestinationPattern(s)
			})
		case "keys":
			rule.Keys = f.readKeyRule(r, v)
		case "cases":
			rule.Cases = f.readCases(r, v)
		}
	})
	if !ok {
		return rule, false
	}
	if kind == nil {
		r.errorf(rule.Pos, "a rule without a kind: give it one of %s", strings.Join(ruleKinds, ", "))
	}
	r.missing(n, "a rule", "name", "message")
	return rule, r.errors == before
}

func validateRuleName(name string) error {
	switch {
	case !label.MatchString(name):
		return fmt.Errorf("rule %s: %s", quoted(name), labelRule)
	case indexOf(reservedRules, name) >= 0:
		return fmt.Errorf("rule %q: a rule of this name holds in every repository: choose another", name)
	}
	return nil
}

func (f *parsedFile) readDeny(r *reader, n *node) *Deny {
	before := r.errors
	d := &Deny{}
	d.Selector = f.selector(r, n, "deny", []string{"unless"}, func(_ string, v *node) { d.Unless = f.readUnless(r, v) })
	if r.errors == before && len(n.Content) == 0 {
		r.errorf(r.pos(n), "deny of nothing in particular: it would refuse all access")
	}
	return d
}

func (f *parsedFile) readUnless(r *reader, n *node) *Selector {
	s := f.some(r, n, "unless", "unless without anything to pick: it would except everything")
	return &s
}

func (f *parsedFile) readRequire(r *reader, n *node) *Require {
	before := r.errors
	q := &Require{}
	q.Selector = f.selector(r, n, "require", []string{"expiry", "reason", "group", "unless"}, func(key string, v *node) {
		switch key {
		case "expiry":
			q.Expiry = r.duration(v, key)
		case "reason":
			q.Reason = r.expression(v, key)
		case "group":
			q.Group = r.yes(v, key)
		case "unless":
			q.Unless = f.readUnless(r, v)
		}
	})
	if r.errors == before && q.Expiry == 0 && q.Reason == "" && !q.Group {
		r.errorf(r.pos(n), "require without anything to ask for: give it expiry, reason or group")
	}
	return q
}

func (f *parsedFile) readProtect(r *reader, n *node) *Protect {
	g := f.readCaseGrant(r, n, "protect", nil, nil)
	return &Protect{Subject: g.Subject, Role: g.Role, Target: g.Target}
}

func (f *parsedFile) readLimit(r *reader, n *node) *Limit {
	before := r.errors
	l := &Limit{}
	var least *node
	l.Selector = f.selector(r, n, "limit", []string{"atMost", "atLeast"}, func(key string, v *node) {
		if key == "atLeast" {
			least, l.AtLeast = v, r.count(v, key)
		} else if most, ok := r.number(v, key, 0, math.MaxInt32); ok {
			l.AtMost = &most
		}
	})
	switch {
	case r.errors > before:
	case l.AtMost == nil && l.AtLeast == 0:
		r.errorf(r.pos(n), "limit without a number: give it atMost or atLeast")
	case l.AtMost != nil && l.AtLeast > *l.AtMost:
		r.errorf(r.pos(least), "atLeast %d is more than atMost %d: nothing could be both", l.AtLeast, *l.AtMost)
	}
	return l
}

func (f *parsedFile) readSeparate(r *reader, n *node) []Selector {
	before := r.errors
	var list []Selector
	r.each(n, "separate", func(item *node) {
		s := f.some(r, item, "an item of separate", "an item of separate without anything to pick: everybody is in it")
		for _, other := range list {
			if r.errors == before && reflect.DeepEqual(s, other) {
				r.errorf(r.pos(item), "the same twice: everybody who is in the one is in the other")
				break
			}
		}
		list = append(list, s)
	})
	if r.errors == before && len(list) < 2 {
		r.errorf(r.pos(n), "separate has %d of what nobody may hold together: give it at least two", len(list))
	}
	return list
}

func (f *parsedFile) readDeclared(r *reader, n *node) []DeclaredKind {
	kinds := []string{string(DeclaredUsers), string(DeclaredGroups), string(DeclaredDestinations), string(DeclaredRoles)}
	var list []DeclaredKind
	r.each(n, "declared", func(item *node) {
		kind := DeclaredKind(r.oneOf(item, "an item of declared", kinds))
		for _, have := range list {
			if have == kind {
				r.warnf(r.pos(item), "%s twice in one list", quoted(string(kind)))
				return
			}
		}
		if kind != "" {
			list = append(list, kind)
		}
	})
	if n.Kind == sequenceNode && len(n.Content) == 0 {
		r.errorf(r.pos(n), "declared is empty: name one of %s", strings.Join(kinds, ", "))
	}
	return list
}

func (f *parsedFile) readKeyRule(r *reader, n *node) *KeyRule {
	before := r.errors
	k := &KeyRule{}
	r.mapping(n, "keys", []string{"bound", "lifetime"}, func(key string, _, v *node) {
		if key == "bound" {
			k.Bound = r.yes(v, key)
		} else {
			k.Lifetime = r.duration(v, key)
		}
	})
	if r.errors == before && *k == (KeyRule{}) {
		r.errorf(r.pos(n), "keys without anything to ask for: give it bound or lifetime")
	}
	return k
}

// expression reads a regular expression that asks for something.
func (r *reader) expression(n *node, what string) string {
	s, ok := r.text(n, what)
	if !ok {
		return ""
	}
	if err := validateExpression(s); err != nil {
		r.errorf(r.pos(n), "%s: %s", what, err)
		return ""
	}
	return s
}

// validateExpression says why a text is not a regular expression that a reason
// can be held against, or nil. RE2 takes time in proportion to the text and to
// the expression's steps, so these are bounded.
func validateExpression(s string) error {
	if len(s) > maxExpression {
		return fmt.Errorf("the expression has %d bytes: at most %d", len(s), maxExpression)
	}
	tree, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return fmt.Errorf("%s is not a regular expression (RE2): %s", quoted(s), quoteless(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
	}
	if steps(tree) > maxSteps {
		return fmt.Errorf("%s repeats too much: written out it has more than %d steps", quoted(s), maxSteps)
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return fmt.Errorf("%s is not a regular expression (RE2): %s", quoted(s), quoteless(err.Error()))
	}
	if re.MatchString("") {
		return fmt.Errorf("%s fits an empty reason too, so it asks for nothing: write \".\" for any reason", quoted(s))
	}
	return nil
}

// steps is about how long an expression is once its counted repetitions are
// written out.
func steps(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += steps(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<20) // so that no product overflows
}
