package schema

import (
	"bytes"
	"strings"
)

// A flow is a list or mapping in brackets, cut into its parts.
type flow struct {
	open  string // the bracket, and a comment behind it
	parts []part
	comma bool   // one behind the last part
	close string // white space, and the bracket
}

// joinFlow merges lists or mappings in brackets, and keeps the layout of ours.
func joinFlow(base, ours, theirs part) (string, bool) {
	var b flow
	ok := true
	if base.sheet != nil {
		b, ok = cutFlow(base)
	}
	o, oursOK := cutFlow(ours)
	t, theirsOK := cutFlow(theirs)
	if !ok || !oursOK || !theirsOK {
		return "", false
	}
	strands, ok := weave(b.parts, o.parts, t.parts)
	if !ok {
		return "", false
	}
	layout := o
	if len(o.parts) == 0 {
		layout = t
	}
	if len(strands) == 0 {
		return o.open[:1] + o.close[len(o.close)-1:], !strings.Contains(o.open+o.close, "#")
	}
	var parts []part
	var texts []string
	for _, s := range inOrder(strands, b.parts, o.parts, t.parts) {
		var p part
		var text string
		switch {
		case s.theirs < 0:
			p = o.parts[s.ours]
			text = p.text()
		case s.ours < 0:
			p = t.parts[s.theirs]
			text, p.lead = p.text(), layout.next()
		default:
			var was part
			p = o.parts[s.ours]
			if s.base >= 0 {
				was = b.parts[s.base]
			}
			if text, ok = joinElement(was, p, t.parts[s.theirs]); !ok {
				return "", false
			}
			if p.after, ok = three(was.after, p.after, t.parts[s.theirs].after); !ok {
				return "", false
			}
		}
		parts, texts = append(parts, p), append(texts, text)
	}
	out := strings.Builder{}
	out.WriteString(layout.open)
	for i, p := range parts {
		switch {
		case i == 0:
			p.lead = layout.parts[0].lead
		case p.lead == layout.parts[0].lead:
			p.lead = layout.next()
		}
		out.WriteString(p.lead + texts[i])
		if i+1 < len(parts) || layout.comma {
			out.WriteByte(',')
		}
		next := layout.close
		if i+1 < len(parts) {
			next = parts[i+1].lead
		}
		if p.after != "" && !strings.Contains(next, "\n") {
			return "", false // the rest would be part of the comment
		}
		out.WriteString(p.after)
	}
	return out.String() + layout.close, true
}

// joinElement merges one part in brackets that both sides have.
func joinElement(base, ours, theirs part) (string, bool) {
	was := ""
	if base.sheet != nil {
		was = base.text()
	}
	if merged, ok := three(was, ours.text(), theirs.text()); ok {
		return merged, true
	}
	return joinAround(base, ours, theirs)
}

// next is the white space before every part but the first.
func (f flow) next() string {
	switch first := f.parts[0].lead; {
	case len(f.parts) > 1:
		return f.parts[1].lead
	case strings.Contains(first, "\n"):
		return first
	}
	return " "
}

func (p part) text() string { return string(p.sheet.data[p.start:p.end]) }

// cutFlow cuts what is in brackets into its parts.
func cutFlow(of part) (flow, bool) {
	s := of.sheet
	start, end, ok := of.valueSpan()
	if !ok {
		return flow{}, false
	}
	n := of.value
	var f flow
	switch n.Kind {
	case mappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			f.parts = append(f.parts, part{id: k.Value, name: k.Value, key: k, value: v, sheet: s, start: s.offset(k.Line, k.Column)})
		}
	default:
		for i, id := range identities(n, of.name) {
			v := n.Content[i]
			f.parts = append(f.parts, part{id: id, name: of.name, value: v, sheet: s, start: s.offset(v.Line, v.Column)})
		}
	}
	at := start + 1
	f.open = string(s.data[start:at])
	for i := range f.parts {
		p := &f.parts[i]
		if p.start < at {
			return flow{}, false
		}
		between := s.data[at:p.start]
		if i > 0 {
			comma := bytes.IndexByte(between, ',')
			if comma < 0 || len(bytes.TrimSpace(between[:comma])) > 0 {
				return flow{}, false
			}
			between = between[comma+1:]
		}
		comment, lead, ok := commented(string(between))
		if !ok {
			return flow{}, false
		}
		if p.lead = lead; i == 0 {
			f.open += comment
		} else {
			f.parts[i-1].after = comment
		}
		var found bool
		if _, p.end, found = p.valueSpan(); !found {
			return flow{}, false
		}
		at = p.end
	}
	rest := string(s.data[at : end-1])
	if before, after, found := strings.Cut(rest, ","); found && isBlank(before) && len(f.parts) > 0 {
		f.comma, rest = true, after
	}
	comment, space, ok := commented(rest)
	if len(f.parts) > 0 {
		f.parts[len(f.parts)-1].after = comment
	} else {
		f.open += comment
	}
	f.close = space + string(s.data[end-1:end])
	return f, ok
}

// commented cuts what is between two parts into comments and the white space
// after them.
func commented(between string) (comment, space string, ok bool) {
	if isBlank(between) {
		return "", between, true
	}
	last := strings.LastIndexByte(between, '\n')
	if last < 0 {
		return "", "", false
	}
	for _, l := range strings.Split(between[:last], "\n") {
		if !isBlank(l) && !isComment(l) {
			return "", "", false
		}
	}
	return between[:last], between[last:], isBlank(between[last:])
}
