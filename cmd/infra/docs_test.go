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

var update = flag.Bool("update", false, "write docs/cli and docs/man anew")

// TestDocsAreWhatTheCommandsSay keeps docs/cli and docs/man equal to the commands'
// help: go test ./cmd/infra -run Docs -update.
func TestDocsAreWhatTheCommandsSay(t *testing.T) {
	t.Parallel()
	for folder, generate := range map[string]func(*cobra.Command, string) error{
		"cli": doc.GenMarkdownTree,
		"man": func(root *cobra.Command, dir string) error {
			begun := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) // today would make them stale every month
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Date: &begun, Source: "infra", Manual: "infra"}, dir)
		},
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			kept := filepath.Join("..", "..", "docs", folder)
			made := t.TempDir()
			root := testApp().command()
			root.DisableAutoGenTag = true // a date would make them stale every day
			if err := generate(root, made); err != nil {
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
				t.Errorf("docs/%s is stale; go test ./cmd/infra -run Docs -update\n%s", folder, diff)
			}
		})
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
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
