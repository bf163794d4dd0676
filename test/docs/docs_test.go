// Package docs_test runs the examples of the documentation: every block that is
// fenced as console, in the order of its page, in one shell session a page, with
// the real infra, git, Helm and kubectl and a real control plane. A line that
// begins with "$ " is typed; what follows it, up to the next one, must be what
// it prints. Hashes, times and keys, which no two runs share, only have to have
// the same form.
package docs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

func TestMain(m *testing.M) { controlplane.Main(m) }

var root = filepath.Join(chart.Dir(), "..", "..")

// An example is one command of a page, and what it prints there.
type example struct {
	line    int
	command string
	prints  string
}

func examples(page string) []example {
	var found []example
	inside := false
	for i, line := range strings.Split(page, "\n") {
		switch {
		case line == "```console":
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case !inside:
		case strings.HasPrefix(line, "$ "):
			found = append(found, example{line: i + 1, command: line[2:]})
		case len(found) > 0 && strings.HasSuffix(found[len(found)-1].command, `\`) && found[len(found)-1].prints == "":
			found[len(found)-1].command += "\n" + line
		case len(found) > 0:
			found[len(found)-1].prints += line + "\n"
		}
	}
	return found
}

var changing = regexp.MustCompile(`infra1_\w+|\b[0-9a-f]{10,64}\b|\d{4}-\d\d-\d\dT[0-9:.]+Z|\d+ (seconds?|minutes?)`)

// form is a text without what no two runs share, and without the white space
// that a table pads it with.
func form(text string) string {
	lines := strings.Split(strings.TrimRight(changing.ReplaceAllString(text, "…"), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

// A session is a shell that somebody types into: its folder and its variables
// are there for the next command.
type session struct {
	dir string
	env []string
}

func newSession(t *testing.T) *session {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(filepath.Join(dir, "work"), 0o700); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "infra"), "./cmd/infra")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building infra: %v\n%s", err, out)
	}
	for _, program := range []controlplane.Program{controlplane.Helm, controlplane.Kubectl} {
		path, err := controlplane.Binary(t.Context(), program, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, string(program))); err != nil {
			t.Fatal(err)
		}
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := controlplane.Shared(t).WriteKubeconfig(kubeconfig, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "charts"), filepath.Join(dir, "work", "charts")); err != nil {
		t.Fatal(err)
	}
	identity := "[user]\n\tname = Ann\n\temail = ann@example.com\n"
	if err := os.WriteFile(filepath.Join(dir, ".gitconfig"), []byte(identity), 0o600); err != nil {
		t.Fatal(err)
	}
	return &session{dir: dir, env: []string{
		"HOME=" + dir, "PATH=" + bin + ":" + os.Getenv("PATH"), "KUBECONFIG=" + kubeconfig,
		"GIT_CONFIG_NOSYSTEM=1", "NO_COLOR=1", "STATE=" + filepath.Join(dir, "state"),
	}}
}

// typed runs a command as the session's shell would, and gives what it printed.
func (s *session) typed(ctx context.Context, t *testing.T, command string) string {
	t.Helper()
	out := filepath.Join(s.dir, "out")
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.CommandContext(ctx, "bash", "-c", `
		set -o allexport
		[ ! -e "$STATE" ] || . "$STATE"
		eval "$1"
		{ export -p; printf 'cd %q\n' "$PWD"; } > "$STATE"`, "bash", command)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = filepath.Join(s.dir, "work"), s.env, file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // what was left in the background
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	})
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), filepath.Join(s.dir, "work"), "/home/ann") // where the pages were written
}

func TestEveryExampleDoesWhatItsPageSays(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := examples(string(text))
		if len(found) == 0 {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := newSession(t)
			for _, e := range found {
				got := s.typed(t.Context(), t, e.command)
				if diff := cmp.Diff(form(e.prints), form(got)); diff != "" {
					t.Fatalf("%s:%d: $ %s (-page +printed):\n%s\nprinted:\n%s", filepath.Base(path), e.line, e.command, diff, got)
				}
			}
		})
	}
}

func TestNoExampleIsOverlooked(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if fence := string(line); fence == "```sh" || fence == "```bash" || fence == "```shell" {
				t.Errorf("%s:%d: fenced as %s, which no test runs: use console", filepath.Base(path), i+1, fence[3:])
			}
		}
	}
}
