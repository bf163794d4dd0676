package schema

import (
	"bytes"
	"strings"
)

// A sheet is the text of one side of a merge, with LF at the end of every line.
// Where it is not there at all, its root is nil.
type sheet struct {
	*listText
	text []string // lines without their ends
	crlf bool     // it had CRLF
	open bool     // its last line had no end
}

// readSheet gives nil where the lines end in different ways.
func readSheet(file string, data []byte) *sheet {
	s := &sheet{crlf: bytes.Contains(data, []byte("\r\n"))}
	if s.crlf {
		if bytes.Count(data, []byte("\r\n")) != bytes.Count(data, []byte("\n")) {
			return nil
		}
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	}
	if s.open = len(data) > 0 && data[len(data)-1] != '\n'; s.open {
		data = append(data[:len(data):len(data)], '\n')
	}
	root, err := parseYAML(data)
	if err != nil {
		return nil
	}
	s.listText = &listText{file: file, data: data, lines: splitLines(data), root: root}
	for _, l := range s.lines {
		s.text = append(s.text, strings.TrimSuffix(l, "\n"))
	}
	return s
}

// A part is one child of a list or mapping as it is written: a pair or an item,
// or a comment beside them.
type part struct {
	id    string // among its siblings: an item's identity, a pair's key, a comment's text
	note  bool   // a comment, or a mark like ---
	name  string // of the list that it is in, or of the pair itself
	key   *node  // of a pair
	value *node  // of a pair or an item
	sheet *sheet

	// In a block, it has lines of its own.
	blanks   int      // empty lines before it
	from, to int      // its lines, from 0
	lines    []string // these, with blanks for what is before it on its first line

	// In brackets, it has a span.
	lead       string // white space before it
	start, end int
	after      string // a comment behind it, and what is on the lines up to the next
}

// A block is a list or mapping without brackets. The zero value is one that is not there.
type block struct {
	sheet  *sheet
	column int // of its keys or dashes, from 0
	parts  []part
	blanks int // empty lines at its end
}

// block cuts a node into its parts, with the comments that are on its lines.
func (s *sheet) block(n *node, name string, from, to int) block {
	b := block{sheet: s}
	blanks := 0
	notes := func(until int) {
		for ; from < until; from++ {
			if isBlank(s.text[from]) {
				blanks++
				continue
			}
			b.parts = append(b.parts, part{id: "#" + strings.TrimSpace(s.text[from]), note: true, sheet: s,
				blanks: blanks, from: from, to: from + 1, lines: s.text[from : from+1]})
			blanks = 0
		}
	}
	var children []part
	switch {
	case n == nil:
	case n.Kind == mappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			children = append(children, part{id: k.Value, name: k.Value, key: k, value: v, from: k.Line - 1})
		}
	default:
		inList := &sheet{listText: &listText{data: s.data, lines: s.lines, seq: n}}
		for i, id := range identities(n, name) {
			children = append(children, part{id: id, name: name, value: n.Content[i], from: inList.dash(i)})
		}
	}
	if len(children) > 0 {
		b.column = n.Column - 1
	}
	for i, c := range children {
		notes(c.from)
		next := to
		if i+1 < len(children) {
			next = children[i+1].from
		}
		c.sheet, c.blanks, c.to = s, blanks, s.endOf(c.from, next, b.column)
		if c.key != nil && s.closes(c.value) == c.from+1 { // comments below it are its neighbours
			c.to = c.from + 1
		}
		c.lines = append([]string{strings.Repeat(" ", b.column) + s.text[c.from][min(b.column, len(s.text[c.from])):]}, s.text[c.from+1:c.to]...)
		b.parts = append(b.parts, c)
		from, blanks = c.to, 0
	}
	notes(to)
	b.blanks = blanks
	return b
}

// endOf is the line after the last one of what begins on a line and ends before
// another: comments that are indented deeper than it belong to it.
func (s *sheet) endOf(start, next, column int) int {
	for next > start+1 {
		l := s.text[next-1]
		if !isBlank(l) && !strings.HasPrefix(l, "...") && !(isComment(l) && indentOf(l) <= column) {
			break
		}
		next--
	}
	return next
}

// closes is the line, from 1, on which a scalar of one line or something in
// brackets ends; 0 where that cannot be told.
func (s *sheet) closes(n *node) int {
	switch {
	case n.Kind == scalarNode && n.Style&blockScalarStyles == 0 && s.oneLine(n):
		return n.Line
	case isFlow(n):
		start := s.offset(n.Line, n.Column)
		if end, ok := scanBrackets(s.data, start); ok {
			return n.Line + bytes.Count(s.data[start:end], []byte("\n"))
		}
	}
	return 0
}

// isBlock says whether a node is a list or mapping without brackets.
func isBlock(n *node) bool {
	return n != nil && n.Kind != scalarNode && n.Style&flowStyle == 0 && len(n.Content) > 0
}

// isFlow says whether a node is a list or mapping in brackets.
func isFlow(n *node) bool { return n != nil && n.Kind != scalarNode && !isBlock(n) }

// nested is the block that a part holds, and the line above it: of a pair, its
// key; of an item, the dash where it has a line of its own. An empty list in
// brackets counts as a block of nothing.
func (p part) nested() (head string, b block, ok bool) {
	s := p.sheet
	switch {
	case p.key == nil && isBlock(p.value) && p.value.Line-1 == p.from:
		return "", s.block(p.value, p.name, p.from, p.to), true
	case isBlock(p.value) && p.value.Line-1 > p.from:
		return p.lines[0], s.block(p.value, p.name, p.from+1, p.to), true
	case p.key != nil && p.value.Kind == sequenceNode && len(p.value.Content) == 0 && p.value.Line == p.key.Line:
		colon := p.colon()
		rest := strings.TrimLeft(p.lines[0][colon:], " ")
		if !strings.HasPrefix(rest, "[]") {
			return "", block{}, false
		}
		return p.lines[0][:colon] + rest[len("[]"):], s.block(nil, "", p.from+1, p.to), true
	}
	return "", block{}, false
}

// unfolded is a pair whose list in brackets is written with a line for each entry.
func (p part) unfolded() (part, bool) {
	if p.key == nil || p.value.Kind != sequenceNode || len(p.value.Content) == 0 || p.lines == nil || p.sheet.closes(p.value) != p.from+1 {
		return p, false
	}
	f, ok := cutFlow(p)
	_, end, found := p.valueSpan()
	if !ok || !found {
		return p, false
	}
	rest := string(p.sheet.data[end : p.sheet.offset(p.from+1, 1)+len(p.sheet.text[p.from])])
	indent := strings.Repeat(" ", indentOf(p.lines[0]))
	lines := []string{p.lines[0][:p.colon()] + rest}
	for _, e := range f.parts {
		lines = append(lines, indent+"  - "+e.text())
	}
	s := readSheet(p.sheet.file, []byte(strings.Join(lines, "\n")))
	if s == nil || !isBlock(s.root) || s.root.Kind != mappingNode {
		return p, false
	}
	b := s.block(s.root, "", 0, len(s.text))
	if len(b.parts) != 1 {
		return p, false
	}
	out := b.parts[0]
	out.lines = append(out.lines, p.lines[1:]...)
	return out, true
}

// colon is where in its first line the key of a pair has ended, colon included.
func (p part) colon() int {
	at := p.sheet.offset(p.key.Line, p.key.Column)
	end := at + len(p.key.Value)
	if p.key.Style&quotedStyles != 0 {
		end += 2
	}
	line := p.sheet.offset(p.key.Line, 1)
	return min(end+1-line, len(p.lines[0]))
}

// valueSpan is where the value of a part is in the text; block scalars and plain
// ones of several lines reach to the end of the part.
func (p part) valueSpan() (start, end int, ok bool) {
	s := p.sheet
	start = s.offset(p.value.Line, p.value.Column)
	if isFlow(p.value) {
		end, ok = scanBrackets(s.data, start)
		return start, end, ok
	}
	if p.value.Kind != scalarNode {
		return 0, 0, false
	}
	quoted := p.value.Style&(singleQuotedStyle|doubleQuotedStyle) != 0
	if p.lines == nil {
		end, ok = s.scanScalar(start, true)
		return start, end, ok && (quoted || string(s.data[start:end]) == p.value.Value)
	}
	if end, ok = s.scanScalar(start, false); ok && p.value.Style&blockScalarStyles == 0 && (quoted || s.oneLine(p.value)) {
		return start, end, true
	}
	return start, s.offset(p.to, 1) + len(s.text[p.to-1]), true
}

// span is where a part is in the text.
func (p part) span() (start, end int) {
	if p.lines == nil {
		return p.start, p.end
	}
	s := p.sheet
	return s.offset(p.from+1, 1) + len(s.text[p.from]) - len(strings.TrimLeft(p.lines[0], " ")), s.offset(p.to, 1) + len(s.text[p.to-1])
}
