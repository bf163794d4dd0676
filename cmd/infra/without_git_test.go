package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/infrahq/infra/repo/gittest"
)

// TestEightGrantsAtOnceWithoutGit: on machines without git, one checkout and four
// others add grants to one file of one remote at the same moment.
func TestEightGrantsAtOnceWithoutGit(t *testing.T) {
	t.Parallel()
	n := 8
	if testing.Short() {
		n = 3
	}
	origin := gittest.New(t)
	origin.Commit(map[string]string{marker: "version: 1\n"})
	host := gittest.Serve(t, origin, gittest.HostOptions{User: "ann", Password: "secret"})
	address := strings.Replace(host.URL, "http://", "http://ann:secret@", 1)
	shared := gittest.Clone(t, address)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range n {
		r := shared
		if i%2 == 1 {
			r = gittest.Clone(t, address)
			r.Git("remote", "set-url", "origin", host.URL) // who asks is said in another way
		}
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Args = []string{"infra", "grants", "add", fmt.Sprintf("u%d@example.com", i), "example", "--role", "view", "--push"}
		cmd.Dir = r.Dir
		cmd.Env = append(append(os.Environ(), gittest.Env()...), "PATH="+gittest.Folder(t), "INFRA_GIT_USERNAME=ann", "INFRA_GIT_PASSWORD=secret")
		all.Go(func() {
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "pushed to main of origin") || strings.Contains(string(out), "secret") {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	all.Wait()
	grants := origin.Git("show", "main:grants/example.yaml")
	for i := range n {
		if strings.Count(grants, fmt.Sprintf("user: u%d@example.com", i)) != 1 {
			t.Errorf("u%d is not there once:\n%s", i, grants)
		}
	}
	if got := origin.Git("rev-list", "--count", "main"); got != strconv.Itoa(n+1) {
		t.Errorf("%s commits, want %d", got, n+1)
	}
	if got := origin.Git("rev-list", "--merges", "main"); got != "" {
		t.Errorf("merges: %s", got)
	}
	if got := shared.Git("status", "--porcelain"); got != "" {
		t.Errorf("left in the checkout: %s", got)
	}
	shared.Git("fsck", "--strict", "--no-dangling")
}
