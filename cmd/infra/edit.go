package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/forge"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// editFlags are those of every command that edits.
type editFlags struct {
	dryRun, noCommit bool
	push, noPush     bool
	branch           string // a new one of the remote; empty: none, or one that the edit names
	pr               bool   // for a pull request
	prWith           string // the program that opens it; empty: a person does, or the one of infra.prWith
	message          string
	acknowledge      string // the reason for which a large removal is meant; empty: it is not
	acknowledges     bool   // the command has a flag for it
	sends            bool   // the command has the flags for it
	hasOutput        bool   // the command prints on stdout itself, so that no address may
	urgent           bool   // it counts whatever else is wrong: no error elsewhere, no rule and no brake stops it
}

// proposes says whether a pull request is asked for.
func (f *editFlags) proposes() bool { return f.pr || f.prWith != "" }

func (f *editFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the patch and the access that it changes, and touch nothing")
	flags.BoolVar(&f.noCommit, "no-commit", false, "leave the edit in the work tree")
	flags.StringVarP(&f.message, "message", "m", "", "the commit's `message` (default: the access that it changes)")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "no-commit")
}

// registerPush is for the commands whose edit means the same on any branch.
func (f *editFlags) registerPush(cmd *cobra.Command) {
	f.sends = true
	flags := cmd.Flags()
	flags.BoolVar(&f.push, "push", false, "make the edit on the remote branch as it is now, and push it (default with changes: push)")
	flags.StringVar(&f.branch, "branch", "", "the same, pushed to a new branch of this `name`, for a pull request")
	flags.BoolVar(&f.pr, "pr", false, "the same, and print the address at which to open the pull request; without --branch the edit names the branch (default with changes: pull-request)")
	flags.Var(&choice{value: &f.prWith, of: forge.Programs()}, "pr-with", "the same, and open the pull request with this `program`: "+strings.Join(forge.Programs(), ", ")+" (default: git config infra.prWith)")
	check(cmd.RegisterFlagCompletionFunc("pr-with", cobra.FixedCompletions(forge.Programs(), cobra.ShellCompDirectiveNoFileComp)))
	flags.BoolVar(&f.noPush, "no-push", false, "commit on the current branch, whatever changes: says")
	cmd.MarkFlagsMutuallyExclusive("push", "pr")
	cmd.MarkFlagsMutuallyExclusive("push", "pr-with")
	for _, sends := range []string{"push", "branch", "pr", "pr-with"} {
		for _, stays := range []string{"no-push", "no-commit", "dry-run"} {
			cmd.MarkFlagsMutuallyExclusive(sends, stays)
		}
	}
}

// stays says whether an edit is not to leave this folder, whatever infra.yaml says.
func (f *editFlags) stays() bool { return f.noPush || f.noCommit || f.dryRun || !f.sends }

// registerAcknowledge is for the commands that may take access from many.
func (f *editFlags) registerAcknowledge(cmd *cobra.Command) {
	f.acknowledges = true
	cmd.Flags().StringVar(&f.acknowledge, "acknowledge", "", "take access even from so many that a brake would hold it, for this `reason`")
}

// A proposal is an edit that nobody has agreed to yet.
type proposal struct {
	edit    schema.Edit
	subject string // of the commit, where -m says nothing else
	said    string // what is so once it is done
	next    string // what to do after --no-commit; empty: to commit it
	body    string // of the commit's message, below the subject; may be empty

	// brought are the problems after the edit that were not there before it; nil:
	// those that read in another way.
	brought func(after, before schema.Problems) schema.Problems
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
	c, err := a.openToEdit(ctx, root, f)
	if err != nil {
		return 0, err
	}
	defer c.unlock()
	return a.editIn(ctx, c, f, propose)
}

// openToEdit is openClone under the lock of the checkout, unless nothing is to be
// written there. The caller unlocks the clone.
func (a *app) openToEdit(ctx context.Context, root string, f editFlags) (*clone, error) {
	c, err := findClone(ctx, root)
	if err != nil {
		return nil, err
	}
	if !f.push && f.branch == "" && !f.proposes() && !f.dryRun && a.hosted == nil {
		if c.unlock, err = a.lock(ctx, c.checkout); err != nil {
			return nil, err
		}
	}
	if err := c.read(ctx); err != nil {
		c.unlock()
		return nil, err
	}
	return c, nil
}

// lockPatience is how long another edit in the same checkout is waited for, which
// may be held up by a hook or a passphrase.
const lockPatience = 5 * time.Minute

// lock holds other terminals off a checkout while an edit is made in it, from the
// reading of the files on: two edits of one list would else lose one.
func (a *app) lock(ctx context.Context, c *repo.Checkout) (unlock func(), err error) {
	defer a.busy("waiting for another infra in this checkout")()
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	unlock, err = c.Lock(ctx)
	if errors.Is(err, repo.ErrLocked) {
		err = hint(err, "repeat it when the other one is done")
	}
	return unlock, err
}

func (a *app) editIn(ctx context.Context, c *clone, f editFlags, propose func(fs.FS, *schema.Snapshot) (proposal, error)) (outcome, error) {
	if err := a.allowed(f); err != nil {
		return 0, err
	}
	if f.push || f.branch != "" || f.proposes() {
		return a.send(ctx, c, f, propose)
	}
	before, err := a.loadFor(f, c.tree, c.cache)
	if err != nil {
		return 0, err
	}
	mode := before.Snapshot.Settings.Changes
	f.pr = mode == schema.ChangePullRequest
	if !f.stays() && (f.pr || mode == schema.ChangePush || a.hosted != nil) {
		c.unlock() // pushes need not wait for each other
		return a.send(ctx, c, f, propose)
	}
	p, err := proposed(propose(c.tree, before.Snapshot))
	if err != nil {
		return 0, err
	}
	if len(p.edit.Files) == 0 {
		a.say("%s: nothing to do", p.said)
		return nothingToDo, nil
	}
	p, after, err := a.judge(ctx, c, f, before, p)
	if err != nil {
		return 0, err
	}
	change := placed(c, p, f)
	switch {
	case f.dryRun:
		return shown, a.showEdit(ctx, c.checkout, change, before, after)
	case f.noCommit:
		if err := c.checkout.Write(ctx, change); err != nil {
			return 0, err
		}
		a.say("%s, once the edit is committed", p.said)
		a.advise("%s", cmp.Or(p.next, "git commit"))
		return done, nil
	}
	c.checkout.Stderr = a.listener()
	commit, err := c.checkout.Commit(ctx, change)
	if err != nil {
		return 0, err
	}
	a.say("%s, as of commit %.10s", p.said, commit.Hash)
	if !c.checkout.UsesGit() {
		a.advise("push it with a program that can, unless the server follows this very folder; --push makes an edit on the remote branch itself")
		return done, nil
	}
	a.advise("git push, unless the server follows this very folder")
	return done, nil
}

// proposed gives what propose returned the error of an edit.
func proposed(p proposal, err error) (proposal, error) {
	if bad, ok := errors.AsType[*schema.ProblemsError](err); ok {
		return p, &problemsError{err: errEdit, problems: bad.Problems}
	}
	return p, err
}

func findCheckout(ctx context.Context, dir string) (*repo.Checkout, error) {
	c, err := repo.FindCheckout(ctx, dir)
	if errors.Is(err, repo.ErrNotRepository) {
		return nil, hint(err, "infra commits what it edits: git init -b main, and commit %s first", marker)
	}
	return c, err
}

// placed turns an edit below the folder of infra.yaml into a change of the
// checkout that the folder lies in.
func placed(c *clone, p proposal, f editFlags) repo.Change {
	change := repo.Change{Message: p.subject, Base: c.head.Commit.Hash, Files: map[string][]byte{}}
	if f.message != "" {
		change.Message = f.message
	} else if p.body != "" {
		change.Message += "\n\n" + p.body
	}
	for name, content := range p.edit.Files {
		change.Files[path.Join(c.prefix, name)] = content
	}
	return change
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
	if err == nil {
		err = linked(top, root, rel)
	}
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	return filepath.ToSlash(rel), nil
}

// linked refuses a folder that a symbolic link of the repository itself leads to:
// a change could put one where the folder was, and the base has nothing there
// that would judge it. How the checkout is reached is for the user to say.
func linked(top, root, rel string) error {
	said, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	for dir := said; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return err
		}
		if real == top {
			if below, err := filepath.Rel(dir, said); err != nil || below != rel {
				return hint(fmt.Errorf("%s leads to %s by a symbolic link of the repository itself", said, rel), "infra -C %s", shell(filepath.Join(top, rel)))
			}
			return nil
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
