package review

import (
	"bytes"
	"slices"
	"strings"
)

// MoveOwners gives the rules of a CODEOWNERS file that name a path by its very words
// the path that it has now. A rule for a folder is one for what lies in it. All else
// stays: a pattern that fits the old path alone is for a person to look at.
func MoveOwners(text []byte, from, to string) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, line := range lines {
		s := strings.TrimLeft(string(line), " \t")
		if s == "" || s[0] == '#' || sectionHead.MatchString(strings.TrimSpace(s)) {
			continue
		}
		indent := string(line[:len(line)-len(s)])
		pattern, _ := cutPattern(s)
		end := len(strings.TrimRight(pattern, "\r\n")) // of a rule without owners
		pattern, rest := pattern[:end], s[end:]
		lead := pattern[:len(pattern)-len(strings.TrimLeft(pattern, "!/"))]
		named := pattern[len(lead):]
		if deep, ok := strings.CutPrefix(named, "**/"); ok {
			lead, named = lead+"**/", deep
		}
		if below, ok := strings.CutPrefix(named, from); ok && (below == "" || below[0] == '/') {
			lines[i] = []byte(indent + lead + to + below + rest)
		}
	}
	return bytes.Join(lines, nil)
}

// LinesOfOwner are the lines, from 1, on which a CODEOWNERS file names an owner: an
// e-mail address as it is, anybody else as @name.
func LinesOfOwner(text []byte, name string) []int {
	lines, _ := ownerLines(text)
	var out []int
	for _, l := range lines {
		if slices.ContainsFunc(l.owners, func(o string) bool { return strings.EqualFold(o, name) || strings.EqualFold(o, "@"+name) }) {
			out = append(out, l.number)
		}
	}
	return out
}
