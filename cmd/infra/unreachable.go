package main

import (
	"context"
	"errors"
	"regexp"

	"github.com/infrahq/infra/repo"
)

// remedies are what helps where a Git host cannot be reached or does not let the
// user in, by what git says of it. Whether a change arrived is never told from
// words: these lead to a hint, and to nothing else. The first that fits counts.
var remedies = []struct {
	words *regexp.Regexp
	hint  string
}{
	{regexp.MustCompile(`Remote branch .* not found`),
		"what follows # in an address is a branch or a tag of the repository"},
	{regexp.MustCompile(`could not read (Username|Password)|terminal prompts disabled|Authentication failed|returned error: 401`),
		"the host wants to know who you are: set up a credential helper (gh auth setup-git, glab auth login, git help credentials), or use an ssh address"},
	{regexp.MustCompile(`Permission denied \(|Could not read from remote repository.*correct access rights|returned error: 403|Write access to repository not granted`),
		"the host does not let this user in: where that is meant, push to a fork (git config remote.pushDefault FORK) and use --pr"},
	{regexp.MustCompile(`Host key verification failed`),
		"the ssh host is not known, or is another than before: connect to it once with ssh, and compare its fingerprint"},
	{regexp.MustCompile(`(?i)certificate`),
		"where the certificate's authority is your own, name it: git config --global http.https://HOST/.sslCAInfo FILE"},
	{regexp.MustCompile(`transport '.*' not allowed`),
		"a setting of git (url.*.insteadOf, protocol.*.allow, GIT_ALLOW_PROTOCOL) leads to another protocol than was asked for"},
	{regexp.MustCompile(`(?i)early EOF|hung up|unexpected disconnect|RPC failed|empty reply|connection reset|connection was reset|transfer closed|returned error: 5\d\d`),
		"the host broke off, and nothing was changed here: try again"},
	{regexp.MustCompile(`not valid: is this a git repository|invalid server response|bad line length`),
		"what answers there is no Git host: open the address in a browser, for a misspelt path or a sign-in page"},
	{regexp.MustCompile(`(?i)not found|does not appear to be a git repository|does not exist`),
		"the address is misspelt, or the host shows the repository only to whom it knows"},
	{regexp.MustCompile(`(?i)could not resolve|connection refused|failed to connect|couldn't connect|no route to host|network is unreachable|unable to connect`),
		"is the host's name right, and is the network there?"},
}

// unreachable gives an error of talking to a Git host its remedy.
func unreachable(err error) error {
	if remedy(err) != "" {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return hint(err, "--timeout 5m waits longer, and INFRA_TIMEOUT=5m does so for every command; nothing was changed here")
	}
	g, ok := errors.AsType[*repo.GitError](err)
	if !ok {
		return err
	}
	for _, r := range remedies {
		if r.words.MatchString(g.Words) {
			return hint(err, "%s", r.hint)
		}
	}
	return err
}
