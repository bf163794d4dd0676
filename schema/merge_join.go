package schema

import (
	"reflect"
	"slices"
	"strings"
)

// joinFile writes what three sides say together. Here and below, every piece is
// taken as the side wrote it that alone changed it, and what both changed is
// taken apart. This does not see everything that YAML can be: whoever calls it
// reads the result again. It is false where a piece cannot be put together.
func joinFile(base, ours, theirs *sheet) ([]byte, bool) {
	var text string
	if ours.root.Style&flowStyle != 0 {
		whole := func(s *sheet) part {
			return part{value: s.root, sheet: s, lines: s.text, to: len(s.text)}
		}
		b := part{}
		if base.root != nil {
			b = whole(base)
		}
		merged, ok := joinAround(b, whole(ours), whole(theirs))
		if !ok {
			return nil, false
		}
		text = merged + "\n"
	} else {
		if !isBlock(theirs.root) || base.root != nil && !isBlock(base.root) {
			return nil, false
		}
		whole := func(s *sheet) block { return s.block(s.root, "", 0, len(s.text)) }
		b, o, t := whole(base), whole(ours), whole(theirs)
		lines, ok := joinBlock(b, o, t)
		if !ok {
			return nil, false
		}
		text = strings.Join(lines, "\n") + strings.Repeat("\n", 1+pick(b.blanks, o.blanks, t.blanks))
	}
	if pick(base.open, ours.open, theirs.open) {
		text = strings.TrimSuffix(text, "\n")
	}
	if pick(base.crlf, ours.crlf, theirs.crlf) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text), true
}

// pick is what the side says that changed it; ours, where both did.
func pick[T comparable](base, ours, theirs T) T {
	if ours == base {
		return theirs
	}
	return ours
}

// three is pick, but false where both changed it in different ways.
func three(base, ours, theirs string) (string, bool) {
	return pick(base, ours, theirs), ours == theirs || ours == base || theirs == base
}

// joinBlock merges lists or mappings without brackets, at the column of ours.
func joinBlock(base, ours, theirs block) ([]string, bool) {
	strands, ok := weave(base.parts, ours.parts, theirs.parts)
	if !ok {
		return nil, false
	}
	var out []string
	for i, s := range inOrder(strands, base.parts, ours.parts, theirs.parts) {
		var blanks int
		var lines []string
		switch {
		case s.theirs < 0:
			p := ours.parts[s.ours]
			blanks, lines = p.blanks, p.lines
		case s.ours < 0:
			p := theirs.parts[s.theirs]
			blanks, lines = p.blanks, theirs.moved(p.lines, ours.column)
		default:
			o, t := ours.parts[s.ours], theirs.parts[s.theirs]
			b, was := part{}, o.blanks
			if s.base >= 0 {
				b = base.parts[s.base]
				was = b.blanks
				b.lines = base.moved(b.lines, ours.column)
			}
			t.lines = theirs.moved(t.lines, ours.column)
			blanks = pick(was, o.blanks, t.blanks)
			if lines, ok = joinPart(b, o, t, ours.column-theirs.column); !ok {
				return nil, false
			}
		}
		if i == 0 && len(ours.parts) > 0 && s.ours != 0 {
			blanks = ours.parts[0].blanks // what is first has what was first had
		}
		if i > 0 && blanks == 0 && s.ours == 0 && theirs.separated() {
			blanks = 1
		}
		out = append(out, make([]string, blanks)...)
		out = append(out, lines...)
	}
	return out, true
}

func hasItems(parts []part) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return !p.note })
}

// separated says whether there is an empty line before every part but the first.
func (b block) separated() bool {
	for _, p := range b.parts[min(1, len(b.parts)):] {
		if p.blanks == 0 {
			return false
		}
	}
	return len(b.parts) > 1
}

// moved are lines of a block as they are at another column. Comments in a list
// of nothing stay where they are.
func (b block) moved(lines []string, column int) []string {
	if b.column == column || !hasItems(b.parts) {
		return lines
	}
	out := slices.Clone(lines)
	for i, l := range lines {
		if indentOf(l) >= b.column && !isBlank(l) {
			out[i] = strings.Repeat(" ", column) + l[b.column:]
		}
	}
	return out
}

// joinPart merges one child of a block that both sides have. shift is by how much
// ours is indented more than theirs.
func joinPart(base, ours, theirs part, shift int) ([]string, bool) {
	text := func(p part) string { return strings.Join(p.lines, "\n") }
	if merged, ok := three(text(base), text(ours), text(theirs)); ok {
		return strings.Split(merged, "\n"), true
	}
	if ours.note {
		return ours.lines, true // the same words, indented in other ways
	}
	if isBlock(ours.value) != isBlock(theirs.value) { // one side has it in brackets
		base, ours, theirs, shift = unfold(base, ours, theirs, shift)
	}
	oHead, o, oNests := ours.nested()
	tHead, t, tNests := theirs.nested()
	if oNests && tNests {
		bHead, b, bNests := oHead, block{}, true
		if base.sheet != nil {
			bHead, b, bNests = base.nested()
		}
		if head, ok := three(bHead, oHead, tHead); ok && bNests {
			if !hasItems(o.parts) {
				o.column = t.column + shift
			}
			return joinUnder(head, ours, b, o, t)
		}
	}
	if merged, ok := joinAround(base, ours, theirs); ok {
		return strings.Split(merged, "\n"), true
	}
	switch b, o, t := base.sense(), ours.sense(), theirs.sense(); {
	case base.sheet != nil && reflect.DeepEqual(b, o): // it is only written in another way
		return theirs.lines, true
	case base.sheet != nil && reflect.DeepEqual(b, t), reflect.DeepEqual(o, t):
		return ours.lines, true
	}
	return nil, false
}

// unfold writes lists in brackets as blocks, where that can be done.
func unfold(base, ours, theirs part, shift int) (b, o, t part, by int) {
	b = base
	if base.sheet != nil {
		b, _ = base.unfolded()
	}
	o, _ = ours.unfolded()
	t, done := theirs.unfolded()
	if done {
		shift = 0
	}
	return b, o, t, shift
}

// joinUnder merges the blocks that a part holds, and puts back what is above or
// before them.
func joinUnder(head string, ours part, b, o, t block) ([]string, bool) {
	lines, ok := joinBlock(b, o, t)
	switch {
	case !ok:
		return nil, false
	case ours.key != nil && !holds(lines):
		colon := ours.colon()
		if len(head) < colon {
			return nil, false
		}
		return append([]string{head[:colon] + " []" + head[colon:]}, lines...), true
	case head != "":
		return append([]string{head}, lines...), true
	}
	// The first pair is on the line of the dash.
	first := ours.sheet.text[ours.from]
	if len(lines) == 0 || len(first) <= o.column || indentOf(lines[0]) != o.column || isComment(lines[0]) {
		return nil, false
	}
	lines[0] = first[:o.column] + lines[0][o.column:]
	return lines, true
}

// holds says whether there is anything in lines but comments.
func holds(lines []string) bool {
	for _, l := range lines {
		if !isBlank(l) && !isComment(l) {
			return true
		}
	}
	return false
}

// joinAround merges parts of which the values alone need care: a scalar, or something
// in brackets. What is before and behind the value is text. It writes the part as ours has it.
func joinAround(base, ours, theirs part) (string, bool) {
	type cut struct{ before, after string }
	split := func(p part) (c cut, ok bool) {
		if p.sheet == nil {
			return cut{}, true
		}
		start, end, ok := p.valueSpan()
		from, to := p.span()
		if !ok || start < from || end > to {
			return cut{}, false
		}
		return cut{string(p.sheet.data[from:start]), string(p.sheet.data[end:to])}, true
	}
	b, ok1 := split(base)
	o, ok2 := split(ours)
	t, ok3 := split(theirs)
	if !ok1 || !ok2 || !ok3 {
		return "", false
	}
	if base.sheet == nil {
		b = o
	}
	before, ok1 := three(b.before, o.before, t.before)
	after, ok2 := three(b.after, o.after, t.after)
	value, ok3 := joinValue(base, ours, theirs)
	if !ok1 || !ok2 || !ok3 {
		return "", false
	}
	indent := ""
	if ours.lines != nil {
		indent = ours.lines[0][:indentOf(ours.lines[0])]
	}
	return indent + before + value + after, true
}

// joinValue merges a scalar, or something in brackets.
func joinValue(base, ours, theirs part) (string, bool) {
	if isFlow(ours.value) && isFlow(theirs.value) && (base.sheet == nil || isFlow(base.value)) {
		return joinFlow(base, ours, theirs)
	}
	text := func(p part) string {
		start, end, _ := p.valueSpan()
		return string(p.sheet.data[start:end])
	}
	switch b, o, t := base.sense(), ours.sense(), theirs.sense(); {
	case reflect.DeepEqual(o, t), base.sheet != nil && reflect.DeepEqual(b, t):
		return text(ours), true
	case base.sheet != nil && reflect.DeepEqual(b, o):
		return text(theirs), true
	}
	return "", false
}

func (p part) sense() sense { return senseOf(p.value, p.name) }
