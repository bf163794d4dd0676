package review

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf16"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// renderJSON writes everything that a review has, in fields that docs/review.md
// lists. Fields are added within a version, never renamed or taken away; lists
// are never null.
func renderJSON(r Review) []byte {
	d := jsonReview{
		Version: jsonVersion, Base: r.Base, Head: r.Head, At: r.At.UTC(),
		Summary: r.summary(), Accepted: len(r.Refusals) == 0,
		BaseProblems: jsonProblems(r.BaseProblems),
		Problems:     jsonProblems(r.Problems),
		Changes:      mapped(r.Changes, jsonChangeOf),
		Refusals:     mapped(r.Refusals, jsonRefusalOf),
		Standing:     mapped(r.Standing, jsonRefusalOf),
		Destinations: mapped(r.Destinations, func(d Destination) jsonDestination { return jsonDestination{d.Name, list0(d.Owners)} }),
		Notes:        list0(r.Notes),
		Gone:         list0(r.Gone),
	}
	return marshal(d)
}

const jsonVersion = 1

type jsonReview struct {
	Version      int               `json:"version"`
	Base         string            `json:"base"`
	Head         string            `json:"head"`
	At           time.Time         `json:"at"`
	Summary      string            `json:"summary"`
	Accepted     bool              `json:"accepted"`
	Refusals     []jsonRefusal     `json:"refusals"`
	BaseProblems []jsonProblem     `json:"baseProblems"`
	Problems     []jsonProblem     `json:"problems"`
	Changes      []jsonChange      `json:"changes"`
	Standing     []jsonRefusal     `json:"standing"`
	Destinations []jsonDestination `json:"destinations"`
	Notes        []string          `json:"notes"`
	Gone         []string          `json:"gone"`
}

type jsonPos struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

type jsonProblem struct {
	Severity string  `json:"severity"`
	Position jsonPos `json:"position"`
	Message  string  `json:"message"`
}

type jsonRefusal struct {
	Kind        string  `json:"kind"`
	Rule        string  `json:"rule"`
	Position    jsonPos `json:"position"`
	Message     string  `json:"message"`
	Hint        string  `json:"hint,omitempty"`
	Destination string  `json:"destination,omitempty"`
	People      int     `json:"people,omitempty"`
	Of          int     `json:"of,omitempty"`
}

type jsonDestination struct {
	Name   string   `json:"name"`
	Owners []string `json:"owners"`
}

type jsonChange struct {
	Kind     string  `json:"kind"`
	Danger   string  `json:"danger"`
	Position jsonPos `json:"position"`
	InOld    bool    `json:"inOld"`

	// Of people's access.
	Subject      *jsonSubject `json:"subject,omitempty"`
	Role         string       `json:"role,omitempty"`
	Resource     string       `json:"resource,omitempty"`
	Destinations []string     `json:"destinations"`
	Expires      *time.Time   `json:"expires,omitempty"`
	Before       *time.Time   `json:"before,omitempty"`
	Reasons      []jsonReason `json:"reasons"`
	Others       []jsonRow    `json:"others"`
	Powers       []string     `json:"powers"`
	Group        string       `json:"group,omitempty"`
	GroupSize    int          `json:"groupSize,omitempty"`
	Outlives     string       `json:"outlives,omitempty"`

	// Of all others.
	Name   string      `json:"name,omitempty"`
	Fields []jsonField `json:"fields"`
	People int         `json:"people,omitempty"`
}

type jsonSubject struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

type jsonReason struct {
	Subject  *jsonSubject `json:"subject,omitempty"`
	Role     string       `json:"role"`
	Resource string       `json:"resource"`
	Expires  *time.Time   `json:"expires,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Position jsonPos      `json:"position"`
	Via      []string     `json:"via"`
}

type jsonRow struct {
	Subject  *jsonSubject `json:"subject,omitempty"`
	Role     string       `json:"role"`
	Resource string       `json:"resource"`
	Expires  *time.Time   `json:"expires,omitempty"`
	Reasons  []jsonReason `json:"reasons"`
}

type jsonField struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// dangerNames are the words for access.Danger in JSON.
var dangerNames = map[access.Danger]string{
	access.Ordinary:     "ordinary",
	access.ReadsSecrets: "readsSecrets",
	access.Executes:     "executes",
	access.Unknown:      "unknown",
	access.Administers:  "administers",
	access.EqualsAdmin:  "equalsAdmin",
	access.ClusterAdmin: "clusterAdmin",
}

func jsonChangeOf(c access.Change) jsonChange {
	return jsonChange{
		Kind: string(c.Kind), Danger: dangerNames[c.Danger], Position: jsonPos(c.Pos), InOld: c.InOld,
		Subject: jsonSubjectOf(c.Subject), Role: c.Role, Resource: c.Target.String(), Destinations: list0(c.Destinations),
		Expires: jsonTime(c.Expires), Before: jsonTime(c.Before),
		Reasons: mapped(c.Reasons, jsonReasonOf), Others: mapped(c.Others, jsonRowOf),
		Powers: mapped(c.Powers, func(p access.Power) string { return string(p) }),
		Group:  c.Group, GroupSize: c.GroupSize, Outlives: c.Outlives,
		Name: c.Name, Fields: mapped(c.Fields, func(f access.Field) jsonField { return jsonField(f) }), People: c.People,
	}
}

func jsonReasonOf(r access.Reason) jsonReason {
	g := r.Grant
	return jsonReason{Subject: jsonSubjectOf(g.Subject), Role: g.Role, Resource: g.Target.String(),
		Expires: jsonTime(g.Expires), Reason: g.Reason, Position: jsonPos(g.Pos), Via: list0(r.Via)}
}

func jsonRowOf(r access.Row) jsonRow {
	return jsonRow{Subject: jsonSubjectOf(r.Subject), Role: r.Role, Resource: r.Target.String(),
		Expires: jsonTime(r.Expires), Reasons: mapped(r.Reasons, jsonReasonOf)}
}

func jsonRefusalOf(f policy.Refusal) jsonRefusal {
	return jsonRefusal{Kind: string(f.Kind), Rule: string(f.Rule), Position: jsonPos(f.Pos), Message: f.Message, Hint: f.Hint,
		Destination: f.Destination, People: f.People, Of: f.Of}
}

func jsonProblems(problems schema.Problems) []jsonProblem {
	return mapped(problems, func(p schema.Problem) jsonProblem {
		return jsonProblem{string(p.Severity), jsonPos(p.Pos), p.Message}
	})
}

func jsonSubjectOf(s schema.Subject) *jsonSubject {
	if s == (schema.Subject{}) {
		return nil
	}
	return &jsonSubject{string(s.Kind), s.Name}
}

func jsonTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// mapped is a list of other values, never nil.
func mapped[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// list0 is a list that is never nil.
func list0(list []string) []string { return append([]string{}, list...) }

// marshal writes JSON that a terminal and a CI system's log can show: what moves
// a cursor, cannot be seen, or starts a command of such a log is written as
// \u escapes, which every reader turns back.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // of our own types, which have nothing in them that JSON has not
	}
	text := b.Bytes()
	for _, command := range []string{"##", "::"} {
		text = bytes.ReplaceAll(text, []byte(command), fmt.Appendf(nil, `%c\u%04x`, command[0], command[1]))
	}
	var out bytes.Buffer
	out.Grow(len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || !invisible(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}
