package schema

import "strings"

// IsPattern says whether a destination or namespace of a target is a pattern.
func IsPattern(name string) bool { return strings.Contains(name, "*") }

// Match says whether a name fits a pattern, in which `*` stands for any
// characters, none included, and everything else for itself. It knows nothing
// of the names that no pattern reaches: those are the destination
// InfraDestination, and the namespaces that the connector protects.
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
