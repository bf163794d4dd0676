package schema

import (
	"bytes"
	"strings"
)

// insertFlow puts an entry into a list in brackets: on a line of its own where its
// neighbours have one each, else on their line.
func (t *listText) insertFlow(at int, fields []field) ([]byte, error) {
	style := t.styleOf(t.seq.Content[max(0, at-1)])
	text, comma := style.flow(fields), t.comma(style)
	if at == 0 {
		start := t.offset(t.seq.Content[0].Line, t.seq.Content[0].Column)
		if lead, ok := t.lead(start); ok {
			return splice(t.data, start, start, text+","+t.eol(t.seq.Content[0].Line-1)+lead), nil
		}
		return splice(t.data, start, start, text+comma), nil
	}
	start, end, err := t.flowSpan(t.seq.Content[at-1])
	if err != nil {
		return nil, err
	}
	lead, ok := t.lead(start)
	if !ok {
		return splice(t.data, end, end, comma+text), nil
	}
	lineEnd := end + max(0, bytes.IndexByte(t.data[end:], '\n'))
	for lineEnd > end && t.data[lineEnd-1] == '\r' {
		lineEnd--
	}
	after := strings.TrimLeft(string(t.data[end:lineEnd]), " ")
	eol := t.eol(t.seq.Content[at-1].Line - 1)
	switch {
	case strings.HasPrefix(after, ",") && (isBlank(after[1:]) || isComment(after[1:])):
		return splice(t.data, lineEnd, lineEnd, eol+lead+text+","), nil
	case isBlank(after) || isComment(after):
		out := splice(t.data, lineEnd, lineEnd, eol+lead+text)
		return splice(out, end, end, ","), nil
	}
	return splice(t.data, end, end, comma+text), nil
}

// comma is what stands between two entries on one line.
func (t *listText) comma(s itemStyle) string {
	if len(t.seq.Content) > 1 {
		_, end, err := t.flowSpan(t.seq.Content[0])
		next := t.seq.Content[1]
		if err == nil && next.Line == t.seq.Content[0].Line {
			return spacing(t.data[end:t.offset(next.Line, next.Column)])
		}
	}
	if s.braces.tight {
		return ","
	}
	return ", "
}

// removeFlow takes an entry out of a list in brackets.
func (t *listText) removeFlow(at int) ([]byte, error) {
	start, end, err := t.flowSpan(t.seq.Content[at])
	if err != nil {
		return nil, err
	}
	comma := end
	for comma < len(t.data) && t.data[comma] == ' ' {
		comma++
	}
	hasComma := comma < len(t.data) && t.data[comma] == ','
	if len(t.seq.Content) == 1 {
		from, to, err := t.flowSpan(t.seq)
		if err != nil || bytes.IndexByte(t.data[from:to], '#') >= 0 {
			return nil, &StyleError{t.file, "the list has comments in its brackets"}
		}
		return splice(t.data, from, to, "[]"), nil
	}
	if lead, ok := t.lead(start); ok {
		past := end
		if hasComma {
			past = comma + 1
		}
		rest := len(t.data)
		if i := bytes.IndexByte(t.data[past:], '\n'); i >= 0 {
			rest = past + i
		}
		if after := string(t.data[past:rest]); isBlank(after) || isComment(after) {
			// The line and the line end before it.
			from := start - len(lead)
			for from > 0 && (t.data[from-1] == '\n' || t.data[from-1] == '\r') {
				if from--; t.data[from] == '\n' && (from == 0 || t.data[from-1] != '\r') {
					break
				}
			}
			if strings.HasSuffix(after, "\r") {
				rest--
			}
			out := splice(t.data, from, rest, "")
			if hasComma || at == 0 {
				return out, nil
			}
			// It was the last and had no comma, so its neighbour has none now.
			_, before, err := t.flowSpan(t.seq.Content[at-1])
			if err != nil {
				return nil, err
			}
			if i := bytes.IndexByte(out[before:], ','); i >= 0 && isBlank(string(out[before:before+i])) {
				return splice(out, before+i, before+i+1, ""), nil
			}
			return out, nil
		}
	}
	if at > 0 {
		_, before, err := t.flowSpan(t.seq.Content[at-1])
		if err != nil {
			return nil, err
		}
		return t.cutFlow(before, end, len(t.data))
	}
	next := t.seq.Content[1]
	return t.cutFlow(start, t.offset(next.Line, next.Column), len(t.data))
}

// setFlow is set for an entry in braces; i is where its key is, or past the end.
func (t *listText) setFlow(item *node, i int, f field) ([]byte, error) {
	several := &StyleError{t.file, "a value in braces has several lines"}
	_, behind, err := t.flowSpan(item)
	if err != nil {
		return nil, err
	}
	style := t.styleOf(item)
	if i < len(item.Content) {
		k, v := item.Content[i], item.Content[i+1]
		start := t.offset(v.Line, v.Column)
		end, ok := t.scanScalar(start, true)
		if !ok {
			return nil, several
		}
		switch {
		case f.value != "":
			return t.replace(start, end, behind, scalar(f.key, f.value, int(v.Style))), nil
		case i > 0:
			before := item.Content[i-1]
			if from, ok := t.scanScalar(t.offset(before.Line, before.Column), true); ok {
				return t.cutFlow(from, end, behind)
			}
		case len(item.Content) > 2:
			return t.cutFlow(t.offset(k.Line, k.Column), t.offset(item.Content[2].Line, item.Content[2].Column), behind)
		}
		return nil, several
	}
	i = style.after(item, f.key)
	v := item.Content[i+1]
	end, ok := t.scanScalar(t.offset(v.Line, v.Column), true)
	if v.Kind == sequenceNode {
		_, end, err = t.flowSpan(v)
		ok = err == nil
	}
	if !ok {
		return nil, several
	}
	sep := style.braces.between
	if sep == "" {
		sep = ", "
	}
	return t.replace(end, end, behind, sep+style.bracePair(f)), nil
}

// cutFlow removes a span that has no comment in it. The comment after the offset
// behind stays in its column.
func (t *listText) cutFlow(from, to, behind int) ([]byte, error) {
	if i := bytes.Index(t.data[from:to], []byte(" #")); i >= 0 && bytes.IndexByte(t.data[from+i:to], '\n') >= 0 {
		return nil, &StyleError{t.file, "a list in brackets has a comment that the change would remove"}
	}
	return t.replace(from, to, behind, ""), nil
}

// lead is the blanks before an offset, where there is nothing else on its line.
func (t *listText) lead(at int) (string, bool) {
	start := bytes.LastIndexByte(t.data[:at], '\n') + 1
	lead := string(t.data[start:at])
	return lead, start > 0 && strings.Trim(lead, " ") == ""
}

// flowSpan is the span of a node in brackets or braces, or of a scalar among them.
func (t *listText) flowSpan(n *node) (start, end int, err error) {
	start = t.offset(n.Line, n.Column)
	if n.Kind == scalarNode {
		if end, ok := t.scanScalar(start, true); ok {
			return start, end, nil
		}
		return 0, 0, &StyleError{t.file, "a value in brackets has several lines"}
	}
	if end, ok := scanBrackets(t.data, start); ok {
		return start, end, nil
	}
	return 0, 0, &StyleError{t.file, "the end of a list in brackets cannot be told"}
}

// scanBrackets gives the end of what a bracket or brace opens.
func scanBrackets(data []byte, at int) (int, bool) {
	if at >= len(data) || data[at] != '[' && data[at] != '{' {
		return 0, false
	}
	depth := 0
	fresh := true // whether a quote would open a scalar here
	for at < len(data) {
		switch c := data[at]; {
		case fresh && (c == '"' || c == '\''):
			end, ok := scanQuotes(data, at)
			if !ok {
				return 0, false
			}
			at, fresh = end, false
			continue
		case c == '[' || c == '{':
			depth++
			fresh = true
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return at + 1, true
			}
			fresh = false
		case c == '#' && (data[at-1] == ' ' || data[at-1] == '\t' || data[at-1] == '\n'):
			end := bytes.IndexByte(data[at:], '\n')
			if end < 0 {
				return 0, false
			}
			at += end
			continue
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		default:
			fresh = c == ',' || c == ':'
		}
		at++
	}
	return 0, false
}

func scanQuotes(data []byte, at int) (int, bool) {
	quote := data[at]
	for i := at + 1; i < len(data); i++ {
		switch {
		case quote == '"' && data[i] == '\\':
			i++
		case data[i] == quote && quote == '\'' && i+1 < len(data) && data[i+1] == quote:
			i++
		case data[i] == quote:
			return i + 1, true
		}
	}
	return 0, false
}

// scanScalar gives the end of a scalar in quotes, or of a plain one on its line.
func (t *listText) scanScalar(at int, flow bool) (int, bool) {
	if at >= len(t.data) {
		return 0, false
	}
	if c := t.data[at]; c == '"' || c == '\'' {
		return scanQuotes(t.data, at)
	}
	end := at
	for end < len(t.data) {
		c := t.data[end]
		if c == '\n' || c == '\r' || flow && strings.IndexByte(",]}", c) >= 0 || c == '#' && end > at && (t.data[end-1] == ' ' || t.data[end-1] == '\t') {
			break
		}
		end++
	}
	end = at + len(bytes.TrimRight(t.data[at:end], " \t"))
	return end, end > at
}
