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
	return t.insertLines(t.lineOf(at), t.writer(at, t.gap())(fields)), nil
}

// lineOf is the line in front of which an entry goes that is to be at the index.
func (t *listText) lineOf(at int) int {
	if at > 0 {
		return t.end(at - 1)
	}
	line := t.dash(0)
	for line > t.key.Line && isComment(t.lines[line-1]) {
		line--
	}
	return line
}

// writer writes an entry that is to be at the index, in the style of its neighbour and
// with so many blank lines between them: its lines, without line ends.
func (t *listText) writer(at, gap int) func(fields []field) []string {
	indent := t.seq.Column - 1
	neighbour := t.seq.Content[max(0, at-1)]
	style := t.styleOf(neighbour)
	return func(fields []field) []string {
		item := style.block(indent, fields)
		if neighbour.Style&flowStyle != 0 {
			item = []string{strings.Repeat(" ", indent) + "-" + style.gap() + style.flow(fields)}
		}
		blanks := make([]string, gap)
		if at == 0 {
			return append(item, blanks...)
		}
		return append(blanks, item...)
	}
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
	return t.without(at), nil
}

// removeAll takes several entries away, in one go: one after the other, each would
// be a whole new text. Indexes ascend.
func (t *listText) removeAll(at []int) ([]byte, error) {
	if t.seq.Style&flowStyle != 0 || len(at) < 2 || len(at) == len(t.seq.Content) {
		return t.removeEach(at)
	}
	return t.without(at...), nil
}

// without is the text without some of the entries. Indexes ascend.
func (t *listText) without(at ...int) []byte {
	lines, gap := slices.Clone(t.lines), t.gap()
	for _, i := range slices.Backward(at) {
		t.strike(lines, i, gap)
	}
	last := len(lines) - 1
	if lines[last] == "" && !strings.HasSuffix(t.lines[last], "\n") {
		for last > 0 && lines[last] == "" {
			last--
		}
		lines[last] = strings.TrimRight(lines[last], "\r\n")
	}
	return []byte(strings.Join(lines, ""))
}

// strike empties the lines that go with an entry, where those of later entries may
// be empty already: its own, the comment that is its alone, and a gap.
func (t *listText) strike(lines []string, at, gap int) {
	left := func(line int) int { // the next that is not struck
		for line < t.bottom() && lines[line] == "" {
			line++
		}
		return line
	}
	from, to := t.dash(at), left(t.end(at))
	last := to == t.bottom() || isBlank(lines[to])
	first := t.key.Line // what lies above is none of this entry's
	if at > 0 {
		first = t.end(at - 1)
	}
	if last {
		from = t.heading(from)
	}
	switch {
	case gap > 0 && at > 0:
		for ; gap > 0 && from > first && isBlank(lines[from-1]); gap-- {
			from--
		}
	case gap > 0:
		for ; gap > 0 && to < t.bottom() && isBlank(lines[to]); gap-- {
			to = left(to + 1)
		}
	case from > first && isBlank(lines[from-1]) && last:
		from-- // rather than two blank lines on end
	}
	clear(lines[from:to])
}

// heading is the line where an entry begins that has nothing but a blank line below
// it: with the comment above it, where there is a blank line above that, too, so that
// the comment speaks of nothing else.
func (t *listText) heading(from int) int {
	line := from
	for line > t.key.Line && isComment(t.lines[line-1]) && indentOf(t.lines[line-1]) == t.seq.Column-1 {
		line--
	}
	if line > t.key.Line && isBlank(t.lines[line-1]) {
		return line
	}
	return from
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
	return t.replace(start, end, end, scalar(f.key, f.value, style)), nil
}

// replace puts a text in the place of another one. A comment to the right of it, after
// the offset behind, stays in its column where it has been put into one.
func (t *listText) replace(from, to, behind int, text string) []byte {
	if behind < len(t.data) && t.data[behind] == ',' {
		behind++
	}
	hash := behind
	for hash < len(t.data) && t.data[hash] == ' ' {
		hash++
	}
	pad := hash - behind
	if pad == 0 || hash == len(t.data) || t.data[hash] != '#' || pad == 1 && !t.inColumn(hash) || bytes.IndexByte(t.data[from:to], '\n') >= 0 {
		return splice(t.data, from, to, text)
	}
	pad = max(1, pad-utf8.RuneCountInString(text)+utf8.RuneCount(t.data[from:to]))
	return splice(splice(t.data, behind, hash, strings.Repeat(" ", pad)), from, to, text)
}

// inColumn says whether the comment at an offset begins below or above another one.
func (t *listText) inColumn(hash int) bool {
	at := place(t.data, hash)
	for _, i := range []int{at.Line - 2, at.Line} {
		if i >= 0 && i < len(t.lines) && strings.HasPrefix(t.lines[i][runes(t.lines[i], at.Column-1):], "#") {
			return true
		}
	}
	return false
}

// addKey puts a field on a line of its own, where it belongs among the others.
func (t *listText) addKey(at int, item *node, f field) ([]byte, error) {
	style := t.styleOf(item)
	lines := style.fieldLines(item.Column-1, f)
	lines[0] = strings.Repeat(" ", item.Column-1) + lines[0]
	return t.insertLines(t.keyEnd(at, item, style.after(item, f.key)), lines), nil
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
