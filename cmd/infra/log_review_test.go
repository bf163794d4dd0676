package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
)

func TestPullRequestsAreNamedAsGitHostsWriteThem(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"grants: fisher (#12)\n":                                    "#12",
		"grants: fisher (!45)\n":                                    "!45",
		"Merge pull request #123 from ann/prod\n\nwords":            "#123",
		"Merge pull request 'prod' (#7) from ann/prod into main\n":  "#7",
		"Merged in prod (pull request #9)\n\nwords":                 "#9",
		"Merged PR 31: prod\n":                                      "#31",
		"Merge branch 'x'\n\nwords\n\nSee merge request ops/a!45\n": "!45",
		"Merge branch 'x'\r\n\r\nSee merge request ops/a!45\r\n":    "!45",
		"fixes #12\n":                    "",
		"grants: fisher\n\nlike (#12)\n": "",
		"grants: (#12) fisher\n":         "",
		"see merge request !45\n\nwe See merge request a!45 above\n": "",
		"": "",
	} {
		if got := pullRequest(message); got != want {
			t.Errorf("%q names %q, want %q", message, got, want)
		}
	}
}

func TestReviewersAreThoseWhomGitHolds(t *testing.T) {
	t.Parallel()
	person := func(name string) repo.Person { return repo.Person{Name: name, Email: name + "@example.com"} }
	by := func(author, committer repo.Person, message string, parents ...string) repo.Commit {
		return repo.Commit{Author: author, Committer: committer, Message: message, Parents: parents}
	}
	ann, bob := person("ann"), person("bob")
	site := repo.Person{Name: "GitHub", Email: "noreply@github.com"}
	for what, c := range map[string]struct {
		commit  repo.Commit
		brought []repo.Commit
		want    []string // authors, then reviewers
	}{
		"nobody":                             {by(ann, ann, "x\n"), nil, []string{"ann"}},
		"a trailer":                          {by(ann, ann, "x\n\nwhy\n\nReviewed-by: bob <bob@example.com>\n"), nil, []string{"ann", "bob Reviewed-by"}},
		"in any case, and others aside":      {by(ann, ann, "x\n\nsigned-off-by: c <c@d>\napproved-BY: bob <bob@example.com>\n"), nil, []string{"ann", "bob Approved-by"}},
		"of oneself":                         {by(ann, ann, "x\n\nReviewed-by: ann <ANN@example.com>\n"), nil, []string{"ann", "ann Reviewed-by author"}},
		"a trailer in prose is none":         {by(ann, ann, "x\n\nwe need a\nReviewed-by: bob <bob@example.com>\nhere\n"), nil, []string{"ann"}},
		"the subject is none":                {by(ann, ann, "Reviewed-by: bob <bob@example.com>\n"), nil, []string{"ann"}},
		"who committed for another":          {by(ann, bob, "x\n"), nil, []string{"ann"}},
		"who merged what another wrote":      {by(bob, bob, "merge\n", "1", "2"), []repo.Commit{by(ann, ann, "x\n", "1")}, []string{"ann", "bob merge"}},
		"who merged their own":               {by(ann, ann, "merge\n", "1", "2"), []repo.Commit{by(ann, ann, "x\n", "1")}, []string{"ann"}},
		"who merged on GitHub's site":        {by(bob, site, "merge\n", "1", "2"), []repo.Commit{by(ann, ann, "x\n", "1")}, []string{"ann", "bob merge"}},
		"a trailer of what was merged":       {by(ann, ann, "merge\n", "1", "2"), []repo.Commit{by(ann, ann, "x\n\nReviewed-by: bob <bob@example.com>\n", "1")}, []string{"ann", "bob Reviewed-by"}},
		"who merged the line into theirs":    {by(bob, bob, "merge\n", "1", "2"), []repo.Commit{by(bob, bob, "main into x\n", "1", "3"), by(ann, ann, "x\n", "1")}, []string{"ann", "bob merge"}},
		"a name that mail would want quoted": {by(ann, ann, "x\n\nReviewed-by: bob (at work) <bob@example.com>\n"), nil, []string{"ann", "bob Reviewed-by"}},
	} {
		s := sign(c.commit, c.brought)
		var got []string
		name := func(p personItem) string { return p.Email[:3] }
		for _, p := range s.authors {
			got = append(got, name(p))
		}
		for _, r := range s.reviewers {
			text := fmt.Sprint(strings.ToLower(name(r.personItem)), " ", r.Source)
			if r.IsAuthor {
				text += " author"
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}
