package schema

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
)

// Merged is what two versions of a file come to together.
type Merged struct {
	Text      []byte   // the merged file; nil where it could not be made
	Conflicts []string // what contradicts itself, one sentence each; then there is no Text

	path  string
	means sense
	sides [3][]byte // the base, ours and theirs
}

// An UnmergeableError says that a file is not merged by what it means: it is
// none of the lists of an access repository, or a side of it cannot be read.
type UnmergeableError struct{ File, Detail string }

// Error says which file, and why.
func (e *UnmergeableError) Error() string { return e.File + " is merged as text: " + e.Detail }

// Merge merges what two sides made of the file at a path. base is what both began
// with, empty where both added the file. An entry that one side added, changed
// or removed is so in the result, as that side wrote it, with its comments; what
// both changed is merged by its fields, and lists of members and labels by
// their entries. A list that is in an order in ours stays so. It does not
// matter who of two comes first in a list, so that two who add to its end do not
// disagree.
//
// Where the two contradict each other (one removes what the other changes, both
// change a field to different things, both add the same grant with another
// expiry) there is no text, and Conflicts says so. No comment is lost that one
// of them wrote.
//
// The text that is returned was read again and says what both sides together
// mean. *StyleError says that no such text could be written, and *UnmergeableError
// that what they mean is not known. Says tells then whether a text that
// somebody else made will do; after *UnmergeableError it cannot.
func Merge(path string, base, ours, theirs []byte) (Merged, error) {
	m := Merged{path: path, sides: [3][]byte{base, ours, theirs}}
	switch {
	case bytes.Equal(ours, theirs), bytes.Equal(base, theirs):
		m.Text = ours
		return m, nil
	case bytes.Equal(base, ours):
		m.Text = theirs
		return m, nil
	}
	kind := kindOfPath(path)
	if homeOf(string(kind)) == "" {
		return m, &UnmergeableError{path, "it holds no list of access"}
	}
	var lists [3]map[string]sense
	for i, data := range m.sides {
		if i == 0 && len(data) == 0 {
			continue
		}
		list, ok := readList(path, kind, data)
		if !ok {
			return m, &UnmergeableError{path, []string{"the base", "ours", "theirs"}[i] + " has errors"}
		}
		lists[i] = list
	}
	r := &reconciliation{kind: kind}
	merged := r.entries(lists[0], lists[1], lists[2])
	if len(r.conflicts) > 0 {
		slices.Sort(r.conflicts)
		m.Conflicts = slices.Compact(r.conflicts)
		return m, nil
	}
	m.means = merged
	var sheets [3]*sheet
	for i, data := range m.sides {
		if sheets[i] = readSheet(path, data); sheets[i] == nil {
			return m, &StyleError{path, "its lines end in different ways"}
		}
	}
	if len(base) == 0 { // what is not there says nothing about how lines end
		sheets[0].crlf, sheets[0].open = sheets[1].crlf, sheets[1].open
	}
	text, ok := joinFile(sheets[0], sheets[1], sheets[2])
	if !ok || !m.Says(text) {
		return m, &StyleError{path, "what the two sides say goes together, but not how they write it"}
	}
	m.Text = text
	return m, nil
}

// Says tells whether a text says what both sides together mean, and holds every
// comment that one of them wrote. It does not know where there are Conflicts.
func (m Merged) Says(text []byte) bool {
	if m.means == nil {
		return m.Text != nil && bytes.Equal(text, m.Text)
	}
	list, ok := readList(m.path, kindOfPath(m.path), text)
	return ok && reflect.DeepEqual(sense(list), m.means) && m.keepsComments(text)
}

// readList is what the one list of a file says; false where the file has errors.
func readList(path string, kind fileKind, data []byte) (map[string]sense, bool) {
	if len(parseFile(path, data).problems.Errors()) > 0 {
		return nil, false
	}
	root, err := parseYAML(data)
	if err != nil {
		return nil, false
	}
	file := entry(senseOf(root, ""))
	list, ok := file[string(kind)].(map[string]sense)
	return list, ok
}

// keepsComments says whether a text has the comments that the base does not have.
func (m Merged) keepsComments(text []byte) bool {
	base, result := comments(m.sides[0]), comments(text)
	for _, side := range m.sides[1:] {
		for c, n := range comments(side) {
			if base[c] == 0 && result[c] < n {
				return false
			}
		}
	}
	return true
}

// comments counts the comments of a text. It may take a part of a text of several
// lines for one.
func comments(data []byte) map[string]int {
	found := map[string]int{}
	for line := range strings.Lines(string(data)) {
		if at := commentAt(line); at >= 0 {
			found[strings.TrimSpace(line[at:])]++
		}
	}
	return found
}

// commentAt is where the comment of a line begins, -1 where it has none.
func commentAt(line string) int {
	fresh := true // whether a quote would open a text here
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		case fresh && (c == '"' || c == '\''):
			if end, ok := scanQuotes([]byte(line), i); ok {
				i = end - 1
			}
			fresh = false
		case c != ' ' && c != '\t':
			fresh = strings.IndexByte("[{,:-", c) >= 0
		}
	}
	return -1
}
