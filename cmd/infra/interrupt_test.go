//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// However an edit ends, at whatever moment, there is the commit or there is nothing;
// and whatever a killed one leaves, the next takes back. The moments are those that
// git shows: before and after each git that infra runs, and in each of git's hooks.

// An interruption is a signal at a moment.
type interruption struct {
	signal string // as kill takes it
	group  bool   // to all processes, as a terminal sends it, and not to infra alone
	git    int    // before which of the gits that infra runs; zero: in a hook
	hook   string
}

func (i interruption) String() string {
	to := "infra"
	if i.group {
		to = "all"
	}
	if i.git > 0 {
		return fmt.Sprintf("%s to %s before git %d", i.signal, to, i.git)
	}
	return fmt.Sprintf("%s to %s in %s", i.signal, to, i.hook)
}

var interruptedHooks = []string{
	"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-index-change", "reference-transaction prepared", "reference-transaction committed",
}

func TestAnInterruptedEditIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	template := siteTemplate(t)
	for _, hook := range interruptedHooks {
		for _, signal := range []string{"INT", "TERM", "KILL"} {
			for _, group := range []bool{false, true} {
				i := interruption{signal: signal, group: group, hook: hook}
				t.Run(i.String(), func(t *testing.T) {
					t.Parallel()
					if !i.try(t, template) {
						t.Error("it was not interrupted")
					}
				})
			}
		}
	}
	for _, signal := range []string{"INT", "KILL"} {
		t.Run(signal+" before each git", func(t *testing.T) {
			t.Parallel()
			step := 1
			if testing.Short() {
				step = 3
			}
			n := 1
			for (interruption{signal: signal, git: n}).try(t, template) {
				n += step
			}
			if n < 10 {
				t.Errorf("infra runs no %d gits", n)
			}
		})
	}
}

// try interrupts an edit and says whether the moment came.
func (i interruption) try(t *testing.T, template string) (came bool) {
	t.Helper()
	s := newSite(t, template)
	i.prepare(s)
	s.write("README.md", "staged\n")
	s.git("add", "README.md")
	s.write("README.md", "and changed again\n")
	s.write("untracked", "mine\n")
	if err := os.RemoveAll(filepath.Join(s.base, "home", "trap")); err != nil { // git ran just now
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.base, "home", "trap"), 0o777); err != nil {
		t.Fatal(err)
	}
	before := s.picture()
	out, failed := s.trapped("grants", "add", "bob@example.com", "dev", "--role", "view")
	_, missed := os.Stat(filepath.Join(s.base, "home", "trap", "sprung"))
	after := s.picture()
	if i.signal == "KILL" {
		i.next(s, before)
		return missed == nil
	}
	switch made := after.head != before.head; {
	case made != (failed == nil):
		t.Errorf("%v: a commit was made: %v; infra said: %v\n%s", i, made, failed, out)
	case made:
		isWhole(s, before, after, i.String())
	default:
		if d := cmp.Diff(before.all, after.all); d != "" {
			t.Errorf("%v: there is no commit, and something changed (-before +after):\n%s\n%s", i, d, out)
		}
	}
	return missed == nil
}

// next runs the edit again after a kill. Where git was killed, too, git's own lock is
// in the way, and it says so.
func (i interruption) next(s *site, before picture) {
	s.t.Helper()
	out, err := s.infra("grants", "add", "bob@example.com", "dev", "--role", "view")
	if err != nil && i.group && strings.Contains(out, ".lock': File exists") {
		for _, lock := range []string{"index.lock", "HEAD.lock", "refs/heads/main.lock"} {
			os.Remove(filepath.Join(s.dir, ".git", lock))
		}
		out, err = s.infra("grants", "add", "bob@example.com", "dev", "--role", "view")
	}
	if err != nil {
		s.t.Errorf("%v: the next edit: %v\n%s", i, err, out)
		return
	}
	isWhole(s, before, s.picture(), i.String())
}

// isWhole checks that there is one commit more with the edit, and nothing else.
func isWhole(s *site, before, after picture, what string) {
	s.t.Helper()
	const file = "grants/dev.yaml"
	if got := s.git("rev-list", before.head+".."+after.head, "--count"); got != "1" {
		s.t.Errorf("%s: %s commits", what, got)
	}
	if got := s.git("show", "--format=", "--name-status", after.head); got != "A\t"+file {
		s.t.Errorf("%s: committed %q", what, got)
	}
	if got := s.git("status", "--porcelain", file); got != "" {
		s.t.Errorf("%s: %q", what, got)
	}
	rest := after.others(file)
	for name := range rest { // of a git that was killed
		if strings.Contains(name, "/next-index-") || strings.HasSuffix(name, ".lock") && !strings.HasSuffix(name, "infra.lock") {
			delete(rest, name)
		}
	}
	if d := cmp.Diff(before.others(file), rest); d != "" {
		s.t.Errorf("%s: more than the edit changed (-before +after):\n%s", what, d)
	}
}

// prepare sets the trap: a git that counts, and hooks, of which one springs it.
func (i interruption) prepare(s *site) {
	git, err := exec.LookPath("git")
	if err != nil {
		s.t.Fatal(err)
	}
	to := "$(cat " + s.base + "/home/trap/pid)"
	if i.group {
		to = "-" + to
	}
	spring := "echo > " + s.base + "/home/trap/sprung; kill -s " + i.signal + " -- " + to
	s.script("bin/git", `cd_=`+s.base+`/home/trap
n=$(cat $cd_/count 2>/dev/null || echo 0); n=$((n+1)); echo $n > $cd_/count; echo $PPID > $cd_/pid
[ $n = `+strconv.Itoa(i.git)+` ] && { `+spring+`; }
exec `+git+` "$@"`)
	if hook, when, _ := strings.Cut(i.hook, " "); hook != "" {
		s.script("ann/.git/hooks/"+hook, `[ -e `+s.base+`/home/trap/pid ] || exit 0
[ -e `+s.base+`/home/trap/sprung ] && exit 0
case "`+when+`" in ""|"$1") `+spring+`;; esac`)
	}
}

// trapped is infra with the trap, in a group of its own, until all that it began has
// ended, too.
func (s *site) trapped(args ...string) (string, error) {
	s.t.Helper()
	over, held, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer over.Close()
	cmd := exec.Command("infra", args...)
	cmd.Dir = s.dir
	cmd.Env = append(s.environment(), "PATH="+filepath.Join(s.base, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.ExtraFiles = []*os.File{held} // which its children have as well
	out, err := cmd.CombinedOutput()
	held.Close()
	io.Copy(io.Discard, over)
	return string(out), err
}

// Twenty terminals at once in one checkout: each grant that infra says was made is there.
func TestTwentyProcessesEditOneCheckout(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteTemplate(t))
	s.write("README.md", "staged\n")
	s.git("add", "README.md")
	before := s.picture()
	const n = 20
	outs, errs := make([]string, n), make([]error, n)
	done := make(chan int)
	for i := range n {
		go func() {
			outs[i], errs[i] = s.infra("grants", "add", fmt.Sprintf("user-%02d@example.com", i), "prod", "--role", "view")
			done <- i
		}()
	}
	for range n {
		<-done
	}
	text := s.read("ann/grants/prod.yaml")
	for i := range n {
		if errs[i] != nil {
			t.Errorf("process %d: %v\n%s", i, errs[i], outs[i])
		}
		if !strings.Contains(text, fmt.Sprintf("user-%02d@example.com", i)) {
			t.Errorf("the grant of process %d is lost; it said:\n%s", i, outs[i])
		}
	}
	after := s.picture()
	if got := s.git("rev-list", "--count", before.head+".."+after.head); got != strconv.Itoa(n) {
		t.Errorf("%s commits, want %d", got, n)
	}
	subjects := strings.Split(s.git("log", "--format=%s", before.head+".."+after.head), "\n")
	slices.Sort(subjects)
	if len(slices.Compact(subjects)) != n {
		t.Errorf("commits: %q", subjects)
	}
	if d := cmp.Diff(before.others("grants/prod.yaml"), after.others("grants/prod.yaml")); d != "" {
		t.Errorf("more than the edits changed (-before +after):\n%s", d)
	}
}

// A hook that edits the checkout that it is run for would wait for itself.
func TestAHookThatEditsTheSameCheckoutIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteTemplate(t))
	s.script("ann/.git/hooks/pre-commit", "infra -C '"+s.dir+"' grants add eve@example.com prod --role view")
	before := s.picture()
	out, err := s.infra("grants", "add", "bob@example.com", "prod", "--role", "view")
	if err == nil || !strings.Contains(out, "another infra is at work in this checkout, and this is run by it") {
		t.Errorf("%v\n%s", err, out)
	}
	if d := cmp.Diff(before.all, s.picture().all); d != "" {
		t.Errorf("changed (-before +after):\n%s", d)
	}
}
