package schema

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// An itemStyle is how an entry is written, for the next to look like it. The
// zero value is how infra writes one where there is none.
type itemStyle struct {
	order     []string       // of keys, as styleKey has them
	quotes    map[string]int // style of the value, by styleKey; "" is for those that it lacks
	quoteKeys yamlStyle
	lists     map[string]int // by key: 1 + how far a list of lines is indented below it; 0: in brackets
	spaces    string         // between the dash and what follows; empty: one blank
	alone     int            // the dash has a line of its own, and the keys this indentation; 0: it has not
	values    int            // all values begin so far from their keys; 0: one blank after the colon
	braces    braceStyle
}

// neighbourhood is how many entries on each side of one are looked at for what it
// does not show itself.
const neighbourhood = 16

// styleOf is how an entry is written. What it has no example of follows the
// nearest entry that has one.
func (t *listText) styleOf(item *node) itemStyle {
	s := itemStyle{quotes: map[string]int{}, lists: map[string]int{}}
	s.learn(item)
	at := slices.Index(t.seq.Content, item)
	for d := 1; d <= neighbourhood && at >= 0; d++ {
		for _, i := range []int{at - d, at + d} {
			if i >= 0 && i < len(t.seq.Content) {
				s.learn(t.seq.Content[i])
			}
		}
	}
	if s.quoteKeys != 0 {
		s.quotes[""] = int(s.quoteKeys)
	} else if q, ok := sameQuotes(item); ok {
		s.quotes[""] = q
	}
	if item.Style&flowStyle != 0 {
		s.braces = t.braceStyle(item, at)
		s.values = 0
	} else {
		s.values = valueColumn(item)
	}
	if t.seq.Style&flowStyle == 0 && item.Kind == mappingNode {
		line := t.lines[item.Line-1]
		switch {
		case t.isDash(line) && item.Column-1 > t.seq.Column:
			s.spaces = line[t.seq.Column : item.Column-1]
		case !t.isDash(line) && item.Style&flowStyle == 0:
			s.alone = item.Column - 1
		}
	}
	return s
}

// learn takes from an entry what the style does not know yet.
func (s *itemStyle) learn(item *node) {
	if item.Kind == scalarNode {
		if _, known := s.quotes[""]; !known {
			s.quotes[""] = int(item.Style)
		}
		return
	}
	before := -1 // where the key before is in the order
	for i := 0; i+1 < len(item.Content); i += 2 {
		k, v := item.Content[i], item.Content[i+1]
		key := styleKey(k.Value)
		at := slices.Index(s.order, key)
		if at < 0 {
			at = before + 1
			for at < len(s.order) && rank(s.order[at]) < rank(k.Value) && !hasStyleKey(item, s.order[at]) {
				at++
			}
			s.order = slices.Insert(s.order, at, key)
			s.quoteKeys = k.Style & (doubleQuotedStyle | singleQuotedStyle)
		}
		before = at
		if v.Kind == sequenceNode && len(v.Content) == 0 {
			continue
		}
		if _, known := s.quotes[key]; known {
			continue
		}
		if v.Kind != sequenceNode {
			s.quotes[key] = int(v.Style)
			continue
		}
		s.quotes[key] = int(v.Content[0].Style)
		if v.Style&flowStyle == 0 {
			s.lists[key] = 1 + v.Column - k.Column
		}
		if _, known := s.lists[""]; !known {
			s.lists[""] = s.lists[key]
		}
	}
}

func hasStyleKey(item *node, key string) bool {
	for i := 0; i < len(item.Content); i += 2 {
		if styleKey(item.Content[i].Value) == key {
			return true
		}
	}
	return false
}

// sameQuotes is the quoting of all values of an entry that has two or more, where
// it is the same.
func sameQuotes(item *node) (int, bool) {
	first := 0
	for i := 1; i < len(item.Content); i += 2 {
		q := int(item.Content[i].Style & (singleQuotedStyle | doubleQuotedStyle))
		if i == 1 {
			first = q
		}
		if q == 0 || q != first {
			return 0, false
		}
	}
	return first, len(item.Content) > 2
}

// valueColumn is how far all values of an entry are from the beginning of their
// keys, where these differ in length; else 0.
func valueColumn(item *node) int {
	column, differ := 0, false
	for i := 0; i+1 < len(item.Content); i += 2 {
		k, v := item.Content[i], item.Content[i+1]
		if v.Line != k.Line {
			continue
		}
		if column != 0 && v.Column-k.Column != column {
			return 0
		}
		column = v.Column - k.Column
		differ = differ || len(k.Value) != len(item.Content[0].Value)
	}
	if !differ {
		return 0
	}
	return column
}

func (s itemStyle) gap() string {
	if s.spaces == "" || strings.Trim(s.spaces, " ") != "" {
		return " "
	}
	return s.spaces
}

// arranged are fields in the order of the style; those that it lacks come after
// those that infra would write before them.
func (s itemStyle) arranged(fields []field) []field {
	at := func(f field) int { return slices.Index(s.order, styleKey(f.key)) }
	out := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return at(f) < 0 })
	slices.SortStableFunc(out, func(a, b field) int { return at(a) - at(b) })
	for i, f := range fields {
		if at(f) < 0 {
			last := len(out) - 1
			for last >= 0 && slices.Index(fields, out[last]) > i {
				last--
			}
			out = slices.Insert(out, last+1, f)
		}
	}
	return out
}

// after is the index of the key in an entry behind which a new one goes.
func (s itemStyle) after(item *node, key string) int {
	last := len(item.Content) - 2
	if own := slices.Index(s.order, styleKey(key)); own > 0 {
		for i := last; i >= 0; i -= 2 {
			if at := slices.Index(s.order, styleKey(item.Content[i].Value)); at >= 0 && at < own {
				return i
			}
		}
	}
	for last > 0 && rank(item.Content[last].Value) > rank(key) {
		last -= 2
	}
	return last
}

func (s itemStyle) key(name string) string {
	switch {
	case s.quoteKeys&doubleQuotedStyle != 0:
		return `"` + name + `"`
	case s.quoteKeys&singleQuotedStyle != 0:
		return "'" + name + "'"
	}
	return name
}

func (s itemStyle) value(f field) string {
	style, ok := s.quotes[styleKey(f.key)]
	if !ok {
		style = s.quotes[""]
	}
	return scalar(f.key, f.value, style)
}

// pair is a key and its value on one line; of an entry that is no mapping, the
// value.
func (s itemStyle) pair(f field) string {
	if f.key == "" {
		return s.value(f)
	}
	key := s.key(f.key) + ":"
	return key + strings.Repeat(" ", max(1, s.values-len(key))) + s.value(f)
}

// fieldLines are the lines of a field that has lines of its own: as many as a list has
// entries where it is written so. The first is not indented.
func (s itemStyle) fieldLines(indent int, f field) []string {
	deeper, known := s.lists[f.key]
	if !known {
		deeper = s.lists[""]
	}
	if deeper == 0 || f.key != "users" && f.key != "groups" {
		return []string{s.pair(f)}
	}
	lines := []string{s.key(f.key) + ":"}
	for name := range strings.SplitSeq(f.value, "\n") {
		style, ok := s.quotes[f.key]
		if !ok {
			style = s.quotes[""]
		}
		lines = append(lines, strings.Repeat(" ", indent+deeper-1)+"- "+scalar("", name, style))
	}
	return lines
}

// block are the lines of an entry with a key on each, without line ends.
func (s itemStyle) block(indent int, fields []field) []string {
	var lines []string
	dash := strings.Repeat(" ", indent) + "-"
	deep := indent + 1 + len(s.gap())
	if s.alone > 0 {
		lines, deep = append(lines, dash), s.alone
	}
	for i, f := range s.arranged(fields) {
		own := s.fieldLines(deep, f)
		if i == 0 && s.alone == 0 {
			own[0] = dash + s.gap() + own[0]
		} else {
			own[0] = strings.Repeat(" ", deep) + own[0]
		}
		lines = append(lines, own...)
	}
	return lines
}

// flow is an entry in braces.
func (s itemStyle) flow(fields []field) string {
	if len(fields) == 1 && fields[0].key == "" {
		return s.pair(fields[0])
	}
	b := s.braces
	if b.between == "" {
		b.between = ", "
	}
	text := "{" + b.open
	for i, f := range s.arranged(fields) {
		if i > 0 {
			text += b.between
			if i < len(b.columns) && !strings.Contains(b.between, "\n") {
				text += strings.Repeat(" ", max(0, b.columns[i]-utf8.RuneCountInString(text)))
			}
		}
		text += s.bracePair(f)
	}
	return text + b.close + "}"
}

// bracePair is a key and its value in braces.
func (s itemStyle) bracePair(f field) string {
	if s.braces.tight {
		return s.key(f.key) + ":" + s.value(f)
	}
	return s.pair(f)
}
