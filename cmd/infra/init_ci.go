package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/infrahq/infra/forge"
	"github.com/infrahq/infra/repo"
)

// A codeHost is where pull requests are made.
type codeHost struct {
	name  string
	files []workflow
}

// A workflow is a file that makes a host review pull requests. It is written
// where it is missing, and never over another.
type workflow struct {
	from, to string // to is below the root of the Git repository
	beside   string // taken where something else is in to; empty: then there is no way
	include  string // what the user does with the one beside
}

// codeHosts are all that init knows, in the order of documentation.
var codeHosts = []codeHost{
	{name: string(forge.GitHub), files: []workflow{
		{from: "github.yml", to: ".github/workflows/infra.yml"},
		{from: "github-review.yml", to: ".github/workflows/infra-review.yml"},
	}},
	{name: string(forge.GitLab), files: []workflow{
		{from: "gitlab.yml", to: ".gitlab-ci.yml", beside: ".gitlab/infra.yml",
			include: "add to .gitlab-ci.yml: include: [{local: .gitlab/infra.yml}]"},
	}},
	{name: string(forge.Gitea), files: []workflow{
		{from: "gitea.yml", to: ".gitea/workflows/infra.yml"},
	}},
	{name: string(forge.Bitbucket), files: []workflow{
		{from: "bitbucket.yml", to: "bitbucket-pipelines.yml", beside: "bitbucket-pipelines-infra.yml",
			include: "copy the step of bitbucket-pipelines-infra.yml to bitbucket-pipelines.yml, for Bitbucket reads no other file"},
	}},
	{name: string(forge.Azure), files: []workflow{
		{from: "azure.yml", to: "azure-pipelines.yml", beside: "azure-pipelines-infra.yml",
			include: "make a pipeline of azure-pipelines-infra.yml in Azure DevOps"},
	}},
	{name: noHost},
}

const noHost = "none"

func hostNames() []string {
	var names []string
	for _, h := range codeHosts {
		names = append(names, h.name)
	}
	return names
}

// hostOf guesses the host of a repository from where origin is.
func hostOf(ctx context.Context, c *repo.Checkout) (string, error) {
	server, err := c.Origin(ctx)
	if err != nil {
		return "", err
	}
	return cmp.Or(string(forge.Of(server)), noHost), nil
}

// workflows are the files that a host needs and the repository does not have,
// by path, for an access repository in the folder prefix. Advice is what the user
// has to do themselves.
func (a *app) workflows(c *repo.Checkout, host, prefix string) (files map[string][]byte, advice []string, err error) {
	files = map[string][]byte{}
	i := slices.IndexFunc(codeHosts, func(h codeHost) bool { return h.name == host })
	for _, w := range codeHosts[i].files {
		to := w.to
		there, err := lookAt(c, to)
		if there == foreign && w.beside != "" && err == nil {
			to = w.beside
			if there, err = lookAt(c, to); there == vacant {
				advice = append(advice, w.include)
			}
		}
		switch {
		case err != nil:
			return nil, nil, err
		case there == foreign:
			return nil, nil, hint(fmt.Errorf("%s is there already and does something else", to), "rename it, or leave the workflow out with --ci %s", noHost)
		case there == reviewing:
			a.say("%s is there already and stays as it is", to)
			continue
		}
		text, err := template.ReadFile("template/ci/" + w.from)
		if err != nil {
			return nil, nil, err
		}
		files[to] = []byte(strings.NewReplacer(
			"@INFRA@", "github.com/infrahq/infra/cmd/infra@"+installable(thisBuild().Version),
			"@FOLDER@", strings.ReplaceAll(prefix, "'", "''"), // inside '' in YAML
			"@SHELLFOLDER@", shell(prefix),
		).Replace(string(text)))
	}
	return files, advice, nil
}

// What is where a workflow belongs.
type occupant int

const (
	vacant    occupant = iota
	reviewing          // it runs infra
	foreign
)

func lookAt(c *repo.Checkout, name string) (occupant, error) {
	text, err := os.ReadFile(filepath.Join(c.Root(), filepath.FromSlash(name)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return vacant, nil
	case err != nil:
		return vacant, fmt.Errorf("looking for the workflow: %w", err)
	case bytes.Contains(text, []byte("infra validate")):
		return reviewing, nil
	}
	return foreign, nil
}

var release = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)\.[0-9]+)?$`)

// installable is what `go install` can be asked for: a build of anything but a
// release may be one that nobody else has.
func installable(version string) string {
	if release.MatchString(version) {
		return version
	}
	return "latest"
}

// addWorkflows makes an access repository that is there already review its pull
// requests, and changes nothing else of it.
func (a *app) addWorkflows(ctx context.Context, dir, host, message string) error {
	c, err := findCheckout(ctx, dir)
	if err != nil {
		return err
	}
	prefix, err := prefixOf(c, dir)
	if err != nil {
		return err
	}
	files, advice, err := a.workflows(c, host, prefix)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		a.say("%s reviews pull requests on %s already: nothing to do", dir, host)
		return nil
	}
	c.Stderr = a.listener()
	commit, err := c.Commit(ctx, repo.Change{Message: cmp.Or(message, "infra: review pull requests on "+host), Files: files})
	if err != nil {
		return err
	}
	a.say("%s reviews pull requests on %s, as of commit %.10s", dir, host, commit.Hash)
	for _, step := range append(advice, "git push") {
		a.advise("%s", step)
	}
	return nil
}
