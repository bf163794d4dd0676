package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

var toMain = repo.PushOptions{Remote: "origin", Branch: "main"}

// line is an edit that sees to it that file list has a line.
func line(text string) func(*repo.History) (repo.Change, error) {
	return func(tip *repo.History) (repo.Change, error) {
		files, err := tip.Files(tip.Tip().Hash)
		if err != nil {
			return repo.Change{}, err
		}
		list, err := fs.ReadFile(files, "list")
		if err != nil {
			return repo.Change{}, err
		}
		if strings.Contains("\n"+string(list), "\n"+text+"\n") {
			return repo.Change{}, repo.ErrUnchanged
		}
		return edit("list", string(list)+text+"\n"), nil
	}
}

// remote is a repository with a file list, and a clone of it.
func remote(t *testing.T) (origin, clone *gittest.Repo) {
	t.Helper()
	origin = gittest.New(t)
	origin.Commit(map[string]string{"list": "first\n", "other": "1\n"})
	origin.Git("config", "receive.denyCurrentBranch", "ignore")
	return origin, gittest.Clone(t, origin.Dir)
}

// tidy fails the test where something of a push is left in the repository.
func tidy(t *testing.T, r *gittest.Repo) {
	t.Helper()
	for _, name := range []string{"infra-push", "worktrees"} {
		if left, err := os.ReadDir(filepath.Join(r.Dir, ".git", name)); len(left) > 0 || !(err == nil || errors.Is(err, fs.ErrNotExist)) {
			t.Errorf(".git/%s: %v, %v", name, left, err)
		}
	}
}

func TestPushArrivesAndTheCleanBranchFollows(t *testing.T) {
	t.Parallel()
	origin, clone := remote(t)
	pushed, err := find(t, clone).Push(t.Context(), toMain, line("mine"))
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Behind || pushed.Commit.Message != "edit\n" || pushed.Commit.Author.Email != "ada@example.com" {
		t.Errorf("%+v", pushed)
	}
	for name, r := range map[string]*gittest.Repo{"remote": origin, "clone": clone} {
		if got := r.Git("rev-parse", "main"); got != pushed.Commit.Hash {
			t.Errorf("%s: main is %s, want %s", name, got, pushed.Commit.Hash)
		}
	}
	if got := clone.Read("list"); got != "first\nmine\n" {
		t.Errorf("list is %q", got)
	}
	clean(t, clone)
	tidy(t, clone)

	if _, err := find(t, clone).Push(t.Context(), toMain, line("mine")); !errors.Is(err, repo.ErrUnchanged) {
		t.Errorf("the same again: error %v", err)
	}
	tidy(t, clone)
}

func TestPushLeavesTheUsersWorkAlone(t *testing.T) {
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
		{"a rebase that is not finished", func(r *gittest.Repo) {
			r.Branch("side")
			r.Commit(map[string]string{"other": "side\n"})
			r.Checkout("main")
			r.Commit(map[string]string{"other": "main\n"})
			if out, err := r.Try("rebase", "side"); err == nil {
				panic(out)
			}
		}},
		{"commits that are not pushed", func(r *gittest.Repo) { r.Commit(map[string]string{"other": "mine\n"}) }},
		{"a detached head and a stash", func(r *gittest.Repo) {
			r.Checkout("HEAD~0")
			r.Write(map[string]string{"other": "2\n"})
			r.Git("stash")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := remote(t)
			tt.work(clone)
			before := state(t, clone)
			pushed, err := find(t, clone).Push(t.Context(), toMain, line("mine"))
			if err != nil {
				t.Fatal(err)
			}
			after := state(t, clone)
			for _, s := range []map[string]string{before, after} { // what a push of git's own changes, too
				for name := range s {
					if strings.Contains(name, filepath.Join("remotes", "origin")) || name == filepath.Join(".git", "packed-refs") ||
						name == filepath.Join(".git", "worktrees") {
						delete(s, name)
					}
				}
			}
			if d := cmp.Diff(before, after); d != "" {
				t.Errorf("changed (-before +after):\n%s", d)
			}
			if got := origin.Git("show", "main:list"); got != "first\nmine" {
				t.Errorf("the remote has %q", got)
			}
			if got, want := pushed.Behind, !strings.HasPrefix(tt.name, "a detached") && !strings.HasPrefix(tt.name, "a rebase"); got != want {
				t.Errorf("behind: %v, want %v", got, want)
			}
			tidy(t, clone)
		})
	}
}

func TestPushToANewBranch(t *testing.T) {
	t.Parallel()
	origin, clone := remote(t)
	c, before := find(t, clone), clone.Head()
	o := repo.PushOptions{Remote: "origin", Branch: "main", NewBranch: "infra/mine"}
	pushed, err := c.Push(t.Context(), o, line("mine"))
	if err != nil {
		t.Fatal(err)
	}
	if got := origin.Git("rev-parse", "infra/mine"); got != pushed.Commit.Hash || pushed.Behind {
		t.Errorf("the branch is %s: %+v", got, pushed)
	}
	if clone.Head() != before || origin.Git("rev-parse", "main") != before {
		t.Error("main moved")
	}
	if _, err := c.Push(t.Context(), o, line("more")); !errors.Is(err, repo.ErrExists) {
		t.Errorf("a second time: error %v", err)
	}
	if got := origin.Git("rev-parse", "infra/mine"); got != pushed.Commit.Hash {
		t.Errorf("the branch of the first moved to %s", got)
	}
	tidy(t, clone)
}

func TestPushMakesTheEditAgainWhereOthersWereQuicker(t *testing.T) {
	t.Parallel()
	gone := errors.New("the list is closed")
	for _, tt := range []struct {
		name  string
		other func(origin *gittest.Repo)
		err   error
		list  string
	}{
		{"with something else", func(r *gittest.Repo) { r.Commit(map[string]string{"list": "first\nother\n"}) }, nil, "first\nother\nmine"},
		{"with the same", func(r *gittest.Repo) { r.Commit(map[string]string{"list": "first\nmine\n"}) }, repo.ErrUnchanged, "first\nmine"},
		{"with what makes it impossible", func(r *gittest.Repo) { r.Commit(map[string]string{"list": "closed\n"}) }, gone, "closed"},
		{"and rewrote history", func(r *gittest.Repo) {
			r.Git("checkout", "--quiet", "--orphan", "again")
			r.Commit(map[string]string{"list": "rewritten\n"})
			r.Git("branch", "--force", "main", "again")
		}, nil, "rewritten\nmine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin, clone := remote(t)
			calls := 0
			_, err := find(t, clone).Push(t.Context(), toMain, func(tip *repo.History) (repo.Change, error) {
				change, err := line("mine")(tip)
				if strings.HasPrefix(string(change.Files["list"]), "closed") {
					return change, gone
				}
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
			tidy(t, clone)
		})
	}
}

func TestPushThatIsDeclinedIsToldInTheServersWords(t *testing.T) {
	t.Parallel()
	origin, _ := remote(t)
	host := gittest.Serve(t, origin, gittest.HostOptions{})
	clone := gittest.Clone(t, host.URL)
	hook(t, origin, "pre-receive", "echo nobody pushes to main; exit 1")
	before := state(t, clone)
	_, err := find(t, clone).Push(t.Context(), toMain, line("mine"))
	if !errors.Is(err, repo.ErrRefused) || !strings.Contains(err.Error(), "nobody pushes to main\npre-receive hook declined") {
		t.Errorf("error %v", err)
	}
	delete(before, filepath.Join(".git", "worktrees"))
	after := state(t, clone)
	delete(after, filepath.Join(".git", "worktrees"))
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
	tidy(t, clone)
}

func TestPushWhoseAnswerIsCutOffIsFoundOnTheBranch(t *testing.T) {
	t.Parallel()
	origin, _ := remote(t)
	host := gittest.Serve(t, origin, gittest.HostOptions{Wrap: gittest.CutOff("/git-receive-pack", 0)})
	clone := gittest.Clone(t, host.URL)
	calls := 0
	pushed, err := find(t, clone).Push(t.Context(), toMain, func(tip *repo.History) (repo.Change, error) {
		calls++
		return line("mine")(tip)
	})
	if err != nil || calls != 1 {
		t.Fatalf("%d tries, error %v", calls, err)
	}
	if got := origin.Git("rev-parse", "main"); got != pushed.Commit.Hash {
		t.Errorf("main is %s, want %s", got, pushed.Commit.Hash)
	}
}

func TestPushOfWhichNobodyCanTell(t *testing.T) {
	t.Parallel()
	origin, _ := remote(t)
	var cut atomic.Bool
	host := gittest.Serve(t, origin, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
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
	clone := gittest.Clone(t, host.URL)
	_, err := find(t, clone).Push(t.Context(), toMain, line("mine"))
	if !errors.Is(err, repo.ErrUnknownOutcome) {
		t.Errorf("error %v", err)
	}
	tidy(t, clone)
}

func TestPushToARemoteThatHangsEnds(t *testing.T) {
	t.Parallel()
	origin, _ := remote(t)
	var hang atomic.Bool
	host := gittest.Serve(t, origin, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
		hanging := gittest.Hang("")(git)
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if hang.Load() {
				hanging.ServeHTTP(w, req)
				return
			}
			git.ServeHTTP(w, req)
		})
	}})
	clone := gittest.Clone(t, host.URL)
	hang.Store(true)
	o := toMain
	o.Timeout = 200 * time.Millisecond
	_, err := find(t, clone).Push(t.Context(), o, line("mine"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "origin was not done after 200ms") {
		t.Errorf("error %v", err)
	}
	tidy(t, clone)
}

func TestPushHeedsHooksThatAreKeptInTheRepository(t *testing.T) {
	t.Parallel()
	origin, clone := remote(t)
	clone.Git("config", "core.hooksPath", ".githooks")
	script := "#!/bin/sh\ngrep -q forbidden list && echo not that one && exit 1\nexit 0\n"
	path := filepath.Join(clone.Dir, ".githooks", "pre-commit")
	if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(script), 0o777)); err != nil {
		t.Fatal(err)
	}
	c := find(t, clone)
	if _, err := c.Push(t.Context(), toMain, line("forbidden")); err == nil || err.Error() != "git commit: not that one" {
		t.Errorf("error %v", err)
	}
	if _, err := c.Push(t.Context(), toMain, line("fine")); err != nil {
		t.Error(err)
	}
	if got := origin.Git("show", "main:list"); got != "first\nfine" {
		t.Errorf("the list is %q", got)
	}
	tidy(t, clone)
}

func TestPushSignsAndFilters(t *testing.T) {
	t.Parallel()
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen, which git signs with")
	}
	origin, clone := remote(t)
	key := filepath.Join(gittest.Folder(t), "key")
	if out, err := exec.CommandContext(t.Context(), keygen, "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, value := range map[string]string{
		"gpg.format": "ssh", "user.signingKey": key + ".pub", "commit.gpgSign": "true", "core.autocrlf": "true",
	} {
		clone.Git("config", name, value)
	}
	hook(t, clone, "pre-commit", `cp list "`+clone.Dir+`/.git/seen"`)
	if _, err := find(t, clone).Push(t.Context(), toMain, line("mine")); err != nil {
		t.Fatal(err)
	}
	if got := origin.Git("cat-file", "commit", "main"); !strings.Contains(got, "BEGIN SSH SIGNATURE") {
		t.Errorf("not signed:\n%s", got)
	}
	if got := origin.Git("show", "main:list"); got != "first\nmine" {
		t.Errorf("git keeps %q", got)
	}
	if got := clone.Read(".git/seen"); got != "first\r\nmine\r\n" {
		t.Errorf("the hook saw %q", got)
	}
}

func TestPushClearsAwayWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	_, clone := remote(t)
	hook(t, clone, "pre-commit", `[ -e "`+clone.Dir+`/.git/kill" ] || exit 0; rm "`+clone.Dir+`/.git/kill"; kill -9 $INFRA_TEST_PUSHER`)
	clone.Write(map[string]string{".git/kill": ""})
	if out, err := pusher(t, clone, "killed").CombinedOutput(); err == nil {
		t.Fatalf("it was not killed: %s", out)
	}
	if left, err := os.ReadDir(filepath.Join(clone.Dir, ".git", "infra-push")); err != nil || len(left) != 1 {
		t.Fatalf("it left %v, %v", left, err)
	}
	if _, err := find(t, clone).Push(t.Context(), toMain, line("mine")); err != nil {
		t.Fatal(err)
	}
	tidy(t, clone)
}

// pusher is this program once more, as a process that pushes a line.
func pusher(t *testing.T, r *gittest.Repo, text string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(), "INFRA_TEST_PUSH="+text)
	return cmd
}

// pushOne is what that process does.
func pushOne(text string) error {
	os.Setenv("INFRA_TEST_PUSHER", strconv.Itoa(os.Getpid()))
	c, err := repo.FindCheckout(context.Background(), ".")
	if err != nil {
		return err
	}
	o := toMain
	o.Timeout = 5 * time.Minute // the machine that runs the tests may be slow
	_, err = c.Push(context.Background(), o, line(text))
	return err
}

func TestTwentyProcessesPushAtOnce(t *testing.T) {
	t.Parallel()
	n := 20
	if testing.Short() {
		n = 4
	}
	origin, _ := remote(t)
	host := gittest.Serve(t, origin, gittest.HostOptions{})
	clone := gittest.Clone(t, host.URL)
	var all sync.WaitGroup
	for i := range n {
		// Half of them in one checkout, as in many terminals, half each in their own.
		r := clone
		if i%2 == 1 {
			r = gittest.Clone(t, host.URL)
		}
		cmd := pusher(t, r, fmt.Sprintf("line %02d", i))
		all.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	all.Wait()
	list := strings.Split(origin.Git("show", "main:list"), "\n")
	seen := map[string]bool{}
	for _, l := range list {
		seen[l] = true
	}
	if len(list) != n+1 || len(seen) != n+1 {
		t.Errorf("the list has %d lines, %d of them different, want %d", len(list), len(seen), n+1)
	}
	if got := origin.Git("rev-list", "--count", "main"); got != strconv.Itoa(n+1) {
		t.Errorf("%s commits, want %d", got, n+1)
	}
	if got := origin.Git("rev-list", "--merges", "main"); got != "" {
		t.Errorf("merges: %s", got)
	}
	origin.Git("fsck", "--strict", "--no-dangling")
	tidy(t, clone)
}
