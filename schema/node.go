package schema

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/infrahq/infra/auth"
)

// A reader walks the nodes of one file and notes what is wrong. It accepts
// exactly what a file may say: what the YAML library would guess, drop or
// resolve in silence is an error here.
type reader struct {
	file     string
	problems Problems
	errors   int // among them
}

func (r *reader) pos(n *node) Pos { return Pos{File: r.file, Line: n.Line, Column: n.Column} }

func (r *reader) errorf(p Pos, format string, args ...any) {
	r.errors++
	r.problems = append(r.problems, Problem{Pos: p, Severity: Error, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) warnf(p Pos, format string, args ...any) {
	r.problems = append(r.problems, Problem{Pos: p, Severity: Warning, Message: fmt.Sprintf(format, args...)})
}

// plain notes what no node of ours may carry, and says whether it is free of it.
func (r *reader) plain(n *node) bool {
	switch {
	case n.Kind == aliasNode:
		r.errorf(r.pos(n), "an alias (*%s): write it out", clip(n.Value))
	case n.Anchor != "":
		r.errorf(r.pos(n), "an anchor (&%s): write out what it stands for", clip(n.Anchor))
	case n.Style&taggedStyle != 0:
		r.errorf(r.pos(n), "a tag (%s): leave it out", clip(n.Tag))
	default:
		return true
	}
	return false
}

// mapping calls visit with each known key of a mapping and its value, in the
// order of the file. keys are all keys that it may have.
func (r *reader) mapping(n *node, what string, keys []string, visit func(key string, k, v *node)) bool {
	if !r.plain(n) {
		return false
	}
	if n.Kind != mappingNode {
		r.errorf(r.pos(n), "%s is a mapping (%s: ...), not %s", what, keys[0], kindOf(n))
		return false
	}
	var seen [16]int
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, ok := r.key(k)
		if !ok {
			continue
		}
		at := indexOf(keys, key)
		switch {
		case at < 0:
			r.errorf(r.pos(k), "unknown field %s in %s%s", quoted(key), what, r.unknownField(key, keys))
		case seen[at] != 0:
			r.errorf(r.pos(k), "%q twice: first on line %d", key, seen[at])
		default:
			seen[at] = k.Line
			visit(key, k, v)
		}
	}
	return true
}

func (r *reader) unknownField(key string, keys []string) string {
	if near := Nearest(key, keys); near != "" {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return fmt.Sprintf(": known are %s", strings.Join(keys, ", "))
}

// key reads the key of a mapping.
func (r *reader) key(k *node) (string, bool) {
	switch {
	case k.Tag == mergeTag && k.Kind == scalarNode:
		r.errorf(r.pos(k), "a merge key (<<): write it out")
	case !r.plain(k):
	case k.Kind != scalarNode || k.Tag != stringTag:
		r.errorf(r.pos(k), "a key that is %s: keys are strings", kindOf(k))
	case r.secret(k):
	default:
		return k.Value, true
	}
	return "", false
}

// each calls visit with every item of a list.
func (r *reader) each(n *node, what string, visit func(item *node)) {
	if !r.plain(n) {
		return
	}
	if n.Kind != sequenceNode {
		hint := ""
		if n.Kind == scalarNode && n.Tag == nullTag {
			hint = ": write [] for an empty list"
		}
		r.errorf(r.pos(n), "%s is a list, not %s%s", what, kindOf(n), hint)
		return
	}
	for _, item := range n.Content {
		visit(item)
	}
}

// text reads a string. The empty string is an error too: leave the key out.
func (r *reader) text(n *node, what string) (string, bool) {
	switch {
	case !r.plain(n):
	case n.Kind != scalarNode || n.Tag == nullTag:
		r.errorf(r.pos(n), "%s is text, not %s", what, kindOf(n))
	case r.secret(n):
	case n.Tag != stringTag || n.Style&quotedStyles == 0 && oldBoolean(n.Value):
		r.errorf(r.pos(n), "%s is text, but %s reads as %s: put it in quotes", what, quoted(n.Value), kindOf(n))
	case n.Value == "":
		r.errorf(r.pos(n), "%s is empty", what)
	default:
		return n.Value, true
	}
	return "", false
}

// name reads a string that check accepts.
func (r *reader) name(n *node, what string, check func(string) error) string {
	s, ok := r.text(n, what)
	if !ok {
		return ""
	}
	if err := check(s); err != nil {
		r.errorf(r.pos(n), "%s", err)
		return ""
	}
	return s
}

// reason reads free text on one line.
func (r *reader) reason(n *node) string {
	return r.line(n, "the reason")
}

// line reads text on one line.
func (r *reader) line(n *node, what string) string {
	s, ok := r.text(n, what)
	if !ok {
		return ""
	}
	if n.Style&blockScalarStyles != 0 {
		s = strings.TrimRight(s, "\n") // the line end that the style brings along
	}
	if err := validateLine(what, s); err != nil {
		r.errorf(r.pos(n), "%s", err)
		return ""
	}
	return s
}

// time reads an instant.
func (r *reader) time(n *node, what string) time.Time {
	if !r.plain(n) {
		return time.Time{}
	}
	if n.Kind != scalarNode || n.Tag != stringTag && n.Tag != timestampTag {
		r.errorf(r.pos(n), "%s is a time like 2026-12-24T18:00:00Z, not %s", what, kindOf(n))
		return time.Time{}
	}
	if r.secret(n) {
		return time.Time{}
	}
	t, err := ParseTime(n.Value)
	if err != nil {
		r.errorf(r.pos(n), "%s: %s", what, err)
	}
	return t
}

// count reads a number that is at least 1.
func (r *reader) count(n *node, what string) int {
	i, _ := r.number(n, what, 1, math.MaxInt32)
	return i
}

// number reads a whole number between two others.
func (r *reader) number(n *node, what string, least, most int) (int, bool) {
	if !r.plain(n) || r.secret(n) {
		return 0, false
	}
	if n.Kind == scalarNode && n.Tag == intTag && n.Style&quotedStyles == 0 {
		if i, err := strconv.Atoi(n.Value); err == nil && i >= least && i <= most && n.Value == strconv.Itoa(i) {
			return i, true
		}
	}
	if most == math.MaxInt32 {
		r.errorf(r.pos(n), "%s is a number from %d on", what, least)
	} else {
		r.errorf(r.pos(n), "%s is a number from %d to %d", what, least, most)
	}
	return 0, false
}

// yes reads `true`. No is said by leaving the key out: what `undeclared: false`
// asks for would be anybody's guess.
func (r *reader) yes(n *node, what string) bool {
	switch {
	case !r.plain(n) || r.secret(n):
	case n.Kind == scalarNode && n.Tag == boolTag && n.Style&quotedStyles == 0 && n.Value == "true":
		return true
	case n.Kind == scalarNode && n.Tag == boolTag && n.Value == "false":
		r.errorf(r.pos(n), "%s: false asks for nothing: leave it out", what)
	default:
		r.errorf(r.pos(n), "%s is true, or left out", what)
	}
	return false
}

// secret notes a value that holds an access key, which no message may quote.
func (r *reader) secret(n *node) bool {
	if !strings.Contains(n.Value, "infra1_") {
		return false
	}
	if _, _, found := auth.Find([]byte(n.Value)); !found {
		return false
	}
	r.errorf(r.pos(n), secretMessage)
	return true
}

const secretMessage = "an access key with its secret: it is public now, so remove it here and with `infra keys remove`; a repository keeps only hashes"

func kindOf(n *node) string {
	switch {
	case n.Kind == mappingNode:
		return "a mapping"
	case n.Kind == sequenceNode:
		return "a list"
	case n.Kind == aliasNode:
		return "an alias"
	case n.Tag == nullTag:
		return "nothing (null)"
	case n.Tag == intTag || n.Tag == "!!float":
		return "a number"
	case n.Tag == boolTag || n.Style&quotedStyles == 0 && oldBoolean(n.Value):
		return "a yes or no"
	case n.Tag == timestampTag:
		return "a time"
	}
	return "text"
}

// quoted is a text as messages show it: escaped, of bounded length, and never
// with a secret in it.
func quoted(s string) string {
	if _, _, found := auth.Find([]byte(s)); found {
		return "(an access key)"
	}
	return strconv.QuoteToGraphic(hideInvisible(clip(s)))
}

// quoteless is text that a library said, made safe for a terminal.
func quoteless(s string) string {
	if _, _, found := auth.Find([]byte(s)); found {
		return "(an access key)"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, clip(s))
}

// hideInvisible leaves escaping to strconv, but for what that takes for graphic
// and no eye can see.
func hideInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) || ignorable(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

const clipLength = 80

func clip(s string) string {
	if len(s) <= clipLength {
		return s
	}
	for i := range s {
		if i > clipLength-3 {
			return s[:i] + "..."
		}
	}
	return s
}

func indexOf(list []string, s string) int {
	for i, l := range list {
		if l == s {
			return i
		}
	}
	return -1
}
