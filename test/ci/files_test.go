package ci_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"gopkg.in/yaml.v3"
)

// workflowFiles are what init writes for each host.
var workflowFiles = map[string][]string{
	"github":    {".github/workflows/infra.yml", ".github/workflows/infra-review.yml"},
	"gitlab":    {".gitlab-ci.yml"},
	"gitea":     {".gitea/workflows/infra.yml"},
	"bitbucket": {"bitbucket-pipelines.yml"},
	"azure":     {"azure-pipelines.yml"},
}

func TestActionlintHasNothingToSay(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"github", "gitea"} {
		dir := checkout(t, accessRepository(t, host))
		for _, name := range workflowFiles[host] {
			var out bytes.Buffer
			linter, err := actionlint.NewLinter(&out, &actionlint.LinterOptions{Color: actionlint.ColorOptionKindNever})
			if err != nil {
				t.Fatal(err)
			}
			found, err := linter.LintFile(filepath.Join(dir, name), nil)
			if err != nil || len(found) > 0 {
				t.Errorf("%s of %s: %v\n%s", name, host, err, out.String())
			}
		}
	}
}

// TestEveryScriptParses: each script of each file is one that bash can read, and
// calls nothing of the network's but the host's own API and what installs infra.
func TestEveryScriptParses(t *testing.T) {
	t.Parallel()
	for host, names := range workflowFiles {
		dir := checkout(t, accessRepository(t, host))
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			var file yaml.Node
			if err := yaml.Unmarshal(text, &file); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			found := scripts(&file)
			if !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, "infra validate") }) {
				t.Errorf("%s validates nothing", name)
			}
			for _, script := range found {
				parse := exec.CommandContext(t.Context(), "bash", "-n")
				parse.Stdin = strings.NewReader(script)
				if out, err := parse.CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s\n%s", name, err, out, script)
				}
			}
		}
	}
}

// scripts are what the files run: under run (GitHub, Gitea), script (GitLab,
// Bitbucket) and bash (Azure).
func scripts(n *yaml.Node) []string {
	var found []string
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && slices.Contains([]string{"run", "script", "bash"}, n.Content[i-1].Value) {
			switch child.Kind {
			case yaml.ScalarNode:
				found = append(found, child.Value)
			case yaml.SequenceNode:
				var lines []string
				for _, line := range child.Content {
					lines = append(lines, line.Value)
				}
				found = append(found, strings.Join(lines, "\n"))
			}
		}
		found = append(found, scripts(child)...)
	}
	return found
}

// TestActionsArePinned: a tag can be moved to other code, a commit cannot. The
// version beside it is for the people who read it, and for what updates it.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	uses := regexp.MustCompile(`(?m)^\s*-? *uses: .*$`)
	form := regexp.MustCompile(`uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	pins := map[string]string{}
	for _, host := range []string{"github", "gitea"} {
		dir := checkout(t, accessRepository(t, host))
		for _, name := range workflowFiles[host] {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range uses.FindAllString(string(text), -1) {
				pin := form.FindString(line)
				action, _, _ := strings.Cut(pin, "@")
				if pin == "" || pins[action] != "" && pins[action] != pin {
					t.Errorf("%s: not pinned, or not to the same commit as elsewhere: %s", name, line)
				}
				pins[action] = pin
			}
		}
	}
	if len(pins) == 0 {
		t.Error("no action was found")
	}
}
