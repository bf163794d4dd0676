// Package infra_test keeps the house in order: which package may import which.
package infra_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/infrahq/infra"

// arrows are all imports between our packages that there may be. A package
// that is not listed fails the test: give it a room.
var arrows = map[string][]string{
	"auth":         {},
	"api":          {},
	"forge":        {},
	"repo":         {},
	"schema":       {"auth"},
	"access":       {"schema", "api"},
	"kube":         {"schema"},
	"policy":       {"access", "schema"},
	"review":       {"access", "policy", "schema"},
	"reconciler":   {"api"},
	"adopt":        {"access", "api", "reconciler", "schema"},
	"api/client":   {"api"},
	"server":       {"repo", "policy", "access", "schema", "auth", "api"},
	"connector":    {"reconciler", "api", "api/client"},
	"repo/gittest": {},
	"cmd/infra":    {"access", "adopt", "api", "auth", "connector", "forge", "kube", "policy", "reconciler", "repo", "review", "schema", "server"},
}

// pure packages take values and the time, and return values: nothing that they
// import, however far away, may speak to a network, a cluster, a Git
// repository, another program or a log.
var pure = []string{"schema", "access", "policy", "review", "reconciler", "adopt", "auth", "api", "forge"}

func impure(path string) bool {
	return slices.Contains([]string{"net", "net/http", "log", "log/slog", "os/exec"}, path) ||
		strings.HasPrefix(path, "k8s.io/") || strings.HasPrefix(path, "github.com/go-git/")
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) map[string]goPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]goPackage{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutPrefix(p.ImportPath, module+"/"); ok {
			packages[name] = p
		}
	}
}

func TestImportsPointOneWay(t *testing.T) {
	packages := list(t)
	for name, p := range packages {
		allowed, known := arrows[name]
		if !known {
			t.Errorf("package %s has no place in the house: docs/architecture.md and this test know nothing of it", name)
			continue
		}
		for _, path := range p.Imports {
			if imported, ours := strings.CutPrefix(path, module+"/"); ours && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which is against the arrows", name, imported)
			}
		}
	}
	for name := range arrows {
		if _, ok := packages[name]; !ok {
			t.Errorf("package %s is said to be in the house and is not", name)
		}
	}
}

func TestTheCoreIsPure(t *testing.T) {
	packages := list(t)
	for _, name := range pure {
		for _, path := range packages[name].Deps {
			if impure(path) {
				t.Errorf("%s imports %s, directly or through others", name, path)
			}
		}
	}
}

func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for line := range strings.Lines(string(mod)) {
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " v"); ok && strings.HasPrefix(line, "\t") && !strings.Contains(version, "// indirect") {
			required = append(required, path)
		}
	}
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 && strings.Contains(cells[1], "/") && strings.TrimSpace(cells[2]) != "" {
			listed = append(listed, strings.TrimSpace(cells[1]))
		}
	}
	if diff := cmp.Diff(required, listed); diff != "" {
		t.Errorf("direct dependencies (-go.mod +docs/dependencies.md):\n%s", diff)
	}
}
