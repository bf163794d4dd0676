package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// A builtin is how a checkout is read and written without a git program: objects
// and refs through go-git, the index and the locks as git keeps them. It never
// does what git would do otherwise: see preflight.
type builtin struct {
	root   string
	local  *local
	getenv func(string) string
}

// findBuiltin is FindCheckout without git.
func findBuiltin(dir string) (*Checkout, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the repository: %w", err)
	}
	for {
		if _, err := os.Lstat(filepath.Join(root, ".git")); err == nil {
			break
		}
		if looksBare(root) {
			return nil, noWorkTree(dir)
		}
		up := filepath.Dir(root)
		if up == root {
			return nil, fmt.Errorf("%s: %w", dir, ErrNotRepository)
		}
		root = up
	}
	l, err := openLocal(root)
	if err != nil {
		return nil, fmt.Errorf("opening repository %s: %w", root, err)
	}
	b := &builtin{root: root, local: l, getenv: os.Getenv}
	config, err := b.config()
	if err != nil {
		return nil, err
	}
	if at := config.last("core.worktree"); at != "" && !b.isRoot(at) {
		return nil, b.needsGit("core.worktree", "the files are kept elsewhere")
	}
	if config.true("core.bare") {
		return nil, noWorkTree(dir)
	}
	return &Checkout{root: root, gitDir: l.gitDir, builtin: b}, nil
}

func noWorkTree(dir string) error {
	return fmt.Errorf("%s is a bare repository or lies in one's folder, and has no work tree to edit: %w", dir, ErrNotRepository)
}

func looksBare(dir string) bool {
	_, head := os.Lstat(filepath.Join(dir, "HEAD"))
	_, objects := os.Lstat(filepath.Join(dir, "objects"))
	return head == nil && objects == nil
}

// isRoot says whether core.worktree, which a submodule has, is this very folder.
func (b *builtin) isRoot(at string) bool {
	if !filepath.IsAbs(at) {
		at = filepath.Join(b.local.gitDir, filepath.FromSlash(at))
	}
	real, err := filepath.EvalSymlinks(at)
	return err == nil && real == b.root
}

// initBuiltin makes an empty repository as git would, without hooks.
func initBuiltin(dir string) (*Checkout, error) {
	if c, err := findBuiltin(dir); err == nil && c.root == dir {
		return c, nil
	}
	b := &builtin{root: dir, local: &local{gitDir: filepath.Join(dir, ".git"), commonDir: filepath.Join(dir, ".git")}, getenv: os.Getenv}
	config, err := b.config()
	if err != nil {
		return nil, err
	}
	if config.last("init.templatedir") != "" || b.getenv("GIT_TEMPLATE_DIR") != "" {
		return nil, b.needsGit("init.templateDir", "its files belong into the new repository")
	}
	for _, folder := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "info"} {
		if err := os.MkdirAll(filepath.Join(b.local.gitDir, folder), 0o777); err != nil {
			return nil, unwrapPath(err)
		}
	}
	text := "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
	if filepath.Separator == '\\' {
		text = strings.Replace(text, "filemode = true", "filemode = false", 1)
	}
	// HEAD comes last: without it, the folder is no repository.
	for _, f := range []struct{ name, text string }{{"config", text}, {"HEAD", "ref: refs/heads/main\n"}} {
		if err := os.WriteFile(filepath.Join(b.local.gitDir, f.name), []byte(f.text), 0o666); err != nil {
			return nil, unwrapPath(err)
		}
	}
	return findBuiltin(dir)
}

// position is where HEAD stands.
type position struct {
	ref    plumbing.ReferenceName // empty where it is detached
	commit string                 // empty where the branch has none yet
}

func (b *builtin) position() (position, error) {
	var p position
	head, err := b.local.open().Reference(plumbing.HEAD)
	if err != nil {
		return p, fmt.Errorf("reading HEAD: %w", err)
	}
	if head.Type() == plumbing.HashReference {
		p.commit = head.Hash().String()
		return p, nil
	}
	p.ref = head.Target()
	p.commit, err = b.local.ref(p.ref)
	if errors.Is(err, ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading HEAD: %w", err)
	}
	return p, nil
}

func (b *builtin) head() (Head, error) {
	p, err := b.position()
	if err != nil {
		return Head{}, err
	}
	h := Head{Branch: strings.TrimPrefix(p.ref.String(), "refs/heads/")}
	if p.commit != "" {
		h.Commit, err = b.commitAt(p.commit)
	}
	return h, err
}

func (b *builtin) commitAt(hash string) (Commit, error) {
	h, err := b.local.at(hash)
	if err != nil {
		return Commit{}, err
	}
	return h.Tip(), nil
}

// refs lists the refs below some folders, by name. go-git's own list takes a lock
// that another git holds for a ref, and an empty one for an error.
func (b *builtin) refs(below ...string) ([]listedRef, error) {
	names, err := b.packedRefs(below)
	if err != nil {
		return nil, err
	}
	for _, folder := range below {
		err := filepath.WalkDir(filepath.Join(b.local.commonDir, filepath.FromSlash(folder)), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // or gone while it is being read
			}
			if err != nil || d.IsDir() || strings.HasSuffix(path, ".lock") {
				return err
			}
			name, err := filepath.Rel(b.local.commonDir, path)
			names = append(names, filepath.ToSlash(name))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", folder, err)
		}
	}
	slices.Sort(names)
	var out []listedRef
	for _, name := range slices.Compact(names) {
		l := listedRef{name: name}
		if l.hash, err = b.local.ref(plumbing.ReferenceName(name)); err != nil {
			continue // broken, or it names one that is gone: git leaves it out as well
		}
		if r, err := b.local.open().Reference(plumbing.ReferenceName(name)); err == nil && r.Type() == plumbing.SymbolicReference {
			l.target = r.Target().String()
		}
		out = append(out, l)
	}
	return out, nil
}

// packedRefs are the names in git's one file for refs that seldom change.
func (b *builtin) packedRefs(below []string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(b.local.commonDir, "packed-refs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing refs: %w", unwrapPath(err))
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.ContainsFunc(below, func(folder string) bool { return strings.HasPrefix(name, folder+"/") }) {
			names = append(names, name)
		}
	}
	return names, nil
}

// listedRef is a ref of the repository.
type listedRef struct {
	name   string // in full
	target string // that it is a symbol for; may be empty
	hash   string // of a commit or an annotated tag; builtin alone fills it in
}

// names are branches and tags as people call them, those with the newest commits first.
func (b *builtin) names() ([]string, error) {
	refs, err := b.refs("refs/heads", "refs/remotes", "refs/tags")
	if err != nil {
		return nil, err
	}
	when := map[string]int64{}
	for _, r := range refs {
		if h, err := b.local.at(r.hash); err == nil {
			when[r.name] = h.Tip().Committer.When.Unix()
		}
	}
	slices.SortStableFunc(refs, func(x, y listedRef) int { return int(when[y.name] - when[x.name]) })
	out := make([]string, len(refs))
	for i, r := range refs {
		_, rest, _ := strings.Cut(strings.TrimPrefix(r.name, "refs/"), "/")
		out[i] = rest
	}
	return out, nil
}

// folder opens the work tree.
func (b *builtin) folder() fs.FS { return os.DirFS(b.root) }
