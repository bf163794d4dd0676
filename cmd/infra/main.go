package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() { os.Exit(run()) }

// run is main, but for the exit: that is main's alone, so that what is deferred
// here has run by then.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends a program that does not listen to the first
	a := &app{
		stdout: os.Stdout,
		stderr: os.Stderr,
		getenv: os.Getenv,
		now:    time.Now,
	}
	colors := os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	a.live = term.IsTerminal(int(os.Stderr.Fd()))
	a.color = a.live && colors
	if out := int(os.Stdout.Fd()); term.IsTerminal(out) {
		a.pages = true
		a.colorOut = colors
		a.width, _, _ = term.GetSize(out) // zero, the default, where nobody knows
	}
	defer a.leave()
	err := a.command().ExecuteContext(ctx)
	return a.report(err)
}

// An app is one run of the program: what it may touch, and its global flags.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	color          bool // on stderr
	colorOut       bool // on stdout
	pages          bool // stdout is a terminal
	width          int  // columns of stdout where it is a terminal; zero: not known
	live           bool // stderr is a terminal: what takes long may be shown as it goes

	repository string        // -C, --repo
	timeout    time.Duration // --timeout: for a Git host
	quiet      bool          // -q, --quiet
	noPager    bool          // --no-pager

	hosted *hosted // the repository, where it is an address; nil: it is a folder
}
