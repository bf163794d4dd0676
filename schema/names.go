package schema

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// BuiltinRoles are the roles that every destination has, strongest first. The
// first four are Kubernetes' own ClusterRoles; the last three come with infra's
// chart.
var BuiltinRoles = []string{"cluster-admin", "admin", "edit", "view", "exec", "port-forward", "logs"}

// InfraRoles are the roles that a grant on InfraDestination may have.
var InfraRoles = []string{"admin", "view"}

// maxName is the longest name in bytes, that of an RBAC object.
const maxName = 253

// ValidateUser says why a name cannot be a person's, or nil.
func ValidateUser(name string) error {
	if err := validateSubject("user", name); err != nil {
		return err
	}
	if strings.Contains(name, "@") && name != strings.ToLower(name) {
		return fmt.Errorf("user %s: e-mail addresses are in lower case: %s", quoted(name), quoted(strings.ToLower(name)))
	}
	return nil
}

// ValidateGroup says why a name cannot be a group's, or nil.
func ValidateGroup(name string) error { return validateSubject("group", name) }

// Validate says why a subject cannot be granted anything, or nil.
func (s Subject) Validate() error {
	switch s.Kind {
	case User:
		return ValidateUser(s.Name)
	case GroupKind:
		return ValidateGroup(s.Name)
	}
	return fmt.Errorf("a subject is a user or a group, not %s", quoted(string(s.Kind)))
}

func validateSubject(what, name string) error {
	if err := deceptive(name); err != nil {
		return fmt.Errorf("%s %s: %w", what, quoted(name), err)
	}
	if reserved(name) {
		return fmt.Errorf("%s %s: names that begin with %q are Kubernetes' own", what, quoted(name), systemPrefix)
	}
	return nil
}

// ValidateRole says why a name cannot be a role's, or nil. The names of
// ClusterRoles are path segments: any characters but / and %.
func ValidateRole(name string) error {
	err := deceptive(name)
	switch {
	case err != nil:
	case strings.ContainsAny(name, "/% *"):
		err = errors.New("the name of a role has no blank, slash, percent sign or *")
	case name == "." || name == "..":
		err = errors.New("that is no name")
	case reserved(name):
		err = fmt.Errorf("roles that begin with %q are Kubernetes' own", systemPrefix)
	default:
		for _, b := range BuiltinRoles {
			if name != b && twinKey(name) == b {
				return fmt.Errorf("role %s: that is %q in other letters", quoted(name), b)
			}
		}
		return nil
	}
	return fmt.Errorf("role %s: %w", quoted(name), err)
}

// ValidateDestination says why a name cannot be a destination's, or nil.
// InfraDestination is one.
func ValidateDestination(name string) error {
	if !label.MatchString(name) {
		return fmt.Errorf("destination %s: %s", quoted(name), labelRule)
	}
	return nil
}

// ValidateKeyName says why a name cannot be an access key's, or nil. It is the
// name of a file too.
func ValidateKeyName(name string) error {
	if !keyName.MatchString(name) || strings.HasSuffix(name, ".") {
		return fmt.Errorf("key %s: a name is of letters, digits, dots, hyphens and underscores, begins with a letter or digit, does not end in a dot, and has at most 63 characters", quoted(name))
	}
	return nil
}

// ValidateReason says why a text cannot be a reason, or nil.
func ValidateReason(text string) error { return validateLine("the reason", text) }

// validateLine says why a text cannot be free text on one line, or nil.
func validateLine(what, text string) error {
	if len(text) > maxLine {
		return fmt.Errorf("%s has %d bytes: at most %d", what, len(text), maxLine)
	}
	for _, r := range text {
		if invisible(r) {
			return fmt.Errorf("%s has %s in it: it is text on one line", what, charName(r))
		}
	}
	return nil
}

const maxLine = 1000

const (
	systemPrefix = "system:"
	labelRule    = "a name is of lower-case letters, digits and hyphens, begins and ends with a letter or digit, and has at most 63 characters"
)

var (
	label   = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

// reserved says whether a name is one of Kubernetes' own, however it is
// written.
func reserved(name string) bool { return strings.HasPrefix(twinKey(name), systemPrefix) }

// ParseTime reads an instant as files have it: RFC 3339 with an offset, from
// the year 2000 to 9999. It is in UTC.
func ParseTime(text string) (time.Time, error) {
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		switch {
		case noOffset.MatchString(text):
			return time.Time{}, fmt.Errorf("%s has no offset: end it with Z, or with one like +02:00", quoted(text))
		case dateOnly.MatchString(text):
			return time.Time{}, fmt.Errorf("%s is a day, not an instant: write it like %sT18:00:00Z", quoted(text), text)
		case farYear.MatchString(text):
			return time.Time{}, fmt.Errorf("%s is past the year 9999: leave it out for never", quoted(text))
		}
		return time.Time{}, fmt.Errorf("%s is not a time like 2026-12-24T18:00:00Z (RFC 3339 with an offset)", quoted(text))
	}
	t = t.UTC()
	// Far years do not survive JSON, and the zero time would read as "never".
	if t.Year() < 2000 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("%s is not between the years 2000 and 9999", quoted(text))
	}
	return t, nil
}

var (
	noOffset = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?$`)
	dateOnly = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	farYear  = regexp.MustCompile(`^\+?\d{5,}-`)
)

// deceptive says what in a name may make a reader take it for another.
func deceptive(name string) error {
	if name == "" {
		return errors.New("a name is not empty")
	}
	if len(name) > maxName {
		return fmt.Errorf("a name has at most %d bytes", maxName)
	}
	if !utf8.ValidString(name) {
		return errors.New("not valid UTF-8")
	}
	ascii := true
	for _, r := range name {
		if invisible(r) {
			return fmt.Errorf("%s in a name", charName(r))
		}
		ascii = ascii && r < utf8.RuneSelf
	}
	switch {
	case strings.HasPrefix(name, " ") || strings.HasSuffix(name, " "):
		return errors.New("a blank at an end of the name")
	case strings.HasSuffix(name, "."):
		return errors.New("a dot at the end of the name")
	case !ascii:
		return mixedScripts(name)
	}
	return nil
}

// invisible says whether a character cannot be seen, moves others about, or is a
// blank of another width.
func invisible(r rune) bool { return !unicode.IsPrint(r) || r >= utf8.RuneSelf && ignorable(r) }

// ignorable are characters that print as nothing though Unicode calls them
// letters, marks or symbols.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) || r == '\u2800'
}

func charName(r rune) string {
	switch {
	case r == '\n' || r == '\r':
		return "a line end"
	case r == '\t':
		return "a tab"
	case unicode.IsControl(r):
		return fmt.Sprintf("a control character (%U)", r)
	case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200e' || r == '\u200f' || r == '\u061c':
		return fmt.Sprintf("a character that changes the direction of text (%U)", r)
	}
	return fmt.Sprintf("an invisible character (%U)", r)
}

// mixedScripts refuses letters of several scripts in one name, but for those
// that are written together: the level "highly restrictive" of Unicode
// Technical Standard 39, section 5.2.
func mixedScripts(name string) error {
	var scripts []string
	for _, r := range name {
		if !unicode.IsLetter(r) {
			continue
		}
		for s, table := range unicode.Scripts {
			if s != "Common" && s != "Inherited" && unicode.Is(table, r) {
				if !slices.Contains(scripts, s) {
					scripts = append(scripts, s)
				}
				break
			}
		}
	}
	if len(scripts) < 2 {
		return nil
	}
	for _, together := range [][]string{
		{"Latin", "Han", "Hiragana", "Katakana"},
		{"Latin", "Han", "Bopomofo"},
		{"Latin", "Han", "Hangul"},
	} {
		if !slices.ContainsFunc(scripts, func(s string) bool { return !slices.Contains(together, s) }) {
			return nil
		}
	}
	slices.Sort(scripts)
	return fmt.Errorf("letters of several scripts (%s)", strings.Join(scripts, ", "))
}

// twinKey is the same for names that differ only by case, width or Unicode
// normalisation.
func twinKey(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return norm.NFKC.String(strings.ToLower(norm.NFKC.String(name)))
		}
	}
	return strings.ToLower(name)
}
