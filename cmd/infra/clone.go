package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A clone is an access repository with its commits, as it lies in a folder.
type clone struct {
	root     string // the folder of infra.yaml
	prefix   string // the same, as seen from the top of the checkout
	tree     fs.FS  // its files, on which edits are made: the work tree
	checkout *repo.Checkout
	head     repo.Head
	history  *repo.History // nil where there is no commit yet
	cache    *schema.Cache // of all revisions: most files are the same in each
	unlock   func()        // see openToEdit
}

// openClone opens the checkout that the folder of infra.yaml lies in.
func openClone(ctx context.Context, root string) (*clone, error) {
	c, err := findClone(ctx, root)
	if err != nil {
		return nil, err
	}
	return c, c.read(ctx)
}

// findClone is openClone before a commit is read.
func findClone(ctx context.Context, root string) (*clone, error) {
	c := &clone{root: root, cache: new(schema.Cache), unlock: func() {}}
	c.tree = schema.Remember(os.DirFS(root), c.cache)
	var err error
	if c.checkout, err = findCheckout(ctx, root); err != nil {
		return nil, err
	}
	c.prefix, err = prefixOf(c.checkout, root)
	return c, err
}

// read finds out where the checkout stands.
func (c *clone) read(ctx context.Context) (err error) {
	if c.head, err = c.checkout.Head(ctx); err != nil || c.head.Commit.Hash == "" {
		return err
	}
	source, err := repo.Open(c.checkout.Root(), repo.Options{})
	if err != nil {
		return err
	}
	c.history, err = source.Fetch(ctx, "", "")
	return err
}

// errNoRevision is for a name that nothing has.
var errNoRevision = errors.New("not a revision: no branch, tag or commit is called so")

// resolve finds the commit that a person means.
func (c *clone) resolve(rev string) (repo.Commit, error) {
	if c.history == nil {
		return repo.Commit{}, hint(fmt.Errorf("there is no commit yet, so %q is none", rev), "git add . && git commit")
	}
	commit, err := c.history.Resolve(rev)
	if errors.Is(err, repo.ErrNotFound) {
		return commit, hint(fmt.Errorf("%q is %w", rev, errNoRevision), "git log --oneline --all shows the revisions")
	}
	return commit, deepen(err)
}

// deepen tells how to get the rest of a history that ends too early.
func deepen(err error) error {
	if errors.Is(err, repo.ErrShallow) {
		return hint(err, "git fetch --unshallow; in GitHub's actions/checkout, fetch-depth: 0")
	}
	return err
}

// top is the tree of a commit, with all that lies beside the access repository.
func (c *clone) top(commit repo.Commit) (fs.FS, error) {
	return c.history.Files(commit.Hash)
}

// files are the access repository of a commit.
func (c *clone) files(commit repo.Commit) (fs.FS, error) {
	files, err := c.top(commit)
	if err == nil {
		files, err = fs.Sub(files, c.prefix)
	}
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit.Hash, err)
	}
	return files, nil
}

// revision reads a commit, as the server does.
func (c *clone) revision(commit repo.Commit) (policy.Revision, error) {
	files, err := c.files(commit)
	if err != nil {
		return policy.Revision{}, err
	}
	s, problems, err := schema.Load(files, c.cache)
	if err != nil {
		return policy.Revision{}, fmt.Errorf("reading commit %s: %w", commit.Hash, err)
	}
	return policy.Revision{ID: commit.Hash, At: commit.Committer.When.UTC(), Snapshot: s, Problems: problems}, nil
}

// completeRevisions lets the shell complete branches and tags.
func (a *app) completeRevisions(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.revisionNames(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
	}
}

// revisionNames are branches and tags; none where there is an error, as in words.
func (a *app) revisionNames(ctx context.Context) []string {
	root, err := a.root()
	if err != nil {
		return nil
	}
	checkout, err := findCheckout(ctx, root)
	if err != nil {
		return nil
	}
	names, err := checkout.Names(ctx)
	if err != nil {
		return nil
	}
	return names
}

// workTreeName is what the files in a folder are called where a revision could stand.
const workTreeName = "the work tree"

// workTree is the revision that the files in a folder would be.
func workTree(root string, cache *schema.Cache) (policy.Revision, error) {
	s, problems, err := schema.Load(os.DirFS(root), cache)
	if err != nil {
		return policy.Revision{}, fmt.Errorf("reading the work tree: %w", err)
	}
	return policy.Revision{ID: workTreeName, Snapshot: s, Problems: problems}, nil
}
