package repo_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]repo.Address{
		"https://example.com/acme/access.git":           {URL: "https://example.com/acme/access.git"},
		"https://ann:hunter2@example.com/access":        {URL: "https://ann@example.com/access"},
		"ssh://git@example.com:22/access#main":          {URL: "ssh://git@example.com:22/access", Branch: "main"},
		"git@example.com:acme/access.git#a/b:team/prod": {URL: "git@example.com:acme/access.git", Branch: "a/b", Folder: "team/prod"},
		"file:///srv/git/access#:team/":                 {URL: "file:///srv/git/access", Folder: "team"},
		"git://example.com/access":                      {URL: "git://example.com/access"},
	} {
		if !repo.IsAddress(location) {
			t.Errorf("%s is taken for a folder", location)
		}
		got, err := repo.ParseAddress(location)
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(repo.Address{})); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", location, err, d)
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]string{
		"--upload-pack=touch /tmp/x":              "looks like an option",
		"-u":                                      "looks like an option",
		"ext::sh -c touch% /tmp/x":                `"ext::" would run a program`,
		"fd::17":                                  `"fd::" would run a program`,
		"EXT::sh":                                 "would run a program",
		"ftp://ann:hunter2@example.com/x":         "infra does not clone by ftp; it does by file, git, http, https, ssh",
		"ext://x":                                 "does not clone by ext",
		"https://h/x\n":                           "control character",
		"https://u:hunter2@/x":                    "names no host",
		"https://u:hunter2@exa mple/x":            "malformed",
		"https://u:hunter2@h/x?y":                 "query",
		"ssh://-oProxyCommand=x/y":                "looks like an option",
		"ssh://-oProxyCommand=x@h/y":              "looks like an option",
		"ssh://h/-y":                              "looks like an option",
		"git@-oProxyCommand=x:y":                  "looks like an option",
		"example.com:-y":                          "looks like an option",
		"https://h/x#--upload-pack=y":             `branch "--upload-pack=y" looks like an option`,
		"https://h/x#a..b":                        "not a valid name",
		"https://h/x#main:../../etc":              "no folder of a repository",
		"https://h/x#main:a//b":                   "no folder of a repository",
		"https://example.com/x#main:" + "team/..": "no folder of a repository",
	} {
		if !repo.IsAddress(location) {
			t.Errorf("%s is taken for a folder", location)
		}
		if _, err := repo.ParseAddress(location); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v, want %q and no password", location, err, want)
		}
	}
	for _, folder := range []string{".", "/srv/access", "access", "./a:b", `C:\access`, "", "a/b:c"} {
		if repo.IsAddress(folder) {
			t.Errorf("%q is taken for an address", folder)
		}
	}
}

func TestWhatIsThereIsAFolderWhateverItIsCalled(t *testing.T) {
	dir := gittest.Folder(t)
	if err := os.Mkdir(filepath.Join(dir, "host:path"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if repo.IsAddress("host:path") || !repo.IsAddress("host:other") {
		t.Error("a folder is taken for an address, or the other way round")
	}
}

func TestCloneHasAllBranchesByTheirNames(t *testing.T) {
	t.Parallel()
	origin := gittest.New(t)
	first := origin.Commit(map[string]string{"list": "first\n"})
	origin.Git("tag", "v1")
	origin.Branch("side/line")
	second := origin.Commit(map[string]string{"list": "second\n"})
	origin.Checkout("main")
	for inside, want := range map[string]string{"": first, "#main": first, "#side/line": second, "#v1": first} {
		a, err := repo.ParseAddress("file://" + filepath.ToSlash(origin.Dir) + inside)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(gittest.Folder(t), "clone")
		c, err := repo.Clone(t.Context(), a, dir, time.Minute)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		head, err := c.Head(t.Context())
		if err != nil || head.Commit.Hash != want {
			t.Errorf("%q: at %s, want %s: %v", inside, head.Commit.Hash, want, err)
		}
		history, err := repo.Open(dir, repo.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for branch, want := range map[string]string{"main": first, "side/line": second} {
			if got, err := history.Tip(t.Context(), branch); err != nil || got != want {
				t.Errorf("%q: branch %s is at %s, want %s: %v", inside, branch, got, want, err)
			}
		}
		if _, err := history.Tip(t.Context(), "HEAD"); !errors.Is(err, repo.ErrNotFound) {
			t.Errorf("%q: there is a branch HEAD: %v", inside, err)
		}
	}
}

func TestAPasswordOfAnAddressIsNowhereButInTheEnvironment(t *testing.T) {
	origin := gittest.New(t)
	origin.Commit(map[string]string{"list": "first\n"})
	host := gittest.Serve(t, origin, gittest.HostOptions{User: "ann", Password: "hunter2"})
	a, err := repo.ParseAddress(strings.Replace(host.URL, "://", "://ann:hunter2@", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_TRACE", filepath.Join(gittest.Folder(t), "trace")) // which has the arguments of every program
	dir := filepath.Join(gittest.Folder(t), "clone")
	c, err := repo.Clone(t.Context(), a, dir, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range append(a.Environment(), gittest.Env()...) {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	if _, err := c.Push(t.Context(), toMain, line("mine")); err != nil {
		t.Error(err)
	}
	if got := origin.Git("show", "main:list"); got != "first\nmine" {
		t.Errorf("the list is %q", got)
	}
	trace, err := os.ReadFile(os.Getenv("GIT_TRACE"))
	if err != nil || !strings.Contains(string(trace), "git-remote-http") || strings.Contains(string(trace), "hunter2") {
		t.Errorf("the arguments have it, or were not recorded: %v\n%s", err, trace)
	}
	for name, content := range state(t, &gittest.Repo{Dir: dir}) {
		if strings.Contains(content, "hunter2") {
			t.Errorf("%s has it", name)
		}
	}
}
