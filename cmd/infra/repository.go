package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// marker is the file that makes a folder an access repository.
const marker = "infra.yaml"

// location is what the user says of where the repository is; may be empty.
func (a *app) location() string { return cmp.Or(a.repository, a.getenv("INFRA_REPO")) }

// root finds the folder of infra.yaml, as an absolute path. A place that the
// user gave is taken as it is; else the nearest parent counts. An infra.yaml that
// is itself a file of a repository, such as grants/infra.yaml, marks none.
func (a *app) root() (string, error) {
	if said := a.location(); said != "" {
		return rootAt(said)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the access repository: %w", err)
	}
	root := ""
	for dir := here; ; dir = filepath.Dir(dir) {
		found, err := marked(dir)
		if err != nil {
			return "", err
		}
		if found && (root == "" || isWithin(dir, root)) {
			root = dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if root == "" {
		return "", hint(fmt.Errorf("no %s in %s, nor in a folder above it", marker, here),
			"say where the access repository is with -C or INFRA_REPO, or make one here with infra init")
	}
	return root, nil
}

// isWithin says whether a folder is one of those that an access repository keeps
// its files in, or below one.
func isWithin(root, dir string) bool {
	below, err := filepath.Rel(root, dir)
	top, _, _ := strings.Cut(filepath.ToSlash(below), "/")
	return err == nil && slices.Contains(schema.Folders(), top)
}

// rootAt is the folder that the user gave, if it is an access repository.
func rootAt(said string) (string, error) {
	if repo.IsAddress(said) {
		return "", inFolderOnly(said)
	}
	dir, err := filepath.Abs(said)
	if err != nil {
		return "", fmt.Errorf("finding the access repository: %w", err)
	}
	found, err := marked(dir)
	if err == nil && !found {
		err = hint(fmt.Errorf("no %s in %s", marker, dir), "infra init %s", shell(said))
	}
	return dir, err
}

// marked says whether a folder has an infra.yaml. What cannot be looked at is an
// error, never a no.
func marked(dir string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, marker))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("finding the access repository: %w", err)
	}
	return true, nil
}

// load reads the work tree and refuses one with errors. Its warnings were there
// before and are the business of validate.
func load(fsys fs.FS, cache *schema.Cache) (policy.Revision, error) {
	s, problems, err := schema.Load(fsys, cache)
	if err != nil {
		return policy.Revision{}, fmt.Errorf("reading the access repository: %w", err)
	}
	if bad := problems.Errors(); len(bad) > 0 {
		return policy.Revision{}, &problemsError{err: errInvalid, problems: bad}
	}
	return policy.Revision{ID: workTreeName, Snapshot: s, Problems: problems}, nil
}

// snapshot reads the repository that the user means.
func (a *app) snapshot() (*schema.Snapshot, error) {
	root, err := a.root()
	if err != nil {
		return nil, err
	}
	r, err := load(os.DirFS(root), nil)
	return r.Snapshot, err
}
