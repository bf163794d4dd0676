package schema

import (
	"bytes"
	"slices"
	"strings"
)

// A mapText is the text of a file and a mapping in it. Its edits return the whole
// new text, and like those of a listText they see less than YAML can be: whoever
// calls them reads the result again and compares.
type mapText struct {
	*listText
	node *node
	end  int      // the line after the last one that can be of the mapping, where it is not in braces
	keys []string // in the order in which they are written; others come last
}

// A yamlValue is a value as it is written: in one line, or in lines below its key.
type yamlValue struct {
	flow  string
	block []string // indented as seen from the key; nil: it has none
}

// entry is the mapping that an entry of the list is.
func (t *listText) entry(at int, keys []string) *mapText {
	m := &mapText{listText: t, node: t.seq.Content[at], keys: keys}
	if t.seq.Style&flowStyle == 0 {
		m.end = t.end(at)
	}
	return m
}

// mapping is the mapping that a key has as its value; nil: it has none.
func (m *mapText) mapping(key string) *mapText {
	i := m.index(key)
	if i < 0 || m.node.Content[i+1].Kind != mappingNode {
		return nil
	}
	return &mapText{listText: m.listText, node: m.node.Content[i+1], end: m.keyEnd(i)}
}

// list is the list that a key has as its value; nil: it has none.
func (m *mapText) list(key string) *listText {
	i := m.index(key)
	if i < 0 || m.node.Content[i+1].Kind != sequenceNode {
		return nil
	}
	inner := *m.listText
	inner.root, inner.key, inner.seq = m.node, m.node.Content[i], m.node.Content[i+1]
	if !m.inBraces() && inner.seq.Style&flowStyle == 0 {
		inner.limit = m.keyEnd(i)
	}
	return &inner
}

// index is where a key is in the node; -1: nowhere.
func (m *mapText) index(key string) int {
	for i := 0; i+1 < len(m.node.Content); i += 2 {
		if m.node.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// inBraces says whether the mapping is, or anything around it.
func (m *mapText) inBraces() bool { return m.end == 0 || m.node.Style&flowStyle != 0 }

// keyEnd is the line after the value of the key at an index. Comments that stand no
// deeper than the keys belong to what follows.
func (m *mapText) keyEnd(i int) int {
	if m.inBraces() {
		return 0
	}
	last, at := m.end, m.node.Content[i+1].Line
	if i+2 < len(m.node.Content) {
		last = m.node.Content[i+2].Line - 1
	}
	for last > at && (isBlank(m.lines[last-1]) || isComment(m.lines[last-1]) && indentOf(m.lines[last-1]) < m.node.Column) {
		last--
	}
	return last
}

// span is where a value is that is on one line, or in brackets or braces.
func (m *mapText) span(v *node) (start, end int, err error) {
	start = m.offset(v.Line, v.Column)
	ok := false
	switch {
	case v.Kind == scalarNode && v.Style&blockScalarStyles == 0:
		if end, ok = m.scanScalar(start, m.inBraces()); ok && !m.inBraces() {
			ok = m.oneLine(v)
		}
	case v.Style&flowStyle != 0:
		end, ok = scanBrackets(m.data, start)
	}
	if !ok {
		return 0, 0, &StyleError{m.file, "a value has several lines"}
	}
	return start, end, nil
}

// set gives a key a value, which is text or in braces so far.
func (m *mapText) set(key string, value yamlValue) ([]byte, error) {
	i := m.index(key)
	if i < 0 {
		return m.add(key, value)
	}
	start, end, err := m.span(m.node.Content[i+1])
	if err != nil {
		return nil, err
	}
	return splice(m.data, start, end, value.flow), nil
}

// add puts in a key that is not there.
func (m *mapText) add(key string, value yamlValue) ([]byte, error) {
	name := m.keyText(key)
	if len(m.node.Content) == 0 {
		start, end, err := m.span(m.node)
		return splice(m.data, start, end, "{"+name+": "+value.flow+"}"), err
	}
	i := m.before(key)
	if m.inBraces() {
		_, end, err := m.span(m.node.Content[i+1])
		return splice(m.data, end, end, ", "+name+": "+value.flow), err
	}
	lead := strings.Repeat(" ", m.node.Column-1)
	lines := []string{lead + name + ": " + value.flow}
	if value.block != nil {
		lines[0] = lead + name + ":"
		for _, l := range value.block {
			lines = append(lines, lead+l)
		}
	}
	return m.insertLines(m.keyEnd(i), lines), nil
}

// before is the index of the key behind which another one goes.
func (m *mapText) before(key string) int {
	i := len(m.node.Content) - 2
	own := indexOf(m.keys, key)
	for own >= 0 && i > 0 && indexOf(m.keys, m.node.Content[i].Value) > own {
		i -= 2
	}
	return i
}

// keyText is a key as those that are there are written.
func (m *mapText) keyText(key string) string {
	style := 0
	if len(m.node.Content) > 0 {
		style = int(m.node.Content[0].Style & quotedStyles)
	}
	return scalar("", key, style)
}

// text is a value as the last one in the mapping is written: in quotes where that has
// some which it could do without.
func (m *mapText) text(value string) yamlValue {
	style := 0
	if n := len(m.node.Content); n > 0 {
		if last := m.node.Content[n-1]; scalar("", last.Value, 0) == last.Value {
			style = int(last.Style & quotedStyles)
		}
	}
	return yamlValue{flow: scalar("", value, style)}
}

// remove takes away a key that is not the only one.
func (m *mapText) remove(key string) ([]byte, error) {
	i := m.index(key)
	k := m.node.Content[i]
	if !m.inBraces() {
		return m.removeOwnLines(i)
	}
	from := m.offset(k.Line, k.Column)
	_, to, err := m.span(m.node.Content[i+1])
	if err != nil {
		return nil, err
	}
	if i > 0 {
		if _, from, err = m.span(m.node.Content[i-1]); err != nil {
			return nil, err
		}
	} else {
		next := m.node.Content[2]
		to = m.offset(next.Line, next.Column)
	}
	if bytes.IndexByte(m.data[from:to], '#') >= 0 && bytes.IndexByte(m.data[from:to], '\n') >= 0 {
		return nil, &StyleError{m.file, "there is a comment in braces that the change would remove"}
	}
	return splice(m.data, from, to, ""), nil
}

// removeOwnLines takes away a key with its lines. Where it shares the first with the dash
// of an entry, the next key moves up.
func (m *mapText) removeOwnLines(i int) ([]byte, error) {
	from, to, column := m.node.Content[i].Line-1, m.keyEnd(i), m.node.Column-1
	if isBlank(m.lines[from][:column]) {
		return m.removeLines(from, to), nil
	}
	next := m.node.Content[2].Line - 1
	if next < to {
		return nil, &StyleError{m.file, "an entry has several keys on one line"}
	}
	joined := m.lines[from][:column] + m.lines[next][column:]
	return []byte(strings.Join(slices.Concat(m.lines[:from], m.lines[to:next], []string{joined}, m.lines[next+1:]), "")), nil
}
