package main

import (
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 24, 8, 30, 15, 500, berlin)
	for _, test := range []struct {
		name, span, at string
		want           string // RFC 3339; "" for never
		err            string
	}{
		{name: "nothing said is never"},
		{name: "hours", span: "8h", want: "2026-11-24T15:30:15Z"},
		{name: "days are of 24 hours", span: "30d", want: "2026-12-24T07:30:15Z"},
		{name: "weeks and parts", span: "1w2d3h4m", want: "2026-12-03T10:34:15Z"},
		{name: "a time with an offset", at: "2026-12-24T18:00:00+01:00", want: "2026-12-24T17:00:00Z"},
		{name: "a time in lower case", at: "2026-12-24t18:00:00z", want: "2026-12-24T18:00:00Z"},
		{name: "a date is the end of that day here", at: "2026-12-24", want: "2026-12-24T23:00:00Z"},
		{name: "today has not ended", at: "2026-11-24", want: "2026-11-24T23:00:00Z"},
		{name: "yesterday has", at: "2026-11-23", err: "--expires: 2026-11-23T23:00:00Z has passed"},
		{name: "both", span: "8h", at: "2026-12-24", err: "--for and --expires both say when it ends"},
		{name: "no offset", at: "2026-12-24T18:00:00", err: `--expires: "2026-12-24T18:00:00" is not a time`},
		{name: "no unit", span: "8", err: `--for: "8" is not a duration`},
		{name: "a negative span", span: "-8h", err: `--for: "-8h" is not a duration`},
		{name: "a blank", span: "8 h", err: `--for: "8 h" is not a duration`},
		{name: "no time at all", span: "0d", err: `--for: "0d" is no time at all`},
		{name: "past all counting", span: "99999999999999999999w", err: `--for: "99999999999999999999w" is too long`},
		{name: "past what an int64 of nanoseconds holds", span: "15251w", err: `--for: "15251w" is too long`},
		{name: "past it as a sum", span: "15250w15250w", err: `--for: "15250w15250w" is too long`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := expiry(test.span, test.at, now)
			text, message := "", ""
			if !got.IsZero() {
				text = got.Format(time.RFC3339Nano)
			}
			if err != nil {
				message = err.Error()
			}
			if text != test.want || message != test.err {
				t.Errorf("expiry(%q, %q) = %q, %q; want %q, %q", test.span, test.at, text, message, test.want, test.err)
			}
		})
	}
}
