package review

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// markdown is a phrase in GitHub Flavored Markdown, within a paragraph or a cell
// of a table. What the repository says stands in code spans, in which nothing is
// interpreted and nobody is mentioned.
func (p phrase) markdown() string {
	var b strings.Builder
	for _, t := range p {
		switch t.kind {
		case words:
			b.WriteString(t.text)
		case name, free:
			b.WriteString(codeSpan(t.text))
		case sentence:
			b.WriteString(prose(t.text))
		}
	}
	return b.String()
}

// codeSpan is a text as it is, in a monospaced font. Where backticks would not
// do, it is the HTML element with every special character as a number: backticks
// end a span, a pipe ends a cell even in one, and a CI system's log would take
// some for commands.
func codeSpan(text string) string {
	text = clipped(visible(text))
	if text == "" {
		return "(empty)"
	}
	if !strings.ContainsAny(text, "`|\\") && !strings.Contains(text, "::") && !strings.Contains(text, "##") &&
		strings.TrimSpace(text) == text {
		return "`" + text + "`"
	}
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range text {
		if r < utf8.RuneSelf && !isAlphanumeric(r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// prose is a sentence of infra's or of a policy, with names in it. Plain words
// stay what they are; everything that Markdown or a host could take for more
// (mentions, links, references, emphasis) stands in a code span.
func prose(text string) string {
	var out []string
	var special []string // words that share a code span
	flush := func() {
		if len(special) > 0 {
			out = append(out, codeSpan(strings.Join(special, " ")))
			special = nil
		}
	}
	for _, word := range strings.Split(clipped(visible(text)), " ") {
		m := wrapped.FindStringSubmatch(word) // which may leave its brackets and full stop outside
		switch {
		case word == "":
		case plainWord.MatchString(word) && !hash.MatchString(word):
			flush()
			out = append(out, word)
		case m != nil && m[2] != "":
			flush()
			core := m[2]
			if inner, ok := strings.CutPrefix(core, "`"); ok && strings.Count(core, "`") == 2 && len(inner) > 1 && strings.HasSuffix(inner, "`") {
				core = inner[:len(inner)-1] // it is code already, as messages write it
			}
			out = append(out, m[1]+codeSpan(core)+m[3])
		default:
			special = append(special, word)
		}
	}
	flush()
	return strings.Join(out, " ")
}

var (
	plainWord = regexp.MustCompile(`^(?:[("']*(?:\p{L}+(?:['-]\p{L}+)*)?[)"']*[.,;:?]?|\d{1,6}[,;:]?|%)$`)
	hash      = regexp.MustCompile(`\b[0-9a-f]{7,40}\b`) // of a commit, as hosts find it
	wrapped   = regexp.MustCompile(`^([("']*)(.*?)([)"']*[.,;:?]?)$`)
)

// clipped bounds what one name or sentence takes of a comment, and says that it
// did.
func clipped(s string) string {
	if utf8.RuneCountInString(s) <= clipRunes {
		return s
	}
	runes := []rune(s)
	return fmt.Sprintf("%s… (%d more characters)", string(runes[:clipRunes]), len(runes)-clipRunes)
}

const clipRunes = 400
