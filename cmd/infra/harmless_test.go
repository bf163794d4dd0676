package main

import "testing"

func TestHarmless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"grants/dev.yaml:2:3: bad":    "grants/dev.yaml:2:3: bad",
		"two\nlines\tof \"Käse\", 日本": "two\nlines\tof \"Käse\", 日本",
		"\x1b[31mred":                 `\x1b[31mred`,
		"over\rwritten":               `over\rwritten`,
		"\u009b31m":                   `\u009b31m`,
		"dev\u202elmay.":              `dev\u202elmay.`,
		"zero\u200bwidth":             `zero\u200bwidth`,
		"half\x9b31m":                 "half\uFFFD31m",
		"a\u2028b":                    `a\u2028b`,
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
