package forge

import (
	"net/url"
	"strings"
)

// A PullRequest asks that a branch be merged.
type PullRequest struct {
	Base       Repository // that gets the change
	BaseBranch string
	Head       Repository // that has the branch: Base, or a fork of it
	Branch     string
	Title      string
	Body       string // may be empty
}

// longest is how many bytes of text a page's address carries: servers refuse
// addresses of more than about 8,000, and escapes triple what they stand for.
const longest = 1500

// Page is the address at which the host lets a person open the pull request, with
// the title and the text filled in where the host reads them from an address:
// GitHub and GitLab do. It is false between two hosts, and between forks where the
// host's page has no address for that: Azure DevOps, and Bitbucket Data Center.
func (p PullRequest) Page() (string, bool) {
	if p.Base.Kind != p.Head.Kind || !strings.EqualFold(p.Base.Host, p.Head.Host) {
		return "", false
	}
	q := url.Values{}
	set := func(name, value string) {
		if value != "" && len(value) <= longest {
			q.Set(name, value)
		}
	}
	switch p.Base.Kind {
	case GitHub:
		set("expand", "1")
		set("title", p.Title)
		set("body", p.Body)
		return p.Base.Web + "/compare/" + branchPath(p.BaseBranch) + "..." + p.from() + "?" + q.Encode(), true
	case Gitea:
		set("expand", "1")
		return p.Base.Web + "/compare/" + branchPath(p.BaseBranch) + "..." + p.from() + "?" + q.Encode(), true
	case GitLab: // it offers to merge into what the head was forked from
		set("merge_request[source_branch]", p.Branch)
		set("merge_request[target_branch]", p.BaseBranch)
		set("merge_request[title]", p.Title)
		set("merge_request[description]", p.Body)
		return p.Head.Web + "/-/merge_requests/new?" + q.Encode(), true
	case Bitbucket:
		return p.bitbucketPage(q)
	case Azure:
		if p.fork() {
			return "", false
		}
		set("sourceRef", p.Branch)
		set("targetRef", p.BaseBranch)
		return p.Base.Web + "/pullrequestcreate?" + q.Encode(), true
	}
	return "", false
}

func (p PullRequest) bitbucketPage(q url.Values) (string, bool) {
	if p.Base.Host == cloud {
		q.Set("source", p.Branch)
		q.Set("dest", p.BaseBranch)
		if p.fork() {
			q.Set("source", p.Head.Path+"::"+p.Branch)
			q.Set("dest", p.Base.Path+"::"+p.BaseBranch)
		}
		return p.Head.Web + "/pull-requests/new?" + q.Encode(), true
	}
	if p.fork() {
		return "", false
	}
	q.Set("sourceBranch", "refs/heads/"+p.Branch)
	q.Set("targetBranch", "refs/heads/"+p.BaseBranch)
	return p.Base.Web + "/pull-requests?create&" + q.Encode(), true
}

// fork says whether the branch is in another repository than the one that gets it.
func (p PullRequest) fork() bool { return !p.Base.is(p.Head) }

// from names the branch as GitHub and Gitea do in the path of a comparison.
func (p PullRequest) from() string {
	branch := branchPath(p.Branch)
	switch {
	case !p.fork():
		return branch
	case p.Base.Kind == GitHub && !strings.EqualFold(p.Head.name(), p.Base.name()):
		return url.PathEscape(p.Head.owner()) + ":" + url.PathEscape(p.Head.name()) + ":" + branch
	}
	return url.PathEscape(p.Head.owner()) + ":" + branch
}

// branchPath is a branch as a part of a path, where its slashes are no escapes.
func branchPath(branch string) string {
	return strings.ReplaceAll(url.PathEscape(branch), "%2F", "/")
}
