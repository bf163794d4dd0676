package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/infrahq/infra/forge"
	"github.com/infrahq/infra/repo"
)

// The settings of git that say what no address tells.
const (
	hostSetting   = "infra.host"   // the kind of a host whose name says nothing
	prWithSetting = "infra.prWith" // the program that opens pull requests
)

// longestName is how many characters of an edit get into a branch's name.
const longestName = 60

// small are words that say nothing in a branch's name.
var small = []string{"on", "to", "from", "for", "of", "in", "the", "group", "role", "has", "with"}

// branchName calls a branch after an edit: "grants: add fisher@example.com admin on
// example" is infra/add-fisher-admin-example. What is taken already gets a number.
func branchName(subject string, try int) string {
	if _, edit, ok := strings.Cut(subject, ": "); ok {
		subject = edit
	}
	subject, _, _ = strings.Cut(subject, " until ")
	var words []string
	for word := range strings.FieldsSeq(strings.ToLower(subject)) {
		word, _, _ = strings.Cut(word, "@")
		plain := strings.FieldsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
		if !slices.Contains(small, word) {
			words = append(words, plain...)
		}
	}
	name := ""
	for _, word := range words {
		if len(name)+len(word) > longestName {
			break
		}
		name += "-" + word
	}
	name = "infra/" + cmp.Or(strings.TrimPrefix(name, "-"), "change")
	if try > 1 {
		name = fmt.Sprintf("%s-%d", name, try)
	}
	return name
}

// A pull is how the branch of a delivery becomes a pull request.
type pull struct {
	request forge.PullRequest // zero where the host is not known
	remote  string            // of the base
	program string            // that opens it; empty: a person does
}

// pullOf finds out how a pull request is opened, before anything is pushed: a
// program that was asked for has to be there.
func pullOf(ctx context.Context, c *repo.Checkout, d delivery, f editFlags) (pull, error) {
	p := pull{remote: d.Remote, program: f.prWith}
	kind, err := c.Setting(ctx, hostSetting)
	if err == nil && kind != "" && !slices.Contains(forge.Kinds, forge.Kind(kind)) {
		err = hint(fmt.Errorf("%s is %q, which is no kind of host", hostSetting, kind), "git config %s KIND, which is one of %s", hostSetting, kinds())
	}
	if err == nil && p.program == "" {
		p.program, err = c.Setting(ctx, prWithSetting)
	}
	if err != nil {
		return p, err
	}
	p.request.BaseBranch = d.Branch
	if p.request.Base, err = onHost(ctx, c, d.Remote, forge.Kind(kind), c.FetchURL, "url"); err != nil {
		return p, err
	}
	p.request.Head, err = onHost(ctx, c, d.to(), forge.Kind(kind), c.PushURL, "pushurl", "url")
	if err != nil || p.program == "" {
		return p, err
	}
	if p.request.Base.Kind == "" {
		return p, hint(fmt.Errorf("what kind of host %s is on is not known, so %s cannot open a pull request there", d.from, p.program), "git config %s KIND, which is one of %s", hostSetting, kinds())
	}
	if _, err := p.request.Command(p.program, p.remote); err != nil {
		return p, err
	}
	if _, err := exec.LookPath(p.program); err != nil {
		return p, hint(fmt.Errorf("%s is not installed, or not in PATH", p.program), "--pr gives the address at which a pull request is opened without it")
	}
	return p, nil
}

func kinds() string {
	var names []string
	for _, k := range forge.Kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// onHost finds what a remote is on its host: from the address that git comes to,
// or else, where git is led to a copy, from what the configuration calls the remote.
func onHost(ctx context.Context, c *repo.Checkout, remote string, kind forge.Kind, leads func(context.Context, string) (string, error), called ...string) (forge.Repository, error) {
	at, err := leads(ctx, remote)
	if err != nil {
		return forge.Repository{}, err
	}
	if r, ok := forge.Parse(at, kind); ok {
		return r, nil
	}
	for _, name := range called {
		at, err := c.Setting(ctx, "remote."+remote+"."+name)
		if err != nil {
			return forge.Repository{}, err
		}
		if r, ok := forge.Parse(at, kind); ok {
			return r, nil
		}
	}
	return forge.Repository{}, nil
}

// openPull opens the pull request of what was delivered, or says where it is opened.
func (a *app) openPull(ctx context.Context, c *repo.Checkout, d delivery, f editFlags, p pull, commit repo.Commit) error {
	title, body, _ := strings.Cut(commit.Message, "\n")
	p.request.Branch, p.request.Title, p.request.Body = d.NewBranch, title, strings.TrimSpace(body)
	page, ok := p.request.Page()
	switch {
	case p.program != "":
		return a.openWith(ctx, c, d, f, p, page)
	case ok && f.hasOutput:
		a.advise("open the pull request at %s", page)
		return nil
	case ok:
		a.advise("open the pull request at this address:")
		_, err := fmt.Fprintln(a.stdout, page)
		return err
	}
	of := ""
	if d.toName() != d.from {
		of = " of " + d.toName()
	}
	a.advise("open a pull request for %s%s into %s of %s", d.NewBranch, of, d.Branch, d.from)
	if p.request.Base.Kind == "" {
		a.say("at which address is not known: git config %s KIND says what kind of host this is, one of %s", hostSetting, kinds())
	}
	return nil
}

// openWith lets a program of the user's open a pull request. The branch is there,
// whatever becomes of that.
func (a *app) openWith(ctx context.Context, c *repo.Checkout, d delivery, f editFlags, p pull, page string) error {
	args, err := p.request.Command(p.program, p.remote)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = c.Root()
	cmd.Env = append(os.Environ(), "GH_PROMPT_DISABLED=1", "NO_PROMPT=true") // nobody is asked in the middle of it
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	over := a.busy("opening the pull request with %s", p.program)
	err = cmd.Run()
	over()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		words := cmp.Or(strings.TrimSpace(complained.String()), strings.TrimSpace(said.String()), err.Error())
		err := fmt.Errorf("the edit is on branch %s of %s, but %s opened no pull request: %s", d.NewBranch, d.toName(), p.program, words)
		return hint(errors.Join(err, ctx.Err()), "%s", cmp.Or(page, "open it by hand"))
	}
	if _, err := a.listener().Write(complained.Bytes()); err != nil {
		return err
	}
	to := a.stdout
	if f.hasOutput {
		to = a.listener()
	}
	_, err = io.Copy(to, &said)
	return err
}
