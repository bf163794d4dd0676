package main

import (
	"regexp"
	"strconv"
	"strings"
)

// harmless writes what could command a terminal, or turn the order of a line
// around, as the escapes that Go would. Names of files are anybody's to choose.
func harmless(text string) string {
	return hostile.ReplaceAllStringFunc(strings.ToValidUTF8(text, "\uFFFD"), func(c string) string {
		return strings.Trim(strconv.QuoteToASCII(c), `"`)
	})
}

// hostile are controls, but for line break and tab, and what is not seen (Cf).
var hostile = regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{2028}\x{2029}\p{Cf}]`)
