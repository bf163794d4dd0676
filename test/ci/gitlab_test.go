package ci_test

import (
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func gitlabBoard(t *testing.T) *board {
	return newBoard(t, "PRIVATE-TOKEN", "glpat-1", map[string]func(*board, *http.Request, map[string]any) (any, error){
		"GET /api/v4/user": func(*board, *http.Request, map[string]any) (any, error) {
			return map[string]any{"id": 5}, nil
		},
		"GET /api/v4/projects/3/merge_requests/7/notes": func(b *board, r *http.Request, _ map[string]any) (any, error) {
			list := []any{}
			for _, n := range b.notes {
				list = append(list, map[string]any{"id": n.id, "body": n.body, "author": map[string]any{"id": map[string]int{"infra": 5, "mallory": 6}[n.author]}})
			}
			if r.FormValue("sort") != "asc" {
				return nil, errors.New("the newest come first")
			}
			return list, nil
		},
		"POST /api/v4/projects/3/merge_requests/7/notes": func(b *board, _ *http.Request, body map[string]any) (any, error) {
			return b.write("", body["body"].(string))
		},
		"PUT /api/v4/projects/3/merge_requests/7/notes/{id}": func(b *board, r *http.Request, body map[string]any) (any, error) {
			return b.write(r.PathValue("id"), body["body"].(string))
		},
	})
}

// runGitLab runs both jobs in the order of their needs. A fork's pipeline is one
// of the fork's project, which has no token: then there is no second job.
func runGitLab(r *request, b *board, fork bool) (string, bool) {
	type job struct {
		Variables map[string]string
		Script    []string
		Artifacts struct {
			Paths   []string
			Reports map[string]string
		}
		Rules []struct{ If, When string }
	}
	var file map[string]job
	r.file(&file)
	env := map[string]string{
		"CI_MERGE_REQUEST_DIFF_BASE_SHA": r.base, "CI_API_V4_URL": b.URL + "/api/v4",
		"CI_COMMIT_SHA": r.head, "CI_MERGE_REQUEST_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7",
	}
	check, dir := file["infra"], r.clone()
	maps.Copy(env, check.Variables)
	log, failed := r.bash(newMachine(r.t), dir, env, check.Script...)
	for _, report := range check.Artifacts.Reports {
		if content, err := os.ReadFile(filepath.Join(dir, report)); err != nil || len(content) == 0 {
			r.t.Errorf("the report %s is missing or empty: %v", report, err)
		}
	}
	comment := file["infra-note"]
	if condition := comment.Rules[0]; !strings.Contains(condition.If, "&& $INFRA_NOTE_TOKEN") || condition.When != "always" {
		r.t.Fatalf("the note is written when %v", condition)
	}
	if fork {
		return log, failed
	}
	env["INFRA_NOTE_TOKEN"] = "glpat-1"
	artifacts := r.t.TempDir()
	for _, path := range check.Artifacts.Paths {
		if err := os.Rename(filepath.Join(dir, path), filepath.Join(artifacts, path)); err != nil {
			r.t.Fatal(err)
		}
	}
	if more, broken := r.bash(newMachine(r.t, "apk", "curl", "jq"), artifacts, env, comment.Script...); broken {
		r.t.Errorf("the note was not written:\n%s", more)
	}
	return log, failed
}
