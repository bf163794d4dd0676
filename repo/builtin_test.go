package repo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

// findBuiltin is find for a machine without git.
func findBuiltin(t *testing.T, r *gittest.Repo) *repo.Checkout {
	t.Helper()
	c, err := repo.FindCheckoutBy(t.Context(), r.Dir, repo.Builtin)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sound fails the test where git finds something wrong with the repository, or
// another index than it would write itself.
func sound(t *testing.T, r *gittest.Repo) {
	t.Helper()
	if out := r.Git("fsck", "--strict", "--no-dangling"); out != "" {
		t.Errorf("git fsck: %s", out)
	}
	if out, err := r.Try("diff-files", "--name-only"); err != nil || strings.Contains(out, "infra") {
		t.Errorf("git diff-files: %s, %v", out, err)
	}
}

func TestBuiltinCommitLeavesTheUsersWorkAlone(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2", "4"} {
		t.Run("index version "+version, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Git("config", "index.version", version)
			r.Commit(map[string]string{"a": "1\n", "staged": "1\n", "open": "1\n", "gone/infra": "1\n", "assumed": "1\n", "skipped": "1\n", "run": "1\n"})
			r.Git("update-index", "--chmod=+x", "run")
			chmod(t, r, "run", 0o755)
			r.Git("commit", "--quiet", "-m", "run")
			r.Write(map[string]string{"staged": "2\n", "new staged": "x\n", "intended": "x\n"})
			r.Git("add", "staged", "new staged")
			r.Git("add", "--intent-to-add", "intended")
			r.Git("update-index", "--assume-unchanged", "assumed")
			r.Git("update-index", "--skip-worktree", "skipped")
			r.Write(map[string]string{"staged": "3\n", "open": "2\n", "untracked": "x\n", "assumed": "2\n"})
			before := r.Git("status", "--porcelain", "-z")
			diff, flags := r.Git("diff", "--cached"), r.Git("ls-files", "-v")

			change := edit("a", "2\n", "grants/infra file.yaml", "n\n", "run", "2\n")
			change.Files["gone/infra"] = nil
			c := findBuiltin(t, r)
			patch, err := c.Patch(t.Context(), change)
			if err != nil {
				t.Fatal(err)
			}
			made, err := c.Commit(t.Context(), change)
			if err != nil {
				t.Fatal(err)
			}
			if made.Hash != r.Head() || made.Message != "edit\n" || made.Author.Email != "ada@example.com" {
				t.Errorf("commit %+v", made)
			}
			if d := cmp.Diff(r.Git("diff", "--no-renames", "HEAD~1", "HEAD"), strings.TrimSpace(patch)); d != "" {
				t.Errorf("patch (-commit +patch):\n%s", d)
			}
			if d := cmp.Diff("a\ngone/infra\ngrants/infra file.yaml\nrun", r.Git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD")); d != "" {
				t.Errorf("committed (-want +got):\n%s", d)
			}
			if d := cmp.Diff(before, r.Git("status", "--porcelain", "-z")); d != "" {
				t.Errorf("status (-before +after):\n%s", d)
			}
			if d := cmp.Diff(diff, r.Git("diff", "--cached")); d != "" {
				t.Errorf("staged (-before +after):\n%s", d)
			}
			flags = strings.ReplaceAll(strings.ReplaceAll(flags, "H gone/infra\n", ""), "H intended", "H grants/infra file.yaml\nH intended")
			if d := cmp.Diff(flags, r.Git("ls-files", "-v")); d != "" {
				t.Errorf("flags (-before +after):\n%s", d)
			}
			if got := r.Git("ls-tree", "HEAD", "run"); !strings.HasPrefix(got, "100755") {
				t.Errorf("run is %s", got)
			}
			for _, ref := range []string{"HEAD", "main"} {
				if got := r.Git("log", "--walk-reflogs", "-1", "--format=%H %gs %gn", ref); got != made.Hash+" commit: edit Ada" {
					t.Errorf("log of %s: %s", ref, got)
				}
			}
			sound(t, r)
		})
	}
}

func TestBuiltinRefusesByName(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*gittest.Repo) {
		return func(r *gittest.Repo) { r.Git("config", name, value) }
	}
	write := func(files ...string) func(*gittest.Repo) {
		return func(r *gittest.Repo) {
			for i := 0; i < len(files); i += 2 {
				r.Write(map[string]string{files[i]: files[i+1]})
			}
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(*gittest.Repo)
		words   string
	}{
		{"a signature", set("commit.gpgSign", "true"), "commit.gpgSign takes a git program: commits are to be signed"},
		{"a sparse checkout", func(r *gittest.Repo) { r.Git("sparse-checkout", "set", "grants") }, "core.sparseCheckout"},
		{"a sparse index", func(r *gittest.Repo) {
			r.Commit(map[string]string{"x/y/z": "1\n"})
			r.Git("sparse-checkout", "set", "--cone", "--sparse-index", "grants")
			r.Git("config", "--worktree", "core.sparseCheckout", "false")
		}, "the sparse index"},
		{"a split index", func(r *gittest.Repo) { r.Git("update-index", "--split-index") }, "the split index"},
		{"a split index that is to come", set("core.splitIndex", "true"), "core.splitIndex"},
		{"a partial clone", func(r *gittest.Repo) {
			r.Git("config", "core.repositoryFormatVersion", "1")
			r.Git("config", "extensions.partialClone", "origin")
		}, "extensions.partialclone takes a git program: it is origin"},
		{"a promisor", set("remote.origin.promisor", "true"), "remote.origin.promisor"},
		{"an extension of the future", func(r *gittest.Repo) {
			r.Git("config", "extensions.quantum", "on")
			r.Git("config", "core.repositoryFormatVersion", "1")
		}, "extensions.quantum"},
		{"a format of the future", set("core.repositoryFormatVersion", "7"), "core.repositoryFormatVersion takes a git program: it is 7"},
		{"a shared repository", set("core.sharedRepository", "group"), "core.sharedRepository"},
		{"another encoding", set("i18n.commitEncoding", "latin1"), "i18n.commitEncoding"},
		{"an include", set("include.path", "/elsewhere"), "include.path"},
		{"an include with a condition", set("includeIf.gitdir:~/clusters/.path", "/elsewhere"), "includeif.gitdir:~/clusters/.path"},
		{"objects that stand for others", func(r *gittest.Repo) {
			r.Commit(nil)
			r.Git("replace", "HEAD", "HEAD~1")
		}, "refs/replace"},
		{"a pre-commit hook", func(r *gittest.Repo) { hook(t, r, "pre-commit", "exit 1") }, "the hook pre-commit takes a git program"},
		{"a prepare-commit-msg hook", func(r *gittest.Repo) { hook(t, r, "prepare-commit-msg", "exit 1") }, "the hook prepare-commit-msg"},
		{"a commit-msg hook", func(r *gittest.Repo) { hook(t, r, "commit-msg", "exit 1") }, "the hook commit-msg"},
		{"a post-commit hook", func(r *gittest.Repo) { hook(t, r, "post-commit", "exit 1") }, "the hook post-commit"},
		{"a reference-transaction hook", func(r *gittest.Repo) { hook(t, r, "reference-transaction", "exit 0") }, "the hook reference-transaction"},
		{"hooks elsewhere", func(r *gittest.Repo) {
			hook(t, r, "commit-msg", "exit 1")
			os.Rename(filepath.Join(r.Dir, ".git", "hooks"), filepath.Join(r.Dir, ".githooks"))
			r.Git("config", "core.hooksPath", ".githooks")
		}, "the hook commit-msg"},
		{"a filter", write(".gitattributes", "*.yaml -text\na filter=lfs\n"), "the attribute filter of a takes a git program: git converts its text (.gitattributes)"},
		{"a filter by a macro", write(".gitattributes", "[attr]big filter=lfs\n* big\n"), "the attribute big of a"},
		{"a filter for this clone", write(".git/info/attributes", "/a filter=lfs\n"), "the attribute filter of a"},
		{"an encoding", write(".gitattributes", "* working-tree-encoding=UTF-16\n"), "the attribute working-tree-encoding of a"},
		{"an ident", write(".gitattributes", "[a-c] ident\n"), "the attribute ident of a"},
		{"line ends by an attribute", func(r *gittest.Repo) {
			r.Commit(map[string]string{"a": "1\r\n"})
			r.Write(map[string]string{".gitattributes": "* text=auto\n"})
		}, "the attribute text of a"},
		{"line ends by autocrlf", func(r *gittest.Repo) {
			r.Commit(map[string]string{"a": "1\r\n"})
			r.Git("config", "core.autocrlf", "input")
		}, "core.autocrlf takes a git program: it changes the line ends of a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n"})
			tt.prepare(r)
			before := state(t, r)
			_, err := findBuiltin(t, r).Commit(t.Context(), edit("a", "2\n", "new/b", "1\n"))
			if !errors.Is(err, repo.ErrNeedsGit) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want %q", err, tt.words)
			}
			if d := cmp.Diff(before, state(t, r)); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
		})
	}
}

func TestBuiltinDoesWhatGitWouldDoAlike(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*gittest.Repo) {
		return func(r *gittest.Repo) { r.Git("config", name, value) }
	}
	for _, tt := range []struct {
		name    string
		prepare func(*gittest.Repo)
	}{
		{"a hook that may not be executed", func(r *gittest.Repo) {
			hook(t, r, "pre-commit", "exit 1")
			chmod(t, r, ".git/hooks/pre-commit", 0o644)
		}},
		{"attributes that say how to merge and to show", func(r *gittest.Repo) {
			r.Commit(map[string]string{".gitattributes": "a merge=infra diff=yaml text=auto eol=lf\n*.bin filter=lfs binary\n* -text\n"})
		}},
		{"autocrlf, and no carriage return", set("core.autocrlf", "true")},
		{"carriage returns, and no settings", func(r *gittest.Repo) { r.Commit(map[string]string{"a": "1\r\n"}) }},
		{"an untracked cache", func(r *gittest.Repo) { r.Git("update-index", "--untracked-cache") }},
		{"an index without a checksum", set("index.skipHash", "true")},
		{"packed refs", func(r *gittest.Repo) { r.Git("pack-refs", "--all") }},
		{"packed objects", func(r *gittest.Repo) { r.Git("gc", "--quiet") }},
		{"a branch with slashes", func(r *gittest.Repo) { r.Branch("team/web/grants") }},
		{"a detached head", func(r *gittest.Repo) { r.Checkout("HEAD~0") }},
		{"a bisection", func(r *gittest.Repo) { r.Commits(3); r.Git("bisect", "start", "HEAD", "HEAD~3") }},
		{"no logs", set("core.logAllRefUpdates", "false")},
		{"file modes that do not count", func(r *gittest.Repo) { chmod(t, r, "a", 0o755); r.Git("config", "core.fileMode", "false") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n", "sub/b": "1\n"})
			tt.prepare(r)
			parent := r.Head()
			made, err := findBuiltin(t, r).Commit(t.Context(), edit("a", "2\n", "sub/c", "1\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Git("rev-parse", "HEAD", "HEAD~1"); got != made.Hash+"\n"+parent {
				t.Errorf("HEAD and its parent are\n%s\nwant\n%s\n%s", got, made.Hash, parent)
			}
			// git, told the same, comes to the same files.
			r.Git("read-tree", "HEAD~1")
			r.Git("add", "a", "sub/c")
			if got := r.Git("write-tree"); got != r.Git("rev-parse", "HEAD^{tree}") {
				t.Errorf("git makes another tree: %s", r.Git("diff", "HEAD", got))
			}
			r.Git("read-tree", "HEAD")
			clean(t, r)
			sound(t, r)
		})
	}
}

func TestBuiltinCommitsInALinkedWorktree(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(map[string]string{"a": "1\n"})
	linked := filepath.Join(gittest.Folder(t), "linked")
	r.Git("worktree", "add", "--quiet", "-b", "other", linked)
	c, err := repo.FindCheckoutBy(t.Context(), linked, repo.Builtin)
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.Commit(t.Context(), edit("a", "2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Git("rev-parse", "main", "other"); got != first+"\n"+made.Hash {
		t.Errorf("main and other are\n%s", got)
	}
	if got := r.Git("-C", linked, "status", "--porcelain"); got != "" {
		t.Errorf("status: %s", got)
	}
	clean(t, r)
	sound(t, r)
}

func TestBuiltinBeginsARepositoryThatGitTakes(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	c := findBuiltin(t, r)
	first, err := c.Commit(t.Context(), edit("infra.yaml", "version: 1\n", "grants/a.yaml", ""))
	if err != nil || len(first.Parents) != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	if got := r.Git("reflog", "--format=%gs"); got != "commit (initial): edit" {
		t.Errorf("log: %s", got)
	}
	clean(t, r)
	sound(t, r)
}

func TestBuiltinDoesNotFallForALockOrALostRace(t *testing.T) {
	t.Parallel()
	for _, lock := range []string{"index.lock", "HEAD.lock", "refs/heads/main.lock"} {
		t.Run(lock, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n"})
			r.Write(map[string]string{".git/" + lock: ""})
			before := state(t, r)
			_, err := findBuiltin(t, r).Commit(t.Context(), edit("a", "2\n", "new/b", "1\n"))
			if !errors.Is(err, repo.ErrInProgress) || !strings.Contains(err.Error(), lock+" exists") {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(before, state(t, r)); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
		})
	}
}

func TestBuiltinCancelledLeavesNothing(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	before := state(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := findBuiltin(t, r).Commit(ctx, edit("a", "2\n", "new/b", "1\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}

// TestBuiltinTellsWhatGitTells compares what is read with git's own answers.
func TestBuiltinTellsWhatGitTells(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"list": "a\nb\nc\n", "other": "1\n"})
	r.Commit(nil)
	origin := gittest.Folder(t)
	r.Git("clone", "--quiet", "--bare", r.Dir, origin)
	r.Git("config", "url."+origin+".insteadOf", "ours:")
	r.Git("config", "url.ssh://git@example.com/.pushInsteadOf", "https://example.com/")
	r.Git("remote", "add", "origin", "ours:")
	r.Git("remote", "add", "web", "https://example.com/access")
	r.Git("remote", "add", "far", "https://example.com/access")
	r.Git("remote", "set-url", "--push", "far", "https://example.net/access")
	r.Git("fetch", "--quiet")
	r.Git("remote", "set-head", "origin", "main")
	r.Branch("work")
	r.Git("branch", "--set-upstream-to=origin/main")
	r.Git("tag", "-a", "-m", "one", "v1")
	system, builtin := find(t, r), findBuiltin(t, r)
	ask := func(c *repo.Checkout) any {
		t.Helper()
		head, err1 := c.Head(t.Context())
		mainline, err2 := c.Mainline(t.Context())
		upstream, err3 := c.Upstream(t.Context())
		server, err4 := c.Origin(t.Context())
		names, err5 := c.Names(t.Context())
		answer := []any{c.Root(), head, mainline, upstream, server, len(names)}
		for _, remote := range []string{"origin", "web", "far"} {
			url, err := c.PushURL(t.Context(), remote)
			answer = append(answer, url, fmt.Sprint(err))
		}
		return append(answer, fmt.Sprint(err1, err2, err3, err4, err5))
	}
	if d := cmp.Diff(ask(system), ask(builtin)); d != "" {
		t.Errorf("(-git +builtin):\n%s", d)
	}
}

// TestBuiltinBlamesLikeGit compares the commits of all lines of a file that many
// commits, branches and merges made.
func TestBuiltinBlamesLikeGit(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	r := gittest.New(t)
	r.Commit(map[string]string{"list": "grants:\n"})
	lines := []string{"grants:"}
	n := 0
	for range 40 {
		at := 1
		if len(lines) > 1 {
			at = 1 + 3*random.IntN((len(lines)-1)/3+1)
		}
		switch random.IntN(4) {
		case 0:
			if at < len(lines) {
				lines = slices.Delete(lines, at, at+3)
			}
		case 1:
			if at < len(lines) {
				lines[at+1] = fmt.Sprintf("    role: role%d", n)
			}
		default:
			lines = slices.Insert(lines, at, fmt.Sprintf("  - user: u%d@example.com", n), "    role: view", "    resource: example")
		}
		n++
		if n == 15 {
			r.Branch("side")
		}
		r.Commit(map[string]string{"list": strings.Join(lines, "\n") + "\n"})
		if n == 20 {
			r.Checkout("main")
			r.Commit(map[string]string{"other": "1\n"})
			r.Merge("side")
		}
	}
	r.Write(map[string]string{"list": strings.Join(append([]string{"# mine"}, lines...), "\n") + "\n"})
	var all []int
	for i := range lines {
		all = append(all, i+1)
	}
	for _, rev := range []string{"", r.Head(), r.Git("rev-parse", "HEAD~3")} {
		numbers := all
		if strings.HasSuffix(rev, r.Git("rev-parse", "HEAD~3")) {
			numbers = all[:5]
		}
		want, err := find(t, r).Blame(t.Context(), rev, "list", numbers)
		if err != nil {
			t.Fatal(err)
		}
		got, err := findBuiltin(t, r).Blame(t.Context(), rev, "list", numbers)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("at %q (-git +builtin):\n%s", rev, d)
		}
	}
	if _, err := findBuiltin(t, r).Blame(t.Context(), "", "list", []int{100000}); err == nil {
		t.Error("a line that is not there is nobody's")
	}
}

func TestBuiltinRefusesWhatGitRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(r *gittest.Repo)
		path    string
		is      error
		words   string
	}{
		{"a file is changed in the work tree", func(r *gittest.Repo) { r.Write(map[string]string{"a": "mine"}) }, "a", repo.ErrDirty, "a has uncommitted changes"},
		{"a file is staged", func(r *gittest.Repo) { r.Write(map[string]string{"a": "mine"}); r.Git("add", "a") }, "a", repo.ErrDirty, "a has"},
		{"a file is staged and put back", func(r *gittest.Repo) {
			r.Write(map[string]string{"a": "mine"})
			r.Git("add", "a")
			r.Write(map[string]string{"a": "1\n"})
		}, "a", repo.ErrDirty, "a has"},
		{"a file is deleted", func(r *gittest.Repo) { os.Remove(filepath.Join(r.Dir, "a")) }, "a", repo.ErrDirty, "a has"},
		{"a file is removed from the index", func(r *gittest.Repo) { r.Git("rm", "--quiet", "--cached", "a") }, "a", repo.ErrDirty, "a has"},
		{"a file is to be added", func(r *gittest.Repo) {
			r.Write(map[string]string{"b": "mine"})
			r.Git("add", "--intent-to-add", "b")
		}, "b", repo.ErrDirty, "b has"},
		{"a file is not tracked", func(r *gittest.Repo) { r.Write(map[string]string{"b": "mine"}) }, "b", repo.ErrDirty, "does not track"},
		{"a file is ignored", func(r *gittest.Repo) { r.Write(map[string]string{".git/info/exclude": "b\n", "b": "mine\n"}) }, "b", repo.ErrDirty, "does not track"},
		{"git skips a file", func(r *gittest.Repo) { r.Git("update-index", "--skip-worktree", "a") }, "a", repo.ErrDirty, "outside of the sparse checkout"},
		{"git assumes that a file is unchanged", func(r *gittest.Repo) { r.Git("update-index", "--assume-unchanged", "a") }, "a", repo.ErrDirty, "assume"},
		{"a file may be executed, and was not", func(r *gittest.Repo) { chmod(t, r, "a", 0o755) }, "a", repo.ErrDirty, "a has uncommitted changes"},
		{"a merge has a conflict", func(r *gittest.Repo) {
			r.Branch("x")
			r.Commit(map[string]string{"a": "x\n"})
			r.Checkout("main")
			r.Commit(map[string]string{"a": "main\n"})
			r.Try("merge", "x")
		}, "same", repo.ErrInProgress, "a merge is in progress"},
		{"what a stash left is in conflict", func(r *gittest.Repo) {
			r.Write(map[string]string{"a": "mine\n"})
			r.Git("stash")
			r.Commit(map[string]string{"a": "theirs\n"})
			r.Try("stash", "pop")
		}, "a", repo.ErrDirty, "a has"},
		{"a rebase is in progress", func(r *gittest.Repo) {
			r.Branch("x")
			r.Commit(map[string]string{"a": "x\n"})
			r.Checkout("main")
			r.Commit(map[string]string{"a": "main\n"})
			r.Try("rebase", "x")
		}, "same", repo.ErrInProgress, "a rebase is in progress"},
		{"a revert is in progress", func(r *gittest.Repo) { r.Git("revert", "--no-commit", "HEAD") }, "a", repo.ErrInProgress, "a revert is in progress"},
		{"the folder is a link out of the repository", func(r *gittest.Repo) { os.Symlink("/tmp", filepath.Join(r.Dir, "out")) }, "out/x", repo.ErrPath, "symbolic link"},
		{"the path is git's own", func(*gittest.Repo) {}, ".git/config", repo.ErrPath, ""},
		{"the path lies in a submodule", func(r *gittest.Repo) {
			r.Git("update-index", "--add", "--cacheinfo", "160000,"+r.Head()+",sub")
			r.Git("commit", "--quiet", "-m", "sub")
		}, "sub/x", repo.ErrPath, "not a folder"},
		{"nothing would change", func(*gittest.Repo) {}, "same", repo.ErrUnchanged, ""},
		{"the index is damaged", func(r *gittest.Repo) { r.Write(map[string]string{".git/index": "DIRC and no more than these words"}) }, "a", nil, "damaged"},
		{"the configuration is damaged", func(r *gittest.Repo) { r.Write(map[string]string{".git/config": "[core\n"}) }, "a", nil, "config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n", "same": "new\n"})
			c := findBuiltin(t, r)
			tt.prepare(r)
			before := state(t, r)
			_, err := c.Commit(t.Context(), edit(tt.path, "new\n"))
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want %v with %q", err, tt.is, tt.words)
			}
			if d := cmp.Diff(before, state(t, r)); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
		})
	}
}

func TestBuiltinCleansAMessageAsGitDoes(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "0\n"})
	for i, message := range []string{"one", "one\n\n\n\ntwo  \n\t\n three\n\n\n", "\n \n# not a comment\r\n\r\nüöä\n", " indented\n"} {
		change := edit("a", fmt.Sprintln(i+1))
		change.Message = message
		made, err := findBuiltin(t, r).Commit(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Git("cat-file", "commit", "HEAD")
		change.Files["a"] = []byte(fmt.Sprintln(-i - 1))
		if _, err := find(t, r).Commit(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		want := r.Git("cat-file", "commit", "HEAD")
		if _, got, _ = strings.Cut(got, "\n\n"); got != want[strings.Index(want, "\n\n")+2:] {
			t.Errorf("%q is %q (%q), and git's is %q", message, got, made.Message, want)
		}
	}
	change := edit("a", "none\n")
	change.Message = " \n\n"
	if _, err := findBuiltin(t, r).Commit(t.Context(), change); err == nil {
		t.Error("a commit without a message")
	}
}

// TestBuiltinPatchesLookLikeGits compares patches of many edits of a list with
// those of git.
func TestBuiltinPatchesLookLikeGits(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	r := gittest.New(t)
	entry := func(i int) string {
		return fmt.Sprintf("  - user: u%d@example.com\n    role: view\n    resource: example\n", i)
	}
	var entries []string
	for i := range 20 {
		entries = append(entries, entry(i))
	}
	text := func(entries []string) string { return "# a list\ngrants:\n" + strings.Join(entries, "") }
	r.Commit(map[string]string{"grants/a b.yaml": text(entries), "last": "no line end"})
	c := findBuiltin(t, r)
	for i := range 60 {
		now := slices.Clone(entries)
		for range 1 + random.IntN(3) {
			at := random.IntN(len(now))
			switch random.IntN(3) {
			case 0:
				now = slices.Insert(now, at, entry(100+i))
			case 1:
				now = slices.Delete(now, at, at+1)
			default:
				now[at] = strings.Replace(now[at], "role: view", "role: edit", 1)
			}
		}
		if text(now) == text(entries) {
			continue
		}
		change := edit("grants/a b.yaml", text(now), "last", fmt.Sprintf("no line end %d", i))
		want, err := find(t, r).Patch(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Patch(t.Context(), change)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-git +builtin):\n%s", d)
		}
	}
}
