package repo_test

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestFoldersOfEveryKindAreRead(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1"})
	tip := r.Commit(map[string]string{"a": "2"})
	linked := filepath.Join(gittest.Folder(t), "linked")
	r.Git("worktree", "add", "--quiet", "--detach", linked, "HEAD")
	shared := filepath.Join(gittest.Folder(t), "shared")
	r.Git("clone", "--quiet", "--shared", r.Dir, shared)
	sparse := filepath.Join(gittest.Folder(t), "sparse")
	r.Git("clone", "--quiet", "--sparse", r.Dir, sparse)
	packed := gittest.New(t)
	packed.Git("pull", "--quiet", r.Dir, "main")
	packed.Git("gc", "--quiet")
	packed.Git("pack-refs", "--all")
	for name, dir := range map[string]string{
		"a work tree": r.Dir, "bare": r.Bare(), "a linked worktree": linked, "objects of another": shared,
		"sparse": sparse, "packed": packed.Dir, "as a file URL": "file://" + r.Dir,
	} {
		t.Run(name, func(t *testing.T) {
			h := fetch(t, open(t, dir, repo.Options{}), "")
			files, err := h.Files(tip)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := fs.ReadFile(files, "a"); err != nil || string(b) != "2" {
				t.Errorf("read %q, %v", b, err)
			}
			if c, err := h.Resolve("HEAD"); err != nil || c.Hash != tip {
				t.Errorf("HEAD is %v, %v", c, err)
			}
		})
	}
}

func TestReadsSurviveGarbageCollection(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1", "b": "2"})
	r.Git("gc", "--quiet")
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	files, err := h.Files(h.Tip().Hash)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(files, "a"); err != nil {
		t.Fatal(err)
	}
	r.Commit(map[string]string{"c": "3"})
	r.Git("repack", "-a", "-d", "--quiet")
	r.Git("prune-packed")
	if b, err := fs.ReadFile(files, "b"); err != nil || string(b) != "2" {
		t.Errorf("after gc: %q, %v", b, err)
	}
}

func TestFormatsThatCannotBeReadAreSaid(t *testing.T) {
	t.Parallel()
	dir := gittest.Folder(t)
	if out, err := exec.Command("git", "init", "--quiet", "--object-format=sha256", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := repo.Open(dir, repo.Options{}); err == nil || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("sha256: %v", err)
	}
}
