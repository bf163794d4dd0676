package review

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/infrahq/infra/schema"
)

// A phrase is a piece of text of which it is known who says what: infra its own
// words, the repository its names and reasons. No format sees them mixed, so
// each can make harmless what the repository says, and nothing else.
type phrase []part

type part struct {
	kind partKind
	text string
}

type partKind int

const (
	words    partKind = iota // infra's own
	name                     // of a person, role, file or branch
	free                     // a reason: free text, always shown as a quotation
	sentence                 // of infra or a policy, with names in it
)

// say makes a phrase of infra's words, as strings, and of parts and phrases.
func say(pieces ...any) phrase {
	var out phrase
	for _, p := range pieces {
		switch p := p.(type) {
		case string:
			if p != "" {
				out = append(out, part{words, p})
			}
		case part:
			out = append(out, p)
		case phrase:
			out = append(out, p...)
		}
	}
	return out
}

func named(s string) part { return part{name, s} }

// join puts words between phrases.
func join(phrases []phrase, between string) phrase {
	var out phrase
	for i, p := range phrases {
		if i > 0 {
			out = append(out, say(between)...)
		}
		out = append(out, p...)
	}
	return out
}

// list is "a, b and c", of at most so many; of the others it says how many.
func list(items []phrase, most int) phrase {
	var more phrase
	if len(items) > most {
		more = say(fmt.Sprintf("%s more", count(len(items)-most)))
		items = append(slices.Clone(items[:most]), more)
	}
	if len(items) < 2 {
		return join(items, "")
	}
	last := len(items) - 1
	return say(join(items[:last], ", "), " and ", items[last])
}

func names(texts []string) []phrase {
	out := make([]phrase, len(texts))
	for i, t := range texts {
		out[i] = say(named(t))
	}
	return out
}

// plain is a phrase as text for a terminal or a log: nothing in it moves the
// cursor, hides, changes direction or starts a command of a CI system. Names
// that could be taken for infra's words are quoted.
func (p phrase) plain() string {
	var b strings.Builder
	for _, t := range p {
		switch t.kind {
		case words:
			b.WriteString(t.text)
		case name:
			b.WriteString(plainName(t.text))
		case free:
			b.WriteString(quotation(t.text))
		case sentence:
			b.WriteString(harmless(t.text))
		}
	}
	return b.String()
}

func plainName(s string) string {
	if s == "" || strings.ContainsAny(s, " \",;\\'`") {
		return quotation(s)
	}
	return harmless(s)
}

// quotation is text between quotes, with the quotes in it marked.
func quotation(s string) string {
	return `"` + strings.ReplaceAll(harmless(s), `"`, `\"`) + `"`
}

// harmless writes out what cannot be seen, and breaks what a CI system would take
// for a command in its log: GitHub `::` and `##[`, Azure `##vso[`, TeamCity
// `##teamcity[`.
func harmless(s string) string {
	s = visible(s)
	s = strings.ReplaceAll(s, "::", `:\u003a`)
	return strings.ReplaceAll(s, "##", `#\u0023`)
}

// visible writes out every character that cannot be seen or moves others about,
// as Go writes it in a string: \n, \u202e.
func visible(s string) string {
	if strings.IndexFunc(s, invisible) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !invisible(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// invisible are control characters, those that change the direction of text,
// blanks of other widths, and what prints as nothing though Unicode calls it a
// letter, a mark or a symbol.
func invisible(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == '\x7f'
	}
	return !unicode.IsPrint(r) || r == '\u2800' ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// count writes a number as people read it: 4,812.
func count(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// number is a count and what is counted: "1 person", "12 people".
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func people(n int) string { return number(n, "person", "people") }

// stamp is an instant as people read it, in UTC.
func stamp(t time.Time) string {
	t = t.UTC()
	if t.Second() != 0 || t.Nanosecond() != 0 {
		return t.Format("2 Jan 2006 15:04:05 UTC")
	}
	return t.Format("2 Jan 2006 15:04 UTC")
}

// until says when something ends.
func until(t time.Time) string {
	if t.IsZero() {
		return "no expiry"
	}
	return "until " + stamp(t)
}

// place is file:line, which is enough for a reader to find it.
func place(p schema.Pos, inOld bool) phrase {
	if p == (schema.Pos{}) {
		return nil
	}
	p.Column = 0
	if inOld {
		return say(named(p.String()), " (before)")
	}
	return say(named(p.String()))
}
