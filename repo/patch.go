package repo

import (
	"cmp"
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
	root, olds, err := c.begin(ctx, change)
	if err != nil {
		return "", err
	}
	root.Close()
	if c.builtin != nil {
		return c.builtin.patch(olds, change)
	}
	patch, err = c.diff(ctx, change)
	if err != nil {
		return "", fmt.Errorf("comparing: %w", err)
	}
	return patch, nil
}

// diff stages the change in an index and an object folder of its own. So the
// line endings and filters of the user's configuration count.
func (c *Checkout) diff(ctx context.Context, change Change) (patch string, err error) {
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
	base, err := baseTree(ctx, g)
	if err != nil {
		return "", err
	}
	if _, err := g.run(ctx, nil, "read-tree", base); err != nil {
		return "", err
	}
	known, err := modes(ctx, g, change.paths())
	if err != nil {
		return "", err
	}
	for _, path := range change.paths() {
		if err := stage(ctx, g, path, cmp.Or(known[path], "100644"), change.Files[path]); err != nil {
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
func baseTree(ctx context.Context, g git) (string, error) {
	head, err := g.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if ended(err, 1) {
		return g.line(ctx, "hash-object", "-t", "tree", "-w", "--stdin") // of no input: the empty tree
	}
	return head, err
}

// modes are what the index of g says of files that it knows. It is not the work
// tree's word that counts: that may be where nothing can be executable.
func modes(ctx context.Context, g git, paths []string) (map[string]string, error) {
	out, err := g.run(ctx, nil, slices.Concat([]string{"ls-files", "--stage", "-z", "--"}, paths)...)
	if err != nil {
		return nil, err
	}
	modes := map[string]string{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		if about, path, ok := strings.Cut(entry, "\t"); ok {
			modes[path], _, _ = strings.Cut(about, " ")
		}
	}
	return modes, nil
}

// stage puts one file of the change into the index of g; nil takes it out.
func stage(ctx context.Context, g git, path, mode string, content []byte) error {
	if content == nil {
		_, err := g.run(ctx, nil, "update-index", "--force-remove", "--", path)
		return err
	}
	hash, err := g.run(ctx, content, "hash-object", "-w", "--stdin", "--path="+path)
	if err != nil {
		return err
	}
	_, err = g.run(ctx, nil, "update-index", "--add", "--cacheinfo", mode+","+strings.TrimSpace(string(hash))+","+path)
	return err
}
