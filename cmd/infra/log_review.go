package main

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/infrahq/infra/repo"
)

// A personItem is somebody as a commit names them.
type personItem struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

func (p personItem) who() string {
	if p.Email == "" {
		return p.Name
	}
	return p.Email
}

func (p personItem) same(o personItem) bool { return strings.EqualFold(p.who(), o.who()) }

// A reviewerItem is somebody who looked at a change, and where Git says so.
type reviewerItem struct {
	personItem
	Source   string `json:"source"`             // Reviewed-by, Approved-by or merge
	IsAuthor bool   `json:"isAuthor,omitempty"` // it is one of those who wrote the change
}

// A signature is who wrote a change and who looked at it, as far as Git holds it.
type signature struct {
	authors     []personItem
	reviewers   []reviewerItem
	pullRequest string // #12, or !12
}

// sign reads the signature of a commit of the line. brought are the commits that
// came with it, where it is a merge.
func sign(c repo.Commit, brought []repo.Commit) signature {
	s := signature{pullRequest: pullRequest(c.Message)}
	for _, b := range brought {
		if len(b.Parents) < 2 { // a merge of the line into the branch writes nothing
			s.author(b)
		}
	}
	if len(s.authors) == 0 {
		s.author(c)
	}
	for _, b := range append([]repo.Commit{c}, brought...) {
		for _, t := range trailers(b.Message) {
			if key := reviewTrailer(t.key); key != "" {
				s.review(parsePerson(t.value), key)
			}
		}
	}
	if len(c.Parents) > 1 {
		merger := asPerson(c.Committer)
		if merger.Email == webFlow {
			merger = asPerson(c.Author)
		}
		if !slices.ContainsFunc(s.authors, merger.same) {
			s.review(merger, "merge")
		}
	}
	return s
}

// webFlow is the committer of what is merged on GitHub's site; who pressed the
// button is the author of the merge.
const webFlow = "noreply@github.com"

func (s *signature) author(c repo.Commit) {
	if p := asPerson(c.Author); !slices.ContainsFunc(s.authors, p.same) {
		s.authors = append(s.authors, p)
	}
}

func (s *signature) review(p personItem, source string) {
	known := func(r reviewerItem) bool { return r.same(p) && r.Source == source }
	if p.who() != "" && !slices.ContainsFunc(s.reviewers, known) {
		s.reviewers = append(s.reviewers, reviewerItem{p, source, slices.ContainsFunc(s.authors, p.same)})
	}
}

func asPerson(p repo.Person) personItem { return personItem{p.Name, p.Email} }

func parsePerson(text string) personItem {
	if a, err := mail.ParseAddress(text); err == nil {
		return personItem{a.Name, a.Address}
	}
	if name, rest, ok := strings.Cut(text, "<"); ok { // names that mail would quote
		return personItem{strings.TrimSpace(name), strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ">"))}
	}
	return personItem{Name: text}
}

func reviewTrailer(key string) string {
	for _, known := range []string{"Reviewed-by", "Approved-by"} {
		if strings.EqualFold(key, known) {
			return known
		}
	}
	return ""
}

type trailer struct{ key, value string }

var (
	trailerLine = regexp.MustCompile(`^([A-Za-z0-9-]+)\s*:\s*(\S.*)$`)
	pickedLine  = regexp.MustCompile(`^\(cherry picked from commit [0-9a-f]+\)$`)
)

// trailers are those of a message: its last paragraph, which is not its first,
// where nothing else is in it. It is stricter than git interpret-trailers, which
// takes a paragraph of which a quarter looks like that.
func trailers(message string) []trailer {
	text := strings.TrimRight(strings.ReplaceAll(message, "\r\n", "\n"), " \t\n")
	i := strings.LastIndex(text, "\n\n")
	if i < 0 {
		return nil
	}
	var out []trailer
	for line := range strings.SplitSeq(text[i+2:], "\n") {
		m := trailerLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			out = append(out, trailer{m[1], strings.TrimSpace(m[2])})
		case len(out) > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")):
			out[len(out)-1].value += " " + strings.TrimSpace(line)
		case pickedLine.MatchString(line):
		default:
			return nil
		}
	}
	return out
}

// The forms in which Git hosts write the number of a pull or merge request: the
// merge commits of GitHub, Gitea, Bitbucket and Azure, the end of a squashed
// one's subject, and GitLab's line in the body of a merge.
var requestForms = []*regexp.Regexp{
	regexp.MustCompile(`^Merge pull request (#\d+) from `),
	regexp.MustCompile(`^Merge pull request '.*' \((#\d+)\) from `),
	regexp.MustCompile(`^Merged in .* \(pull request (#\d+)\)$`),
	regexp.MustCompile(`^Merged PR (\d+): `),
	regexp.MustCompile(`\(([#!]\d+)\)$`),
}

var gitlabRequest = regexp.MustCompile(`(?m)^See merge request \S*(!\d+)$`)

// pullRequest is the number of the request that a message names; empty: none.
func pullRequest(message string) string {
	subject, body, _ := strings.Cut(message, "\n")
	subject = strings.TrimSpace(subject)
	for _, form := range requestForms {
		if m := form.FindStringSubmatch(subject); m != nil {
			if strings.ContainsAny(m[1], "#!") {
				return m[1]
			}
			return "#" + m[1]
		}
	}
	if m := gitlabRequest.FindStringSubmatch(strings.ReplaceAll(body, "\r\n", "\n")); m != nil {
		return m[1]
	}
	return ""
}
