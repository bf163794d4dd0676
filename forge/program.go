package forge

import (
	"cmp"
	"fmt"
	"strings"
)

// programs open pull requests from a terminal, each on hosts of one kind.
var programs = map[string]Kind{"gh": GitHub, "glab": GitLab, "tea": Gitea}

// Programs are the names of all that [PullRequest.Command] knows.
func Programs() []string { return []string{"gh", "glab", "tea"} }

// Command is how a program opens the pull request without asking anything: its
// name and its arguments, to be run in a checkout that has the remote. It is an
// error where the program is for hosts of another kind.
func (p PullRequest) Command(program, remote string) ([]string, error) {
	kind, ok := programs[program]
	switch {
	case !ok:
		return nil, fmt.Errorf("%q opens no pull requests: it must be one of %s", program, strings.Join(Programs(), ", "))
	case kind != p.Base.Kind:
		return nil, fmt.Errorf("%s is for %s, and %s is on %s", program, kind, p.Base.Web, p.Base.Kind)
	}
	head := p.Branch
	if p.fork() {
		head = p.Head.owner() + ":" + p.Branch
	}
	// A value may begin with a dash, so none stands by itself.
	switch kind {
	case GitHub:
		return []string{"gh", "pr", "create", "--repo=" + p.Base.Host + "/" + p.Base.Path, "--base=" + p.BaseBranch,
			"--head=" + head, "--title=" + p.Title, "--body=" + p.Body}, nil
	case GitLab: // which asks for a description where there is none
		args := []string{"glab", "mr", "create", "--repo=" + p.Base.Web, "--target-branch=" + p.BaseBranch,
			"--source-branch=" + p.Branch, "--title=" + p.Title, "--description=" + cmp.Or(p.Body, p.Title), "--yes"}
		if p.fork() {
			args = append(args, "--head="+p.Head.Path)
		}
		return args, nil
	}
	return []string{"tea", "pulls", "create", "--remote=" + remote, "--base=" + p.BaseBranch,
		"--head=" + head, "--title=" + p.Title, "--description=" + p.Body}, nil
}
