package ci_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func giteaBoard(t *testing.T) *board {
	return newBoard(t, "Authorization", "token job-1", map[string]func(*board, *http.Request, map[string]any) (any, error){
		"GET /api/v1/repos/acme/access/issues/7/comments": func(b *board, _ *http.Request, _ map[string]any) (any, error) {
			list := []any{}
			for _, n := range b.notes {
				list = append(list, map[string]any{"id": n.id, "body": n.body, "user": map[string]any{"login": map[string]string{"infra": "gitea-actions", "mallory": "mallory"}[n.author]}})
			}
			return list, nil
		},
		"POST /api/v1/repos/acme/access/issues/7/comments": func(b *board, _ *http.Request, body map[string]any) (any, error) {
			return b.write("", body["body"].(string))
		},
		"PATCH /api/v1/repos/acme/access/issues/comments/{id}": func(b *board, r *http.Request, body map[string]any) (any, error) {
			return b.write(r.PathValue("id"), body["body"].(string))
		},
	})
}

func runGitea(r *request, b *board, fork bool) (string, bool) {
	owner, token := "acme", "job-1"
	if fork {
		owner, token = "mallory", "job-2" // which may read alone
	}
	content, err := os.ReadFile(filepath.Join(r.work, r.runsOnFile))
	if err != nil {
		r.t.Fatal(err)
	}
	result := actionsRun{
		t: r.t, machine: newMachine(r.t, "curl", "jq"), event: "pull_request",
		payload: map[string]any{"pull_request": map[string]any{
			"number": 7, "base": map[string]any{"sha": r.base},
			"head": map[string]any{"repo": map[string]any{"full_name": owner + "/access"}},
		}},
		github: map[string]any{"repository": "acme/access", "server_url": b.URL},
		remote: r.bare, ref: "refs/pull/7/head", sha: r.head,
		token: func(map[string]string) string { return token },
	}.run(string(content))
	return result.log, result.failed
}
