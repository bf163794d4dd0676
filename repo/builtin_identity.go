package repo

import (
	"cmp"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/object"
)

// identity is who writes and who commits, as git finds it out: from the
// environment, else from the configuration (git-commit(1), "Commit Information").
// What git would guess from the account and the host is asked for instead.
func (b *builtin) identity(config gitConfig, now time.Time) (author, committer object.Signature, err error) {
	if author, err = b.signature(config, "author", now); err != nil {
		return author, committer, err
	}
	committer, err = b.signature(config, "committer", now)
	return author, committer, err
}

func (b *builtin) signature(config gitConfig, role string, now time.Time) (object.Signature, error) {
	env := "GIT_" + strings.ToUpper(role) + "_"
	s := object.Signature{
		Name:  uncrud(cmp.Or(b.getenv(env+"NAME"), config.last(role+".name"), config.last("user.name"))),
		Email: uncrud(cmp.Or(b.getenv(env+"EMAIL"), config.last(role+".email"), config.last("user.email"), b.getenv("EMAIL"))),
		When:  now,
	}
	if s.Name == "" || s.Email == "" {
		missing := "name"
		if s.Name != "" {
			missing = "e-mail address"
		}
		return s, &Refusal{Err: ErrNoIdentity, What: "the " + missing + " of the " + role,
			Hint: "set user.name and user.email in ~/.gitconfig, or " + env + "NAME and " + env + "EMAIL"}
	}
	if text := b.getenv(env + "DATE"); text != "" {
		when, err := parseDate(text)
		if err != nil {
			return s, fmt.Errorf("%sDATE: %w", env, err)
		}
		s.When = when
	}
	return s, nil
}

// uncrud removes from a name what would break a commit's header, and what git
// takes off its ends.
func uncrud(name string) string {
	name = strings.TrimFunc(name, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`.,:;<>"\'`, r) })
	return strings.NewReplacer("<", "", ">", "", "\n", "").Replace(name)
}

// parseDate reads the forms that git itself documents for a commit's date
// (git-commit(1), "Date formats"): its internal one, RFC 2822 and ISO 8601.
func parseDate(text string) (time.Time, error) {
	seconds, zone, found := strings.Cut(strings.TrimPrefix(text, "@"), " ")
	if n, err := strconv.ParseInt(seconds, 10, 64); err == nil && (found || strings.HasPrefix(text, "@")) {
		in := time.UTC
		if zone != "" {
			z, err := time.Parse("-0700", zone)
			if err != nil {
				return time.Time{}, fmt.Errorf("%q is no date", text)
			}
			in = z.Location()
		}
		return time.Unix(n, 0).In(in), nil
	}
	if t, err := mail.ParseDate(text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date", text)
}

// cleanMessage is a message as `git commit --cleanup=whitespace` makes it.
func cleanMessage(text string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r\f\v")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	if len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, "\n") + "\n"
}
