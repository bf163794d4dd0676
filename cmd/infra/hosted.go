package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/repo"
)

// hosted is an access repository on a Git host that the user gave by its address.
// A checkout that lasts as long as the command stands in for it, so that every
// command works on it as on any other; what is edited is pushed straight away.
type hosted struct {
	address repo.Address
	dir     string // of the checkout
}

// placeless are the commands that work in no access repository, or make or follow
// one in a way of their own.
var placeless = []string{
	"completion", "connector", "help", "init", "merge-driver", "schema", "server", "version",
	cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd, // who presses the tab key does not wait for a host
}

// arrive runs before every command. It checks what all have in common, and brings a
// repository here that is an address.
func (a *app) arrive(cmd *cobra.Command, _ []string) error {
	if err := a.readTimeout(cmd); err != nil {
		return err
	}
	top := cmd
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	said := a.location()
	if cmd.HasSubCommands() || slices.Contains(placeless, top.Name()) || !repo.IsAddress(said) {
		return nil
	}
	address, err := repo.ParseAddress(said)
	if err != nil {
		return hint(fmt.Errorf("where the access repository is: %w", err),
			"-C and INFRA_REPO take a folder, or an address such as https://HOST/PATH, ssh://HOST/PATH or git@HOST:PATH, with #BRANCH:FOLDER where that is needed")
	}
	return a.fetch(cmd.Context(), address)
}

// readTimeout takes the time-out from the environment, where no flag says it.
func (a *app) readTimeout(cmd *cobra.Command) error {
	name := "--timeout"
	if said := a.getenv("INFRA_TIMEOUT"); said != "" && !cmd.Flags().Changed("timeout") {
		name = "INFRA_TIMEOUT"
		var err error
		if a.timeout, err = time.ParseDuration(said); err != nil {
			return hint(fmt.Errorf("%s: %q is no time span", name, said), "90s, or 5m")
		}
	}
	if a.timeout <= 0 {
		return hint(fmt.Errorf("%s: a Git host needs some time, and %v is none", name, a.timeout), "90s, or 5m")
	}
	return nil
}

// fetch clones what is at an address into a temporary folder, which is the place of
// the access repository from then on.
func (a *app) fetch(ctx context.Context, address repo.Address) error {
	for _, kv := range address.Environment() {
		name, value, _ := strings.Cut(kv, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "infra-clone-")
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return fmt.Errorf("making a temporary folder: %w", err)
	}
	a.hosted = &hosted{address: address, dir: dir}
	over := a.busy("cloning %s", address)
	_, err = repo.Clone(ctx, address, dir, a.timeout)
	over()
	if err != nil {
		return unreachable(err)
	}
	root := filepath.Join(dir, filepath.FromSlash(address.Folder))
	found, err := marked(root)
	real, lost := filepath.EvalSymlinks(root)
	if err != nil || lost != nil || !found || real != root { // a link could lead anywhere on this machine
		return hint(fmt.Errorf("%s has no access repository: no %s", address, filepath.Join(address.Folder, marker)),
			"where another branch or folder has it, %s#BRANCH:FOLDER names that", address)
	}
	a.repository = root
	return nil
}

// leave removes what arrive has brought.
func (a *app) leave() {
	if a.hosted == nil {
		return
	}
	if err := os.RemoveAll(a.hosted.dir); err != nil {
		a.say("a temporary folder is left: %v", err)
	}
}

// allowed refuses an edit that wants a work tree, where there is none.
func (a *app) allowed(f editFlags) error {
	switch {
	case a.hosted == nil:
		return nil
	case !f.sends && !f.dryRun:
		return inFolderOnly(a.hosted.address.URL)
	}
	for _, refused := range []struct {
		flag string
		set  bool
	}{{"--no-commit", f.noCommit}, {"--no-push", f.noPush}} {
		if refused.set {
			return hint(fmt.Errorf("%s leaves the edit in a folder, and %s is an address: an edit of it is pushed", refused.flag, a.hosted.address),
				"--dry-run shows the edit; git clone %s gives a folder", shell(a.hosted.address.URL))
		}
	}
	return nil
}

// inFolderOnly is the error of a command that needs a checkout of the user's.
func inFolderOnly(said string) error {
	address, err := repo.ParseAddress(said)
	if err != nil {
		return err
	}
	return hint(fmt.Errorf("%s is an address, and this command works in a folder", address), "git clone %s", shell(address.URL))
}
