package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var update = flag.Bool("update", false, "write docs/cli anew")

// TestDocsAreWhatTheCommandsSay keeps docs/cli equal to the commands' help:
// go test ./cmd/infra -run Docs -update.
func TestDocsAreWhatTheCommandsSay(t *testing.T) {
	t.Parallel()
	kept := filepath.Join("..", "..", "docs", "cli")
	made := t.TempDir()
	root := testApp().command()
	root.DisableAutoGenTag = true // a date would make them stale every day
	if err := doc.GenMarkdownTree(root, made); err != nil {
		t.Fatal(err)
	}
	want := contents(t, made)
	if *update {
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(kept, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(contents(t, kept), want); diff != "" {
		t.Errorf("docs/cli is stale; go test ./cmd/infra -run Docs -update\n%s", diff)
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(text)
	}
	return out
}

func testApp() *app {
	return &app{
		stdout: io.Discard,
		stderr: io.Discard,
		getenv: func(string) string { return "" },
		now:    func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) },
	}
}

// TestEveryCommandIsExplained: one that does something has a sentence, a
// paragraph and an example.
func TestEveryCommandIsExplained(t *testing.T) {
	t.Parallel()
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" || c.Name() == "help" { // cobra's own
			return
		}
		if c.Short == "" || c.Long == "" || c.Example == "" {
			t.Errorf("%s: short %q, long %q, example %q", c.CommandPath(), c.Short, c.Long, c.Example)
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(testApp().command())
}
