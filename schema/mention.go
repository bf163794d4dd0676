package schema

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Thing is a kind of what files have names for.
type Thing string

// The things, spelt as messages call them.
const (
	AUser        Thing = "user"
	AGroup       Thing = "group"
	ADestination Thing = "destination"
)

// A Mention is a place that names something.
type Mention struct {
	Text string // as it is there: of a destination perhaps a resource, in infra.yaml perhaps a pattern
	Pos  Pos
}

// IsRule says whether a mention is one of infra.yaml: of the policy or a brake,
// which give nobody anything.
func (m Mention) IsRule() bool { return m.Pos.File == settingsPath }

// Mentions are the places that name something by its very name, in order. What
// destinations were formerly called is not among them, nor are acknowledgements:
// both speak of the past.
//
// The error is ErrNoInfraYAML, or says that files could not be read.
func Mentions(fsys fs.FS, what Thing, name string) ([]Mention, error) {
	return mentionsOf(fsys, name, func(m mention) bool { return m.what == what && m.name() == name })
}

// Apart are the patterns of infra.yaml that fit one name of a rename and not the
// other, in order. The errors are those of Mentions.
func (r Rename) Apart(fsys fs.FS) ([]Mention, error) {
	out, err := mentionsOf(fsys, "*", func(m mention) bool {
		return m.what == r.What && IsPattern(m.name()) && r.Fits(m.node.Value, r.Old) != r.Fits(m.node.Value, r.New)
	})
	return slices.DeleteFunc(out, func(m Mention) bool { return !m.IsRule() }), err
}

// Fits says whether a pattern means a thing of the kind that is renamed.
func (r Rename) Fits(pattern, name string) bool {
	if r.What == ADestination {
		pattern, _, _ = strings.Cut(pattern, ".")
		return MatchDestination(pattern, name)
	}
	return Match(pattern, name)
}

// mentionsOf are the mentions that fit, in files that have a text in them.
func mentionsOf(fsys fs.FS, text string, fits func(mention) bool) ([]Mention, error) {
	e, err := openEditor(fsys)
	if err != nil {
		return nil, err
	}
	var out []Mention
	for _, f := range e.files {
		found, _, err := e.mentions(f, text)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			if fits(m) {
				out = append(out, Mention{Text: m.node.Value, Pos: Pos{File: f.path, Line: m.node.Line, Column: m.node.Column}})
			}
		}
	}
	return out, nil
}

// mentions finds what a file names, and its text. A file that cannot have a name in
// it is not parsed again.
func (e *editor) mentions(f *parsedFile, name string) ([]mention, *renameText, error) {
	if f.kind == acknowledgementsFile {
		return nil, nil, nil
	}
	data, err := e.content(f.path)
	if err != nil || !mayName(data, name) {
		return nil, nil, err
	}
	root, syntax := parseYAML(data)
	if syntax != nil || root == nil {
		return nil, nil, &StyleError{f.path, "it cannot be read"}
	}
	w := &mentionWalk{}
	w.mapping(root, "", false)
	return w.found, &renameText{file: f.path, data: data, root: root}, nil
}

// mayName says whether a text can have a name in it: as it is, by escapes, or
// folded at a blank.
func mayName(data []byte, name string) bool {
	return bytes.Contains(data, []byte(name)) || bytes.IndexByte(data, '\\') >= 0 || strings.Contains(name, " ")
}

// A mention is a scalar that names something.
type mention struct {
	what     Thing
	resource bool // it is a destination, perhaps with a namespace
	node     *node
	list     *node // that it is an item of; nil: of none
	flow     bool  // it stands in brackets or braces
}

// name is the name of what is mentioned.
func (m mention) name() string {
	if m.resource {
		destination, _, _ := strings.Cut(m.node.Value, ".")
		return destination
	}
	return m.node.Value
}

// beside says whether the list of a mention has another text, too.
func (m mention) beside(text string) bool {
	return m.list != nil && slices.ContainsFunc(m.list.Content, func(n *node) bool { return n.Value == text })
}

// A mentionWalk finds the mentions of a file. It goes by the keys, which mean the
// same in every kind of file.
type mentionWalk struct{ found []mention }

// mapping looks at a mapping, which is an item of the list with the key of.
func (w *mentionWalk) mapping(n *node, of string, flow bool) {
	if n.Kind != mappingNode {
		return
	}
	flow = flow || n.Style&flowStyle != 0
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := n.Content[i].Value, n.Content[i+1]
		switch key {
		case "user", "group", "destination":
			w.scalar(mention{what: Thing(key), node: v, flow: flow})
		case "resource":
			w.scalar(mention{what: ADestination, resource: true, node: v, flow: flow})
		case "name":
			if what := itemsOf(of); what != "" {
				w.scalar(mention{what: what, node: v, flow: flow})
			}
		case "labels", "roles", "formerly", "declared":
		default:
			w.value(v, key, flow)
		}
	}
}

// value looks at what is behind a key that names nothing by itself.
func (w *mentionWalk) value(v *node, key string, flow bool) {
	if v.Kind == mappingNode {
		w.mapping(v, "", flow)
		return
	}
	if v.Kind != sequenceNode {
		return
	}
	flow = flow || v.Style&flowStyle != 0
	for _, item := range v.Content {
		w.mapping(item, key, flow)
		if what := itemsOf(key); what != "" {
			w.scalar(mention{what: what, node: item, list: v, flow: flow})
		}
	}
}

func (w *mentionWalk) scalar(m mention) {
	if m.node.Kind == scalarNode && m.node.Tag == stringTag {
		w.found = append(w.found, m)
	}
}

// itemsOf is what the items of a list are, or are declared by: "" where they are
// no names.
func itemsOf(list string) Thing {
	switch list {
	case "users":
		return AUser
	case "groups":
		return AGroup
	case "destinations", "local":
		return ADestination
	}
	return ""
}

// A renameText is a file whose names are replaced.
type renameText struct {
	file string
	data []byte
	root *node
}

// replace puts other texts where scalars are, in order of the file, and every
// other byte stays. It reads the result again: it is what the file was, but for
// these scalars.
func (t *renameText) replace(scalars []mention, texts []string) ([]byte, error) {
	list := &listText{file: t.file, data: t.data, lines: splitLines(t.data)}
	starts := make([]int, len(list.lines)+1)
	for i, l := range list.lines {
		starts[i+1] = starts[i] + len(l)
	}
	var out bytes.Buffer
	at := 0
	for i, m := range scalars {
		n := m.node
		line := &listText{data: t.data[starts[n.Line-1]:], lines: list.lines[n.Line-1:]}
		start := starts[n.Line-1] + line.offset(1, n.Column)
		end, ok := list.scanScalar(start, m.flow)
		switch {
		case !ok || start < at || n.Style&blockScalarStyles != 0,
			n.Style&quotedStyles == 0 && string(t.data[start:end]) != n.Value:
			return nil, &StyleError{t.file, fmt.Sprintf("%s on line %d is written over several lines", quoted(n.Value), n.Line)}
		}
		out.Write(t.data[at:start])
		out.WriteString(scalar("", texts[i], int(n.Style)))
		at = end
		n.Value = texts[i]
	}
	out.Write(t.data[at:])
	if root, err := parseYAML(out.Bytes()); err != nil || root == nil || !sameTree(root, t.root) {
		return nil, &StyleError{t.file, "it is written in a way in which the change would have changed something else"}
	}
	return out.Bytes(), nil
}

// sameTree says whether two documents are the same, comments too, wherever their
// parts stand and however they are quoted.
func sameTree(a, b *node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || a.Tag != b.Tag || a.Anchor != b.Anchor || len(a.Content) != len(b.Content) ||
		a.HeadComment != b.HeadComment || a.LineComment != b.LineComment || a.FootComment != b.FootComment {
		return false
	}
	for i := range a.Content {
		if !sameTree(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}
