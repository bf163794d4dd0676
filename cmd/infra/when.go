package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// expiry turns --for and --expires into the instant at which something ends.
// Both empty is zero, which is never.
func expiry(span, at string, now time.Time) (time.Time, error) {
	switch {
	case span != "" && at != "":
		return time.Time{}, hint(errors.New("--for and --expires both say when it ends"), "give one of them")
	case span != "":
		d, err := duration(span)
		if err != nil {
			return time.Time{}, fmt.Errorf("--for: %w", err)
		}
		return now.Add(d).UTC().Truncate(time.Second), nil
	case at != "":
		t, err := instant(at, now.Location())
		if err != nil {
			return time.Time{}, fmt.Errorf("--expires: %w", err)
		}
		if expired(t, now) {
			return time.Time{}, fmt.Errorf("--expires: %s has passed", stamp(t))
		}
		return t, nil
	}
	return time.Time{}, nil
}

var (
	spanForm = regexp.MustCompile(`^(\d+[wdhm])+$`)
	spanPart = regexp.MustCompile(`\d+[wdhm]`)
	spanUnit = map[byte]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute}
)

// duration reads what people write for a stretch of time: 8h, 30d, 2w, 1d12h.
// A day has 24 hours. time.ParseDuration knows neither days nor weeks.
func duration(text string) (time.Duration, error) {
	if !spanForm.MatchString(text) {
		return 0, hint(fmt.Errorf("%q is not a duration", text), "write it like 8h, 30d, 2w or 1d12h")
	}
	var sum time.Duration
	for _, part := range spanPart.FindAllString(text, -1) {
		unit := spanUnit[part[len(part)-1]]
		n, err := strconv.ParseInt(part[:len(part)-1], 10, 64)
		if err != nil || n > int64((math.MaxInt64-sum)/unit) {
			return 0, fmt.Errorf("%q is too long", text)
		}
		sum += time.Duration(n) * unit
	}
	if sum == 0 {
		return 0, fmt.Errorf("%q is no time at all", text)
	}
	return sum, nil
}

// instant reads a time as RFC 3339 writes it, or a date, which means the end of
// that day in the zone given.
func instant(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t.AddDate(0, 0, 1).UTC(), nil
	}
	return time.Time{}, hint(fmt.Errorf("%q is not a time", text), "write it like 2026-12-24T18:00:00Z or 2026-12-24")
}

// until says when something ends, for a table.
func until(t, now time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case expired(t, now):
		return stamp(t) + " (expired)"
	}
	return stamp(t)
}

func expired(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
