package repo_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestLocationsThatAreRefused(t *testing.T) {
	t.Parallel()
	plain := gittest.Folder(t)
	for location, want := range map[string]string{
		"":                                    "no path or URL",
		"--upload-pack=touch /tmp/x":          "looks like an option",
		"-c":                                  "looks like an option",
		"ext::sh -c touch% /tmp/x":            "would run a program",
		"fd::17":                              "would run a program",
		"EXT::sh":                             "would run a program",
		"https://h/x\n":                       "control character",
		"ssh://git@example.com/x":             "ssh is not supported yet",
		"git@example.com:x/y":                 "ssh is not supported yet",
		"example.com:x/y":                     "ssh is not supported yet",
		"git://example.com/x":                 "does not speak git",
		"ftp://user:hunter2@example.com/x":    "does not speak ftp",
		"https://user:hunter2@/x":             "names no host",
		"https://user:hunter2@exa mple/x":     "malformed",
		"https://-oProxyCommand=x/y":          "names no host",
		"https://u:hunter2@h/x?token=hunter2": "query",
		"file://host/x":                       "file:///path",
		plain:                                 "not a git repository",
		filepath.Join(plain, "missing"):       "no such file",
	} {
		_, err := repo.Open(location, repo.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open(%q): %v, want %q and no password", location, err, want)
		}
	}
}

func TestBranchNamesThatAreRefused(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	s := open(t, r.Dir, repo.Options{})
	for _, branch := range []string{"--upload-pack=x", "-", "a b", "a..b", "a\nb", "../../config", "a:b", "x.lock", "a//b", "a~1", "@{-1}"} {
		if _, err := s.Fetch(t.Context(), branch, ""); err == nil || errors.Is(err, repo.ErrNotFound) {
			t.Errorf("branch %q: %v", branch, err)
		}
		if err := s.Follow(t.Context(), repo.FollowOptions{Branch: branch}, nil); err == nil {
			t.Errorf("branch %q was followed", branch)
		}
	}
}
