package repo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestBlame(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"a/list": "one\ntwo\nthree\n"})
	second := r.Commit(map[string]string{"a/list": "zero\none\n2\nthree\n"})
	r.Git("mv", "a/list", "a/moved")
	r.Git("commit", "-q", "-m", "move")
	r.Write(map[string]string{"a/moved": "zero\none\n2\nmine\n", "new": "x\n", "staged": "x\n"})
	r.Git("add", "staged")
	ignored := filepath.Join(gittest.Folder(t), "ignored")
	if err := os.WriteFile(ignored, []byte(second+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Git("config", "blame.ignoreRevsFile", ignored)
	c, err := repo.FindCheckout(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	at, none := func(hash string) repo.Blamed { return repo.Blamed{Commit: hash} }, repo.Blamed{}
	for _, tt := range []struct {
		name, rev, file string
		lines           []int
		want            map[int]repo.Blamed
	}{
		{"no line", "", "a/moved", nil, map[int]repo.Blamed{}},
		{"the work tree, through a move", "", "a/moved", []int{4, 2, 3, 2}, map[int]repo.Blamed{2: at(first), 3: at(second), 4: none}},
		{"a commit", second, "a/list", []int{1, 4}, map[int]repo.Blamed{1: at(second), 4: at(first)}},
		{"a file that is not committed", "", "new", []int{1}, map[int]repo.Blamed{1: none}},
		{"a file that is staged", "", "staged", []int{1}, map[int]repo.Blamed{1: none}},
	} {
		got, err := c.Blame(t.Context(), tt.rev, tt.file, tt.lines)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
	if _, err := c.Blame(t.Context(), "", "a/moved", []int{5}); err == nil {
		t.Error("a line that the file does not have is no error")
	}
	if _, err := c.Blame(t.Context(), first, "new", []int{1}); err == nil {
		t.Error("a file that the commit does not have is no error")
	}
}

func TestBlameInAShallowClone(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"list": "one\n"})
	second := r.Commit(map[string]string{"list": "one\ntwo\n"})
	third := r.Commit(map[string]string{"list": "one\ntwo\nthree\n"})
	dir := filepath.Join(gittest.Folder(t), "clone")
	r.Git("clone", "-q", "--depth", "2", "file://"+r.Dir, dir)
	c, err := repo.FindCheckout(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Blame(t.Context(), "", "list", []int{1, 3})
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]repo.Blamed{1: {Commit: second, Cut: true}, 3: {Commit: third}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBlameWithoutACommit(t *testing.T) {
	t.Parallel()
	c, err := repo.Init(t.Context(), filepath.Join(gittest.Folder(t), "new"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Blame(t.Context(), "", "infra.yaml", []int{1})
	if diff := cmp.Diff(map[int]repo.Blamed{1: {}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
