package schema

import (
	"cmp"
	"fmt"
)

// A Pos is a place in a file of the repository. Line and Column count from 1,
// Column in runes; zero means that it is not known, or the file as a whole.
type Pos struct {
	File         string // slash-separated, relative to the folder of infra.yaml
	Line, Column int
}

// String is path:line:column, as short as what is known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(o Pos) int {
	return cmp.Or(cmp.Compare(p.File, o.File), cmp.Compare(p.Line, o.Line), cmp.Compare(p.Column, o.Column))
}

// Severity tells what makes a revision unservable from what is merely untidy.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // ambiguous or unsafe: the revision is not served
	Warning Severity = "warning" // untidy: served, and refused only where a change brings it in
)

// A Problem is one thing that is wrong with a revision.
type Problem struct {
	Pos      Pos
	Severity Severity
	Message  string // a fact in lower case, with the nearest right spelling where there is one
}

// String is `path:line:column: message`, with "warning: " before a warning's message.
func (p Problem) String() string {
	if p.Severity == Warning {
		return fmt.Sprintf("%s: warning: %s", p.Pos, p.Message)
	}
	return fmt.Sprintf("%s: %s", p.Pos, p.Message)
}

// Problems are all that is wrong with a revision, sorted by position.
type Problems []Problem

// Errors are the problems that make a revision unservable.
func (ps Problems) Errors() Problems { return ps.of(Error) }

// Warnings are the problems that do not.
func (ps Problems) Warnings() Problems { return ps.of(Warning) }

func (ps Problems) of(s Severity) Problems {
	var out Problems
	for _, p := range ps {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}

// New are the problems that base does not have. Problems are the same when
// their file and message are: lines move.
func (ps Problems) New(base Problems) Problems {
	type sameness struct {
		severity      Severity
		file, message string
	}
	of := func(p Problem) sameness { return sameness{p.Severity, p.Pos.File, p.Message} }
	had := map[sameness]bool{}
	for _, p := range base {
		had[of(p)] = true
	}
	var out Problems
	for _, p := range ps {
		if !had[of(p)] {
			out = append(out, p)
		}
	}
	return out
}
