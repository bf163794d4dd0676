package ci_test

import (
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func azureBoard(t *testing.T) *board {
	const threads = "/acme/p1/_apis/git/repositories/r1/pullRequests/7/threads"
	return newBoard(t, "Authorization", "Bearer job-1", map[string]func(*board, *http.Request, map[string]any) (any, error){
		"GET " + threads: func(b *board, _ *http.Request, _ map[string]any) (any, error) {
			list := []any{map[string]any{"id": 90, "comments": []any{}}}
			for _, n := range b.notes[1:] { // in a thread each
				list = append(list, map[string]any{"id": 50, "comments": []any{map[string]any{"id": n.id, "content": n.body}}})
			}
			return map[string]any{"value": list}, nil
		},
		"POST " + threads: func(b *board, _ *http.Request, body map[string]any) (any, error) {
			return b.write("", body["comments"].([]any)[0].(map[string]any)["content"].(string))
		},
		"PATCH " + threads + "/50/comments/{id}": func(b *board, r *http.Request, body map[string]any) (any, error) {
			return b.write(r.PathValue("id"), body["content"].(string))
		},
	})
}

// runAzure runs the steps that are scripts; the tasks are Azure's own.
func runAzure(r *request, b *board, fork bool) (string, bool) {
	var file struct {
		Variables map[string]string
		Steps     []struct {
			Bash, Condition string
			Where           string `yaml:"workingDirectory"`
			Env             map[string]string
		}
	}
	r.file(&file)
	r.merged = true
	m, dir, staging := newMachine(r.t, "curl", "jq"), r.clone(), r.t.TempDir()
	env := map[string]string{
		"AGENT_TEMPDIRECTORY": filepath.Join(m.home, "temp"), "BUILD_ARTIFACTSTAGINGDIRECTORY": staging, "BUILD_SOURCEVERSION": git(r.t, dir, "rev-parse", "HEAD"),
		"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main", "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
		"SYSTEM_COLLECTIONURI": b.URL + "/acme/", "SYSTEM_TEAMPROJECTID": "p1", "BUILD_REPOSITORY_ID": "r1",
	}
	maps.Copy(env, file.Variables)
	var log strings.Builder
	failed := false
	for _, s := range file.Steps {
		if s.Bash == "" {
			continue
		}
		if strings.Contains(s.Condition, "ne(variables['System.PullRequest.IsFork'], 'True')") && fork ||
			!strings.Contains(s.Condition, "succeededOrFailed()") && failed {
			continue
		}
		own := maps.Clone(env)
		for name, value := range s.Env {
			own[name] = strings.ReplaceAll(value, "$(System.AccessToken)", "job-1")
		}
		where := dir
		if s.Where == "$(Build.ArtifactStagingDirectory)" {
			where = staging
		}
		out, broken := r.bash(m, where, own, s.Bash)
		log.WriteString(out)
		failed = failed || broken
	}
	return log.String(), failed
}
