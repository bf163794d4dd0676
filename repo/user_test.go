package repo_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

// What the user has set up counts, as if they had run git themselves.

func TestHookThatRewritesAFileIsHeeded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, hook, committed, status string }{
		{"and stages it, as a formatter does", "echo neat > grants/new; git add grants/new", "neat", ""},
		{"and does not stage it", "echo neat > grants/new", "n", "M grants/new"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n"})
			c := find(t, r)
			hook(t, r, "pre-commit", tt.hook)
			if _, err := c.Commit(t.Context(), edit("a", "2\n", "grants/new", "n\n")); err != nil {
				t.Fatal(err)
			}
			if got := r.Git("show", "HEAD:grants/new"); got != tt.committed {
				t.Errorf("committed %q, want %q", got, tt.committed)
			}
			if got := r.Read("grants/new"); got != "neat\n" {
				t.Errorf("the work tree has %q", got)
			}
			if got := r.Git("status", "--porcelain"); got != tt.status {
				t.Errorf("status %q, want %q", got, tt.status)
			}
		})
	}
}

func TestHooksAreHeardWhereTheCommitSucceeds(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	c := find(t, r)
	hook(t, r, "pre-commit", "echo checked")
	hook(t, r, "post-commit", "echo mirrored >&2")
	var words bytes.Buffer
	c.Stderr = &words
	if _, err := c.Commit(t.Context(), edit("a", "2\n", "new", "n\n")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("checked\nmirrored\n", words.String()); d != "" {
		t.Errorf("(-said +heard):\n%s", d)
	}

	words.Reset()
	hook(t, r, "pre-commit", "echo no; exit 1")
	if _, err := c.Commit(t.Context(), edit("a", "3\n")); err == nil || err.Error() != "git commit: no" {
		t.Errorf("error %v", err)
	}
	if words.Len() > 0 {
		t.Errorf("what is in the error was said twice: %q", words.String())
	}
}

func TestMissingIdentityIsToldInGitsWords(t *testing.T) {
	r := gittest.New(t)
	r.Commit(map[string]string{"a": "1\n"})
	// Git makes up an identity where the machine has a name for it; not here.
	r.Git("config", "user.useConfigOnly", "true")
	home := gittest.Folder(t)
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"} {
		t.Setenv(name, "") // so that it is restored
		os.Unsetenv(name)
	}
	c, err := repo.FindCheckout(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	before := state(t, r)
	_, err = c.Commit(t.Context(), edit("a", "2\n", "grants/new", "n\n"))
	if g, ok := errors.AsType[*repo.GitError](err); !ok || !strings.Contains(g.Words, "git config --global user.email") {
		t.Errorf("error %v", err)
	}
	if d := cmp.Diff(before, state(t, r)); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}

func TestCommitIsSigned(t *testing.T) {
	t.Parallel()
	configure := map[string]func(t *testing.T, r *gittest.Repo, dir string){
		// The way of git with any signing program: it reads the commit, and
		// writes the signature, and on its status line that it did.
		"by a program": func(t *testing.T, r *gittest.Repo, dir string) {
			program := filepath.Join(dir, "sign")
			script := "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\necho '-----BEGIN PGP SIGNATURE-----'\n"
			if err := os.WriteFile(program, []byte(script), 0o777); err != nil {
				t.Fatal(err)
			}
			r.Git("config", "gpg.program", program)
		},
	}
	// Not part of git, but on most machines.
	if keygen, err := exec.LookPath("ssh-keygen"); err == nil {
		configure["by ssh"] = func(t *testing.T, r *gittest.Repo, dir string) {
			key := filepath.Join(dir, "key")
			if out, err := exec.CommandContext(t.Context(), keygen, "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			r.Git("config", "gpg.format", "ssh")
			r.Git("config", "user.signingKey", key+".pub")
		}
	}
	for name, configure := range configure {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n"})
			c := find(t, r)
			configure(t, r, gittest.Folder(t))
			r.Git("config", "commit.gpgSign", "true")
			made, err := c.Commit(t.Context(), edit("a", "2\n"))
			if err != nil {
				t.Fatal(err)
			}
			if raw := r.Git("cat-file", "commit", made.Hash); !strings.Contains(raw, "\ngpgsig -----BEGIN ") {
				t.Errorf("not signed:\n%s", raw)
			}
			if made.Message != "edit\n" {
				t.Errorf("message %q", made.Message)
			}
			clean(t, r)
		})
	}
}

func TestCheckoutIsFoundFromAFolderInIt(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(map[string]string{"team/grants/a": "1\n"})
	find(t, r)
	c, err := repo.FindCheckout(t.Context(), filepath.Join(r.Dir, "team", "grants"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Root() != r.Dir {
		t.Errorf("root %s, want %s", c.Root(), r.Dir)
	}
	change := edit("team/grants/a", "2\n", "b", "1\n")
	patch, err := c.Patch(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r.Git("diff", "HEAD~1", "HEAD"), strings.TrimSpace(patch)); d != "" {
		t.Errorf("patch (-commit +patch):\n%s", d)
	}
	clean(t, r)
}

func TestModeOfAFileIsGits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, fileMode string
		inGit          string
		inTree         os.FileMode
	}{
		{"an executable", "true", "+x", 0o755},
		{"an executable where the work tree has none", "false", "+x", 0o644},
		{"a plain file where the work tree has executables only", "false", "-x", 0o755},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": "1\n"})
			r.Git("update-index", "--chmod="+tt.inGit, "a")
			r.Git("commit", "--quiet", "--allow-empty", "-m", "mode")
			r.Git("config", "core.fileMode", tt.fileMode)
			chmod(t, r, "a", tt.inTree)
			c := find(t, r)
			patch, err := c.Patch(t.Context(), edit("a", "2\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Commit(t.Context(), edit("a", "2\n")); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(r.Git("diff", "HEAD~1", "HEAD"), strings.TrimSpace(patch)); d != "" {
				t.Errorf("patch (-commit +patch):\n%s", d)
			}
			if strings.Contains(patch, "mode") {
				t.Errorf("the mode changes:\n%s", patch)
			}
			clean(t, r)
		})
	}
}

func TestWithoutGitThatIsSaid(t *testing.T) {
	folder := gittest.Folder(t)
	t.Setenv("PATH", gittest.Folder(t))
	t.Setenv(repo.WayVariable, string(repo.System))
	if _, err := repo.FindCheckout(t.Context(), folder); !errors.Is(err, repo.ErrNoGit) {
		t.Errorf("finding a checkout: %v", err)
	}
	if _, err := repo.Init(t.Context(), folder); !errors.Is(err, repo.ErrNoGit) {
		t.Errorf("making a repository: %v", err)
	}
	t.Setenv(repo.WayVariable, "none")
	if _, err := repo.FindCheckout(t.Context(), folder); err == nil || err.Error() != `INFRA_GIT is "none": it must be auto, system or builtin` {
		t.Errorf("another way: %v", err)
	}
	for _, way := range []repo.Way{"", repo.Auto, repo.Builtin} {
		t.Setenv(repo.WayVariable, string(way))
		if c, err := repo.Init(t.Context(), folder); err != nil || c.Root() != folder || c.UsesGit() {
			t.Errorf("way %q: %v", way, err)
		}
	}
}
