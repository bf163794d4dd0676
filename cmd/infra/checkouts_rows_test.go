package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// setups are the rows of docs/checkouts.md.
var setups = slices.Concat(workSetups, operationSetups, shapeSetups, contentSetups, hookSetups, identitySetups, storeSetups, remoteSetups, environmentSetups)

// What the user is working on.
var workSetups = []setup{
	{name: "clean", make: func(*site) {}},
	{name: "other files changed, staged, changed again after that, deleted, untracked", make: func(s *site) {
		s.write("README.md", "staged\n")
		s.write("new", "staged\n")
		s.git("add", "README.md", "new")
		s.write("README.md", "and changed again\n")
		s.write("notes/a.txt", "changed\n")
		s.git("rm", "-q", "notes/b.txt")
		s.write("untracked", "mine\n")
	}, note: "none of it gets into the commit, and it stays as it was"},
	{name: "the file itself changed", make: func(s *site) { s.write("grants/prod.yaml", s.read("ann/grants/prod.yaml")+"# half done\n") },
		commit: refuses("grants/prod.yaml has uncommitted changes", "commit or stash your changes first"), newFile: &commits,
		note: "a push makes the edit on what the remote has"},
	{name: "the file itself staged", make: func(s *site) {
		s.write("grants/prod.yaml", s.read("ann/grants/prod.yaml")+"# half done\n")
		s.git("add", ".")
	}, commit: refuses("grants/prod.yaml has uncommitted changes")},
	{name: "the file itself staged, and put back in the work tree", make: func(s *site) {
		was := s.read("ann/grants/prod.yaml")
		s.write("grants/prod.yaml", was+"# half done\n")
		s.git("add", ".")
		s.write("grants/prod.yaml", was)
	}, commit: refuses("grants/prod.yaml has uncommitted changes")},
	{name: "the file itself deleted in the work tree", make: func(s *site) { os.Remove(filepath.Join(s.dir, "grants", "prod.yaml")) },
		commit: refuses("grants/prod.yaml has uncommitted changes")},
	{name: "the file itself not tracked", make: func(s *site) {
		s.git("rm", "-q", "--cached", "grants/prod.yaml")
		s.git("commit", "-q", "-m", "without prod")
		s.git("push", "-q")
	}, commit: refuses("grants/prod.yaml has uncommitted changes", "git does not track it")},
	{name: "a place for another file (`git add -N`)", make: func(s *site) {
		s.write("notes/c.txt", "to come\n")
		s.git("add", "-N", "notes/c.txt")
	}},
	{name: "a stash", make: func(s *site) {
		s.write("README.md", "for later\n")
		s.git("stash", "-q")
	}},
	{name: "another file assumed unchanged, and one skipped, both changed", make: func(s *site) {
		s.git("update-index", "--assume-unchanged", "notes/a.txt")
		s.git("update-index", "--skip-worktree", "notes/b.txt")
		s.write("notes/a.txt", "mine\n")
		s.write("notes/b.txt", "mine\n")
	}},
	{name: "the file itself assumed unchanged (`--assume-unchanged`)", make: func(s *site) { s.git("update-index", "--assume-unchanged", "grants/prod.yaml") },
		commit: refuses("grants/prod.yaml has uncommitted changes", "assume that it is unchanged", "--no-assume-unchanged")},
	{name: "the file itself skipped (`--skip-worktree`)", make: func(s *site) { s.git("update-index", "--skip-worktree", "grants/prod.yaml") },
		commit: refuses("grants/prod.yaml has uncommitted changes", "outside of the sparse checkout")},
	{name: "the folder ignored (`.gitignore`)", make: func(s *site) {
		s.write(".gitignore", "grants/\n")
		s.shot("ignore")
		s.git("push", "-q")
	}, newFile: refusesNew("ignored by one of your .gitignore files"), note: "a file that is tracked is not ignored"},
}

// conflict leaves two branches that change README.md, and ann on mine.
func conflict(s *site) {
	s.git("branch", "-q", "mine")
	s.write("README.md", "theirs\n")
	s.shot("theirs")
	s.git("push", "-q")
	s.git("switch", "-q", "mine")
	s.git("branch", "-q", "--set-upstream-to", "origin/main")
	s.write("README.md", "mine\n")
	s.shot("mine")
}

// What git has begun and not finished.
var operationSetups = []setup{
	{name: "a merge with a conflict", make: func(s *site) { conflict(s); s.stops("merge", "main") }, commit: refuses("a merge is in progress", "git merge --abort"),
		note: "git commits no single file then; a push has no part in it"},
	{name: "a merge not committed yet", make: func(s *site) {
		s.git("switch", "-q", "-c", "side")
		s.write("notes/a.txt", "side\n")
		s.shot("side")
		s.git("switch", "-q", "main")
		s.git("merge", "-q", "--no-ff", "--no-commit", "side")
	}, commit: refuses("a merge is in progress")},
	{name: "a rebase that stopped", make: func(s *site) { conflict(s); s.stops("rebase", "main") }, commit: refuses("a rebase is in progress", "git rebase --abort"),
		push: refuses("no branch is checked out"), note: "git is on no branch then"},
	{name: "a rebase that stopped at a command (`--exec`)", make: func(s *site) {
		s.write("notes/a.txt", "two\n")
		s.shot("two")
		s.stops("rebase", "-q", "--exec", "false", "HEAD~1")
	}, commit: refuses("a rebase is in progress"), push: refuses("no branch is checked out")},
	{name: "patches that stopped (`git am`)", make: func(s *site) {
		conflict(s)
		s.files(map[string]string{"patch": s.git("format-patch", "-1", "--stdout", "main") + "\n"})
		s.stops("am", "-q", "../patch")
	}, commit: refuses("a rebase is in progress", "git am --abort")},
	{name: "a cherry-pick that stopped", make: func(s *site) { conflict(s); s.stops("cherry-pick", "main") }, commit: refuses("a cherry-pick is in progress")},
	{name: "a revert not committed yet", make: func(s *site) {
		s.write("notes/a.txt", "two\n")
		s.shot("two")
		s.git("revert", "--no-commit", "HEAD")
	}, commit: refuses("a revert is in progress")},
	{name: "a bisection", make: func(s *site) {
		good := s.git("rev-parse", "HEAD")
		for _, text := range []string{"two\n", "three\n", "four\n"} {
			s.write("notes/a.txt", text)
			s.shot(text)
		}
		s.git("bisect", "start", "HEAD", good)
	},
		push: refuses("no branch is checked out")},
	{name: "`index.lock` held by another git", make: func(s *site) { s.write(".git/index.lock", "") },
		commit: refuses("index.lock': File exists"), note: "a push leaves the checkout behind"},
	{name: "the branch's lock held by another git", make: func(s *site) { s.write(".git/refs/heads/main.lock", "") },
		commit: refuses("cannot lock ref")},
}

// sub puts the access repository into a folder of another one, with a submodule.
func submodules(s *site) {
	s.gitIn(s.base, "init", "-q", "--template=", "lib")
	s.files(map[string]string{"lib/lib.txt": "one\n"})
	s.gitIn(filepath.Join(s.base, "lib"), "add", ".")
	s.gitIn(filepath.Join(s.base, "lib"), "commit", "-q", "-m", "lib")
	s.git("submodule", "--quiet", "add", filepath.Join(s.base, "lib"), "lib")
	s.git("commit", "-q", "-m", "lib")
	s.git("push", "-q")
}

// at moves the checkout to another path below the site.
func at(path string) func(*site) {
	return func(s *site) {
		to := filepath.Join(s.base, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Rename(s.dir, to); err != nil {
			s.t.Fatal(err)
		}
		s.dir, s.store = to, to
	}
}

// Where the checkout is and what is checked out.
var shapeSetups = []setup{
	{name: "a detached HEAD", make: func(s *site) { s.git("checkout", "-q", "--detach") }, push: refuses("no branch is checked out", "git checkout main")},
	{name: "no commit yet", make: func(s *site) {
		s.gitIn(s.base, "init", "-q", "--template=", "fresh")
		s.dir = filepath.Join(s.base, "fresh")
		s.store = s.dir
		s.write("infra.yaml", "version: 1\n")
	}, push: refuses("there is no remote to push to")},
	{name: "a sparse checkout (cone) with the folder", make: func(s *site) { s.git("sparse-checkout", "set", "grants") }},
	{name: "a sparse checkout (cone) without the folder", make: func(s *site) { s.git("sparse-checkout", "set", "notes") },
		commit:  refuses("grants/prod.yaml has uncommitted changes", "outside of the sparse checkout", "git sparse-checkout add"),
		newFile: refusesNew("outside of your sparse-checkout"), note: "a push needs no file of the checkout"},
	{name: "a sparse checkout of single files (no cone) with the file", make: func(s *site) {
		s.git("sparse-checkout", "set", "--no-cone", "/infra.yaml", "/grants/*")
	}},
	{name: "a sparse checkout of single files (no cone) without the file", make: func(s *site) {
		s.git("sparse-checkout", "set", "--no-cone", "/infra.yaml", "/notes/*")
	}, commit: refuses("outside of the sparse checkout"), newFile: refusesNew("outside of your sparse-checkout")},
	{name: "a sparse index", make: func(s *site) { s.git("sparse-checkout", "set", "--sparse-index", "grants") }},
	{name: "a linked worktree (`git worktree add`)", make: func(s *site) {
		s.git("worktree", "add", "-q", "--track", "-b", "mine", "../linked", "origin/main")
		s.dir = filepath.Join(s.base, "linked")
	}},
	{name: "a checkout that others have linked worktrees of", make: func(s *site) {
		s.git("worktree", "add", "-q", "-b", "mine", "../linked")
		s.files(map[string]string{"linked/README.md": "half done\n"})
		s.git("worktree", "add", "-q", "-b", "away", "../gone")
		os.RemoveAll(filepath.Join(s.base, "gone")) // on a disk that is not there today
	}, note: "those whose folder is away stay known, too"},
	{name: "the parent of a submodule, which is changed", make: func(s *site) {
		submodules(s)
		s.write("lib/lib.txt", "half done\n")
	}},
	{name: "the parent of a submodule, with `submodule.recurse` and `push.recurseSubmodules`", make: func(s *site) {
		submodules(s)
		s.git("config", "submodule.recurse", "true")
		s.git("config", "push.recurseSubmodules", "check")
		s.gitIn(filepath.Join(s.dir, "lib"), "commit", "-q", "--allow-empty", "-m", "nowhere else")
	}, note: "the submodule is not pushed, and not asked for"},
	{name: "within a submodule", make: func(s *site) {
		s.gitIn(s.base, "init", "-q", "--template=", "parent")
		parent := filepath.Join(s.base, "parent")
		s.gitIn(parent, "submodule", "--quiet", "add", s.remote, "access")
		s.gitIn(parent, "commit", "-q", "-m", "access")
		s.dir = filepath.Join(parent, "access")
		s.store = s.dir
	}, note: "the parent then sees a new commit in it, as after any other"},
	{name: "the access repository in a folder of a larger one", make: func(s *site) {
		os.MkdirAll(filepath.Join(s.dir, "team"), 0o777)
		s.git("mv", "grants", "infra.yaml", "team/")
		s.shot("in a folder")
		s.git("push", "-q")
		s.dir, s.prefix = filepath.Join(s.dir, "team"), "team/"
	}},
	{name: "a path with blanks, quotes and letters of other scripts", make: at("my \"access\" – доступ's")},
	{name: "a path with a line break", make: at("my\naccess"), commit: refuses("its path has a line break"), push: refuses("its path has a line break")},
	{name: "a path that a symbolic link leads to", make: func(s *site) {
		if err := os.Symlink("ann", filepath.Join(s.base, "link")); err != nil {
			s.t.Fatal(err)
		}
		s.dir = filepath.Join(s.base, "link")
	}},
	{name: "a git folder elsewhere (`--separate-git-dir`)", make: func(s *site) { s.git("init", "-q", "--separate-git-dir", "../elsewhere") }},
	{name: "a work tree elsewhere (`core.worktree`)", make: func(s *site) {
		os.Rename(filepath.Join(s.dir, ".git"), filepath.Join(s.base, "dots"))
		s.gitIn(filepath.Join(s.base, "dots"), "config", "core.worktree", s.dir)
		s.store = filepath.Join(s.base, "dots")
		s.env = append(s.env, "GIT_DIR="+s.store)
	}, commit: refuses("not a git repository"), push: refuses("not a git repository"), note: "`GIT_DIR` is not heeded: the folder says which repository is meant"},
	{name: "a bare repository", make: func(s *site) { s.dir = s.remote }, commit: refuses("no infra.yaml"), push: refuses("no infra.yaml")},
	{name: "two files whose names differ only by case", make: func(s *site) {
		s.write("notes/A.txt", "other\n")
		s.write("grants/Prod.yaml", "grants: []\n")
		s.shot("twins")
		s.git("push", "-q")
	}, commit: refuses("grants/"), push: refuses("grants/"), note: "below the folders of an access repository; elsewhere they are nobody's business"},
}

// bytes checks what the file is in the work tree, and what git keeps.
func endings(tree, kept string) func(*site, string) {
	return func(s *site, made string) {
		s.t.Helper()
		last := func(text string) string {
			if strings.HasSuffix(text, "\r\n") {
				return "CRLF"
			}
			return "LF"
		}
		name := s.git("diff-tree", "-r", "--name-only", "--no-commit-id", made)
		blob, _ := s.tryIn(s.dir, "cat-file", "blob", made+":"+name)
		file, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			s.t.Fatal(err)
		}
		if last(string(file)) != tree || last(blob) != kept {
			s.t.Errorf("%s: the work tree has %q, git keeps %q", name, file, blob)
		}
		if name == "grants/prod.yaml" && tree == "CRLF" && strings.Count(string(file), "\r\n") != strings.Count(string(file), "\n") {
			s.t.Errorf("mixed: %q", file)
		}
	}
}

func configured(settings ...string) func(*site) {
	return func(s *site) {
		for _, setting := range settings {
			name, value, _ := strings.Cut(setting, "=")
			s.git("config", name, value)
		}
	}
}

func all(steps ...func(*site)) func(*site) {
	return func(s *site) {
		for _, step := range steps {
			step(s)
		}
	}
}

// again checks all files out anew, as the configuration says now.
func again(s *site) {
	s.git("rm", "-q", "-r", "--cached", ".")
	s.git("reset", "-q", "--hard")
}

func attributed(text string) func(*site) {
	return func(s *site) {
		s.write(".gitattributes", text)
		s.shot("attributes")
		s.git("push", "-q")
		again(s)
	}
}

// How git keeps the files.
var contentSetups = []setup{
	{name: "`core.autocrlf=true`", make: func(s *site) {
		configured("core.autocrlf=true")(s)
		again(s)
	}, note: "CRLF in the work tree, LF in git", check: func(s *site, made string) {
		if name := s.git("diff-tree", "-r", "--name-only", "--no-commit-id", made); name == "grants/prod.yaml" {
			endings("CRLF", "LF")(s, made)
		}
	}},
	{name: "`core.autocrlf=input`", make: configured("core.autocrlf=input"), check: endings("LF", "LF")},
	{name: "`core.autocrlf=true` and `core.safecrlf=true`", make: all(configured("core.autocrlf=true"), again, configured("core.safecrlf=true")),
		newFile: refusesNew("LF would be replaced by CRLF"), push: commits, note: "a new file is written with LF, which git does not take then"},
	{name: "`eol=crlf` in .gitattributes", make: attributed("*.yaml text eol=crlf\n"), check: func(s *site, made string) {
		if name := s.git("diff-tree", "-r", "--name-only", "--no-commit-id", made); name == "grants/prod.yaml" {
			endings("CRLF", "LF")(s, made)
		}
	}},
	{name: "CRLF that git keeps", make: func(s *site) {
		s.write("grants/prod.yaml", strings.ReplaceAll(s.read("ann/grants/prod.yaml"), "\n", "\r\n"))
		s.shot("crlf")
		s.git("push", "-q")
	}, note: "new lines are CRLF, too", check: func(s *site, made string) {
		if name := s.git("diff-tree", "-r", "--name-only", "--no-commit-id", made); name == "grants/prod.yaml" {
			endings("CRLF", "CRLF")(s, made)
		}
	}},
	{name: "CRLF and LF mixed in the file", make: func(s *site) {
		s.write("grants/prod.yaml", strings.Replace(s.read("ann/grants/prod.yaml"), "\n", "\r\n", 2))
		s.shot("mixed")
		s.git("push", "-q")
	}, note: "every old line stays as it is"},
	{name: "a clean and a smudge filter", make: all(
		configured("filter.tag.clean=sed s/WHO/Who/", "filter.tag.smudge=sed s/Who/WHO/"), attributed("grants/*.yaml filter=tag\n")),
		note: "filtered in the work tree, plain in git", check: func(s *site, _ string) {
			if got := s.read("ann/grants/prod.yaml"); !strings.HasPrefix(got, "# WHO ") {
				s.t.Errorf("the work tree has %q", got)
			}
		}},
	{name: "a required filter that fails", make: all(
		attributed("grants/*.yaml filter=tag\n"), configured("filter.tag.clean=false", "filter.tag.smudge=cat", "filter.tag.required=true")),
		commit: refuses("clean filter 'tag' failed"), newFile: refusesNew("clean filter 'tag' failed"), push: refuses("clean filter 'tag' failed")},
	{name: "a file that may be executed, and `core.fileMode=false`", make: func(s *site) {
		s.git("update-index", "--chmod=+x", "grants/prod.yaml")
		s.git("commit", "-q", "-m", "mode")
		s.git("push", "-q")
		s.git("config", "core.fileMode", "false")
	}, check: func(s *site, made string) {
		if got := s.git("ls-tree", made, "grants/prod.yaml"); !strings.HasPrefix(got, "100755") {
			s.t.Errorf("the mode is %s", got)
		}
	}},
	{name: "the merge driver of infra", make: all(configured("merge.infra.driver=infra merge-driver %O %A %B %P"), attributed("grants/** merge=infra\n"))},
}

// hooked gives the checkout a hook.
func hooked(name, script string) func(*site) {
	return func(s *site) { s.script("ann/.git/hooks/"+name, script) }
}

// The user's hooks.
var hookSetups = []setup{
	{name: "a pre-commit hook that refuses", make: hooked("pre-commit", "echo ask Zoe first >&2; exit 1"),
		commit: refuses("git commit: ask Zoe first"), push: refuses("git commit: ask Zoe first")},
	{name: "a pre-commit hook that formats the file and stages it", make: hooked("pre-commit",
		`f=$(git diff --cached --name-only); sed 's/view$/view # checked/' $f > .tidy && cat .tidy > $f && rm .tidy && git add $f`),
		rewrites: true, note: "the commit has what the hook made of it", check: func(s *site, made string) {
			if got := s.git("show", made); !strings.Contains(got, "+    role: view # checked") {
				s.t.Errorf("the hook was not heeded:\n%s", got)
			}
		}},
	{name: "a pre-commit hook that changes another file and stages it", make: hooked("pre-commit",
		`mkdir -p notes; echo seen >> notes/log.txt; git add notes/log.txt`), hookAdds: "notes/log.txt",
		note: "the hook's file is in the commit, as it is with git's own", check: func(s *site, made string) {
			if got, _ := s.tryIn(s.dir, "cat-file", "blob", made+":notes/log.txt"); !strings.HasPrefix(got, "seen\n") {
				s.t.Errorf("the file is %q", got)
			}
			if got := s.git("status", "--porcelain", "notes"); got != "" {
				s.t.Errorf("git forgot it: %s", got)
			}
		}},
	{name: "a commit-msg hook that refuses", make: hooked("commit-msg", "echo no ticket; exit 1"), commit: refuses("no ticket"), push: refuses("no ticket")},
	{name: "prepare-commit-msg and commit-msg hooks that add lines", make: all(
		hooked("prepare-commit-msg", `echo >> "$1"; echo "Ticket: INC-1" >> "$1"`), hooked("commit-msg", `echo "Change-Id: I1" >> "$1"`)),
		check: func(s *site, made string) {
			if got := s.git("log", "-1", "--format=%(trailers:unfold,only)", made); got != "Ticket: INC-1\nChange-Id: I1" {
				s.t.Errorf("the trailers are %q", got)
			}
		}},
	{name: "a post-commit hook that fails", make: hooked("post-commit", "exit 1"), note: "git does not heed it either"},
	{name: "hooks kept in the repository (`core.hooksPath=.githooks`)", make: func(s *site) {
		s.script("ann/.githooks/pre-commit", "grep -rq bob@example.com grants && echo not Bob && exit 1\nexit 0")
		s.shot("hooks")
		s.git("push", "-q")
		s.git("config", "core.hooksPath", ".githooks")
	}, commit: refuses("not Bob"), push: refuses("not Bob")},
	{name: "hooks of the user (`core.hooksPath=~/hooks`)", make: func(s *site) {
		s.script("home/hooks/pre-commit", "echo not today; exit 1")
		s.git("config", "--global", "core.hooksPath", "~/hooks")
	}, commit: refuses("not today"), push: refuses("not today")},
	{name: "a pre-push hook that refuses", make: hooked("pre-push", "echo office hours only; exit 1"), push: refuses("office hours only")},
}

// author checks by whom a commit is.
func author(want string) func(*site, string) {
	return func(s *site, made string) {
		s.t.Helper()
		if got := s.git("log", "-1", "--format=%an <%ae>", made); got != want {
			s.t.Errorf("the author is %s, want %s", got, want)
		}
	}
}

// nobody removes the identity from the home.
func nobody(s *site) {
	s.git("config", "--global", "--remove-section", "user")
	s.git("config", "--global", "user.useConfigOnly", "true") // git makes one up where the machine has names
}

// isSigned checks that git itself finds the signature good.
func isSigned(s *site, made string) {
	s.t.Helper()
	if out, err := s.tryIn(s.dir, "verify-commit", made); err != nil {
		s.t.Errorf("the signature: %v\n%s", err, out)
	}
}

// Who commits, and how it is signed.
var identitySetups = []setup{
	{name: "no identity", make: nobody, commit: refuses("git config --global user.email"), push: refuses("git config --global user.email")},
	{name: "an identity by folder (`includeIf gitdir:`)", make: func(s *site) {
		s.files(map[string]string{"home/work": "[user]\n\tname = Ann at work\n\temail = ann@work.example\n"})
		s.git("config", "--global", "includeIf.gitdir:"+s.base+"/.path", "work")
	}, check: author("Ann at work <ann@work.example>")},
	{name: "an identity by branch (`includeIf onbranch:`)", make: func(s *site) {
		s.files(map[string]string{"home/work": "[user]\n\tname = Ann at work\n\temail = ann@work.example\n"})
		s.git("config", "--global", "includeIf.onbranch:main.path", "work")
	}, check: author("Ann at work <ann@work.example>"), checkPush: author("Ann <ann@example.com>"), note: "a push is made on no branch, and by who you are there"},
	{name: "an identity of this worktree (`extensions.worktreeConfig`)", make: func(s *site) {
		s.git("config", "extensions.worktreeConfig", "true")
		s.git("config", "--worktree", "user.email", "ann@work.example")
	}, check: author("Ann <ann@work.example>")},
	{name: "an identity in the environment (`GIT_AUTHOR_EMAIL`, ...)", make: func(s *site) {
		nobody(s)
		s.env = append(s.env, "GIT_AUTHOR_NAME=Zoe", "GIT_AUTHOR_EMAIL=zoe@example.com", "GIT_COMMITTER_NAME=Bot", "GIT_COMMITTER_EMAIL=bot@example.com")
	}, check: author("Zoe <zoe@example.com>")},
	{name: "`commit.gpgSign` with gpg", make: gpg, check: isSigned},
	{name: "`commit.gpgSign` with an ssh key", make: sshKey, check: isSigned},
	{name: "`commit.gpgSign`, and signing fails", make: configured("commit.gpgSign=true", "gpg.program=false"), commit: refuses("failed to sign"), push: refuses("failed to sign")},
}

func gpg(s *site) {
	home, err := os.MkdirTemp("", "g") // short, as a socket is made there
	if err != nil {
		s.t.Fatal(err)
	}
	s.env = append(s.env, "GNUPGHOME="+home)
	s.t.Cleanup(func() {
		exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home)
	})
	s.run(home, "gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "ann@example.com", "ed25519", "sign", "never")
	s.git("config", "user.signingKey", "ann@example.com")
	s.git("config", "commit.gpgSign", "true")
	// A program of the user's, so that git in the checks finds the key, too.
	s.script("home/gpg", `exec gpg --homedir '`+home+`' "$@"`)
	s.git("config", "gpg.program", filepath.Join(s.base, "home", "gpg"))
}

func sshKey(s *site) {
	key := filepath.Join(s.base, "home", "key")
	s.run(s.base, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	s.files(map[string]string{"home/signers": "ann@example.com " + s.read("home/key.pub")})
	configured("commit.gpgSign=true", "gpg.format=ssh", "user.signingKey="+key+".pub", "gpg.ssh.allowedSignersFile="+filepath.Join(s.base, "home", "signers"))(s)
}

// cloned replaces the checkout by a clone with other arguments.
func cloned(args ...string) func(*site) {
	return func(s *site) {
		os.RemoveAll(s.dir)
		s.gitIn(s.remote, "config", "uploadpack.allowFilter", "true")
		s.gitIn(s.base, slices.Concat([]string{"clone", "-q", "--template="}, args, []string{"file://" + s.remote, "ann"})...)
	}
}

// How git keeps its objects, refs and index.
var storeSetups = []setup{
	{name: "a shallow clone (`--depth 1`)", make: cloned("--depth", "1")},
	{name: "a partial clone (`--filter=blob:none`)", make: cloned("--filter=blob:none")},
	{name: "a partial clone that is behind its remote", make: all(cloned("--filter=blob:none"), (*site).others),
		note: "what a push needs is fetched"},
	{name: "a partial clone that has fetched, and not merged", make: all(cloned("--filter=blob:none"), (*site).others, func(s *site) { s.git("fetch", "-q") })},
	{name: "a sparse and partial clone with the folder", make: func(s *site) {
		cloned("--filter=blob:none", "--no-checkout")(s)
		s.git("sparse-checkout", "set", "grants")
		s.git("checkout", "-q", "main")
	}},
	{name: "a clone that borrows objects (`--reference`)", make: cloned("--reference", "remote.git")},
	{name: "objects named by sha256", make: func(s *site) {
		s.gitIn(s.base, "init", "-q", "--template=", "--object-format=sha256", "fresh")
		s.dir = filepath.Join(s.base, "fresh")
		s.store = s.dir
		s.write("infra.yaml", "version: 1\n")
		s.shot("infra")
	}, commit: refuses("its objects are named by sha256; infra reads sha1 only"), push: refuses("its objects are named by sha256")},
	{name: "refs in a reftable", make: func(s *site) {
		if out, err := s.tryIn(s.base, "init", "-q", "--template=", "--ref-format=reftable", "fresh"); err == nil {
			s.dir = filepath.Join(s.base, "fresh")
			s.write("infra.yaml", "version: 1\n")
			s.shot("infra")
			return
		} else if !strings.Contains(out, "unknown option") {
			s.t.Fatal(out)
		}
		configured("core.repositoryFormatVersion=1")(s) // as a git that knows it leaves it
		configured("extensions.refStorage=reftable")(s)
	}, commit: refuses("unknown repository extension found|its refs are kept as reftable"), push: refuses("unknown repository extension found|its refs are kept as reftable"),
		note: "git before 2.45 does not know it itself"},
	{name: "packed refs and objects (`git gc`)", make: func(s *site) { s.git("gc", "-q") }},
	{name: "a split index", make: func(s *site) { s.git("update-index", "--split-index") }},
	{name: "`feature.manyFiles` (index version 4, untracked cache)", make: all(configured("feature.manyFiles=true"), func(s *site) { s.git("status") })},
	{name: "a file system monitor (`core.fsmonitor`)", make: func(s *site) {
		s.script("home/monitor", `printf 'token\0/\0'`)
		s.git("config", "core.fsmonitor", filepath.Join(s.base, "home", "monitor"))
		s.git("status")
	}},
	{name: "a repository shared by a group", make: configured("core.sharedRepository=group")},
	{name: "`core.ignoreCase` and `core.precomposeUnicode`, as on a Mac", make: configured("core.ignoreCase=true", "core.precomposeUnicode=true")},
	{name: "a tag with the branch's name", make: func(s *site) { s.git("tag", "main", "HEAD~1"); s.git("push", "-q", "origin", "refs/tags/main") }},
}

// bare makes another remote, with what the first has.
func bare(s *site, name string) string {
	s.gitIn(s.base, "clone", "-q", "--bare", "--template=", "remote.git", name)
	return filepath.Join(s.base, name)
}

// Where it is pushed to.
var remoteSetups = []setup{
	{name: "the remote has moved on", make: (*site).others, note: "a push makes the edit on what is there now"},
	{name: "commits that are not pushed", make: func(s *site) {
		s.write("README.md", "mine\n")
		s.shot("mine")
	}, note: "a push is on what the remote has, and they stay here"},
	{name: "commits on both sides", make: func(s *site) {
		s.write("README.md", "mine\n")
		s.shot("mine")
		s.others()
	}},
	{name: "no remote", make: func(s *site) { s.git("remote", "remove", "origin") }, push: refuses("there is no remote to push to", "git remote add origin URL")},
	{name: "no upstream", make: func(s *site) { s.git("branch", "--unset-upstream") }, note: "the branch of that name at origin"},
	{name: "an upstream of another name", make: func(s *site) { s.git("branch", "-q", "-m", "mine") }},
	{name: "a branch that the remote does not have", make: func(s *site) { s.git("switch", "-q", "-c", "mine") },
		push: refuses("branch mine of origin: not found", "git push -u origin mine")},
	{name: "several remotes, one called origin", make: func(s *site) { s.git("remote", "add", "a", bare(s, "a.git")); s.git("branch", "--unset-upstream") }},
	{name: "several remotes, none called origin", make: func(s *site) {
		s.git("remote", "add", "a", bare(s, "a.git"))
		s.git("remote", "rename", "origin", "b")
		s.git("branch", "--unset-upstream")
	}, push: refuses("several remotes", "git branch --set-upstream-to")},
	{name: "an upstream at another remote than origin", make: func(s *site) {
		s.remote = bare(s, "a.git")
		s.git("remote", "add", "a", s.remote)
		s.git("fetch", "-q", "a")
		s.git("branch", "-q", "--set-upstream-to", "a/main")
	}},
	{name: "a fork to push to (`remote.pushDefault`)", make: func(s *site) {
		s.git("remote", "add", "fork", bare(s, "fork.git"))
		s.git("config", "remote.pushDefault", "fork")
	}, push: refuses("would not arrive", "--pr"), note: "--pr pushes to the fork; an edit that must arrive at once (revoke) goes to the upstream"},
	{name: "`push.default=nothing`, `push.followTags`, `push.autoSetupRemote`", make: all(
		configured("push.default=nothing", "push.followTags=true", "push.autoSetupRemote=true"), func(s *site) { s.git("tag", "-a", "-m", "mine", "v1") }),
		note: "the branch is named, and no tag goes along", check: func(s *site, _ string) {
			if got := s.gitIn(s.remote, "tag"); got != "" {
				s.t.Errorf("tags were pushed: %s", got)
			}
		}},
	{name: "`push.gpgSign`, which the remote does not take", make: configured("push.gpgSign=true"), push: refuses("does not support --signed push")},
	{name: "`insteadOf`", make: func(s *site) {
		s.git("config", "--global", "url."+s.base+"/.insteadOf", "https://git.example.com/")
		s.git("remote", "set-url", "origin", "https://git.example.com/remote.git")
	}},
	{name: "`pushInsteadOf`", make: func(s *site) {
		s.git("config", "--global", "url."+s.base+"/.pushInsteadOf", s.base+"/mirror/")
		os.MkdirAll(filepath.Join(s.base, "mirror"), 0o777)
		bare(s, "mirror/remote.git")
		s.git("remote", "set-url", "origin", s.base+"/mirror/remote.git")
	}, note: "the branch of the place that is pushed to counts"},
	{name: "a push address of its own (`pushurl`)", make: func(s *site) {
		s.remote = bare(s, "writable.git")
		s.git("remote", "set-url", "--push", "origin", s.remote)
	}},
	{name: "a remote that refuses the branch", make: func(s *site) { s.script("remote.git/hooks/pre-receive", "echo pull requests only; exit 1") },
		push: refuses("the push was refused", "pull requests only", "--pr")},
	{name: "a remote that has the branch checked out", make: func(s *site) {
		s.gitIn(s.base, "clone", "-q", "--template=", "remote.git", "served")
		s.remote = filepath.Join(s.base, "served")
		s.git("remote", "set-url", "origin", s.remote)
	}, push: refuses("the push was refused", "branch is currently checked out")},
	{name: "a remote that is away", make: func(s *site) { os.Rename(s.remote, s.remote+".away"); s.remote += ".away" }, push: refuses("does not appear to be a git repository")},
}

// What the user's environment and git's settings say otherwise.
var environmentSetups = []setup{
	{name: "`GIT_DIR`, `GIT_WORK_TREE` and `GIT_INDEX_FILE` of another repository, as in its hooks", make: func(s *site) {
		s.gitIn(s.base, "init", "-q", "--template=", "other")
		s.env = append(s.env, "GIT_DIR="+filepath.Join(s.base, "other", ".git"), "GIT_WORK_TREE="+filepath.Join(s.base, "other"), "GIT_INDEX_FILE="+filepath.Join(s.base, "other", ".git", "index"))
	}, note: "the folder says which repository is meant"},
	{name: "another owner (`safe.directory`)", make: func(s *site) { s.env = append(s.env, "GIT_TEST_ASSUME_DIFFERENT_OWNER=1") },
		commit: refuses("dubious ownership", "safe.directory"), push: refuses("dubious ownership", "safe.directory")},
	{name: "another owner that `safe.directory` names", make: func(s *site) {
		s.env = append(s.env, "GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
		s.git("config", "--global", "safe.directory", "*")
	}},
	{name: "a folder that may not be written", make: readOnly, commit: refuses("permission denied"), push: refuses("Permission denied")},
	{name: "settings for people (`color.ui=always`, `log.showSignature`, `status.short`, `diff.noprefix`, `core.quotePath`, ...)", make: configured(
		"color.ui=always", "log.showSignature=true", "status.short=true", "status.branch=true", "status.showUntrackedFiles=no", "status.relativePaths=true",
		"diff.noprefix=true", "diff.external=false", "diff.mnemonicPrefix=true", "core.quotePath=true", "core.abbrev=5", "log.date=relative", "format.pretty=oneline", "core.pager=false")},
	{name: "`commit.template`, `commit.verbose`, `commit.cleanup=scissors`", make: func(s *site) {
		s.files(map[string]string{"home/template": "Ticket:\n"})
		configured("commit.template="+filepath.Join(s.base, "home", "template"), "commit.verbose=true", "commit.cleanup=scissors", "commit.status=true", "core.editor=false")(s)
	}, note: "the message is infra's, or that of `-m`"},
	{name: "`i18n.commitEncoding=ISO-8859-1`", make: configured("i18n.commitEncoding=ISO-8859-1"), note: "the message is UTF-8 all the same, and says so"},
	{name: "`rerere.enabled` and `merge.ff=false`", make: configured("rerere.enabled=true", "merge.ff=false", "pull.rebase=true")},
	{name: "`commit.all`-like aliases and `advice`", make: configured("alias.commit=commit --all", "advice.addEmptyPathspec=true", "advice.detachedHead=true")},
}
