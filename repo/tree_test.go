package repo_test

import (
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestSymlinkAndSubmoduleShowAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(r.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	target := r.Commit(map[string]string{"plain": "x"})
	r.Git("update-index", "--add", "--cacheinfo", "160000,"+target+",module")
	r.Git("commit", "--quiet", "-m", "module")
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		h := fetch(t, s, "")
		files, err := h.Files(h.Tip().Hash)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := fs.ReadDir(files, ".")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]fs.FileMode{}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || info.Mode().Type() != e.Type() {
				t.Errorf("%s: %v, %v", e.Name(), info, err)
			}
			got[e.Name()] = e.Type()
		}
		want := map[string]fs.FileMode{"link": fs.ModeSymlink, "module": fs.ModeIrregular, "plain": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
		for _, name := range []string{"link", "module", "link/passwd", "module/x", "plain/x"} {
			if b, err := fs.ReadFile(files, name); err == nil {
				t.Errorf("%s was read: %q", name, b)
			}
		}
	})
}

func TestHostileTreeNamesAreRefused(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"x": "x"})
	blob := r.Git("rev-parse", "HEAD:x")
	raw, err := hex.DecodeString(blob)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"..", ".", ".git", ".GIT", "git~1", ".git ", "a/b", `a\b`, "..\\x"} {
		file := filepath.Join(gittest.Folder(t), "tree")
		if err := os.WriteFile(file, []byte("100644 "+name+"\x00"+string(raw)), 0o666); err != nil {
			t.Fatal(err)
		}
		tree := r.Git("hash-object", "-t", "tree", "--literally", "-w", file)
		commit := r.Git("commit-tree", "-m", "hostile", tree)
		r.Git("update-ref", "refs/heads/main", commit)
		h := fetch(t, open(t, r.Dir, repo.Options{}), "")
		files, err := h.Files(commit)
		if err != nil {
			continue // refused even earlier
		}
		if entries, err := fs.ReadDir(files, "."); err == nil {
			t.Errorf("a tree with %q was read: %v", name, entries)
		}
	}
}

func TestTheHashOfAFileAndAFolderOfATree(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	tip := r.Commit(map[string]string{"below/grants/a.yaml": "a\n"})
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		tree, err := fetch(t, s, tip).Files(tip)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := fs.Sub(tree, "below")
		if err != nil {
			t.Fatal(err)
		}
		hasher, ok := sub.(interface{ ContentHash(string) (string, bool) })
		if !ok {
			t.Fatal("a folder of a tree knows no hashes")
		}
		want := strings.TrimSpace(r.Git("rev-parse", tip+":below/grants/a.yaml"))
		if got, ok := hasher.ContentHash("grants/a.yaml"); got != want || !ok {
			t.Errorf("%q %v, want %s", got, ok, want)
		}
		for _, name := range []string{"grants", "grants/b.yaml", "../below"} {
			if got, ok := hasher.ContentHash(name); ok {
				t.Errorf("%s: %s", name, got)
			}
		}
		if text, err := fs.ReadFile(sub, "grants/a.yaml"); err != nil || string(text) != "a\n" {
			t.Errorf("%q %v", text, err)
		}
	})
}
