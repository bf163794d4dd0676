package repo

import (
	"context"
	"fmt"
)

// complete fetches what a partial clone has left out of the files of a commit, all at
// once. History reads what is here alone, and git itself would ask for one after another.
func (p *push) complete(ctx context.Context, commit string) error {
	_, err := p.c.git.line(ctx, "config", "--name-only", "--get-regexp", `^remote\..*\.promisor$`)
	if ended(err, 1) {
		return nil // the clone is whole
	}
	var nothing string
	if err == nil {
		nothing, err = p.c.git.line(ctx, "hash-object", "-t", "tree", "-w", "--stdin") // of no input: the empty tree
	}
	if err == nil {
		// To count lines, git wants the content of every file, and fetches what is missing first.
		args := []string{"diff-tree", "--shortstat", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", nothing, commit, "--"}
		if p.Folder != "" && p.Folder != "." {
			args = append(args, p.Folder)
		}
		_, err = p.remote(ctx, "fetching the files of "+p.Branch+" of "+p.Remote, args...)
	}
	if err != nil {
		return fmt.Errorf("fetching the files of %s of %s: %w", p.Branch, p.Remote, err)
	}
	return nil
}
