package schema

import (
	"bytes"
	"slices"
	"strings"
)

// insertFlow puts an entry into a list in brackets: on a line of its own where its
// neighbours have one each, else on their line.
func (t *listText) insertFlow(at int, fields []field) ([]byte, error) {
	style := t.styleOf(t.seq.Content[max(0, at-1)])
	text := style.flow(fields)
	if at == 0 {
		start := t.offset(t.seq.Content[0].Line, t.seq.Content[0].Column)
		if lead, ok := t.lead(start); ok {
			return splice(t.data, start, start, text+","+t.eol(t.seq.Content[0].Line-1)+lead), nil
		}
		return splice(t.data, start, start, text+", "), nil
	}
	start, end, err := t.flowSpan(t.seq.Content[at-1])
	if err != nil {
		return nil, err
	}
	lead, ok := t.lead(start)
	if !ok {
		return splice(t.data, end, end, ", "+text), nil
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
	return splice(t.data, end, end, ", "+text), nil
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
		return t.cutFlow(before, end)
	}
	next := t.seq.Content[1]
	return t.cutFlow(start, t.offset(next.Line, next.Column))
}

// setFlow is set for an entry in braces; i is where its key is, or past the end.
func (t *listText) setFlow(item *node, i int, f field) ([]byte, error) {
	if i < len(item.Content) {
		k, v := item.Content[i], item.Content[i+1]
		start := t.offset(v.Line, v.Column)
		end, ok := t.scanScalar(start, true)
		if !ok {
			return nil, &StyleError{t.file, "a value in braces has several lines"}
		}
		switch {
		case f.value != "":
			return splice(t.data, start, end, scalar(f.key, f.value, int(v.Style))), nil
		case i > 0:
			before := item.Content[i-1]
			if from, ok := t.scanScalar(t.offset(before.Line, before.Column), true); ok {
				return t.cutFlow(from, end)
			}
		case len(item.Content) > 2:
			return t.cutFlow(t.offset(k.Line, k.Column), t.offset(item.Content[2].Line, item.Content[2].Column))
		}
		return nil, &StyleError{t.file, "a value in braces has several lines"}
	}
	i -= 2
	for i > 0 && rank(item.Content[i].Value) > rank(f.key) {
		i -= 2
	}
	v := item.Content[i+1]
	end, ok := t.scanScalar(t.offset(v.Line, v.Column), true)
	if !ok {
		return nil, &StyleError{t.file, "a value in braces has several lines"}
	}
	sep := ", "
	if k := item.Content[i]; i > 0 && k.Line > item.Content[i-2].Line {
		sep = "," + t.eol(k.Line-1) + strings.Repeat(" ", k.Column-1)
	}
	return splice(t.data, end, end, sep+t.styleOf(item).pair(f)), nil
}

// cutFlow removes a span that has no comment in it.
func (t *listText) cutFlow(from, to int) ([]byte, error) {
	if i := bytes.Index(t.data[from:to], []byte(" #")); i >= 0 && bytes.IndexByte(t.data[from+i:to], '\n') >= 0 {
		return nil, &StyleError{t.file, "a list in brackets has a comment that the change would remove"}
	}
	return splice(t.data, from, to, ""), nil
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
		if c == '\n' || c == '\r' || flow && strings.IndexByte(",]}", c) >= 0 || c == '#' && end > at && t.data[end-1] == ' ' {
			break
		}
		end++
	}
	end = at + len(bytes.TrimRight(t.data[at:end], " \t"))
	return end, end > at
}

// An itemStyle is how an entry is written, for the next to look like it. The
// zero value is how infra writes one where there is none.
type itemStyle struct {
	order     []string       // of keys, as styleKey has them
	quotes    map[string]int // style of the value, by styleKey; "" is for those that it lacks
	quoteKeys yamlStyle
	spaces    string // between the dash and what follows; empty: one blank
	padding   string // inside braces
}

func (t *listText) styleOf(item *node) itemStyle {
	s := itemStyle{quotes: map[string]int{}}
	for i := 0; i+1 < len(item.Content); i += 2 {
		k, v := item.Content[i], item.Content[i+1]
		s.order = append(s.order, styleKey(k.Value))
		s.quoteKeys = k.Style & (doubleQuotedStyle | singleQuotedStyle)
		if s.quoteKeys != 0 {
			s.quotes[""] = int(s.quoteKeys)
		}
		switch {
		case v.Kind != sequenceNode:
			s.quotes[styleKey(k.Value)] = int(v.Style)
		case len(v.Content) > 0:
			s.quotes[styleKey(k.Value)] = int(v.Content[0].Style)
		}
	}
	if item.Kind == scalarNode {
		s.quotes[""] = int(item.Style)
	}
	at := t.offset(item.Line, item.Column)
	if item.Style&flowStyle != 0 {
		if at+1 < len(t.data) && t.data[at+1] == ' ' {
			s.padding = " "
		}
	}
	if t.seq.Style&flowStyle == 0 {
		line := t.lines[item.Line-1]
		if t.isDash(line) && item.Column-1 > t.seq.Column {
			s.spaces = line[t.seq.Column : item.Column-1]
		}
	}
	return s
}

func (s itemStyle) gap() string {
	if s.spaces == "" || strings.Trim(s.spaces, " ") != "" {
		return " "
	}
	return s.spaces
}

// arranged are fields in the order of the style; those that it lacks keep their
// place after the one before them.
func (s itemStyle) arranged(fields []field) []field {
	out := slices.Clone(fields)
	at := func(f field) int { return slices.Index(s.order, styleKey(f.key)) }
	known := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return at(f) < 0 })
	slices.SortStableFunc(known, func(a, b field) int { return at(a) - at(b) })
	for i, f := range out {
		if at(f) >= 0 {
			out[i], known = known[0], known[1:]
		}
	}
	return out
}

func (s itemStyle) pair(f field) string {
	key := f.key
	switch {
	case s.quoteKeys&doubleQuotedStyle != 0:
		key = `"` + key + `"`
	case s.quoteKeys&singleQuotedStyle != 0:
		key = "'" + key + "'"
	}
	style, ok := s.quotes[styleKey(f.key)]
	if !ok {
		style = s.quotes[""]
	}
	if f.key == "" { // an entry that is no mapping
		return scalar("", f.value, style)
	}
	return key + ": " + scalar(f.key, f.value, style)
}

// block are the lines of an entry with a key on each, without line ends.
func (s itemStyle) block(indent int, fields []field) []string {
	var lines []string
	lead := strings.Repeat(" ", indent)
	for i, f := range s.arranged(fields) {
		if i == 0 {
			lines = append(lines, lead+"-"+s.gap()+s.pair(f))
		} else {
			lines = append(lines, lead+" "+strings.Repeat(" ", len(s.gap()))+s.pair(f))
		}
	}
	return lines
}

// flow is an entry in braces.
func (s itemStyle) flow(fields []field) string {
	var pairs []string
	for _, f := range s.arranged(fields) {
		pairs = append(pairs, s.pair(f))
	}
	if len(fields) == 1 && fields[0].key == "" {
		return pairs[0]
	}
	return "{" + s.padding + strings.Join(pairs, ", ") + s.padding + "}"
}
