package schema

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// A listText is the text of a file that holds one list, and the nodes that tell
// where in it the entries are. Its edits return the whole new text. They do not
// see everything that YAML can be: whoever calls them reads the result again and
// compares.
type listText struct {
	file  string
	data  []byte
	lines []string // with their line ends
	root  *node
	key   *node // of the list
	seq   *node
	limit int // the line, from 0, that is none of the list's any more; 0: the end of the file
}

// openList finds the list of a file.
func openList(file string, data []byte, list string) (*listText, error) {
	root, err := parseYAML(data)
	if err != nil || root == nil || root.Kind != mappingNode {
		return nil, &StyleError{file, "it cannot be read"}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if k, v := root.Content[i], root.Content[i+1]; k.Value == list && v.Kind == sequenceNode {
			return &listText{file: file, data: data, lines: splitLines(data), root: root, key: k, seq: v}, nil
		}
	}
	return nil, &StyleError{file, "it has no list " + list}
}

// nested is the same text with a list of the entry at the index as its list; nil
// where the entry has no such list.
func (t *listText) nested(at int, list string) *listText {
	entry := t.seq.Content[at]
	for k := 0; k+1 < len(entry.Content); k += 2 {
		key, seq := entry.Content[k], entry.Content[k+1]
		if key.Value != list || seq.Kind != sequenceNode {
			continue
		}
		inner := *t
		inner.root, inner.key, inner.seq = entry, key, seq
		switch {
		case t.seq.Style&flowStyle != 0 || entry.Style&flowStyle != 0 || seq.Style&flowStyle != 0:
		case k+2 < len(entry.Content):
			inner.limit = entry.Content[k+2].Line - 1
		default:
			inner.limit = t.end(at)
		}
		return &inner
	}
	return nil
}

// newList is the text of a file with one entry.
func newList(list string, fields []field) []byte {
	item := itemStyle{}.block(2, fields)
	return []byte(list + ":\n" + strings.Join(item, "\n") + "\n")
}

func splitLines(data []byte) []string {
	lines := strings.SplitAfter(string(data), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// insert puts an entry in front of the one at the index, or at the end.
func (t *listText) insert(at int, fields []field) ([]byte, error) {
	switch {
	case len(t.seq.Content) == 0:
		return t.insertFirst(fields)
	case t.seq.Style&flowStyle != 0:
		return t.insertFlow(at, fields)
	}
	indent := t.seq.Column - 1
	neighbour := t.seq.Content[max(0, at-1)]
	style := t.styleOf(neighbour)
	var item []string
	if neighbour.Style&flowStyle != 0 {
		item = []string{strings.Repeat(" ", indent) + "-" + style.gap() + style.flow(fields)}
	} else {
		item = style.block(indent, fields)
	}
	if at == 0 {
		if t.separated() {
			item = append(item, "")
		}
		line := t.dash(0)
		for line > t.key.Line && isComment(t.lines[line-1]) {
			line--
		}
		return t.insertLines(line, item), nil
	}
	if t.separated() {
		item = append([]string{""}, item...)
	}
	return t.insertLines(t.end(at-1), item), nil
}

// insertFirst turns [] into a list of one.
func (t *listText) insertFirst(fields []field) ([]byte, error) {
	start, end, err := t.flowSpan(t.seq)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(t.data[start+1:end-1], " ")) > 0 {
		return nil, &StyleError{t.file, "the empty list has something in its brackets"}
	}
	if t.root.Style&flowStyle != 0 {
		style := itemStyle{quoteKeys: t.key.Style & doubleQuotedStyle, quotes: map[string]int{"": int(t.key.Style)}}
		return splice(t.data, start, end, "["+style.flow(fields)+"]"), nil
	}
	eol := t.eol(t.seq.Line - 1)
	if t.seq.Line == t.key.Line {
		item := itemStyle{}.block(t.key.Column-1+2, fields)
		from := start
		for from > 0 && t.data[from-1] == ' ' {
			from--
		}
		cut := &listText{data: splice(t.data, from, end, "")}
		cut.lines = splitLines(cut.data)
		return cut.insertLines(t.seq.Line, item), nil
	}
	item := itemStyle{}.block(t.seq.Column-1, fields)
	item[0] = strings.TrimLeft(item[0], " ")
	return splice(t.data, start, end, strings.Join(item, eol)), nil
}

// remove takes the entry at the index away.
func (t *listText) remove(at int) ([]byte, error) {
	if t.seq.Style&flowStyle != 0 {
		return t.removeFlow(at)
	}
	from, to := t.dash(at), t.end(at)
	if len(t.seq.Content) == 1 {
		return t.removeLast(from, to)
	}
	if t.separated() {
		switch {
		case at > 0 && isBlank(t.lines[from-1]):
			from--
		case at == 0 && to < len(t.lines) && isBlank(t.lines[to]):
			to++
		}
	}
	return t.removeLines(from, to), nil
}

// removeAll takes several entries away, in one go: one after the other, each would
// be a whole new text. Indexes ascend.
func (t *listText) removeAll(at []int) ([]byte, error) {
	if t.seq.Style&flowStyle != 0 || len(at) < 2 || len(at) == len(t.seq.Content) {
		return t.removeEach(at)
	}
	separated := t.separated()
	lines := slices.Clone(t.lines)
	for _, i := range slices.Backward(at) {
		from, to := t.dash(i), t.end(i)
		for line := from; line < to; line++ {
			lines[line] = ""
		}
		if !separated {
			continue
		}
		gap := from - 1 // goes too
		if i == 0 {
			for gap = to; gap < len(lines)-1 && lines[gap] == ""; {
				gap++
			}
		}
		if gap < len(lines) && isBlank(lines[gap]) {
			lines[gap] = ""
		}
	}
	text := strings.Join(lines, "")
	if last := t.lines[len(t.lines)-1]; lines[len(lines)-1] == "" && !strings.HasSuffix(last, "\n") {
		text = strings.TrimRight(text, "\r\n")
	}
	return []byte(text), nil
}

// removeEach is removeAll, one after the other from behind.
func (t *listText) removeEach(at []int) ([]byte, error) {
	if len(at) > 2 && len(at) == len(t.seq.Content) && t.seq.Style&flowStyle == 0 {
		data, err := t.removeAll(at[1:])
		if err != nil {
			return nil, err
		}
		return reopened(t, data, at[0])
	}
	data := t.data
	for _, i := range slices.Backward(at) {
		var err error
		if data, err = reopened(t, data, i); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// reopened removes an entry of the same list in a newer text.
func reopened(t *listText, data []byte, at int) ([]byte, error) {
	list, err := openList(t.file, data, t.key.Value)
	if err != nil {
		return nil, err
	}
	if at >= len(list.seq.Content) {
		return nil, &StyleError{t.file, "its entries cannot be told apart"}
	}
	return list.remove(at)
}

// removeLast leaves [] behind the key.
func (t *listText) removeLast(from, to int) ([]byte, error) {
	line := t.key.Line - 1
	end := t.offset(t.key.Line, t.key.Column) + len(t.key.Value)
	if t.key.Style&quotedStyles != 0 {
		end += 2
	}
	if end >= len(t.data) || t.data[end] != ':' || from <= line {
		return nil, &StyleError{t.file, "the list begins on the line of its key"}
	}
	at := end + 1 - t.offset(t.key.Line, 1)
	t.lines = slices.Clone(t.lines)
	t.lines[line] = t.lines[line][:at] + " []" + t.lines[line][at:]
	return t.removeLines(from, to), nil
}

// set gives the entry at the index a field, or takes it away where the value is
// empty.
func (t *listText) set(at int, f field) ([]byte, error) {
	item := t.seq.Content[at]
	i := 0
	for i < len(item.Content) && item.Content[i].Value != f.key {
		i += 2
	}
	switch {
	case item.Style&flowStyle != 0:
		return t.setFlow(item, i, f)
	case i == len(item.Content):
		return t.addKey(at, item, f)
	case f.value == "":
		return t.removeKey(at, item, i)
	}
	v := item.Content[i+1]
	start, style := t.offset(v.Line, v.Column), int(v.Style)
	end, ok := t.scanScalar(start, false)
	if to := t.keyEnd(at, item, i); v.Style&blockScalarStyles != 0 || !ok || to > v.Line {
		end = t.offset(to, 1) + len(strings.TrimRight(t.lines[to-1], "\r\n"))
		style = 0
	}
	return splice(t.data, start, end, scalar(f.key, f.value, style)), nil
}

// addKey puts a field on a line of its own, where it belongs among the others.
func (t *listText) addKey(at int, item *node, f field) ([]byte, error) {
	i := len(item.Content) - 2
	for i > 0 && rank(item.Content[i].Value) > rank(f.key) {
		i -= 2
	}
	style := t.styleOf(item)
	line := strings.Repeat(" ", item.Column-1) + style.pair(f)
	return t.insertLines(t.keyEnd(at, item, i), []string{line}), nil
}

func (t *listText) removeKey(at int, item *node, i int) ([]byte, error) {
	from, to := item.Content[i].Line-1, t.keyEnd(at, item, i)
	if i > 0 && item.Content[i-2].Line < item.Content[i].Line {
		return t.removeLines(from, to), nil
	}
	if i > 0 || len(item.Content) <= 2 || item.Content[2].Line <= to {
		return nil, &StyleError{t.file, "an entry has several keys on one line"}
	}
	// It shares its line with the dash: the next key moves up.
	column := item.Column - 1
	next := item.Content[2].Line - 1
	joined := t.lines[from][:column] + t.lines[next][column:]
	lines := slices.Clone(t.lines)
	return []byte(strings.Join(slices.Concat(lines[:from], lines[to:next], []string{joined}, lines[next+1:]), "")), nil
}

// keyEnd is the line after the value of an entry's key.
func (t *listText) keyEnd(at int, item *node, i int) int {
	v := item.Content[i+1]
	if v.Style&blockScalarStyles == 0 {
		if _, ok := t.scanScalar(t.offset(v.Line, v.Column), false); ok && t.oneLine(v) {
			return v.Line
		}
	}
	last := t.end(at)
	if i+2 < len(item.Content) {
		last = item.Content[i+2].Line - 1
	}
	for last > v.Line && (isBlank(t.lines[last-1]) || isComment(t.lines[last-1]) && indentOf(t.lines[last-1]) < item.Column) {
		last--
	}
	return last
}

// oneLine says whether a scalar that is not a block ends on the line where it
// begins: whether what stands there is all of it.
func (t *listText) oneLine(v *node) bool {
	start := t.offset(v.Line, v.Column)
	end, ok := t.scanScalar(start, false)
	if !ok {
		return false
	}
	if v.Style&(singleQuotedStyle|doubleQuotedStyle) != 0 {
		return bytes.IndexByte(t.data[start:end], '\n') < 0
	}
	return string(t.data[start:end]) == v.Value
}

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
	line := len(t.lines)
	if t.limit > 0 {
		line = t.limit
	}
	if at+1 < len(t.seq.Content) {
		line = t.dash(at + 1)
	}
	for {
		l := t.lines[line-1]
		if !isBlank(l) && !strings.HasPrefix(l, "...") && !(isComment(l) && indentOf(l) <= t.seq.Column-1) {
			return line
		}
		line--
	}
}

// separated says whether there is a blank line after every entry but the last.
func (t *listText) separated() bool {
	for i := range len(t.seq.Content) - 1 {
		if end := t.end(i); end >= len(t.lines) || !isBlank(t.lines[end]) {
			return false
		}
	}
	return len(t.seq.Content) > 1
}

func (t *listText) insertLines(at int, added []string) []byte {
	lines := slices.Clone(t.lines)
	eol := t.eol(at - 1)
	for i := range added {
		added[i] += eol
	}
	if at == len(lines) && at > 0 && !strings.HasSuffix(lines[at-1], "\n") {
		lines[at-1] += eol
		last := &added[len(added)-1]
		*last = strings.TrimSuffix(*last, eol)
	}
	return []byte(strings.Join(slices.Insert(lines, at, added...), ""))
}

func (t *listText) removeLines(from, to int) []byte {
	lines := slices.Clone(t.lines)
	if to == len(lines) && from > 0 && !strings.HasSuffix(lines[to-1], "\n") {
		lines[from-1] = strings.TrimRight(lines[from-1], "\r\n")
	}
	return []byte(strings.Join(slices.Delete(lines, from, to), ""))
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
	for ; column > 1 && at < len(t.data); column-- {
		_, size := utf8.DecodeRune(t.data[at:])
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
