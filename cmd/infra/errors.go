package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// What a command's error may be, for the exit code. Any other error is 1.
var (
	errInvalid = errors.New("the repository is invalid")
	errPolicy  = errors.New("a policy refuses the change")
	errBrake   = errors.New("a brake holds the change until it is acknowledged")
	errDiffers = errors.New("access differs") // for --exit-code, which wants no words
)

// exitCodes says which error ends the program with which code; the package
// comment lists them all. The first that fits counts.
var exitCodes = []struct {
	err  error
	code int
}{
	{errInvalid, 3},
	{errPolicy, 4},
	{errBrake, 5},
	{errDiffers, 2},
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	for _, e := range exitCodes {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	return 1
}

// A hinted error comes with its remedy.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// hint gives an error its remedy: a command to paste, or a sentence without a
// full stop.
func hint(err error, format string, args ...any) error {
	return &hinted{err: err, hint: fmt.Sprintf(format, args...)}
}

// A problemsError is an error that a list of problems explains.
type problemsError struct {
	err      error
	problems schema.Problems
}

func (e *problemsError) Error() string { return e.err.Error() }
func (e *problemsError) Unwrap() error { return e.err }

// report writes an error for a person and returns the exit code.
func (a *app) report(err error) int {
	if err == nil || errors.Is(err, errDiffers) {
		return exitCode(err)
	}
	if p, ok := errors.AsType[*problemsError](err); ok {
		for _, p := range p.problems {
			fmt.Fprintln(a.stderr, line(p))
		}
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "interrupted: " + text
	}
	fmt.Fprintf(a.stderr, "%s %s\n", a.paint(red, "error:"), harmless(text))
	if remedy := remedy(err); remedy != "" {
		fmt.Fprintf(a.stderr, "%s %s\n", a.paint(cyan, "hint:"), harmless(strings.TrimSpace(remedy)))
	}
	return exitCode(err)
}

// remedy is the hint that belongs to an error, or "".
func remedy(err error) string {
	if h, ok := errors.AsType[*hinted](err); ok {
		return h.hint
	}
	if r, ok := errors.AsType[*repo.Refusal](err); ok {
		return r.Hint
	}
	return ""
}

// say writes words for a person, unless they asked for quiet.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.stderr, harmless(fmt.Sprintf(format, args...)))
	}
}

// listener hears what others have to say, such as the hooks of a commit.
func (a *app) listener() io.Writer {
	if a.quiet {
		return io.Discard
	}
	return a.stderr
}

// advise says what to do next.
func (a *app) advise(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, "%s %s\n", a.paint(cyan, "next:"), harmless(fmt.Sprintf(format, args...)))
	}
}

// The colours, as ECMA-48 "select graphic rendition" writes them.
const (
	red  = "31;1"
	cyan = "36"
)

func (a *app) paint(color, text string) string {
	if !a.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}
