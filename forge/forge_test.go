package forge_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/forge"
)

func TestWhatAddressesMean(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what, address string
		kind          forge.Kind // that the user says; empty: none
		want          forge.Repository
	}{
		{"https", "https://github.com/acme/access.git", "", forge.Repository{Kind: forge.GitHub, Host: "github.com", Path: "acme/access", Web: "https://github.com/acme/access"}},
		{"a user and a password are no part of it", "https://ann:secret@github.com/acme/access", "", forge.Repository{Kind: forge.GitHub, Host: "github.com", Path: "acme/access", Web: "https://github.com/acme/access"}},
		{"ssh, short", "git@github.com:acme/access.git", "", forge.Repository{Kind: forge.GitHub, Host: "github.com", Path: "acme/access", Web: "https://github.com/acme/access"}},
		{"ssh with a port", "ssh://git@github.com:22/acme/access", "", forge.Repository{Kind: forge.GitHub, Host: "github.com", Path: "acme/access", Web: "https://github.com/acme/access"}},
		{"ssh through a firewall", "ssh://git@ssh.github.com:443/acme/access.git", "", forge.Repository{Kind: forge.GitHub, Host: "github.com", Path: "acme/access", Web: "https://github.com/acme/access"}},
		{"GitHub Enterprise", "git@github.acme.example:ops/access.git", "", forge.Repository{Kind: forge.GitHub, Host: "github.acme.example", Path: "ops/access", Web: "https://github.acme.example/ops/access"}},
		{"GitHub with data residency", "https://acme.ghe.com/ops/access", "", forge.Repository{Kind: forge.GitHub, Host: "acme.ghe.com", Path: "ops/access", Web: "https://acme.ghe.com/ops/access"}},
		{"GitLab, groups of groups", "https://gitlab.com/acme/platform/access.git", "", forge.Repository{Kind: forge.GitLab, Host: "gitlab.com", Path: "acme/platform/access", Web: "https://gitlab.com/acme/platform/access"}},
		{"GitLab over plain http on a port", "http://gitlab.acme.example:8080/acme/access.git", "", forge.Repository{Kind: forge.GitLab, Host: "gitlab.acme.example:8080", Path: "acme/access", Web: "http://gitlab.acme.example:8080/acme/access"}},
		{"Codeberg", "ssh://git@codeberg.org/acme/access.git", "", forge.Repository{Kind: forge.Gitea, Host: "codeberg.org", Path: "acme/access", Web: "https://codeberg.org/acme/access"}},
		{"Gitea below a folder of its server", "https://acme.example/gitea/ops/access.git", forge.Gitea, forge.Repository{Kind: forge.Gitea, Host: "acme.example", Path: "ops/access", Web: "https://acme.example/gitea/ops/access"}},
		{"a name that says nothing, and a user who does", "git@git.acme.example:ops/access.git", forge.GitLab, forge.Repository{Kind: forge.GitLab, Host: "git.acme.example", Path: "ops/access", Web: "https://git.acme.example/ops/access"}},
		{"Bitbucket Cloud", "git@bitbucket.org:acme/access.git", "", forge.Repository{Kind: forge.Bitbucket, Host: "bitbucket.org", Path: "acme/access", Web: "https://bitbucket.org/acme/access"}},
		{"Bitbucket Data Center, https", "https://bitbucket.acme.example/scm/ops/access.git", "", forge.Repository{Kind: forge.Bitbucket, Host: "bitbucket.acme.example", Path: "ops/access", Web: "https://bitbucket.acme.example/projects/ops/repos/access"}},
		{"Bitbucket Data Center below a folder", "https://acme.example/bitbucket/scm/ops/access.git", forge.Bitbucket, forge.Repository{Kind: forge.Bitbucket, Host: "acme.example", Path: "ops/access", Web: "https://acme.example/bitbucket/projects/ops/repos/access"}},
		{"Bitbucket Data Center, ssh", "ssh://git@git.acme.example:7999/~ann/access.git", "", forge.Repository{Kind: forge.Bitbucket, Host: "git.acme.example", Path: "~ann/access", Web: "https://git.acme.example/users/ann/repos/access"}},
		{"Azure DevOps", "https://acme@dev.azure.com/acme/Team%20A/_git/access", "", forge.Repository{Kind: forge.Azure, Host: "dev.azure.com", Path: "acme/Team A/_git/access", Web: "https://dev.azure.com/acme/Team%20A/_git/access"}},
		{"Azure DevOps, ssh", "git@ssh.dev.azure.com:v3/acme/team/access", "", forge.Repository{Kind: forge.Azure, Host: "dev.azure.com", Path: "acme/team/_git/access", Web: "https://dev.azure.com/acme/team/_git/access"}},
		{"Azure DevOps, as it was called", "https://acme.visualstudio.com/DefaultCollection/team/_git/access", "", forge.Repository{Kind: forge.Azure, Host: "acme.visualstudio.com", Path: "DefaultCollection/team/_git/access", Web: "https://acme.visualstudio.com/DefaultCollection/team/_git/access"}},
		{"the same by ssh", "acme@vs-ssh.visualstudio.com:v3/acme/team/access", "", forge.Repository{Kind: forge.Azure, Host: "dev.azure.com", Path: "acme/team/_git/access", Web: "https://dev.azure.com/acme/team/_git/access"}},
		{"DevOps Server", "https://tfs.acme.example/tfs/main/team/_git/access", "", forge.Repository{Kind: forge.Azure, Host: "tfs.acme.example", Path: "tfs/main/team/_git/access", Web: "https://tfs.acme.example/tfs/main/team/_git/access"}},
	} {
		got, ok := forge.Parse(tt.address, tt.kind)
		if !ok {
			t.Errorf("%s: %s means nothing", tt.what, tt.address)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.what, tt.address, d)
		}
	}
}

func TestAddressesThatMeanNothing(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "/srv/git/github.com/acme/access", "../access", `C:\github.com\acme\access`, "file:///srv/github.com/acme/access",
		"https://git.acme.example/acme/access", "https://github.com/", "https://github.com/acme", "https://github.com/../access",
		"https://[", "ext::ssh github.com acme/access", "https://dev.azure.com/acme/access", "https://bitbucket.org/a/b/c", "git@:acme/access",
	} {
		if r, ok := forge.Parse(address, ""); ok {
			t.Errorf("%q means %+v", address, r)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ what, base, head, want string }{
		{"GitHub", "git@github.com:acme/access.git", "",
			"https://github.com/acme/access/compare/main...infra/add-fisher?body=Why%3A+INC-7&expand=1&title=grants%3A+add+fisher%26co"},
		{"GitHub, the same repository by another way", "https://github.com/Acme/access", "git@github.com:acme/access.git",
			"https://github.com/Acme/access/compare/main...infra/add-fisher?body=Why%3A+INC-7&expand=1&title=grants%3A+add+fisher%26co"},
		{"GitHub, from a fork", "https://github.com/acme/access", "git@github.com:ann/access.git",
			"https://github.com/acme/access/compare/main...ann:infra/add-fisher?body=Why%3A+INC-7&expand=1&title=grants%3A+add+fisher%26co"},
		{"GitHub, from a fork of another name", "https://github.com/acme/access", "git@github.com:ann/my-access.git",
			"https://github.com/acme/access/compare/main...ann:my-access:infra/add-fisher?body=Why%3A+INC-7&expand=1&title=grants%3A+add+fisher%26co"},
		{"GitLab", "git@gitlab.com:acme/access.git", "",
			"https://gitlab.com/acme/access/-/merge_requests/new?merge_request[description]=Why: INC-7&merge_request[source_branch]=infra/add-fisher&merge_request[target_branch]=main&merge_request[title]=grants: add fisher&co"},
		{"GitLab, from a fork", "https://gitlab.com/acme/access", "https://gitlab.com/ann/access",
			"https://gitlab.com/ann/access/-/merge_requests/new?merge_request[description]=Why: INC-7&merge_request[source_branch]=infra/add-fisher&merge_request[target_branch]=main&merge_request[title]=grants: add fisher&co"},
		{"Codeberg", "https://codeberg.org/acme/access", "", "https://codeberg.org/acme/access/compare/main...infra/add-fisher?expand=1"},
		{"Codeberg, from a fork", "https://codeberg.org/acme/access", "https://codeberg.org/ann/access", "https://codeberg.org/acme/access/compare/main...ann:infra/add-fisher?expand=1"},
		{"Bitbucket Cloud", "https://bitbucket.org/acme/access", "", "https://bitbucket.org/acme/access/pull-requests/new?dest=main&source=infra/add-fisher"},
		{"Bitbucket Cloud, from a fork", "https://bitbucket.org/acme/access", "https://bitbucket.org/ann/access",
			"https://bitbucket.org/ann/access/pull-requests/new?dest=acme/access::main&source=ann/access::infra/add-fisher"},
		{"Bitbucket Data Center", "https://bitbucket.acme.example/scm/ops/access.git", "",
			"https://bitbucket.acme.example/projects/ops/repos/access/pull-requests?create&sourceBranch=refs/heads/infra/add-fisher&targetBranch=refs/heads/main"},
		{"Bitbucket Data Center, from a fork", "https://bitbucket.acme.example/scm/ops/access.git", "https://bitbucket.acme.example/scm/~ann/access.git", ""},
		{"Azure DevOps", "git@ssh.dev.azure.com:v3/acme/team/access", "", "https://dev.azure.com/acme/team/_git/access/pullrequestcreate?sourceRef=infra/add-fisher&targetRef=main"},
		{"Azure DevOps, from a fork", "https://dev.azure.com/acme/team/_git/access", "https://dev.azure.com/acme/team/_git/ann", ""},
		{"two hosts", "https://github.com/acme/access", "https://github.acme.example/acme/access", ""},
		{"two kinds", "https://github.com/acme/access", "https://gitlab.com/acme/access", ""},
	} {
		p := pull(t, tt.base, tt.head)
		got, ok := p.Page()
		if !strings.HasPrefix(p.Base.Web, "https://github.com") && got != "" {
			readable, err := url.QueryUnescape(got)
			if err != nil {
				t.Errorf("%s: %v", tt.what, err)
			}
			got = readable
		}
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.what, ok, got, tt.want)
		}
	}
}

func TestNothingBreaksOutOfAnAddress(t *testing.T) {
	t.Parallel()
	p := pull(t, "https://github.com/acme/access", "")
	p.Branch, p.Title, p.Body = "a?b#c d/é%", "x&y=z #1", strings.Repeat("long ", 1000)
	got, ok := p.Page()
	u, err := url.Parse(got)
	if !ok || err != nil {
		t.Fatal(got, ok, err)
	}
	if u.Path != "/acme/access/compare/main...a?b#c d/é%" || u.Fragment != "" || u.Query().Get("title") != p.Title || u.Query().Has("body") {
		t.Errorf("%+v", u)
	}
}

func pull(t *testing.T, base, head string) forge.PullRequest {
	t.Helper()
	p := forge.PullRequest{BaseBranch: "main", Branch: "infra/add-fisher", Title: "grants: add fisher&co", Body: "Why: INC-7"}
	var ok bool
	if p.Base, ok = forge.Parse(base, ""); !ok {
		t.Fatalf("%s means nothing", base)
	}
	p.Head = p.Base
	if head != "" {
		if p.Head, ok = forge.Parse(head, ""); !ok {
			t.Fatalf("%s means nothing", head)
		}
	}
	return p
}

func TestCommandsOfPrograms(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ program, base, head, want string }{
		{"gh", "https://github.acme.example/ops/access", "",
			"gh|pr|create|--repo=github.acme.example/ops/access|--base=main|--head=infra/add-fisher|--title=grants: add fisher&co|--body=Why: INC-7"},
		{"gh", "https://github.com/acme/access", "https://github.com/ann/access",
			"gh|pr|create|--repo=github.com/acme/access|--base=main|--head=ann:infra/add-fisher|--title=grants: add fisher&co|--body=Why: INC-7"},
		{"glab", "https://gitlab.com/acme/platform/access", "https://gitlab.com/ann/access",
			"glab|mr|create|--repo=https://gitlab.com/acme/platform/access|--target-branch=main|--source-branch=infra/add-fisher|--title=grants: add fisher&co|--description=Why: INC-7|--yes|--head=ann/access"},
		{"tea", "https://codeberg.org/acme/access", "https://codeberg.org/ann/access",
			"tea|pulls|create|--remote=origin|--base=main|--head=ann:infra/add-fisher|--title=grants: add fisher&co|--description=Why: INC-7"},
	} {
		got, err := pull(t, tt.base, tt.head).Command(tt.program, "origin")
		if text := strings.Join(got, "|"); err != nil || text != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.program, err, text, tt.want)
		}
	}
	for program, want := range map[string]string{
		"glab": "glab is for gitlab, and https://github.com/acme/access is on github",
		"hub":  `"hub" opens no pull requests: it must be one of gh, glab, tea`,
	} {
		if _, err := pull(t, "https://github.com/acme/access", "").Command(program, "origin"); err == nil || err.Error() != want {
			t.Errorf("%s: error %v", program, err)
		}
	}
}
