package main

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

const (
	columnGap = 3 // what kubectl's printer leaves between two columns
	columnMin = 10
)

// fit makes a table as wide as a terminal of so many columns: the widest column is
// cut, and each value that is cut ends with an ellipsis. Zero is no terminal: what
// reads a pipe gets everything, as does who asks for -o wide. Widths are in bytes,
// as kubectl's printer has them.
func (l *list) fit(width int) {
	if width <= 0 {
		return
	}
	var shown, widths []int
	total := -columnGap
	for i, c := range l.columns {
		if c.wide {
			continue
		}
		w := len(c.name)
		for _, r := range l.rows {
			w = max(w, len(fmt.Sprint(r[i])))
		}
		shown, widths = append(shown, i), append(widths, w)
		total += max(w, columnGap) + columnGap
	}
	before := slices.Clone(widths)
	for total > width {
		widest := slices.Max(widths)
		if widest <= columnMin {
			break // a terminal of that size wraps the lines, and loses nothing
		}
		widths[slices.Index(widths, widest)]--
		total--
	}
	for n, i := range shown {
		if widths[n] == before[n] {
			continue
		}
		for _, r := range l.rows {
			r[i] = ellipsis(fmt.Sprint(r[i]), widths[n])
		}
	}
}

// ellipsis cuts a text to so many bytes, between two characters.
func ellipsis(text string, width int) string {
	if len(text) <= width {
		return text
	}
	end := width - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
