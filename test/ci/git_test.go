package ci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// person is the environment of somebody with a name and no settings.
func person() []string {
	return append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "INFRA_REPO=",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com")
}

// git runs the real git in dir as a person with a name, and gives its output.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = person()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// files are contents by path; nil deletes.
type files map[string]*string

func text(lines ...string) *string {
	s := strings.Join(lines, "\n") + "\n"
	return &s
}

// commit writes files in a checkout and commits them.
func commit(t *testing.T, dir string, changed files) {
	t.Helper()
	for name, content := range changed {
		path := filepath.Join(dir, name)
		if content == nil {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(*content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "a change")
}

// accessRepository is a bare repository with an access repository on main that
// has a policy, a brake, 4 engineers with edit on prod, and the workflow of host.
func accessRepository(t *testing.T, host string) (bare string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "access")
	cmd := exec.CommandContext(t.Context(), infra(t), "init", "--ci", host, dir)
	cmd.Env = person()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("infra init: %v\n%s", err, out)
	}
	commit(t, dir, files{
		"infra.yaml": text("version: 1",
			"policy:",
			"  - name: no-exec-in-payments",
			"    message: payment pods hold card data",
			"    deny: {roles: [exec], destinations: [prod], namespaces: [payments]}",
			"brakes: {people: 3, percent: 10}"),
		"groups/engineering.yaml": engineers("ann", "bob", "cid", "dan"),
		"grants/prod.yaml":        grants("{group: engineering, role: edit, resource: prod}"),
	})
	bare = filepath.Join(t.TempDir(), "access.git")
	git(t, dir, "clone", "--quiet", "--bare", dir, bare)
	git(t, bare, "config", "uploadpack.allowAnySHA1InWant", "true") // as the hosts do
	return bare
}

func engineers(names ...string) *string {
	lines := []string{"groups:", "  - name: engineering", "    users:"}
	for _, name := range names {
		lines = append(lines, "      - "+name+"@example.com")
	}
	return text(lines...)
}

func grants(list ...string) *string {
	lines := []string{"grants:"}
	for _, g := range list {
		lines = append(lines, "  - "+g)
	}
	return text(lines...)
}

// checkout is a fresh clone in which somebody works.
func checkout(t *testing.T, bare string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "work")
	git(t, ".", "clone", "--quiet", bare, dir)
	return dir
}
