package schema

import "strings"

// A braceStyle is what stands around the keys of an entry in braces. The zero
// value is one line, with a blank after each comma.
type braceStyle struct {
	open, between, close string
	tight                bool  // no blank after the colon of a key
	columns              []int // where the keys of all entries begin, from the brace; empty: they are in no columns
}

// braceStyle is how the entry at an index is written.
func (t *listText) braceStyle(item *node, at int) braceStyle {
	start, end, err := t.flowSpan(item)
	if err != nil || len(item.Content) < 2 {
		return braceStyle{}
	}
	place := func(n *node) int { return t.offset(n.Line, n.Column) }
	ends := func(n *node) int {
		_, end, err := t.flowSpan(n)
		if err != nil {
			return -1
		}
		return end
	}
	k, v := item.Content[0], item.Content[1]
	s := braceStyle{open: spacing(t.data[start+1 : place(k)])}
	if colon := ends(k); colon >= 0 && k.Style != 0 {
		s.tight = place(v) == colon+1
	}
	if from := ends(v); from >= 0 && len(item.Content) > 2 {
		s.between = spacing(t.data[from:place(item.Content[2])])
	} else if s.tight {
		s.between = ","
	}
	if from := ends(item.Content[len(item.Content)-1]); from >= 0 {
		s.close = spacing(t.data[from : end-1])
	}
	if at >= 0 && item.Content[len(item.Content)-1].Line == item.Line {
		s.columns = t.columns(at)
	}
	return s
}

// spacing is what stands between two things in braces: a comma, and a line end with
// the indentation after it or at most one blank. Comments are not copied.
func spacing(text []byte) string {
	comma, rest := "", string(text)
	if after, ok := strings.CutPrefix(strings.TrimLeft(rest, " \t\r\n"), ","); ok {
		comma, rest = ",", after
	}
	if i := strings.LastIndexByte(rest, '\n'); i >= 0 {
		eol := "\n"
		if strings.HasSuffix(rest[:i], "\r") {
			eol = "\r\n"
		}
		return comma + eol + rest[i+1:]
	}
	if strings.Trim(rest, " \t") != rest {
		return comma + " "
	}
	return comma
}

// columns are where the keys begin of the entries around the one at the index, up
// to the first in which they differ; nil where no entry has more than one blank
// before a key.
func (t *listText) columns(at int) []int {
	var out []int
	wide, agreed := false, -1
	for _, item := range t.seq.Content[max(0, at-neighbourhood):min(len(t.seq.Content), at+neighbourhood+1)] {
		for i := 0; i < len(item.Content); i += 2 {
			k, c := item.Content[i], i/2
			column := k.Column - item.Column
			switch {
			case item.Style&flowStyle == 0 || k.Line != item.Line:
				continue
			case c == len(out):
				out = append(out, column)
			case c < len(out) && out[c] != column && (agreed < 0 || c < agreed):
				agreed = c
			}
			line := t.lines[k.Line-1]
			wide = wide || c > 0 && strings.HasSuffix(line[:runes(line, k.Column-1)], "  ")
		}
	}
	if agreed >= 0 {
		out = out[:agreed]
	}
	if !wide {
		return nil
	}
	return out
}
