package ci_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func contains(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q:\n%s", what, want, text)
		}
	}
}

// onlyReview is the one comment that the workflow keeps on a pull request.
func onlyReview(t *testing.T, g *fakeGitHub, p *pull) string {
	t.Helper()
	reviews := g.reviews(p)
	if len(reviews) != 1 {
		t.Fatalf("there are %d comments with a review, and one is kept up to date: %q", len(reviews), reviews)
	}
	contains(t, "the comment", reviews[0], "<!-- infra review -->")
	return reviews[0]
}

func TestGitHubGoodChange(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("acme", files{"grants/prod.yaml": grants("{group: engineering, role: edit, resource: prod}", "{user: eve@example.com, role: view, resource: prod}")})
	for range 40 { // more than a page of comments
		g.says(p, "ann", "is this needed?")
	}
	g.run(p)
	if p.check.failed {
		t.Fatalf("the check of a good change failed:\n%s", p.check.log)
	}
	contains(t, "the summary", p.check.summary, "eve@example.com")
	contains(t, "the comment", onlyReview(t, g, p), "eve@example.com")

	// Pushed again, after main has moved on.
	g.advance(files{"groups/sales.yaml": text("groups: [{name: sales, users: [zoe@example.com]}]")})
	g.push(p, files{"grants/prod.yaml": grants("{group: engineering, role: edit, resource: prod}", "{user: fay@example.com, role: view, resource: prod}")})
	g.run(p)
	review := onlyReview(t, g, p)
	contains(t, "the comment", review, "fay@example.com")
	for _, gone := range []string{"eve@example.com", "zoe@example.com"} {
		if strings.Contains(review, gone) {
			t.Errorf("the comment speaks of %s, whom the pull request does not touch:\n%s", gone, review)
		}
	}
	if len(g.sarifs) != 2 || g.sarifs[1] != (sarifUpload{"refs/pull/1/head", p.head, "2.1.0"}) {
		t.Errorf("code scanning got %v", g.sarifs)
	}
}

func TestGitHubPolicyRefuses(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("acme", forbidden)
	g.run(p)
	if !p.check.failed {
		t.Error("the check passed what the policy forbids")
	}
	contains(t, "the log", p.check.log, "::error ", "file=grants/prod.yaml", "line=3", "payment pods hold card data")
	contains(t, "the summary", p.check.summary, "payment pods hold card data")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```markdown\n")
	shown, _, _ := strings.Cut(rest, "```\n")
	if diff := cmp.Diff(shown, onlyReview(t, g, p)); diff != "" {
		t.Errorf("docs/ci.md shows another comment (-page +comment):\n%s", diff)
	}
}

func TestGitHubBrakeHolds(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("acme", files{"groups/engineering.yaml": engineers("ann")})
	g.run(p)
	if !p.check.failed {
		t.Error("the check passed what takes the access of 3 people of 4")
	}
	const remedy = "infra acknowledge prod"
	contains(t, "the log", p.check.log, "::error ", remedy)
	contains(t, "the comment", onlyReview(t, g, p), remedy)

	// What the comment asks for, done in the branch.
	acknowledge := exec.CommandContext(t.Context(), infra(t), "acknowledge", "prod", "--reason", "the team moves to dev", "--base", "origin/main")
	acknowledge.Dir, acknowledge.Env = p.work, person()
	if out, err := acknowledge.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	g.pushed(p)
	g.run(p)
	if p.check.failed {
		t.Errorf("the check holds what was acknowledged:\n%s", p.check.log)
	}
	contains(t, "the comment", onlyReview(t, g, p), "the team moves to dev")
}

func TestGitHubUnreadableChange(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("acme", files{"grants/prod.yaml": text("grants:", "  - {user: eve@example.com, rôle: view, resource: prod}")})
	g.run(p)
	if !p.check.failed {
		t.Error("the check passed a file that cannot be read")
	}
	contains(t, "the log", p.check.log, "::error ", "file=grants/prod.yaml")
	contains(t, "the comment", onlyReview(t, g, p), "grants/prod.yaml")
}

func TestGitHubFork(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("mallory", files{"grants/prod.yaml": grants("{group: engineering, role: edit, resource: prod}", "{user: mallory@example.com, role: view, resource: prod}")})
	g.run(p)
	if p.check.failed {
		t.Fatalf("the check of a fork's good change failed:\n%s", p.check.log)
	}
	contains(t, "the summary", p.check.summary, "mallory@example.com")
	contains(t, "the comment", onlyReview(t, g, p), "mallory@example.com")

	// Its token is one that GitHub refuses.
	token := g.token(map[string]string{"pull-requests": "write"}, true)
	_, _, err := send(http.DefaultClient, http.MethodPost, g.api.URL+"/repos/acme/access/issues/1/comments",
		http.Header{"Authorization": {"Bearer " + token}}, []byte(`{"body": "all is well"}`))
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("the fake lets a fork comment: %v", err)
	}
}

// TestGitHubForkThatLies: whoever proposes a change can have the check say what
// they like, since the check is a file of theirs. The comment cannot be had so.
func TestGitHubForkThatLies(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	lie := text("name: infra", "on: {pull_request: }", "permissions: {contents: read, pull-requests: write}", "defaults: {run: {shell: bash}}",
		"jobs: {infra: {runs-on: ubuntu-latest, steps: [run: echo no change in access >> \"$GITHUB_STEP_SUMMARY\"]}}")
	p := g.open("mallory", files{
		"grants/prod.yaml":            grants("{group: engineering, role: edit, resource: prod}", "{user: mallory@example.com, role: exec, resource: prod.payments}"),
		".github/workflows/infra.yml": lie,
		".github/workflows/infra-review.yml": text("name: infra review", "on: {workflow_run: }", "defaults: {run: {shell: bash}}",
			"jobs: {review: {runs-on: ubuntu-latest, steps: [run: echo nothing to see]}}"),
	})
	g.run(p)
	if p.check.failed {
		t.Fatalf("the lie did not work, so nothing is shown:\n%s", p.check.log)
	}
	contains(t, "the comment", onlyReview(t, g, p), "payment pods hold card data", "mallory@example.com")
}

func TestGitHubOtherPeoplesComments(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("mallory", files{"grants/prod.yaml": grants("{group: engineering, role: edit, resource: prod}", "{user: mallory@example.com, role: view, resource: prod}")})
	const forged = "<!-- infra review -->\nno change in access"
	g.says(p, "mallory", forged)
	g.run(p)
	g.run(p)
	onlyReview(t, g, p)
	if g.comments[0].Body != forged {
		t.Error("somebody else's comment was written over")
	}
}

func TestGitHubLateReview(t *testing.T) {
	t.Parallel()
	g := newGitHub(t)
	p := g.open("acme", files{"grants/prod.yaml": grants("{user: ann@example.com, role: edit, resource: prod}")})
	old := p.head
	g.push(p, files{"grants/prod.yaml": grants("{user: bob@example.com, role: edit, resource: prod}")})
	g.review(p, old)
	if len(g.reviews(p)) != 0 {
		t.Error("the review of an old commit was written beside a newer one")
	}
	p.open = false
	g.review(p, p.head)
	if len(g.reviews(p)) != 0 {
		t.Error("a pull request that is closed was commented on")
	}
}
