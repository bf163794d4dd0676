// Package ci_test runs the workflows that `infra init --ci` writes, as the code
// hosts run them: the real infra, git and bash on local bare repositories, step
// by step. What stands for a host is small and in this package: its API over
// HTTP, and the programs that its machines have (gh, curl, jq), so that a machine
// with Go and git alone runs the tests.
package ci_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs are what the workflows find on the machine besides the real ones:
// this test's own binary under another name.
var programs = map[string]func(args []string) error{
	"gh":      gh,
	"go":      goInstall,
	"curl":    curl,
	"jq":      jq,
	"apt-get": func([]string) error { return nil }, // what they install is here
	"apk":     func([]string) error { return nil },
}

func TestMain(m *testing.M) {
	if run, ok := programs[filepath.Base(os.Args[0])]; ok {
		if err := run(os.Args[1:]); err != nil {
			_, _ = os.Stderr.WriteString(filepath.Base(os.Args[0]) + ": " + err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "infra-ci-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "infra"), "./cmd/infra")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.New("building infra: " + string(out))
	}
	return filepath.Join(dir, "infra"), nil
})

// infra is the program, built from this tree.
func infra(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A machine is what a host lends for one job: programs, a home, and nothing else
// of the machine that the tests run on.
type machine struct {
	home string
	env  []string
}

// newMachine has `go install` of infra, and the programs that are named.
func newMachine(t *testing.T, names ...string) *machine {
	t.Helper()
	home := t.TempDir()
	bin := filepath.Join(home, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "go") {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return &machine{home: home, env: []string{
		"HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "CI=true", "TZ=UTC", "INFRA_BUILT=" + infra(t),
		// The last one is where go install puts what it builds; the images of Go
		// have it on the path, and so has the step that sets Go up.
		"PATH=" + bin + ":" + os.Getenv("PATH") + ":" + filepath.Join(home, "go", "bin"),
	}}
}

// goInstall is the go command where a workflow installs infra: what was built
// from this tree stands for what would be fetched and built.
func goInstall(args []string) error {
	if len(args) != 2 || args[0] != "install" {
		return errors.New("only `go install` is known here, not go " + strings.Join(args, " "))
	}
	if module, version, _ := strings.Cut(args[1], "@"); module != "github.com/infrahq/infra/cmd/infra" || version == "" {
		return errors.New("that is not infra in a version: " + args[1])
	}
	bin := os.Getenv("GOBIN")
	if bin == "" {
		bin = filepath.Join(os.Getenv("HOME"), "go", "bin")
	}
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return err
	}
	return os.Symlink(os.Getenv("INFRA_BUILT"), filepath.Join(bin, "infra"))
}
