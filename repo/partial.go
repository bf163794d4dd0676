package repo

import "context"

// complete fetches what a partial clone has left out of the files of a commit, all at
// once. History reads what is here alone, and git itself would ask for one after another.
func (g *gitCourier) complete(ctx context.Context, commit string) (fetched bool, err error) {
	git := g.c.git
	_, err = git.line(ctx, "config", "--name-only", "--get-regexp", `^remote\..*\.promisor$`)
	if ended(err, 1) {
		return false, nil // the clone is whole
	}
	var nothing string
	if err == nil {
		nothing, err = git.line(ctx, "hash-object", "-t", "tree", "-w", "--stdin") // of no input: the empty tree
	}
	if err == nil {
		// To count lines, git wants the content of every file, and fetches what is missing first.
		args := []string{"diff-tree", "--shortstat", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", nothing, commit, "--"}
		if g.o.Folder != "" && g.o.Folder != "." {
			args = append(args, g.o.Folder)
		}
		_, err = git.run(ctx, nil, args...)
	}
	return true, err
}
