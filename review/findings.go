package review

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// A finding is something that a code host or a CI system shows beside a line of a
// file.
type finding struct {
	level level
	rule  string // a stable name of what was found, such as gains/exec or policy/no-exec
	title string // one short line
	text  string // a sentence, with everything that there is to say
	hint  string
	file  string // slash-separated, relative to the folder of infra.yaml; never empty
	line  int    // at least 1
	col   int    // zero: not known
	id    string // the same for the same finding though lines move; unique in a review
}

type level int

// The levels, worst first.
const (
	failure level = iota // a refusal, or a problem
	warning              // a gain that a reviewer should look at before any other
	note
)

// findings are everything that a review has to say, the worst first. All texts
// are plain.
func (r Review) findings() []finding {
	f := &finder{review: r, seen: map[string]int{}}
	for _, p := range r.Problems {
		f.problem(p, "")
	}
	for _, p := range r.BaseProblems {
		f.problem(p, "everything is shown as new, for the base has an error: ")
	}
	for _, rule := range r.refused() {
		for _, x := range rule.refusals {
			f.refusal(failure, x)
		}
	}
	lines := fold(r.Changes, false)
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.class(), b.class()) })
	for _, l := range lines {
		f.line(l)
	}
	for _, x := range r.Standing {
		f.refusal(note, x)
	}
	for _, n := range r.Notes {
		f.add(finding{level: note, rule: "note", title: "A note on this review", text: harmless(n)}, schema.Pos{}, n)
	}
	slices.SortStableFunc(f.found, func(a, b finding) int { return cmp.Compare(a.level, b.level) })
	return f.found
}

type finder struct {
	review Review
	found  []finding
	seen   map[string]int // ids, and how often
}

// add places a finding in a file of the head, and names it by what does not
// change when lines move.
func (f *finder) add(x finding, pos schema.Pos, sameness ...string) {
	x.file, x.line, x.col = pos.File, max(pos.Line, 1), pos.Column
	if pos.File == "" || slices.Contains(f.review.Gone, pos.File) {
		x.file, x.line, x.col = "infra.yaml", 1, 0
	}
	hash := sha256.Sum256([]byte(x.rule + "\x00" + strings.Join(sameness, "\x00")))
	x.id = hex.EncodeToString(hash[:16])
	f.seen[x.id]++
	if n := f.seen[x.id]; n > 1 {
		x.id = fmt.Sprintf("%s-%d", x.id, n)
	}
	f.found = append(f.found, x)
}

func (f *finder) problem(p schema.Problem, where string) {
	x := finding{level: failure, rule: "problem", title: "The files have an error", text: where + harmless(p.Message)}
	if p.Severity == schema.Warning {
		x.rule, x.title = "warning", "A warning that the base does not have"
	}
	if where != "" {
		x.rule, x.title = "base", "The base does not load"
		p.Pos = schema.Pos{} // a line of the old revision
	}
	f.add(x, p.Pos, p.Pos.File, p.Message)
}

func (f *finder) refusal(l level, r policy.Refusal) {
	x := finding{level: l, rule: "policy/" + plainRule(r.Rule), text: harmless(r.Message), hint: harmless(r.Hint)}
	x.title = "Refused by the rule " + harmless(string(r.Rule))
	switch {
	case l == note:
		x.rule, x.title = "standing/"+plainRule(r.Rule), "Already against the rule "+harmless(string(r.Rule))
	case r.Kind == policy.Invalid:
		x.rule, x.title = "problem", "Cannot be served"
	case r.Kind == policy.Braked:
		x.rule, x.title = "brake", "Held by the brake"
	}
	f.add(x, r.Pos, r.Pos.File, r.Destination, r.Message)
}

// plainRule is a rule's name as part of an identifier.
func plainRule(r policy.Rule) string {
	return strings.Map(func(c rune) rune {
		if isAlphanumeric(c) || c == '-' {
			return c
		}
		return '_'
	}, string(r))
}

func (f *finder) line(l line) {
	x := finding{level: note, rule: classRules[l.class()], title: l.told().plain()}
	if l.dangerous() {
		x.level = warning
	}
	var more []string
	for _, d := range l.detail() {
		more = append(more, d.plain())
	}
	x.text = x.title
	if len(more) > 0 {
		x.text += ": " + strings.Join(more, "; ")
	}
	if l.InOld {
		x.text += "; by " + l.from().plain()
	}
	pos := l.Pos
	if l.InOld { // its line is another's now
		pos.Line, pos.Column = 1, 0
	}
	who := l.Subject.Name
	if l.summed() {
		who = l.Group
	}
	f.add(x, pos, string(l.Kind), string(l.Subject.Kind), who, l.Role, l.Target.String(), l.Name, l.Pos.File)
}

// classRules are the names of what was found, by class.
var classRules = [classes]string{
	likeClusterAdmin: "gains/cluster-admin",
	handsOutAccess:   "gains/admin",
	makesPossible:    "changes",
	unknownRole:      "gains/unknown",
	runsCommands:     "gains/exec",
	readsSecrets:     "gains/secrets",
	otherGains:       "gains/access",
	losses:           "loses/access",
	longer:           "keeps/longer",
	shorter:          "keeps/shorter",
	beside:           "changes",
}

// at is the path of a file from the root of the Git repository.
func (o Options) at(file string) string { return path.Join(o.Prefix, file) }
