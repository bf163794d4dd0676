package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

func (a *app) validateCommand() *cobra.Command {
	var (
		f    reviewFlags
		base string
	)
	cmd := &cobra.Command{
		Use:   "validate [PATH|REV]",
		Short: "Find everything that is wrong, and judge a change",
		Long: `Find everything that is wrong with the repository: with the files as they are,
with those in another folder, or with a revision (a branch, a tag, a commit).
Errors give exit code 3. Warnings do not, nor does what the repository has against
its own policy already: both are shown.

With --base the change since that revision is judged, as the server will judge it
once it is merged: a warning that the base does not have gives exit code 3 too,
what the policy of the base refuses gives 4, and what only a brake holds gives 5.

Where the base has moved on since the change parted from it, the change is judged
from where they part, by the rules that the base has now. What others did on the
base meanwhile may still matter (two changes that a limit allows one of): judge
what the merge would be, which is what code hosts check out for a pull request, or
bring the change up to date first.

Without --base, -o text prints problems, one a line. All else is what "infra diff"
prints: the whole review, and -o yaml is its JSON in YAML.`,
		Example: `  infra validate
  infra validate --base origin/main
  infra validate my-branch --base main -o json`,
		Args: arguments,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.revisionNames(cmd.Context()), cobra.ShellCompDirectiveDefault // and folders
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			head := ""
			if len(args) > 0 {
				head = args[0]
			}
			judged := cmd.Flags().Changed("base")
			if judged && base == "" {
				return usage(cmd, "--base is empty, and without a base nothing would be judged")
			}
			root, rev, err := a.headOf(cmd.Context(), head, judged)
			if err != nil {
				return err
			}
			if !judged {
				return a.validate(cmd.Context(), root, rev, f)
			}
			return a.validateChange(cmd.Context(), root, base, rev, f)
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "judge the change since this `revision`")
	check(cmd.RegisterFlagCompletionFunc("base", a.completeRevisions(1)))
	f.register(cmd, append(reviewFormats(), "yaml")...)
	return cmd
}

// headOf tells what is to be validated: the work tree of a folder, or a revision.
// A folder of that name wins over a branch, but not where a change is judged: a
// change that brings a folder called HEAD must not choose what is looked at.
func (a *app) headOf(ctx context.Context, head string, judged bool) (root, rev string, err error) {
	info, err := os.Stat(head)
	if head == "" || err != nil {
		root, err = a.root()
		return root, head, err
	}
	if judged {
		if root, err = a.root(); err == nil && isRevision(ctx, root, head) {
			return root, head, nil
		}
	}
	if !info.IsDir() {
		return "", "", hint(fmt.Errorf("%s is a file, and a repository is validated as a whole", head), "infra validate %s", shell(filepath.Dir(head)))
	}
	root, err = rootAt(head)
	return root, "", err
}

func isRevision(ctx context.Context, root, name string) bool {
	c, err := openClone(ctx, root)
	if err == nil {
		_, err = c.resolve(name)
	}
	return err == nil
}

// validate judges a revision for itself.
func (a *app) validate(ctx context.Context, root, rev string, f reviewFlags) error {
	r := review.Review{Head: workTreeName, At: a.now().UTC()}
	var (
		next   policy.Revision
		prefix string
		err    error
	)
	if rev == "" {
		next, err = workTree(root, nil)
	} else {
		r.Head = rev
		next, prefix, err = readRevision(ctx, root, rev)
		if next.At.Before(r.At) {
			r.At = next.At
		}
	}
	if err != nil {
		return err
	}
	if f.at != "" {
		if r.At, err = instant(f.at, a.now().Location()); err != nil {
			return fmt.Errorf("--at: %w", err)
		}
	}
	next.At = r.At
	a.age(&next)
	r.Problems = next.Problems
	bad := next.Problems.Errors()
	if len(bad) == 0 {
		r.Standing = policy.Standing(next.Snapshot.Settings.Policy, next)
	}
	if err := a.printProblems(r, prefix, f); err != nil {
		return err
	}
	if len(bad) > 0 {
		return fmt.Errorf("%w: %s", errInvalid, count(len(bad), "error"))
	}
	a.sayValid(next.Snapshot)
	return nil
}

// readRevision reads a commit of the repository that root lies in.
func readRevision(ctx context.Context, root, rev string) (policy.Revision, string, error) {
	c, err := openClone(ctx, root)
	if err != nil {
		return policy.Revision{}, "", err
	}
	commit, err := c.resolve(rev)
	if errors.Is(err, errNoRevision) {
		err = hint(fmt.Errorf("%q is neither a folder nor a revision", rev), "git log --oneline --all shows the revisions")
	}
	if err != nil {
		return policy.Revision{}, "", err
	}
	r, err := c.revision(commit)
	return r, c.prefix, err
}

// validateChange judges a revision as a change of another one.
func (a *app) validateChange(ctx context.Context, root, base, rev string, f reviewFlags) error {
	c, r, err := a.reviewed(ctx, root, base, rev, f)
	if err != nil {
		return err
	}
	if c.ahead != "" {
		return hint(fmt.Errorf("%w: its date is more than %s ahead of the clock, so a server would wait, with all that comes after it", errInvalid, policy.AheadLimit),
			"date it now: git commit --amend --no-edit")
	}
	if n := len(r.Problems.Warnings()); n > 0 {
		return fmt.Errorf("%w: %s that %s does not have", errInvalid, count(n, "warning"), base)
	}
	if len(r.Refusals) > 0 {
		return refusal(r.Refusals)
	}
	a.sayValid(c.head.Snapshot)
	return nil
}

// printProblems prints what was found in one revision: as lines, or as a review
// in another format.
func (a *app) printProblems(r review.Review, prefix string, f reviewFlags) error {
	if f.output != "text" {
		return a.writeReview(a.stdout, r, prefix, f)
	}
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, line(p))
	}
	for _, v := range r.Standing {
		lines = append(lines, line(asProblem(v, schema.Warning)))
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(a.stdout, l); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) sayValid(s *schema.Snapshot) {
	a.say("valid: %s, %s, %s", count(len(s.Grants), "grant"), count(len(s.Groups), "group"), count(len(s.Keys), "key"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
