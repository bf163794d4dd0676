package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const examples = "../../examples"

// exampleTime is when everything in the examples happens.
var exampleTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Each repository in examples/ is good and its policy's tests pass; each of its
// sample pull requests gets exactly the review that lies beside it, and that
// docs/review.md shows.
func TestExamples(t *testing.T) {
	page := "../../docs/review.md"
	before, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(before)
	for _, dir := range glob(t, examples, "*/infra.yaml") {
		dir = filepath.Dir(dir)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			repository := exampleRepository(t, dir)
			if out, code := runExample(repository, "validate"); code != 0 || strings.Contains(out, "warning") {
				t.Errorf("infra validate: exit code %d\n%s", code, out)
			}
			if out, code := runExample(repository, "policy", "test"); code != 0 {
				t.Errorf("infra policy test: exit code %d\n%s", code, out)
			}
			for _, patch := range glob(t, dir, "pulls/*/change.patch") {
				t.Run(filepath.Base(filepath.Dir(patch)), func(t *testing.T) {
					checkPull(t, repository, patch, &text)
				})
			}
		})
	}
	sameAsGolden(t, page, text)
}

// checkPull proposes a patch and compares the review of it with the one beside it.
func checkPull(t *testing.T, repository, patch string, page *string) {
	folder := filepath.Dir(patch)
	branch := filepath.Base(folder)
	content, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	subject, _, _ := strings.Cut(string(content), "\n")
	file, err := filepath.Abs(patch)
	if err != nil {
		t.Fatal(err)
	}
	gitExample(t, repository, "switch", "-q", "-c", branch, "main")
	gitExample(t, repository, "apply", "--index", file)
	gitExample(t, repository, "commit", "-q", "-m", subject)

	out, code := runExample(repository, "validate", branch, "--base", "main")
	sameAsGolden(t, filepath.Join(folder, "review.txt"),
		fmt.Sprintf("$ infra validate %s --base main\n%s$ echo $?\n%d\n", branch, out, code))
	markdown, code := runExample(repository, "diff", "main", branch, "-o", "markdown")
	if code != 0 && code != 3 {
		t.Errorf("infra diff: exit code %d\n%s", code, markdown)
	}
	if code == 0 {
		sameAsGolden(t, filepath.Join(folder, "review.md"), markdown)
	}
	name := filepath.Base(filepath.Dir(filepath.Dir(folder))) + "/" + branch
	*page = withExample(*page, name, string(content), markdown)
}

// withExample is a page with what stands between the markers of an example brought up
// to date: the patch, and the review beside it.
func withExample(page, name, patch, markdown string) string {
	begin, end := "<!-- example "+name+" -->\n", "<!-- end of example -->\n"
	before, rest, found := strings.Cut(page, begin)
	if !found {
		return page
	}
	_, after, _ := strings.Cut(rest, end)
	_, diff, _ := strings.Cut(patch, "\n\n")
	return before + begin + "<table>\n<tr><th>What Git shows</th><th>What infra says</th></tr>\n<tr><td valign=\"top\">\n\n```diff\n" + diff +
		"```\n\n</td><td valign=\"top\">\n\n" + strings.TrimSpace(markdown) + "\n\n</td></tr>\n</table>\n" + end + after
}

// exampleRepository is a Git repository with what an example holds, but for its pull requests.
func exampleRepository(t *testing.T, dir string) string {
	t.Helper()
	repository := t.TempDir()
	if err := os.CopyFS(repository, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(repository, "pulls")); err != nil {
		t.Fatal(err)
	}
	gitExample(t, repository, "init", "-q", "-b", "main")
	gitExample(t, repository, "add", "-A")
	gitExample(t, repository, "commit", "-q", "-m", "infra: begin")
	return repository
}

func gitExample(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	at := exampleTime.Format(time.RFC3339)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_COMMITTER_DATE="+at, "GIT_AUTHOR_DATE="+at,
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// runExample runs the program as it would run at the examples' time, and returns
// all that it prints.
func runExample(repository string, args ...string) (string, int) {
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: &out, getenv: func(string) string { return "" }, now: func() time.Time { return exampleTime }}
	cmd := a.command()
	cmd.SetArgs(append([]string{"-C", repository}, args...))
	code := a.report(cmd.Execute())
	return out.String(), code
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("nothing matches %s in %s: %v", pattern, dir, err)
	}
	return found
}

// sameAsGolden compares text with a file; with -update it writes the file.
func sameAsGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is stale (-file +now); go test ./cmd/infra -run TestExamples -update, and read it:\n%s", file, diff)
	}
}
