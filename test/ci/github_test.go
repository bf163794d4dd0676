package ci_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A fakeGitHub stands for GitHub: the repository acme/access as a bare repository
// on this disk, its forks, its pull requests with the refs that GitHub makes for
// them, and as much of its API as the workflows use, which says no to a token
// that may not do what it is used for. It makes no claim about the rest of GitHub.
type fakeGitHub struct {
	t    *testing.T
	bare string
	api  *httptest.Server

	mu       sync.Mutex
	pulls    []*pull
	comments []comment
	tokens   map[string]map[string]string // permissions by token
	sarifs   []sarifUpload
}

// A pull is a pull request into main.
type pull struct {
	number           int
	owner, headRef   string // of the branch that it comes from
	remote           string // the bare repository of that
	head, merge      string // commits
	open             bool
	work             string // the contributor's checkout
	check, commented result // of the newest run of the workflows
}

type comment struct {
	ID   int    `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`

	pull int
}

type sarifUpload struct {
	ref, sha string
	version  string // of the format
}

const bot = "github-actions[bot]"

func newGitHub(t *testing.T) *fakeGitHub {
	t.Helper()
	g := &fakeGitHub{t: t, bare: accessRepository(t, "github"), tokens: map[string]map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/acme/access/pulls", g.listPulls)
	mux.HandleFunc("GET /repos/acme/access/issues/{number}/comments", g.listComments)
	mux.HandleFunc("POST /repos/acme/access/issues/{number}/comments", g.writeComment)
	mux.HandleFunc("PATCH /repos/acme/access/issues/comments/{id}", g.writeComment)
	g.api = httptest.NewServer(mux)
	t.Cleanup(g.api.Close)
	return g
}

// open makes a branch in the repository, or in a fork of somebody's, and a pull
// request of it.
func (g *fakeGitHub) open(owner string, changed files) *pull {
	g.t.Helper()
	p := &pull{number: len(g.pulls) + 1, owner: owner, headRef: "patch-" + strconv.Itoa(len(g.pulls)+1), remote: g.bare, open: true}
	if owner != "acme" {
		p.remote = filepath.Join(g.t.TempDir(), "fork.git")
		git(g.t, ".", "clone", "--quiet", "--bare", g.bare, p.remote)
	}
	p.work = checkout(g.t, p.remote)
	git(g.t, p.work, "checkout", "--quiet", "-b", p.headRef)
	g.mu.Lock()
	g.pulls = append(g.pulls, p)
	g.mu.Unlock()
	g.push(p, changed)
	return p
}

// push commits to the branch of a pull request, and GitHub makes its refs anew.
func (g *fakeGitHub) push(p *pull, changed files) {
	g.t.Helper()
	commit(g.t, p.work, changed)
	g.pushed(p)
}

// pushed is push for what has been committed already.
func (g *fakeGitHub) pushed(p *pull) {
	g.t.Helper()
	git(g.t, p.work, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/"+p.headRef)
	head := fmt.Sprintf("refs/pull/%d/head", p.number)
	git(g.t, g.bare, "fetch", "--quiet", p.remote, "+refs/heads/"+p.headRef+":"+head)
	merging := checkout(g.t, g.bare)
	git(g.t, merging, "fetch", "--quiet", "origin", head)
	git(g.t, merging, "merge", "--quiet", "--no-ff", "--message", "Merge", "FETCH_HEAD")
	git(g.t, merging, "push", "--quiet", "--force", "origin", fmt.Sprintf("HEAD:refs/pull/%d/merge", p.number))
	g.mu.Lock()
	defer g.mu.Unlock()
	p.head, p.merge = git(g.t, g.bare, "rev-parse", head), git(g.t, merging, "rev-parse", "HEAD")
}

// advance commits to main.
func (g *fakeGitHub) advance(changed files) {
	g.t.Helper()
	work := checkout(g.t, g.bare)
	commit(g.t, work, changed)
	git(g.t, work, "push", "--quiet", "origin", "HEAD:main")
}

// run runs both workflows as GitHub does: the check from the pull request's own
// files, with a token that may only read where it comes from a fork; and when it
// is done, however that was, the review from the main branch's.
func (g *fakeGitHub) run(p *pull) {
	g.t.Helper()
	repository := map[string]any{"repository": "acme/access", "api_url": g.api.URL, "server_url": "https://github.com"}
	headRepository := map[string]any{"full_name": p.owner + "/access", "owner": map[string]any{"login": p.owner}}
	head := p.head
	p.check = actionsRun{
		t: g.t, machine: newMachine(g.t, "gh"), event: "pull_request",
		payload: map[string]any{"number": p.number, "pull_request": map[string]any{"number": p.number, "head": map[string]any{"sha": head, "ref": p.headRef, "repo": headRepository}}},
		github:  repository, remote: g.bare, ref: fmt.Sprintf("refs/pull/%d/merge", p.number), sha: p.merge,
		token: func(permissions map[string]string) string { return g.token(permissions, p.owner != "acme") },
	}.run(git(g.t, g.bare, "show", p.merge+":.github/workflows/infra.yml"))
	g.review(p, head)
}

// review runs the workflow that follows a check of a commit.
func (g *fakeGitHub) review(p *pull, head string) {
	g.t.Helper()
	main := git(g.t, g.bare, "rev-parse", "main")
	p.commented = actionsRun{
		t: g.t, machine: newMachine(g.t, "gh"), event: "workflow_run",
		payload: map[string]any{"workflow_run": map[string]any{
			"event": "pull_request", "head_sha": head, "head_branch": p.headRef,
			"head_repository": map[string]any{"full_name": p.owner + "/access", "owner": map[string]any{"login": p.owner}},
		}},
		github: map[string]any{"repository": "acme/access", "api_url": g.api.URL, "server_url": "https://github.com"},
		remote: g.bare, ref: "refs/heads/main", sha: main, uploaded: g.upload,
		token: func(permissions map[string]string) string { return g.token(permissions, false) },
	}.run(git(g.t, g.bare, "show", main+":.github/workflows/infra-review.yml"))
	if p.commented.failed {
		g.t.Fatalf("the review of pull request %d failed:\n%s", p.number, p.commented.log)
	}
}

// token makes a job's token. That of a fork's pull request may read alone,
// whatever its workflow asks for.
func (g *fakeGitHub) token(permissions map[string]string, fork bool) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := "token-" + strconv.Itoa(len(g.tokens))
	g.tokens[token] = map[string]string{}
	for what, may := range permissions {
		if fork && may == "write" {
			may = "read"
		}
		g.tokens[token][what] = may
	}
	return token
}

// may says whether a request's token lets it; else it has been answered.
func (g *fakeGitHub) may(w http.ResponseWriter, r *http.Request, what, want string) bool {
	has := g.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")][what]
	if has != "write" && has != want {
		http.Error(w, `{"message": "Resource not accessible by integration"}`, http.StatusForbidden)
		return false
	}
	return true
}

func (g *fakeGitHub) listPulls(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.may(w, r, "pull-requests", "read") {
		return
	}
	list := []any{}
	for _, p := range g.pulls {
		if p.open == (r.FormValue("state") == "open") && p.owner+":"+p.headRef == r.FormValue("head") {
			list = append(list, map[string]any{
				"number": p.number, "head": map[string]any{"sha": p.head},
				"base": map[string]any{"ref": "main", "repo": map[string]any{"default_branch": "main"}},
			})
		}
	}
	answer(w, list)
}

// listComments gives 30 a page, oldest first, as GitHub does.
func (g *fakeGitHub) listComments(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.may(w, r, "pull-requests", "read") {
		return
	}
	list := []comment{}
	for _, c := range g.comments {
		if strconv.Itoa(c.pull) == r.PathValue("number") {
			list = append(list, c)
		}
	}
	page, _ := strconv.Atoi(r.FormValue("page"))
	list = list[min(page*30, len(list)):]
	if len(list) > 30 {
		list = list[:30]
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next"`, g.api.URL, r.URL.Path, page+1))
	}
	answer(w, list)
}

func (g *fakeGitHub) writeComment(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.may(w, r, "pull-requests", "write") {
		return
	}
	var c comment
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || c.Body == "" || len(c.Body) > 65536 {
		http.Error(w, `{"message": "Validation Failed"}`, http.StatusUnprocessableEntity)
		return
	}
	if r.Method == http.MethodPatch {
		i := slices.IndexFunc(g.comments, func(c comment) bool { return strconv.Itoa(c.ID) == r.PathValue("id") })
		if i < 0 {
			http.NotFound(w, r)
			return
		}
		g.comments[i].Body = c.Body
		answer(w, g.comments[i])
		return
	}
	c.ID, c.User.Login = 100+len(g.comments), bot
	c.pull, _ = strconv.Atoi(r.PathValue("number"))
	g.comments = append(g.comments, c)
	answer(w, c)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who asked sees that it is cut off
}

// says lets somebody comment on a pull request.
func (g *fakeGitHub) says(p *pull, who, body string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := comment{ID: 100 + len(g.comments), Body: body, pull: p.number}
	c.User.Login = who
	g.comments = append(g.comments, c)
}

// reviews are the comments of the workflow on a pull request.
func (g *fakeGitHub) reviews(p *pull) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var bodies []string
	for _, c := range g.comments {
		if c.pull == p.number && c.User.Login == bot {
			bodies = append(bodies, c.Body)
		}
	}
	return bodies
}

func (g *fakeGitHub) upload(ref, sha string, sarif []byte) error {
	var head struct{ Version string }
	if err := json.Unmarshal(sarif, &head); err != nil {
		return err
	}
	g.sarifs = append(g.sarifs, sarifUpload{ref, sha, head.Version})
	return nil
}
