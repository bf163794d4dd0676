package repo_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func open(t *testing.T, location string, o repo.Options) *repo.Source {
	t.Helper()
	s, err := repo.Open(location, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fetch(t *testing.T, s *repo.Source, have string) *repo.History {
	t.Helper()
	h, err := s.Fetch(t.Context(), "main", have)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// everyKind runs a test on the same repository as a folder and behind http.
func everyKind(t *testing.T, r *gittest.Repo, f func(t *testing.T, s *repo.Source)) {
	t.Run("folder", func(t *testing.T) { f(t, open(t, r.Dir, repo.Options{})) })
	t.Run("http", func(t *testing.T) {
		f(t, open(t, gittest.Serve(t, r, gittest.HostOptions{}).URL, repo.Options{}))
	})
}

func TestFetchReadsCommitsAndFiles(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"infra.yaml": "version: 1\n", "grants/a.yaml": "a\n", "grants/b/c.yaml": ""})
	r.Write(map[string]string{"run.sh": "#!/bin/sh\n"})
	r.Git("add", "run.sh")
	r.Git("update-index", "--chmod=+x", "run.sh")
	second := r.Commit(map[string]string{"grants/a.yaml": "changed\n"})

	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		h := fetch(t, s, first)
		ada := repo.Person{Name: "Ada", Email: "ada@example.com", When: gittest.Start.Add(2 * time.Minute)}
		want := repo.Commit{Hash: second, Parents: []string{first}, Author: ada, Committer: ada, Message: "commit of 03:02\n"}
		if diff := cmp.Diff(want, h.Tip()); diff != "" {
			t.Errorf("tip (-want +got):\n%s", diff)
		}
		for _, hash := range []string{first, second} {
			files, err := h.Files(hash)
			if err != nil {
				t.Fatal(err)
			}
			if err := fstest.TestFS(files, "infra.yaml", "grants/a.yaml", "grants/b/c.yaml"); err != nil {
				t.Error(err)
			}
		}
		old, _ := h.Files(first)
		if b, err := fs.ReadFile(old, "grants/a.yaml"); err != nil || string(b) != "a\n" {
			t.Errorf("the first commit's file is %q, %v", b, err)
		}
		now, _ := h.Files(second)
		info, err := fs.Stat(now, "grants/a.yaml")
		if err != nil || info.Size() != 8 {
			t.Errorf("size of a file: %v, %v", info, err)
		}
		same1, _ := fs.Stat(old, "infra.yaml")
		same2, _ := fs.Stat(now, "infra.yaml")
		if same1.Sys() != same2.Sys() || same1.Sys() == info.Sys() {
			t.Errorf("Sys does not tell contents apart: %v, %v, %v", same1.Sys(), same2.Sys(), info.Sys())
		}
		if _, err := h.Files(strings.Repeat("0", 40)); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("files of an unknown commit: %v", err)
		}
		if tip, err := s.Tip(t.Context(), ""); err != nil || tip != second {
			t.Errorf("the tip of HEAD is %q, %v", tip, err)
		}
		for _, rev := range []string{"HEAD", "@", "main", second, second[:7], strings.ToUpper(second[:8])} {
			if c, err := h.Resolve(rev); err != nil || c.Hash != second {
				t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
			}
		}
		for _, rev := range []string{"HEAD~1", "main^", "main~", first[:9], "@^1^0"} {
			if c, err := h.Resolve(rev); err != nil || c.Hash != first {
				t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
			}
		}
		for _, rev := range []string{"", "nothing", "HEAD~2", "HEAD^2", "--all", "~1", "HEAD~99999999999999999999", "../HEAD", "abcd"} {
			if c, err := h.Resolve(rev); !errors.Is(err, repo.ErrNotFound) {
				t.Errorf("Resolve(%q) = %s, %v, want not found", rev, c.Hash, err)
			}
		}
	})
}

func TestResolveKnowsTagsOfAFolder(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(nil)
	r.Git("tag", "plain")
	r.Git("tag", "-a", "-m", "words", "annotated")
	r.Git("tag", "-a", "-m", "words", "nested", "annotated")
	r.Commit(nil)
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	for _, rev := range []string{"plain", "annotated", "nested", "tags/plain", "refs/tags/annotated"} {
		if c, err := h.Resolve(rev); err != nil || c.Hash != first {
			t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
		}
	}
}

// Whoever may push a tag or a branch must not choose what another name means.
func TestResolveLetsNoOtherNameStandInFront(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(nil)
	second := r.Commit(nil)
	r.Git("tag", "same")
	r.Git("branch", "same")
	r.Git("update-ref", "refs/remotes/origin/main", second)
	r.Git("tag", "origin/main", first)
	r.Git("update-ref", "refs/tags/"+second, first)
	r.Git("update-ref", "refs/heads/"+second, first)
	r.Git("update-ref", "refs/heads/HEAD", first)
	h := fetch(t, open(t, r.Dir, repo.Options{}), "")
	for _, rev := range []string{second, strings.ToUpper(second), "HEAD", "same", "refs/remotes/origin/main"} {
		if c, err := h.Resolve(rev); err != nil || c.Hash != second {
			t.Errorf("Resolve(%q) = %s, %v", rev, c.Hash, err)
		}
	}
	_, err := h.Resolve("origin/main")
	want := `finding revision "origin/main": it is short for refs/tags/origin/main and for refs/remotes/origin/main, which are not the same commit: write out which is meant`
	if err == nil || err.Error() != want {
		t.Errorf("a tag that is called as a branch of a remote: %v", err)
	}
}

func TestDeletedBranchIsNotFound(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	r.Git("branch", "gone")
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		if _, err := s.Tip(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		r.Git("branch", "-D", "gone")
		defer r.Git("branch", "gone")
		if _, err := s.Tip(t.Context(), "gone"); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("tip: %v", err)
		}
		if _, err := s.Fetch(t.Context(), "gone", ""); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("fetch: %v", err)
		}
	})
}

func TestEmptyRepositoryHasNoTip(t *testing.T) {
	t.Parallel()
	everyKind(t, gittest.New(t), func(t *testing.T, s *repo.Source) {
		if _, err := s.Fetch(t.Context(), "", ""); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("fetch: %v", err)
		}
	})
}

func TestHistoryIsReadByManyAtOnce(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"a/b": "1", "c": "2"})
	r.Commit(map[string]string{"a/b": "3"})
	everyKind(t, r, func(t *testing.T, s *repo.Source) {
		h := fetch(t, s, first)
		done := make(chan error)
		for range 8 {
			go func() {
				var err error
				for range 20 {
					files, e := h.Files(h.Tip().Hash)
					if e == nil {
						_, e = fs.ReadFile(files, "a/b")
					}
					_, e2 := h.Since(first, h.Tip().Hash)
					_, e3 := h.Resolve(first[:8])
					err = errors.Join(err, e, e2, e3)
				}
				done <- err
			}()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}
