package schema

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// dash is the line, from 0, that begins the entry at the index.
func (t *listText) dash(at int) int {
	line := t.seq.Content[at].Line - 1
	for line > 0 && !t.isDash(t.lines[line]) {
		line--
	}
	return line
}

func (t *listText) isDash(line string) bool {
	at := t.seq.Column - 1
	return len(line) > at && line[at] == '-' && indentOf(line) == at
}

// end is the line after the last one of the entry at the index: comments that
// are indented deeper than its dash belong to it, others to what follows.
func (t *listText) end(at int) int {
	bottom := t.bottom()
	if at+1 < len(t.seq.Content) {
		bottom = t.dash(at + 1)
	}
	line := bottom
	for isBlank(t.lines[line-1]) || strings.HasPrefix(t.lines[line-1], "...") || isComment(t.lines[line-1]) && indentOf(t.lines[line-1]) <= t.seq.Column-1 {
		line--
	}
	if t.keepsBlanks(t.seq.Content[at]) {
		for line < bottom && isBlank(t.lines[line]) {
			line++
		}
	}
	return line
}

// bottom is the line after the last one that can be of the list.
func (t *listText) bottom() int {
	if t.limit > 0 {
		return t.limit
	}
	return len(t.lines)
}

// keepsBlanks says whether blank lines after an entry are a part of its last value,
// as after |+.
func (t *listText) keepsBlanks(item *node) bool {
	if len(item.Content) == 0 {
		return false
	}
	v := item.Content[len(item.Content)-1]
	if v.Kind != scalarNode || v.Style&blockScalarStyles == 0 {
		return false
	}
	line := t.lines[v.Line-1]
	header, _, _ := strings.Cut(strings.TrimRight(line[runes(line, v.Column-1):], "\r\n"), " ")
	return strings.Contains(header, "+")
}

// gap is how many blank lines there are at least after every entry but the last.
func (t *listText) gap() int {
	least := 0
	for i := range len(t.seq.Content) - 1 {
		blanks := 0
		for line := t.end(i); line < len(t.lines) && isBlank(t.lines[line]); line++ {
			blanks++
		}
		if blanks == 0 {
			return 0
		}
		if i == 0 || blanks < least {
			least = blanks
		}
	}
	return least
}

// eol is the line end of a line, or of the one before where it has none.
func (t *listText) eol(line int) string {
	for line = min(line, len(t.lines)-1); line >= 0; line-- {
		if strings.HasSuffix(t.lines[line], "\r\n") {
			return "\r\n"
		}
		if strings.HasSuffix(t.lines[line], "\n") {
			return "\n"
		}
	}
	return "\n"
}

// offset is where a line and column, which counts runes, are in the text.
func (t *listText) offset(line, column int) int {
	at := 0
	for _, l := range t.lines[:min(line-1, len(t.lines))] {
		at += len(l)
	}
	if line <= len(t.lines) {
		at += runes(t.lines[line-1], column-1)
	}
	return at
}

// runes is how many bytes the first runes of a text have.
func runes(text string, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

func splice(data []byte, from, to int, text string) []byte {
	return slices.Concat(data[:from], []byte(text), data[to:])
}

func isBlank(line string) bool   { return strings.Trim(line, " \t\r\n") == "" }
func isComment(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") }
func indentOf(line string) int   { return len(line) - len(strings.TrimLeft(line, " ")) }
