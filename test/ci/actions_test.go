package ci_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// An actionsRun is one run of a workflow of GitHub Actions, or of what is like
// it: an event that happened to a repository.
type actionsRun struct {
	t       *testing.T
	machine *machine
	event   string         // its name
	payload map[string]any // what GitHub tells of it
	github  map[string]any // more of the context github
	remote  string         // the bare repository, for the check-out
	ref     string         // that is checked out
	sha     string         // what it was when the event happened

	// uploaded is called with what goes to code scanning; nil: nothing may.
	uploaded func(ref, sha string, sarif []byte) error
	// token gives the job's token for the permissions that its workflow asks for;
	// nil: it says nothing of them.
	token func(permissions map[string]string) string
}

// A result is what became of a job.
type result struct {
	ran     bool // false: its condition was not met
	failed  bool
	log     string // what its steps printed
	summary string // what they put there
}

type workflowFile struct {
	On          map[string]yaml.Node
	Permissions map[string]string
	Env         map[string]string
	Defaults    struct{ Run struct{ Shell string } }
	Jobs        map[string]struct {
		If          string
		Permissions map[string]string
		Steps       []step
	}
}

type step struct {
	Name, ID, If, Uses, Run string
	Env                     map[string]string
	With                    map[string]string
	ContinueOnError         bool `yaml:"continue-on-error"`
}

// run runs the only job of a workflow, as its text was at some commit.
func (r actionsRun) run(text string) result {
	r.t.Helper()
	var w workflowFile
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		r.t.Fatal(err)
	}
	if _, triggered := w.On[r.event]; !triggered || len(w.Jobs) != 1 || w.Defaults.Run.Shell != "bash" {
		r.t.Fatalf("the tests run a workflow with one job, in bash, for the event %s, and this is another:\n%s", r.event, text)
	}
	for _, job := range w.Jobs {
		permissions := w.Permissions
		if job.Permissions != nil {
			permissions = job.Permissions
		}
		j := r.begin(r.token(permissions))
		j.env(w.Env)
		if ran, err := j.scope.holds(job.If, state{}); err != nil {
			r.t.Fatal(err)
		} else if !ran {
			return result{}
		}
		for _, s := range job.Steps {
			j.step(s)
		}
		return result{ran: true, failed: j.state.failed, log: j.log.String(), summary: j.read("summary")}
	}
	panic("unreachable")
}

// A runningJob is a job between its steps.
type runningJob struct {
	actionsRun
	scope     scope
	state     state
	variables map[string]string
	workspace string
	temp      string
	log       bytes.Buffer
}

func (r actionsRun) begin(token string) *runningJob {
	temp := r.t.TempDir()
	j := &runningJob{actionsRun: r, temp: temp, workspace: filepath.Join(temp, "workspace")}
	if err := os.Mkdir(j.workspace, 0o700); err != nil {
		r.t.Fatal(err)
	}
	event, err := json.Marshal(r.payload)
	if err != nil {
		r.t.Fatal(err)
	}
	for name, content := range map[string][]byte{"event.json": event, "output": nil, "env": nil, "path": nil, "summary": nil} {
		if err := os.WriteFile(filepath.Join(temp, name), content, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	github := map[string]any{"event": r.payload, "event_name": r.event, "ref": r.ref, "sha": r.sha, "token": token}
	maps.Copy(github, r.github)
	j.scope = scope{"github": github, "runner": map[string]any{"temp": temp}, "steps": map[string]any{}}
	j.variables = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": r.event, "GITHUB_EVENT_PATH": filepath.Join(temp, "event.json"),
		"GITHUB_OUTPUT": filepath.Join(temp, "output"), "GITHUB_ENV": filepath.Join(temp, "env"), "GITHUB_PATH": filepath.Join(temp, "path"),
		"GITHUB_STEP_SUMMARY": filepath.Join(temp, "summary"), "GITHUB_WORKSPACE": j.workspace, "RUNNER_TEMP": temp,
		"GITHUB_REF": r.ref, "GITHUB_SHA": r.sha,
	}
	for _, known := range []string{"repository", "api_url", "server_url"} {
		if v, ok := github[known].(string); ok {
			j.variables["GITHUB_"+strings.ToUpper(known)] = v
		}
	}
	return j
}

func (j *runningJob) env(env map[string]string) {
	j.t.Helper()
	for name, text := range env {
		value, err := j.scope.fill(text, j.state)
		if err != nil {
			j.t.Fatal(err)
		}
		j.variables[name] = value
	}
}

func (j *runningJob) read(name string) string {
	j.t.Helper()
	content, err := os.ReadFile(filepath.Join(j.temp, name))
	if err != nil {
		j.t.Fatal(err)
	}
	return string(content)
}

// step runs one step, or passes over it where its condition is not met.
func (j *runningJob) step(s step) {
	j.t.Helper()
	runs, err := j.scope.holds(s.If, j.state)
	if err != nil {
		j.t.Fatal(err)
	}
	if !runs {
		return
	}
	before := maps.Clone(j.variables)
	j.env(s.Env)
	if s.Uses != "" {
		err = j.use(s)
	} else {
		err = j.bash(s.Run)
	}
	j.variables = before
	j.written(s.ID)
	if err != nil {
		fmt.Fprintf(&j.log, "step %s%s: %v\n", s.Name, s.Uses, err)
		j.state.failed = j.state.failed || !s.ContinueOnError
	}
}

// bash runs a script as `shell: bash` does. An expression in a script would be
// code that anybody could write.
func (j *runningJob) bash(script string) error {
	if strings.Contains(script, "${{") {
		j.t.Fatalf("a script with an expression in it can be made to do anything:\n%s", script)
	}
	file := filepath.Join(j.temp, "script.sh")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		j.t.Fatal(err)
	}
	cmd := exec.CommandContext(j.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", file)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = j.workspace, slices.Clone(j.machine.env), &j.log, &j.log
	for name, value := range j.variables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd.Run()
}

// written takes in what a step wrote to the files of the run.
func (j *runningJob) written(id string) {
	j.t.Helper()
	outputs := map[string]any{}
	for line := range strings.Lines(j.read("output")) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !found {
			j.t.Fatalf("an output in a form that the tests do not know: %s", line)
		}
		outputs[name] = value
	}
	if id != "" {
		j.scope["steps"].(map[string]any)[id] = map[string]any{"outputs": outputs}
	}
	for line := range strings.Lines(j.read("env")) {
		name, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !found {
			j.t.Fatalf("a variable in a form that the tests do not know: %s", line)
		}
		j.variables[name] = value
	}
	if err := errors.Join(os.Truncate(filepath.Join(j.temp, "output"), 0), os.Truncate(filepath.Join(j.temp, "env"), 0)); err != nil {
		j.t.Fatal(err)
	}
}

var pinned = regexp.MustCompile(`^([a-z-]+/[a-z-]+(?:/[a-z-]+)*)@[0-9a-f]{40}$`)

// use does what an action does, as far as the workflows ask for it. An action or
// an input that the tests do not know ends them.
func (j *runningJob) use(s step) error {
	j.t.Helper()
	with := map[string]string{}
	for name, text := range s.With {
		value, err := j.scope.fill(text, j.state)
		if err != nil {
			j.t.Fatal(err)
		}
		with[name] = value
	}
	pin := pinned.FindStringSubmatch(s.Uses)
	if pin == nil {
		j.t.Fatalf("an action that is not pinned to a commit: %s", s.Uses)
	}
	known := map[string][]string{
		"actions/checkout":                  {"fetch-depth", "persist-credentials"},
		"actions/setup-go":                  {"go-version", "cache"},
		"github/codeql-action/upload-sarif": {"sarif_file", "ref", "sha", "category"},
	}[pin[1]]
	for name := range with {
		if !slices.Contains(known, name) {
			j.t.Fatalf("the tests know no %s of %s", name, s.Uses)
		}
	}
	switch pin[1] {
	case "actions/checkout":
		return j.checkOut(with["fetch-depth"])
	case "actions/setup-go":
		return nil // go is on the machine's path
	}
	sarif, err := os.ReadFile(with["sarif_file"])
	if err != nil {
		return err
	}
	if j.uploaded == nil {
		j.t.Fatal("nothing goes to code scanning from here")
	}
	return j.uploaded(with["ref"], with["sha"], sarif)
}

// checkOut leaves HEAD detached at what the event is about, with as much history
// as was asked for; 0 is all of it, and of all branches.
func (j *runningJob) checkOut(depth string) error {
	fetch := []string{"fetch", "--quiet", "--no-tags", "origin"}
	switch depth {
	case "":
		fetch = append(fetch, "--depth=1")
	case "0":
		fetch = append(fetch, "+refs/heads/*:refs/remotes/origin/*")
	default:
		fetch = append(fetch, "--depth="+depth)
	}
	for _, args := range [][]string{
		{"init", "--quiet"}, {"remote", "add", "origin", "file://" + j.remote}, append(fetch, j.sha), {"checkout", "--quiet", "--detach", j.sha},
	} {
		git(j.t, j.workspace, args...)
	}
	return nil
}
