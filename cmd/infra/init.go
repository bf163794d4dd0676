package main

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/repo"
)

//go:embed template
var template embed.FS

// templateFiles are what init writes, and what each is called there.
var templateFiles = []struct{ from, to string }{
	{"template/infra.yaml", marker},
	{"template/README.md", "README.md"},
	{"template/CODEOWNERS", "CODEOWNERS"},
	{"template/gitattributes", attributes},
	{"template/grants.md", "grants/README.md"},
	{"template/vscode.json", editorSettings},
}

// What editors need to know the files: the schemas, and which is for which. They are
// files of the repository, so that no editor asks a network for them.
const (
	editorSettings = ".vscode/settings.json"
	schemaFolder   = ".infra/schema"
)

// beginning is the content of all that init writes, by its path from infra.yaml.
func beginning() (map[string][]byte, error) {
	out := map[string][]byte{}
	for name, text := range schemaFiles() {
		out[path.Join(schemaFolder, name)] = text
	}
	for _, f := range templateFiles {
		text, err := template.ReadFile(f.from)
		if err != nil {
			return nil, err
		}
		out[f.to] = text
	}
	return out, nil
}

func (a *app) initCommand() *cobra.Command {
	var message, host string
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make an access repository",
		Long: `Make an access repository in a folder (the current one where none is given): a
Git repository where there is none, infra.yaml, a README.md and a CODEOWNERS file
to fill in, what editors need to complete and check the files (.infra/schema and
.vscode/settings.json), and what has the code host review pull requests. Commits
these files and nothing else; files that are there already stay as they are.

Without --ci the code host is the one that the remote origin is on, where its name
tells. With --ci an access repository that is there already gets the review, and
nothing else of it changes.`,
		Example: "  infra init access\n  cd access && infra init\n  infra init --ci github",
		Args:    arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := cmp.Or(append(args, a.repository, ".")...)
			return a.init(cmd.Context(), dir, host, message)
		},
	}
	cmd.Flags().StringVarP(&message, "message", "m", "", "the commit's `message` (default: what it begins)")
	cmd.Flags().Var(&choice{value: &host, of: hostNames()}, "ci", "the code `host` that reviews pull requests: "+strings.Join(hostNames(), ", "))
	check(cmd.RegisterFlagCompletionFunc("ci", cobra.FixedCompletions(hostNames(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (a *app) init(ctx context.Context, dir, host, message string) error {
	if repo.IsAddress(dir) {
		return inFolderOnly(dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("making an access repository: %w", err)
	}
	switch found, err := marked(dir); {
	case err != nil:
		return err
	case found && host != "" && host != noHost:
		return a.addWorkflows(ctx, dir, host, message)
	case found:
		return hint(fmt.Errorf("%s is an access repository already: it has an %s", dir, marker), "infra -C %s validate", shell(dir))
	}
	checkout, err := checkoutFor(ctx, dir)
	if err != nil {
		return err
	}
	prefix, err := prefixOf(checkout, dir)
	if err != nil {
		return err
	}
	if host == "" {
		if host, err = hostOf(ctx, checkout); err != nil {
			return err
		}
	}
	files, advice, err := a.workflows(checkout, host, prefix)
	if err != nil {
		return err
	}
	change := repo.Change{Message: cmp.Or(message, "infra: begin an access repository"), Files: files}
	contents, err := beginning()
	if err != nil {
		return err
	}
	for _, to := range slices.Sorted(maps.Keys(contents)) {
		switch _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(to))); {
		case err == nil:
			a.say("%s is there already and stays as it is", to)
			if err := a.adviseAttributes(dir, to); err != nil {
				return err
			}
			continue
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("making an access repository: %w", err)
		}
		change.Files[path.Join(prefix, to)] = contents[to]
	}
	checkout.Stderr = a.listener()
	commit, err := checkout.Commit(ctx, change)
	if err != nil {
		return err
	}
	a.say("%s is an access repository, as of commit %.10s", dir, commit.Hash)
	for _, step := range advice {
		a.advise("%s", step)
	}
	a.advise("infra -C %s grants add fisher@example.com example --role admin", shell(dir))
	a.say("so that git merges by what the files say, once in each clone: %s", mergeSetting)
	return nil
}

// checkoutFor finds the repository that a folder lies in, or makes one there.
func checkoutFor(ctx context.Context, dir string) (*repo.Checkout, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("making an access repository: %w", err)
	}
	c, err := repo.FindCheckout(ctx, dir)
	if errors.Is(err, repo.ErrNotRepository) {
		return repo.Init(ctx, dir)
	}
	return c, err
}
