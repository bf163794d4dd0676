package ci_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestBitbucket(t *testing.T) {
	t.Parallel()
	const report = "/2.0/repositories/acme/access/commit/abc/reports/infra"
	say := func(*board, *http.Request, map[string]any) (any, error) { return map[string]any{}, nil }
	b := newBoard(t, "Authorization", "", map[string]func(*board, *http.Request, map[string]any) (any, error){ // the proxy signs
		"DELETE " + report: func(b *board, _ *http.Request, _ map[string]any) (any, error) {
			clear(b.other)
			return map[string]any{}, nil
		},
		"PUT " + report:                   say,
		"POST " + report + "/annotations": say,
	})
	r := newRequest(t, "bitbucket")
	r.merged = true
	var file struct {
		Pipelines struct {
			PullRequests map[string][]struct{ Step struct{ Script []string } } `yaml:"pull-requests"`
		}
	}
	r.file(&file)
	script := file.Pipelines.PullRequests["**"][0].Step.Script
	run := func(changed files) (log string, failed bool) {
		r.push(changed)
		return r.bash(newMachine(t, "apt-get", "curl", "jq"), r.clone(), map[string]string{
			"BITBUCKET_PR_DESTINATION_BRANCH": "main", "BITBUCKET_REPO_FULL_NAME": "acme/access", "BITBUCKET_COMMIT": "abc", "FAKE_PROXY": b.URL,
		}, script...)
	}
	log, failed := run(forbidden)
	if !failed {
		t.Errorf("the check passed what the policy forbids:\n%s", log)
	}
	contains(t, "the log", log, "no-exec-in-payments", "grants/prod.yaml:3")
	contains(t, "the report", b.other["PUT "+report], `"FAILED"`, "no-exec-in-payments")
	contains(t, "the annotations", b.other["POST "+report+"/annotations"], `"grants/prod.yaml"`, "payment pods hold card data")
	if log, failed = run(harmless); failed {
		t.Errorf("the check of a good change failed:\n%s", log)
	}
	contains(t, "the report", b.other["PUT "+report], `"PASSED"`, "eve@example.com")
	if strings.Contains(b.other["POST "+report+"/annotations"], "payment pods") {
		t.Error("the annotations of the first push are still there")
	}
}
