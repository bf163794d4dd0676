package schema

import "strings"

// IsPattern says whether a destination or namespace of a target is a pattern.
func IsPattern(name string) bool { return strings.Contains(name, "*") }

// Match says whether a name fits a pattern, in which `*` stands for any
// characters, none included, and everything else for itself. It knows nothing
// of the names that no pattern reaches: MatchDestination and MatchNamespace do.
func Match(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

// MatchDestination says whether a name or pattern means a destination. No
// pattern means InfraDestination.
func MatchDestination(pattern, name string) bool {
	if !IsPattern(pattern) {
		return pattern == name
	}
	return name != InfraDestination && Match(pattern, name)
}

// MatchNamespace says whether a name or pattern means a namespace. No pattern
// means a kube-* namespace; that none means the connector's own is for the
// connector to see to, which knows where it runs.
func MatchNamespace(pattern, name string) bool {
	if !IsPattern(pattern) {
		return pattern == name
	}
	return !strings.HasPrefix(name, systemNamespaces) && Match(pattern, name)
}

// overlap says whether there is a text that fits both of two patterns.
func overlap(a, b string) bool {
	// fits[j] says whether some text fits a[:i] and b[:j].
	fits := make([]bool, len(b)+1)
	for i := range len(a) + 1 {
		before := fits
		fits = make([]bool, len(b)+1)
		for j := range len(b) + 1 {
			switch {
			case i == 0 && j == 0:
				fits[j] = true
			case i > 0 && a[i-1] == '*':
				fits[j] = before[j] || j > 0 && fits[j-1]
			case j > 0 && b[j-1] == '*':
				fits[j] = fits[j-1] || i > 0 && before[j]
			default:
				fits[j] = i > 0 && j > 0 && a[i-1] == b[j-1] && before[j-1]
			}
		}
	}
	return fits[len(b)]
}

// overlapExcept is overlap for the names that a pattern may mean: those that are
// reserved are meant only by their own name.
func overlapExcept(a, b string, means func(pattern, name string) bool) bool {
	switch {
	case !IsPattern(a):
		return means(b, a)
	case !IsPattern(b):
		return means(a, b)
	}
	return overlap(a, b)
}
