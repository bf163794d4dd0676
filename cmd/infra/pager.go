package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

// paged hands what write prints to the user's pager where stdout is a terminal, and
// else to stdout. Who closes the pager early has seen enough: that is no error.
//
// Words belong after it, when the pager has gone, since both have one screen.
func (a *app) paged(write func(io.Writer) error) error {
	if !a.pages || a.noPager {
		return write(a.stdout)
	}
	pager := a.pagerCommand()
	if pager == "" {
		return write(a.stdout)
	}
	var text bytes.Buffer
	if err := write(&text); err != nil || text.Len() == 0 {
		return err
	}
	cmd := exec.Command("sh", "-c", pager)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text.Bytes()), a.stdout, a.stderr
	cmd.Env = os.Environ()
	for name, value := range map[string]string{"LESS": "FRX", "LV": "-c"} { // what git gives them
		if a.getenv(name) == "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	signal.Ignore(os.Interrupt) // which is the pager's: it ends a search in less, and not less
	defer signal.Reset(os.Interrupt)
	err := cmd.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case ended && exit.ExitCode() == notFound:
		_, err := text.WriteTo(a.stdout)
		return cmp.Or(err, hint(fmt.Errorf("there is no pager %q", pager), "--no-pager, or INFRA_PAGER=cat, does without"))
	case ended: // however it did
		return nil
	}
	return err
}

// notFound is a shell's exit code for a command that does not exist.
const notFound = 127

// pagerCommand is the shell command of the pager; empty: none. It is INFRA_PAGER,
// or what git uses: GIT_PAGER, core.pager, PAGER or less.
func (a *app) pagerCommand() string {
	pager := a.getenv("INFRA_PAGER")
	if pager == "" {
		out, err := exec.Command("git", "var", "GIT_PAGER").Output()
		if err != nil { // no git, or one that is not well
			out = []byte(cmp.Or(a.getenv("GIT_PAGER"), a.getenv("PAGER"), "less"))
		}
		pager = string(out)
	}
	pager = strings.TrimSpace(pager)
	program, _, _ := strings.Cut(pager, " ")
	if program == "cat" {
		return ""
	}
	if _, err := exec.LookPath(program); err != nil && program == "less" {
		return "" // the default, which nobody asked for
	}
	return pager
}
