// Package forge knows the hosts on which changes are reviewed: which one an
// address is on, the page on which a pull request is opened there, and the command
// that opens it. It asks none of them.
//
//	base, _ := forge.Parse("git@github.com:acme/access.git", "")
//	page, _ := forge.PullRequest{Base: base, BaseBranch: "main", Head: base, Branch: "infra/mine"}.Page()
package forge

import (
	"slices"
	"strings"
)

// A Kind is what a host runs.
type Kind string

// The kinds that are known; the zero value is none of them.
const (
	GitHub    Kind = "github" // and GitHub Enterprise
	GitLab    Kind = "gitlab"
	Gitea     Kind = "gitea"     // and Forgejo, which Codeberg runs
	Bitbucket Kind = "bitbucket" // Cloud, and Data Center
	Azure     Kind = "azure"     // Azure DevOps
)

// Kinds are all kinds, in the order of documentation.
var Kinds = []Kind{GitHub, GitLab, Gitea, Bitbucket, Azure}

// marks are what the names of servers have in them, by kind.
var marks = map[Kind][]string{
	GitHub:    {"github", ".ghe.com"},
	GitLab:    {"gitlab"},
	Gitea:     {"gitea", "forgejo", "codeberg"},
	Bitbucket: {"bitbucket"},
	Azure:     {"dev.azure.com", "visualstudio.com"},
}

// Of guesses what a server runs from its name: "gitlab.acme.example" runs
// GitLab. It is empty where the name says nothing.
func Of(server string) Kind {
	server = strings.ToLower(server)
	for _, k := range Kinds {
		if slices.ContainsFunc(marks[k], func(mark string) bool { return strings.Contains(server, mark) }) {
			return k
		}
	}
	return ""
}
