package review

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// wrap cuts a text between words so that each line has at most so many columns. A
// word that is longer has a line to itself. There is always one line.
func wrap(text string, most int) []string {
	if columns(text) <= most {
		return []string{text}
	}
	var out []string
	line, used := "", 0
	for _, w := range strings.Split(text, " ") {
		n := columns(w)
		switch {
		case line == "" && used == 0:
			line, used = w, n
		case used+1+n <= most:
			line, used = line+" "+w, used+1+n
		default:
			out = append(out, line)
			line, used = w, n
		}
	}
	return append(out, line)
}

// columns is how many columns of a terminal a text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r < 0x300:
			n++
		case unicode.In(r, unicode.Mn, unicode.Me):
		case width.LookupRune(r).Kind() == width.EastAsianWide || width.LookupRune(r).Kind() == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }
