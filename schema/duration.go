package schema

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// ParseDuration reads a length of time as policies have it: a whole number of
// hours, days of 24 hours or weeks, `8h`, `30d`, `52w`, from an hour to 100
// years. There are no months and years, which are of no one length.
func ParseDuration(text string) (time.Duration, error) {
	m := durationForm.FindStringSubmatch(text)
	if m == nil {
		if wholeNumber.MatchString(text) {
			return 0, fmt.Errorf("%s has no unit: write %sh, %sd or %sw for hours, days or weeks", quoted(text), text, text, text)
		}
		return 0, fmt.Errorf("%s is not a whole number of hours, days or weeks like 8h, 30d or 52w", quoted(text))
	}
	n, err := strconv.Atoi(m[1])
	unit := map[string]int{"h": 1, "d": 24, "w": 7 * 24}[m[2]]
	if err != nil || n > maxHours/unit {
		return 0, fmt.Errorf("%s is more than 100 years", quoted(text))
	}
	return time.Duration(n*unit) * time.Hour, nil
}

const maxHours = 36_525 * 24

var (
	durationForm = regexp.MustCompile(`^([1-9][0-9]*)([hdw])$`)
	wholeNumber  = regexp.MustCompile(`^[1-9][0-9]{0,9}$`)
)

// duration reads a length of time.
func (r *reader) duration(n *node, what string) time.Duration {
	switch {
	case !r.plain(n):
		return 0
	case n.Kind != scalarNode || n.Tag == nullTag:
		r.errorf(r.pos(n), "%s is a length of time like 30d, not %s", what, kindOf(n))
		return 0
	case r.secret(n):
		return 0
	}
	d, err := ParseDuration(n.Value)
	if err != nil {
		r.errorf(r.pos(n), "%s: %s", what, err)
	}
	return d
}
