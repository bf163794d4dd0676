package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// editFlags are those of every command that edits.
type editFlags struct {
	dryRun, noCommit bool
	message          string
}

func (f *editFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the patch and the access that it changes, and touch nothing")
	flags.BoolVar(&f.noCommit, "no-commit", false, "leave the edit in the work tree")
	flags.StringVarP(&f.message, "message", "m", "", "the commit's `message` (default: the access that it changes)")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "no-commit")
}

// A proposal is an edit that nobody has agreed to yet.
type proposal struct {
	edit    schema.Edit
	subject string // of the commit, where -m says nothing else
	said    string // what is so once it is done
}

// outcome is what became of a proposal.
type outcome int

const (
	nothingToDo outcome = iota // it was so already
	shown                      // --dry-run
	done                       // committed, or written with --no-commit
)

// edit is the way of every command that edits: read, propose, judge, commit.
// Nothing is written before everything has been agreed to.
func (a *app) edit(ctx context.Context, f editFlags, propose func(fs.FS, *schema.Snapshot) (proposal, error)) (outcome, error) {
	root, err := a.root()
	if err != nil {
		return 0, err
	}
	checkout, err := findCheckout(ctx, root)
	if err != nil {
		return 0, err
	}
	files := os.DirFS(root)
	before, problems, err := load(files)
	if err != nil {
		return 0, err
	}
	p, err := propose(files, before)
	if bad, ok := errors.AsType[*schema.ProblemsError](err); ok {
		return 0, &problemsError{err: errEdit, problems: bad.Problems}
	}
	if err != nil {
		return 0, err
	}
	if len(p.edit.Files) == 0 {
		a.say("%s: nothing to do", p.said)
		return nothingToDo, nil
	}
	after, err := a.judge(files, before, problems, p)
	if err != nil {
		return 0, err
	}
	change, err := placed(checkout, root, p, f)
	if err != nil {
		return 0, err
	}
	switch {
	case f.dryRun:
		return shown, a.showEdit(ctx, checkout, change, before, after)
	case f.noCommit:
		if err := checkout.Write(ctx, change); err != nil {
			return 0, err
		}
		a.say("%s, once the edit is committed", p.said)
		a.advise("git commit")
		return done, nil
	}
	checkout.Stderr = a.listener()
	commit, err := checkout.Commit(ctx, change)
	if err != nil {
		return 0, err
	}
	a.say("%s, as of commit %.10s", p.said, commit.Hash)
	if before.Settings.Changes == schema.ChangePush || before.Settings.Changes == schema.ChangePullRequest {
		a.say("%s asks for changes: %s, which this version of infra does not do: it is committed and NOT pushed", marker, before.Settings.Changes)
	}
	a.advise("git push, unless the server follows this very folder")
	return done, nil
}

func findCheckout(ctx context.Context, dir string) (*repo.Checkout, error) {
	c, err := repo.FindCheckout(ctx, dir)
	if errors.Is(err, repo.ErrNotRepository) {
		return nil, hint(err, "infra commits what it edits: git init -b main, and commit %s first", marker)
	}
	return c, err
}

// errEdit is for an edit that would bring in problems, warnings too.
var errEdit = errors.New("the edit would bring that in: nothing was changed")

// judge reads what an edit would make of the repository, and refuses what the
// server would refuse, and what would be a new warning.
func (a *app) judge(files fs.FS, before *schema.Snapshot, had schema.Problems, p proposal) (*schema.Snapshot, error) {
	after, problems, err := schema.Load(overlay(files, p.edit.Files), nil)
	if err != nil {
		return nil, fmt.Errorf("reading what the edit would give: %w", err)
	}
	if bad := problems.Errors(); len(bad) > 0 {
		return nil, &problemsError{err: errEdit, problems: bad}
	}
	now := a.now()
	base := policy.Revision{ID: "HEAD", At: now, Snapshot: before, Problems: had}
	next := policy.Revision{ID: "the edit", At: now, Snapshot: after, Problems: problems}
	if verdict := policy.Step(base, next); !verdict.Accepted() {
		return nil, refused(verdict.Refusals)
	}
	had = append(had.Warnings(), schema.Expired(before, now)...)
	fresh := append(problems.Warnings(), schema.Expired(after, now)...).New(had)
	if len(fresh) > 0 {
		return nil, &problemsError{err: errEdit, problems: fresh}
	}
	return after, nil
}

// refused is the error for a verdict that refuses, with every reason.
func refused(reasons []policy.Refusal) error {
	e := &problemsError{err: errPolicy}
	way := ""
	for _, r := range reasons {
		e.problems = append(e.problems, schema.Problem{Pos: r.Pos, Severity: schema.Error, Message: fmt.Sprintf("%s: %s", r.Rule, r.Message)})
		if way == "" {
			way = r.Hint
		}
	}
	if way == "" {
		return e
	}
	return hint(e, "%s", way)
}

// placed turns an edit below the folder of infra.yaml into a change of the
// checkout that the folder lies in.
func placed(c *repo.Checkout, root string, p proposal, f editFlags) (repo.Change, error) {
	prefix, err := prefixOf(c, root)
	if err != nil {
		return repo.Change{}, err
	}
	change := repo.Change{Message: p.subject, Files: map[string][]byte{}}
	if f.message != "" {
		change.Message = f.message
	}
	for name, content := range p.edit.Files {
		change.Files[path.Join(prefix, name)] = content
	}
	return change, nil
}

// prefixOf is the folder of infra.yaml as seen from the top of the checkout.
func prefixOf(c *repo.Checkout, root string) (string, error) {
	real, err := filepath.Abs(root)
	if err == nil {
		real, err = filepath.EvalSymlinks(real) // as git names the top
	}
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	top, err := filepath.EvalSymlinks(c.Root())
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	rel, err := filepath.Rel(top, real)
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	return filepath.ToSlash(rel), nil
}
