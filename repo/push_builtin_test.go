package repo_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

// served is remote behind a Git host.
func served(t *testing.T, o gittest.HostOptions) (origin, clone *gittest.Repo) {
	t.Helper()
	origin, _ = remote(t)
	host := gittest.Serve(t, origin, o)
	return origin, gittest.Clone(t, host.URL)
}

func TestBuiltinPushArrivesAndTheCleanBranchFollows(t *testing.T) {
	t.Parallel()
	origin, clone := served(t, gittest.HostOptions{})
	pushed, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine"))
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Behind || pushed.Commit.Message != "edit\n" || pushed.Commit.Author.Email != "ada@example.com" {
		t.Errorf("%+v", pushed)
	}
	for name, got := range map[string]string{
		"the remote": origin.Git("rev-parse", "main"), "the clone": clone.Git("rev-parse", "main"),
		"the remote's branch in the clone": clone.Git("rev-parse", "origin/main"),
	} {
		if got != pushed.Commit.Hash {
			t.Errorf("main of %s is %s, want %s", name, got, pushed.Commit.Hash)
		}
	}
	if got := clone.Read("list"); got != "first\nmine\n" {
		t.Errorf("list is %q", got)
	}
	clean(t, clone)
	sound(t, clone)
	sound(t, origin)
	if _, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine")); !errors.Is(err, repo.ErrUnchanged) {
		t.Errorf("the same again: error %v", err)
	}
}

func TestBuiltinPushBringsWhatOthersPushed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		others func(*gittest.Repo)
		behind bool
	}{
		{"commits, a merge, new and removed files", func(r *gittest.Repo) {
			r.Commit(map[string]string{"list": "first\nother\n", "new/deep/file": "1\n"})
			r.Branch("side")
			r.Commit(map[string]string{"side": "1\n"})
			r.Checkout("main")
			os.Remove(filepath.Join(r.Dir, "other"))
			r.Commit(map[string]string{"new/more": "1\n"})
			r.Merge("side")
		}, false},
		{"more than is fetched", func(r *gittest.Repo) { r.Commits(60) }, true},
		{"a symbolic link", func(r *gittest.Repo) {
			os.Symlink("list", filepath.Join(r.Dir, "link"))
			r.Commit(nil)
		}, true},
		{"attributes that convert", func(r *gittest.Repo) {
			r.Commit(map[string]string{".gitattributes": "other eol=crlf\n", "other": "2\n"})
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := served(t, gittest.HostOptions{})
			before := clone.Head()
			tt.others(origin)
			pushed, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine"))
			if err != nil {
				t.Fatal(err)
			}
			want := pushed.Commit.Hash
			if tt.behind {
				want = before
			}
			if got := clone.Git("rev-parse", "main"); got != want || pushed.Behind != tt.behind {
				t.Errorf("main is %s, want %s; behind: %v", got, want, pushed.Behind)
			}
			if got := origin.Git("rev-parse", "main"); got != pushed.Commit.Hash {
				t.Errorf("main of the remote is %s, want %s", got, pushed.Commit.Hash)
			}
			clean(t, clone)
			sound(t, clone)
		})
	}
}

func TestBuiltinPushLeavesTheUsersWorkAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		work func(r *gittest.Repo)
	}{
		{"a file that the edit touches, too", func(r *gittest.Repo) { r.Write(map[string]string{"list": "half don"}) }},
		{"staged, changed again and untracked files", func(r *gittest.Repo) {
			r.Write(map[string]string{"other": "2\n", "new": "n\n"})
			r.Git("add", "other", "new")
			r.Write(map[string]string{"other": "3\n", "untracked": "u\n"})
		}},
		{"a merge that is not finished", func(r *gittest.Repo) {
			r.Branch("side")
			r.Commit(map[string]string{"other": "side\n"})
			r.Checkout("main")
			r.Commit(map[string]string{"other": "main\n"})
			if out, err := r.Try("merge", "side"); err == nil {
				panic(out)
			}
		}},
		{"commits that are not pushed", func(r *gittest.Repo) { r.Commit(map[string]string{"other": "mine\n"}) }},
		{"another git at work", func(r *gittest.Repo) { r.Write(map[string]string{".git/index.lock": ""}) }},
		{"a line ending that is checked out otherwise", func(r *gittest.Repo) { r.Git("config", "core.autocrlf", "true") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := served(t, gittest.HostOptions{})
			tt.work(clone)
			before := state(t, clone)
			pushed, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine"))
			if err != nil || !pushed.Behind {
				t.Fatalf("%+v, %v", pushed, err)
			}
			after := state(t, clone)
			for _, s := range []map[string]string{before, after} { // what a push of git's own changes, too
				delete(s, filepath.Join(".git", "refs", "remotes", "origin", "main"))
			}
			if d := cmp.Diff(before, after); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
			if got := origin.Git("show", "main:list"); got != "first\nmine" {
				t.Errorf("the remote has %q", got)
			}
		})
	}
}

func TestBuiltinPushToANewBranch(t *testing.T) {
	t.Parallel()
	origin, clone := served(t, gittest.HostOptions{})
	c, before := findBuiltin(t, clone), clone.Head()
	o := repo.PushOptions{Remote: "origin", Branch: "main", NewBranch: "infra/mine"}
	pushed, err := c.Push(t.Context(), o, line("mine"))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{origin.Git("rev-parse", "infra/mine"), clone.Git("rev-parse", "origin/infra/mine")} {
		if got != pushed.Commit.Hash || pushed.Behind {
			t.Errorf("the branch is %s: %+v", got, pushed)
		}
	}
	if clone.Head() != before || origin.Git("rev-parse", "main") != before {
		t.Error("main moved")
	}
	if _, err := c.Push(t.Context(), o, line("more")); !errors.Is(err, repo.ErrExists) {
		t.Errorf("a second time: error %v", err)
	}
}

func TestBuiltinPushMakesTheEditAgainWhereOthersWereQuicker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		other func(origin *gittest.Repo)
		err   error
		list  string
	}{
		{"with something else", func(r *gittest.Repo) { r.Commit(map[string]string{"list": "first\nother\n"}) }, nil, "first\nother\nmine"},
		{"with the same", func(r *gittest.Repo) { r.Commit(map[string]string{"list": "first\nmine\n"}) }, repo.ErrUnchanged, "first\nmine"},
		{"and rewrote history", func(r *gittest.Repo) {
			r.Git("checkout", "--quiet", "--orphan", "again")
			r.Commit(map[string]string{"list": "rewritten\n"})
			r.Git("branch", "--force", "main", "again")
		}, nil, "rewritten\nmine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := served(t, gittest.HostOptions{})
			calls := 0
			_, err := findBuiltin(t, clone).Push(t.Context(), toMain, func(tip *repo.History) (repo.Change, error) {
				change, err := line("mine")(tip)
				if calls++; calls == 1 {
					tt.other(origin)
				}
				return change, err
			})
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if got := origin.Git("show", "main:list"); got != tt.list {
				t.Errorf("the list is %q, want %q", got, tt.list)
			}
			sound(t, origin)
		})
	}
}

func TestBuiltinPushIsToldWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	t.Run("declined, in the server's words", func(t *testing.T) {
		t.Parallel()
		origin, clone := served(t, gittest.HostOptions{})
		hook(t, origin, "pre-receive", "echo nobody pushes to main; exit 1")
		before := state(t, clone)
		_, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine"))
		if !errors.Is(err, repo.ErrRefused) || !strings.Contains(err.Error(), "nobody pushes to main\npre-receive hook declined") {
			t.Errorf("error %v", err)
		}
		if d := cmp.Diff(before, state(t, clone)); d != "" {
			t.Errorf("changed (-before +after):\n%s", d)
		}
	})
	t.Run("cut off, and found on the branch", func(t *testing.T) {
		t.Parallel()
		origin, clone := served(t, gittest.HostOptions{Wrap: gittest.CutOff("/git-receive-pack", 0)})
		calls := 0
		pushed, err := findBuiltin(t, clone).Push(t.Context(), toMain, func(tip *repo.History) (repo.Change, error) {
			calls++
			return line("mine")(tip)
		})
		if err != nil || calls != 1 || origin.Git("rev-parse", "main") != pushed.Commit.Hash {
			t.Errorf("%d tries, %+v, error %v", calls, pushed, err)
		}
	})
	t.Run("nobody can tell", func(t *testing.T) {
		t.Parallel()
		var cut atomic.Bool
		_, clone := served(t, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
					cut.Store(true)
				}
				if cut.Load() {
					panic(http.ErrAbortHandler)
				}
				git.ServeHTTP(w, req)
			})
		}})
		if _, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine")); !errors.Is(err, repo.ErrUnknownOutcome) {
			t.Errorf("error %v", err)
		}
	})
}

func TestBuiltinPushRefusesByName(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*gittest.Repo) {
		return func(r *gittest.Repo) { r.Git("config", name, value) }
	}
	for _, tt := range []struct {
		name    string
		prepare func(*gittest.Repo)
		words   string
	}{
		{"a pre-push hook", func(r *gittest.Repo) { hook(t, r, "pre-push", "exit 1") }, "the hook pre-push"},
		{"a pre-commit hook", func(r *gittest.Repo) { hook(t, r, "pre-commit", "exit 1") }, "the hook pre-commit"},
		{"signed pushes", set("push.gpgSign", "if-asked"), "push.gpgSign"},
		{"a proxy", set("http.proxy", "http://127.0.0.1:1"), "http.proxy"},
		{"headers for one host", set("http.https://git.example.com/.extraHeader", "Authorization: secret"), "http.https://git.example.com/.extraheader"},
		{"a folder", set("remote.origin.url", "/srv/access.git"), "the remote origin takes a git program: it is a folder"},
		{"ssh", set("remote.origin.url", "git@example.com:access.git"), "it is reached over ssh"},
		{"ssh by insteadOf", func(r *gittest.Repo) { r.Git("config", "url.ssh://git@example.com/.insteadOf", "http://") }, "it is reached over ssh"},
		{"git's own protocol", set("remote.origin.url", "git://example.com/access.git"), "it is reached over git"},
		{"a filter", func(r *gittest.Repo) {
			r.Commit(map[string]string{".gitattributes": "list filter=lfs\n"})
			r.Git("push", "--quiet")
		}, "the attribute filter of list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := served(t, gittest.HostOptions{})
			tt.prepare(clone)
			before, tip := state(t, clone), origin.Git("rev-parse", "main")
			_, err := findBuiltin(t, clone).Push(t.Context(), toMain, line("mine"))
			if !errors.Is(err, repo.ErrNeedsGit) || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want %q", err, tt.words)
			}
			if d := cmp.Diff(before, state(t, clone)); d != "" || origin.Git("rev-parse", "main") != tip {
				t.Errorf("changed (-before +after):\n%s", d)
			}
		})
	}
}

func TestEightProcessesPushAtOnceWithoutGit(t *testing.T) {
	t.Parallel()
	n := 8
	if testing.Short() {
		n = 3
	}
	origin, _ := remote(t)
	host := gittest.Serve(t, origin, gittest.HostOptions{})
	shared := gittest.Clone(t, host.URL)
	clones := []*gittest.Repo{shared}
	var all sync.WaitGroup
	for i := range n {
		r := shared // half of them in one checkout, as in many terminals
		if i%2 == 1 {
			r = gittest.Clone(t, host.URL)
			clones = append(clones, r)
		}
		cmd := pusher(t, r, fmt.Sprintf("line %02d", i))
		cmd.Env = append(cmd.Env, repo.WayVariable+"="+string(repo.Builtin), "PATH="+gittest.Folder(t))
		all.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for l := range strings.SplitSeq(origin.Git("show", "main:list"), "\n") {
		seen[l] = true
	}
	if len(seen) != n+1 {
		t.Errorf("the list has %d different lines, want %d", len(seen), n+1)
	}
	if got := origin.Git("rev-list", "--count", "main"); got != strconv.Itoa(n+1) {
		t.Errorf("%s commits, want %d", got, n+1)
	}
	if got := origin.Git("rev-list", "--merges", "main"); got != "" {
		t.Errorf("merges: %s", got)
	}
	sound(t, origin)
	for _, r := range clones {
		clean(t, r)
		sound(t, r)
	}
}

func TestBuiltinPushOverSSH(t *testing.T) {
	t.Parallel()
	origin, clone := remote(t)
	host := gittest.ServeSSH(t, origin)
	clone.Git("remote", "set-url", "origin", host.URL)
	home := gittest.Folder(t)
	push := func(text string, env ...string) (string, error) {
		cmd := pusher(t, clone, text)
		cmd.Env = append(append(cmd.Env, repo.WayVariable+"="+string(repo.Builtin), "PATH="+gittest.Folder(t), "HOME="+home,
			"SSH_AUTH_SOCK="+host.Agent, "SSH_KNOWN_HOSTS="+host.KnownHosts), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := push("mine"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	origin.Commit(map[string]string{"list": "first\nmine\nother\n"})
	if out, err := push("more"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := origin.Git("show", "main:list"); got != "first\nmine\nother\nmore" {
		t.Errorf("the list is %q", got)
	}
	clean(t, clone)
	sound(t, origin)

	hook(t, origin, "pre-receive", "echo nobody pushes to main; exit 1")
	if out, err := push("declined"); err == nil || !strings.Contains(out, "nobody pushes to main\npre-receive hook declined") {
		t.Errorf("declined: %v: %s", err, out)
	}

	others := gittest.ServeSSH(t, origin) // with another key
	for _, tt := range []struct{ name, env, config, words string }{
		{"a host that nobody knows", "SSH_KNOWN_HOSTS=" + others.KnownHosts, "", "knownhosts: key is unknown"},
		{"a key that nobody knows", "SSH_AUTH_SOCK=" + others.Agent, "", "unable to authenticate"},
		{"no agent", "SSH_AUTH_SOCK=", "", "no agent has the key (SSH_AUTH_SOCK)"},
		{"another program", "GIT_SSH_COMMAND=ssh -v", "", "GIT_SSH_COMMAND takes a git program"},
		{"a jump", "", "Host 127.*\n  ProxyJump bastion\n", "ProxyJump in " + home + "/.ssh/config takes a git program: it says how 127.0.0.1 is reached"},
		{"a key of its own", "", "IdentityFile=~/.ssh/other\n", "IdentityFile in "},
		{"a file more", "", "Include more\n", "Include in "},
		{"what is harmless or for others", "", "# mine\nHost example.com\n ProxyJump bastion\nHost *\n User me\n Compression yes\n", "nobody pushes to main"},
	} {
		path := filepath.Join(home, ".ssh", "config")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(tt.config), 0o600)); err != nil {
			t.Fatal(err)
		}
		if out, err := push("no", tt.env); err == nil || !strings.Contains(out, tt.words) {
			t.Errorf("%s: %v: %s", tt.name, err, out)
		}
	}
}

func TestBuiltinPushSaysWhoAsks(t *testing.T) {
	t.Parallel()
	const user, password = "ann", "secret words"
	origin, _ := remote(t)
	host := gittest.Serve(t, origin, gittest.HostOptions{User: user, Password: password})
	address := func(who string) string { return strings.Replace(host.URL, "http://", "http://"+who+"@", 1) }
	for _, tt := range []struct {
		name, url string
		prepare   func(*gittest.Repo)
		words     string // of the error; empty: it arrives
	}{
		{"by the address", address("ann:secret%20words"), func(*gittest.Repo) {}, ""},
		{"by an address that insteadOf makes", "work:repo", func(r *gittest.Repo) {
			r.Git("config", "url."+strings.TrimSuffix(address("ann:secret%20words"), "repo")+".insteadOf", "work:")
		}, ""},
		{"by a program", host.URL, func(r *gittest.Repo) {
			hook(t, r, "ask", `case "$1" in "Username for '`+strings.TrimSuffix(host.URL, "/repo")+`': ") echo ann;; "Password for 'http://ann@`+
				strings.TrimPrefix(strings.TrimSuffix(host.URL, "/repo"), "http://")+`': ") echo secret words;; esac`)
			r.Git("config", "core.askPass", filepath.Join(r.Dir, ".git", "hooks", "ask"))
		}, ""},
		{"by a program that knows the password", address("ann"), func(r *gittest.Repo) {
			hook(t, r, "ask", `[ "$1" = "Password for '`+strings.TrimSuffix(address("ann"), "/repo")+`': " ] && echo secret words`)
			r.Git("config", "core.askPass", filepath.Join(r.Dir, ".git", "hooks", "ask"))
		}, ""},
		{"by a program that fails", host.URL, func(r *gittest.Repo) {
			hook(t, r, "ask", "exit 1")
			r.Git("config", "core.askPass", filepath.Join(r.Dir, ".git", "hooks", "ask"))
		}, "for the password: exit status 1"},
		{"by a helper of git's", host.URL, func(r *gittest.Repo) { r.Git("config", "credential.helper", "store") }, "credential.helper takes a git program"},
		{"by nothing", host.URL, func(*gittest.Repo) {}, "the password for the Git host is not known"},
		{"wrongly", address("ann:wrong"), func(*gittest.Repo) {}, "does not accept the user name and password"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clone := gittest.Clone(t, origin.Dir)
			clone.Git("remote", "set-url", "origin", tt.url)
			tt.prepare(clone)
			_, err := findBuiltin(t, clone).Push(t.Context(), toMain, line(tt.name))
			switch {
			case tt.words == "" && err != nil:
				t.Errorf("error %v", err)
			case tt.words != "" && (err == nil || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "secret")):
				t.Errorf("error %v, want %q", err, tt.words)
			}
		})
	}
}
