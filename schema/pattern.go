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

// overlapExcept says whether there is a name that fits both of two patterns,
// among those that a pattern may mean: the reserved ones begin with a text, and
// are meant only by their own name. A name is a DNS-1123 label of any length.
func overlapExcept(a, b, reserved string, means func(pattern, name string) bool) bool {
	switch {
	case !IsPattern(a):
		return means(b, a)
	case !IsPattern(b):
		return means(a, b)
	}
	// Between what both begin and what both end with there is room for anything,
	// so nothing else can keep them apart.
	begin, ok := longer(a[:strings.Index(a, "*")], b[:strings.Index(b, "*")], strings.HasPrefix)
	if !ok || reserved != "" && strings.HasPrefix(begin, reserved) {
		return false
	}
	end, ok := longer(a[strings.LastIndex(a, "*")+1:], b[strings.LastIndex(b, "*")+1:], strings.HasSuffix)
	return ok && !strings.HasPrefix(begin, "-") && !strings.HasSuffix(end, "-")
}

// longer is the longer of two texts, of which one must lie in the other.
func longer(a, b string, lies func(text, part string) bool) (string, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	return a, lies(a, b)
}
