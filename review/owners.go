package review

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// Owners says who owns a file of the repository. Nil: nobody is known.
type Owners func(path string) []string

// OwnersFile finds the text that says who owns what, where the Git hosts look for
// it: .github/, .gitlab/, .gitea/, the root, docs/. It is false where there is
// none.
func OwnersFile(files fs.FS) ([]byte, bool, error) {
	p, text, err := OwnersAt(files)
	return text, p != "", err
}

// OwnersAt is OwnersFile with the path at which the text was found; empty: nowhere.
func OwnersAt(files fs.FS) (string, []byte, error) {
	for _, p := range []string{".github/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"} {
		switch text, err := fs.ReadFile(files, p); {
		case err == nil:
			return p, text, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, fmt.Errorf("reading who owns what: %w", err)
		}
	}
	return "", nil, nil
}

// ParseOwners reads a CODEOWNERS file as the Git hosts do. GitHub's and GitLab's
// rules are patterns like those of .gitignore, of which the last that matches
// counts; GitLab has sections besides, and each section has its owners. Gitea's
// rules are regular expressions, and all that match count: a file is taken for
// Gitea's where its patterns can only be that.
//
// Lines that cannot be read are passed over, as the hosts do: the error names
// them, and the owners of all other lines are known nevertheless.
//
// Sources: "About code owners" of GitHub's documentation, "Syntax of CODEOWNERS
// file" of GitLab's, "Code Owners" of Gitea's.
func ParseOwners(text []byte) (Owners, error) {
	lines, faults := ownerLines(text)
	owners := giteaOwners(lines)
	if !giteas(lines) {
		all, more := ownerSections(lines)
		owners, faults = all.of, append(faults, more...)
	}
	slices.SortStableFunc(faults, func(a, b ownerFault) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, f := range faults {
		errs = append(errs, f)
	}
	return owners, errors.Join(errs...)
}

// An ownerFault is what is wrong with a line.
type ownerFault struct {
	line int
	what string
}

func (f ownerFault) Error() string { return fmt.Sprintf("line %d: %s", f.line, f.what) }

// An ownerLine is a rule, or the head of a section.
type ownerLine struct {
	number  int
	pattern string
	owners  []string
	section string // its name in lower case; empty: not the head of one
}

// ownerLines cuts a file into lines, and lines into words.
func ownerLines(text []byte) ([]ownerLine, []ownerFault) {
	var out []ownerLine
	var faults []ownerFault
	for i, raw := range bytes.Split(text, []byte("\n")) {
		s := strings.TrimSpace(string(raw))
		if s == "" || s[0] == '#' {
			continue
		}
		l := ownerLine{number: i + 1}
		if head := sectionHead.FindStringSubmatch(s); head != nil {
			l.section, s = strings.ToLower(strings.TrimSpace(head[1])), head[2]
		} else {
			l.pattern, s = cutPattern(s)
		}
		for _, o := range strings.Fields(s) {
			if o[0] == '#' {
				break
			}
			if !owner.MatchString(o) {
				faults = append(faults, ownerFault{i + 1, quotation(o) + " is no owner: it is @name, @team/name or an e-mail address"})
				continue
			}
			l.owners = append(l.owners, o)
		}
		out = append(out, l)
	}
	return out, faults
}

var (
	// [Name], ^[Optional], [Name][2], each with default owners behind it. A name
	// in brackets is followed by a blank or nothing, a class of characters is not.
	sectionHead = regexp.MustCompile(`^\^?\[([^\]]+)\](?:\[\d+\])?(?:\s+(.*))?$`)
	owner       = regexp.MustCompile(`^(@@?[\p{L}\p{N}][\p{L}\p{N}._/-]*|[^@\s]+@[^@\s]+)$`)
)

// cutPattern cuts a line at the first blank that no backslash is before.
func cutPattern(s string) (pattern, rest string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ' ', '\t':
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// sections are in order. Rules before the first head, which are all where the
// host is not GitLab, are a section without a name.
type sections []*section

type section struct {
	name   string
	owners []string // of a rule that names none
	rules  []ownerRule
}

type ownerRule struct {
	matches *regexp.Regexp
	exclude bool // GitLab's !pattern: nobody of this section owns it
	owners  []string
}

func ownerSections(lines []ownerLine) (sections, []ownerFault) {
	gitlab := slices.ContainsFunc(lines, func(l ownerLine) bool { return l.section != "" })
	current := &section{}
	out := sections{current}
	var faults []ownerFault
	for _, l := range lines {
		if l.section != "" {
			i := slices.IndexFunc(out, func(s *section) bool { return s.name == l.section })
			if i < 0 {
				i = len(out)
				out = append(out, &section{name: l.section})
			}
			current = out[i]
			current.owners = append(current.owners, l.owners...)
			continue
		}
		pattern, exclude := strings.CutPrefix(l.pattern, "!")
		matches, err := globRegexp(pattern, gitlab)
		if err != nil {
			faults = append(faults, ownerFault{l.number, err.Error()})
			continue
		}
		current.rules = append(current.rules, ownerRule{matches, exclude, l.owners})
	}
	return out, faults
}

// of are the owners of a file: of each section, those of the last rule that
// matches.
func (ss sections) of(path string) []string {
	var out []string
	for _, s := range ss {
		var owners []string
		for _, r := range s.rules {
			if !r.matches.MatchString(path) {
				continue
			}
			if r.exclude {
				owners = nil
				break
			}
			if owners = r.owners; len(owners) == 0 {
				owners = s.owners
			}
		}
		out = addOwners(out, owners)
	}
	return out
}

func addOwners(list, more []string) []string {
	for _, o := range more {
		if !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	return list
}

// globRegexp turns a pattern as .gitignore has it into a regular expression. A
// folder stands for all that is in it. A pattern with a slash in front or inside
// begins at the root, on GitLab only with one in front.
func globRegexp(pattern string, gitlab bool) (*regexp.Regexp, error) {
	rest, rooted := strings.CutPrefix(pattern, "/")
	if rest == "" || strings.Contains(rest, "***") {
		return nil, fmt.Errorf("%s is no pattern of files", quotation(pattern))
	}
	if inside := strings.Contains(strings.TrimSuffix(rest, "/"), "/"); !rooted && !(inside && !gitlab) {
		rest = "**/" + rest
	}
	folder := strings.HasSuffix(rest, "/")
	segments := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	var b strings.Builder
	b.WriteString("^")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch {
		case segment == "**" && last:
			b.WriteString(".+")
		case segment == "**":
			b.WriteString("(?:.+/)?")
		default:
			globSegment(&b, segment)
			if !last {
				b.WriteString("/")
			}
		}
	}
	switch last := segments[len(segments)-1]; {
	case folder:
		b.WriteString("/.+")
	case !gitlab && last != "*" && last != "**":
		b.WriteString("(?:/.+)?") // a folder, named without its slash
	}
	b.WriteString("$")
	return regexp.Compile(b.String())
}

func globSegment(b *strings.Builder, segment string) {
	for i := 0; i < len(segment); i++ {
		switch c := segment[i]; {
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '\\' && i+1 < len(segment):
			i++
			b.WriteString(regexp.QuoteMeta(segment[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(segment[i : i+1]))
		}
	}
}

// giteas says whether the rules are regular expressions, as Gitea has them: all
// can be, and one can be nothing else.
func giteas(lines []ownerLine) bool {
	sure := false
	for _, l := range lines {
		if l.section != "" {
			return false
		}
		if _, err := giteaRegexp(l.pattern); err != nil {
			return false
		}
		negated := strings.HasPrefix(l.pattern, "!") && len(l.owners) > 0
		sure = sure || negated || onlyRegexp.MatchString(l.pattern)
	}
	return sure
}

// onlyRegexp finds what no glob of a path has in it.
var onlyRegexp = regexp.MustCompile(`(^|/|\)|\])\.[*+]|\\\\|[|^$(){}]|\]\*`)

func giteaRegexp(pattern string) (*regexp.Regexp, error) {
	pattern = strings.TrimPrefix(pattern, "!")
	pattern = strings.NewReplacer(`\\`, `\`, `\#`, `#`, `\ `, ` `).Replace(pattern)
	return regexp.Compile("^" + strings.TrimPrefix(pattern, "/") + "$")
}

func giteaOwners(lines []ownerLine) Owners {
	var rules []ownerRule
	for _, l := range lines {
		if matches, err := giteaRegexp(l.pattern); err == nil {
			rules = append(rules, ownerRule{matches, strings.HasPrefix(l.pattern, "!"), l.owners})
		}
	}
	return func(path string) []string {
		var out []string
		for _, r := range rules {
			if r.matches.MatchString(path) != r.exclude {
				out = addOwners(out, r.owners)
			}
		}
		return out
	}
}
