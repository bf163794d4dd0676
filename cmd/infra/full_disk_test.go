//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mountVariable has the folder on which the test, run once more in a mount namespace
// of its own, mounts a small disk.
const mountVariable = "INFRA_TEST_MOUNT"

// An edit on a disk that is full loses nothing, at whichever of its writes that shows:
// it says so, and once there is room again it can be made.
func TestAFullDiskLosesNothing(t *testing.T) {
	if at := os.Getenv(mountVariable); at != "" {
		fullDisk(t, at)
		return
	}
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	at := t.TempDir()
	args := []string{"--mount"}
	if os.Getuid() != 0 {
		args = append(args, "--map-root-user")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", append(args, "mount", "-t", "tmpfs", "tmpfs", at)...).CombinedOutput(); err != nil {
		t.Skipf("nobody may mount a small disk here: %v: %s", err, out)
	}
	args = append(args, "sh", "-c", `mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"`, at, self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd := exec.CommandContext(t.Context(), "unshare", args...)
	cmd.Env = append(os.Environ(), mountVariable+"="+at)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "a full disk was met") {
		t.Errorf("%v\n%s", err, out)
	}
}

func fullDisk(t *testing.T, at string) {
	t.Setenv("TMPDIR", at)
	template := siteTemplate(t)
	for _, push := range []bool{false, true} {
		met := 0
		for pages := 0; ; pages++ {
			over := false
			t.Run(fmt.Sprintf("pages %d, push %v", pages, push), func(t *testing.T) { over = editWithRoom(t, template, at, pages, push) })
			if over || t.Failed() {
				break
			}
			met++
		}
		if met < 3 {
			t.Errorf("push %v: it fails on a full disk %d times only", push, met)
		}
	}
	t.Log("a full disk was met")
}

// editWithRoom makes an edit where the disk has room for so many pages, and says
// whether that was enough.
func editWithRoom(t *testing.T, template, at string, pages int, push bool) (enough bool) {
	s := newSite(t, template)
	s.write("README.md", "staged\n")
	s.git("add", "README.md")
	s.write("untracked", "mine\n")
	args := []string{"grants", "add", "bob@example.com", "prod", "--role", "view"}
	if push {
		args = append(args, "--push")
	}
	before := s.picture()
	empty := fill(t, at, int64(pages))
	out, err := s.infra(args...)
	empty()
	after := s.picture()
	moved := func(p picture) string {
		if push {
			return p.target
		}
		return p.head
	}
	switch made := moved(before) != moved(after); {
	case err == nil && !made:
		t.Errorf("%d pages: no commit, and no error:\n%s", pages, out)
	case err != nil && made && !push: // what was pushed and not heard of is told so
		t.Errorf("%d pages: a commit, and an error:\n%s", pages, out)
	case err != nil && !fullWords.MatchString(out):
		t.Errorf("%d pages: the error is not clear:\n%s", pages, out)
	case err != nil && cmp.Diff(before.all, after.all) != "":
		t.Logf("%d pages: left for the next edit:%s\n%s", pages, cmp.Diff(before.all, after.all), out)
	}
	if err == nil {
		return true
	}
	if again, err := s.infra(args...); err != nil {
		t.Errorf("%d pages: with room again: %v\n%s\nat first:\n%s", pages, err, again, out)
	}
	after = s.picture()
	if moved(before) == moved(after) {
		t.Errorf("%d pages: with room again there is no commit", pages)
	}
	if d := cmp.Diff(before.others("grants/prod.yaml"), after.others("grants/prod.yaml")); d != "" {
		t.Errorf("%d pages: more than the edit changed (-before +after):\n%s", pages, d)
	}
	return false
}

// fullWords are those of the system, and what git says where it hides them.
var fullWords = regexp.MustCompile(`(?i)no space left|out of disk|could ?n.t write|could not write|unable to (write|create)|write error`)

// fill fills a disk but for some pages; empty makes room again.
func fill(t *testing.T, at string, pages int64) (empty func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(at, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, os.Getpagesize())
	size := int64(0)
	for err == nil {
		_, err = f.Write(page)
		if err == nil {
			size += int64(len(page))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Truncate(size - pages*int64(len(page))); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(f.Name()) }
}
