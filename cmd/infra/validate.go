package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A problemItem is a problem as `validate -o json` shows it.
type problemItem struct {
	File     string          `json:"file"`
	Line     int             `json:"line,omitempty"`
	Column   int             `json:"column,omitempty"`
	Severity schema.Severity `json:"severity"`
	Message  string          `json:"message"`
	New      bool            `json:"new,omitempty"` // the base does not have it
}

func (a *app) validateCommand() *cobra.Command {
	var base, output string
	cmd := &cobra.Command{
		Use:   "validate [PATH|REV]",
		Short: "Find everything that is wrong with the repository",
		Long: `Find everything that is wrong with the repository: with the files as they are,
with those in another folder, or with a revision (a branch, a tag, a commit).

Errors give exit code 3; warnings do not. With --base the change since that
revision is judged, as the server will judge it: a warning that the base does not
have gives exit code 3 too, and what the base's policy refuses gives 4.

Fields of -o json and yaml: file, line, column, severity (error or warning),
message, new (with --base: the base does not have it).`,
		Example: `  infra validate
  infra validate --base origin/main
  infra validate my-branch --base main -o json`,
		Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			head := ""
			if len(args) > 0 {
				head = args[0]
			}
			return a.validate(cmd.Context(), head, base, output)
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "judge the change since this `revision`")
	outputFlag(cmd, &output, "text", "text", "json", "yaml")
	return cmd
}

func (a *app) validate(ctx context.Context, head, base, output string) error {
	root, next, err := a.headRevision(ctx, head)
	if err != nil {
		return err
	}
	var accepted policy.Revision
	if base != "" {
		if accepted, err = a.revision(ctx, root, base); err != nil {
			return fmt.Errorf("reading the base: %w", err)
		}
	}
	baseIsBad := len(accepted.Problems.Errors()) > 0
	fresh := next.Problems.New(accepted.Problems)
	if err := a.printProblems(next.Problems, fresh, base != "", output); err != nil {
		return err
	}
	bad := next.Problems.Errors()
	switch {
	case len(bad) > 0:
		return fmt.Errorf("%w: %s", errInvalid, count(len(bad), "error"))
	case baseIsBad:
		return hint(fmt.Errorf("%w: the base %s has %s itself, so the change cannot be judged", errInvalid, base,
			count(len(accepted.Problems.Errors()), "error")), "infra validate %s", shell(base))
	case base != "" && len(fresh.Warnings()) > 0:
		return fmt.Errorf("%w: %s that %s does not have", errInvalid, count(len(fresh.Warnings()), "warning"), base)
	}
	if base != "" {
		if verdict := policy.Step(accepted, next); !verdict.Accepted() {
			return refused(verdict.Refusals)
		}
	}
	s := next.Snapshot
	a.say("valid: %s, %s, %s", count(len(s.Grants), "grant"), count(len(s.Groups), "group"), count(len(s.Keys), "key"))
	return nil
}

// printProblems prints what was found, and marks what is new against a base.
func (a *app) printProblems(all, fresh schema.Problems, compared bool, output string) error {
	if output == "text" {
		for _, p := range all {
			if _, err := fmt.Fprintln(a.stdout, p); err != nil {
				return err
			}
		}
		return nil
	}
	isNew := map[schema.Problem]bool{}
	for _, p := range fresh {
		isNew[p] = compared
	}
	items := []problemItem{}
	for _, p := range all {
		items = append(items, problemItem{p.Pos.File, p.Pos.Line, p.Pos.Column, p.Severity, p.Message, isNew[p]})
	}
	return encode(a.stdout, output, items)
}

// headRevision reads what is to be validated: the work tree, another folder, or
// a revision. A folder of that name wins over a branch.
func (a *app) headRevision(ctx context.Context, head string) (root string, r policy.Revision, err error) {
	info, err := os.Stat(head)
	folder := head != "" && err == nil
	switch {
	case folder && !info.IsDir():
		return "", r, hint(fmt.Errorf("%s is a file, and a repository is validated as a whole", head), "infra validate %s", shell(filepath.Dir(head)))
	case folder:
		root, err = rootAt(head)
	default:
		root, err = a.root()
	}
	if err != nil {
		return "", r, err
	}
	if head == "" || folder {
		r, err = a.judged("the work tree", os.DirFS(root))
		r.At = a.now()
		return root, r, err
	}
	r, err = a.revision(ctx, root, head)
	return root, r, err
}

// revision reads a commit of the repository that root lies in.
func (a *app) revision(ctx context.Context, root, rev string) (policy.Revision, error) {
	checkout, err := findCheckout(ctx, root)
	if err != nil {
		return policy.Revision{}, err
	}
	source, err := repo.Open(checkout.Root(), repo.Options{})
	if err != nil {
		return policy.Revision{}, err
	}
	history, err := source.Fetch(ctx, "", "")
	if err != nil {
		return policy.Revision{}, err
	}
	commit, err := history.Resolve(rev)
	if errors.Is(err, repo.ErrNotFound) {
		return policy.Revision{}, hint(fmt.Errorf("%q is neither a folder nor a revision", rev), "git log --oneline --all shows the revisions")
	}
	if err != nil {
		return policy.Revision{}, err
	}
	files, err := history.Files(commit.Hash)
	if err != nil {
		return policy.Revision{}, err
	}
	prefix, err := prefixOf(checkout, root)
	if err != nil {
		return policy.Revision{}, err
	}
	if files, err = fs.Sub(files, prefix); err != nil {
		return policy.Revision{}, fmt.Errorf("reading %s: %w", rev, err)
	}
	r, err := a.judged(commit.Hash, files)
	r.At = commit.Committer.When
	return r, err
}

// judged reads a revision with all its problems, those that need a clock included.
func (a *app) judged(id string, files fs.FS) (policy.Revision, error) {
	s, problems, err := schema.Load(files, nil)
	if err != nil {
		return policy.Revision{}, fmt.Errorf("reading %s: %w", id, err)
	}
	if len(problems.Errors()) == 0 {
		problems = append(problems, schema.Expired(s, a.now())...)
	}
	return policy.Revision{ID: id, Snapshot: s, Problems: problems}, nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
