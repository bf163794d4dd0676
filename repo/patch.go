package repo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Patch is the change as the unified diff that git would show of its commit,
// without colours. It refuses what [Checkout.Commit] refuses, and touches
// neither the work tree nor the index nor the objects of the repository.
func (c *Checkout) Patch(ctx context.Context, change Change) (patch string, err error) {
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return "", fmt.Errorf("opening the work tree: %w", err)
	}
	defer root.Close()
	olds, err := c.inspect(ctx, root, change)
	if err != nil {
		return "", err
	}
	patch, err = c.diff(ctx, olds, change)
	if err != nil {
		return "", fmt.Errorf("comparing: %w", err)
	}
	return patch, nil
}

// diff stages the change in an index and an object folder of its own. So the
// line endings and filters of the user's configuration count.
func (c *Checkout) diff(ctx context.Context, olds []before, change Change) (patch string, err error) {
	temp, err := os.MkdirTemp("", "infra-patch-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	objects, err := c.git.line(ctx, "rev-parse", "--path-format=absolute", "--git-path", "objects")
	if err != nil {
		return "", err
	}
	g := c.git.with(
		"GIT_INDEX_FILE="+filepath.Join(temp, "index"),
		"GIT_OBJECT_DIRECTORY="+temp,
		"GIT_ALTERNATE_OBJECT_DIRECTORIES="+alternate(objects),
	)
	base, err := c.baseTree(ctx, g)
	if err != nil {
		return "", err
	}
	if _, err := g.run(ctx, nil, "read-tree", base); err != nil {
		return "", err
	}
	for _, old := range olds {
		if err := stage(ctx, g, old, change.Files[old.path]); err != nil {
			return "", err
		}
	}
	out, err := g.run(ctx, nil, slices.Concat([]string{
		"diff", "--cached", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
		"--src-prefix=a/", "--dst-prefix=b/", base, "--",
	}, change.paths())...)
	return string(out), err
}

// alternate writes a folder as git wants it in its list of them.
func alternate(dir string) string {
	if !strings.ContainsAny(dir, `:;"\`) && !strings.HasPrefix(dir, "#") {
		return dir
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(dir) + `"`
}

// baseTree is what the change is compared with: HEAD, or nothing.
func (c *Checkout) baseTree(ctx context.Context, g git) (string, error) {
	head, err := c.Head(ctx)
	if err != nil || head.Commit.Hash != "" {
		return head.Commit.Hash, err
	}
	return g.line(ctx, "hash-object", "-t", "tree", "-w", "--stdin") // of no input: the empty tree
}

// stage puts one file of the change into the index of g.
func stage(ctx context.Context, g git, old before, content []byte) error {
	if content == nil {
		_, err := g.run(ctx, nil, "update-index", "--force-remove", "--", old.path)
		return err
	}
	out, err := g.run(ctx, content, "hash-object", "-w", "--stdin", "--path="+old.path)
	if err != nil {
		return err
	}
	mode := "100644"
	if old.exists && old.info.Mode()&0o100 != 0 {
		mode = "100755"
	}
	_, err = g.run(ctx, nil, "update-index", "--add", "--cacheinfo", mode+","+strings.TrimSpace(string(out))+","+old.path)
	return err
}
