package ci_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// A board stands for the API of a host: one pull request, number 7, on which
// people and the workflow write. It answers the workflow alone.
type board struct {
	*httptest.Server
	mu    sync.Mutex
	notes []*note
	other map[string]string // what else was written, by path
}

type note struct {
	id           int
	author, body string
}

// newBoard has the handlers of one host by pattern, which are called one at a
// time, and which get the body of the request as JSON. Its first note is a
// stranger's, with the mark of a review. A request whose header is not that of
// the workflow is refused.
func newBoard(t *testing.T, header, secret string, handlers map[string]func(b *board, r *http.Request, body map[string]any) (any, error)) *board {
	t.Helper()
	b := &board{notes: []*note{{id: 1, author: "mallory", body: "<!-- infra review -->\nall is well"}}, other: map[string]string{}}
	mux := http.NewServeMux()
	for pattern, handle := range handlers {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			b.mu.Lock()
			defer b.mu.Unlock()
			var raw json.RawMessage
			var body map[string]any
			if r.ContentLength > 0 {
				if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
					http.Error(w, err.Error(), http.StatusBadRequest)
					return
				}
				b.other[r.Method+" "+r.URL.Path] = string(raw)
				_ = json.Unmarshal(raw, &body) // a list is no body of a note
			}
			if r.Header.Get(header) != secret {
				http.Error(w, "{}", http.StatusForbidden)
				return
			}
			v, err := handle(b, r, body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
			answer(w, v)
		})
	}
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

// write makes a note of the workflow's, or changes one.
func (b *board) write(id, body string) (any, error) {
	if id == "" {
		b.notes = append(b.notes, &note{id: 10 + len(b.notes), author: "infra", body: body})
		return map[string]any{}, nil
	}
	for _, n := range b.notes {
		if strconv.Itoa(n.id) == id && n.author == "infra" {
			n.body = body
			return map[string]any{}, nil
		}
	}
	return nil, errors.New("no note of yours is " + id)
}

// review is the one note of the workflow; "" where it wrote none.
func (b *board) review(t *testing.T) string {
	t.Helper()
	if b.notes[0].body != "<!-- infra review -->\nall is well" {
		t.Error("the stranger's note was written over")
	}
	if len(b.notes) > 2 {
		t.Fatalf("there are %d notes, and one is kept up to date", len(b.notes)-1)
	}
	if len(b.notes) == 1 {
		return ""
	}
	return b.notes[1].body
}

// A request is a pull request into main, on any host.
type request struct {
	t          *testing.T
	bare, work string
	base, head string // the tip of main when it was made, and of the branch
	merged     bool   // the host builds what merging would give
	runsOnFile string
}

func newRequest(t *testing.T, host string) *request {
	t.Helper()
	bare := accessRepository(t, host)
	r := &request{t: t, bare: bare, work: checkout(t, bare), runsOnFile: workflowFiles[host][0]}
	r.base = git(t, r.work, "rev-parse", "HEAD")
	git(t, r.work, "checkout", "--quiet", "-b", "patch")
	return r
}

func (r *request) push(changed files) {
	commit(r.t, r.work, changed)
	git(r.t, r.work, "push", "--quiet", "origin", "HEAD:patch")
	r.head = git(r.t, r.work, "rev-parse", "HEAD")
}

// clone is what the host's machine has when the scripts begin.
func (r *request) clone() (dir string) {
	dir = checkout(r.t, r.bare)
	git(r.t, dir, "checkout", "--quiet", "--detach", r.head)
	if r.merged {
		git(r.t, dir, "merge", "--quiet", "--no-ff", "--message", "Merge", "origin/main")
	}
	return dir
}

// file is the host's file, read into v.
func (r *request) file(v any) {
	r.t.Helper()
	content, err := os.ReadFile(filepath.Join(r.work, r.runsOnFile))
	if err != nil {
		r.t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, v); err != nil {
		r.t.Fatal(err)
	}
}

// bash runs the lines of a script as the hosts do, until one fails.
func (r *request) bash(m *machine, dir string, env map[string]string, lines ...string) (log string, failed bool) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", "-eo", "pipefail", "-c", strings.Join(lines, "\n"))
	cmd.Dir, cmd.Env = dir, slices.Clone(m.env)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		r.t.Fatal(err)
	}
	return string(out), err != nil
}

var (
	// With a folder that has the name of a revision, and where nothing is wrong.
	forbidden = files{"HEAD/infra.yaml": text("version: 1"), "grants/prod.yaml": grants("{group: engineering, role: edit, resource: prod}", "{user: eve@example.com, role: exec, resource: prod.payments}")}
	harmless  = files{"grants/prod.yaml": grants("{group: engineering, role: edit, resource: prod}", "{user: eve@example.com, role: view, resource: prod}")}
)

// hosts are those whose workflow writes a note. Each runs the workflow once.
var hosts = []struct {
	name  string
	board func(t *testing.T) *board
	run   func(r *request, b *board, fork bool) (log string, failed bool)
}{
	{"gitlab", gitlabBoard, runGitLab},
	{"gitea", giteaBoard, runGitea},
	{"azure", azureBoard, runAzure},
}

func TestOtherHosts(t *testing.T) {
	t.Parallel()
	for _, host := range hosts {
		t.Run(host.name, func(t *testing.T) {
			t.Parallel()
			b, r := host.board(t), newRequest(t, host.name)
			r.push(forbidden)
			log, failed := host.run(r, b, false)
			if !failed {
				t.Errorf("the check passed what the policy forbids:\n%s", log)
			}
			contains(t, "the log", log, "no-exec-in-payments", "grants/prod.yaml:3")
			contains(t, "the note", b.review(t), "payment pods hold card data")
			r.push(harmless)
			if log, failed = host.run(r, b, false); failed {
				t.Errorf("the check of a good change failed:\n%s", log)
			}
			note := b.review(t)
			contains(t, "the note", note, "eve@example.com")
			if strings.Contains(note, "payment pods hold card data") {
				t.Errorf("the note is of the first push still:\n%s", note)
			}
		})
		t.Run(host.name+", from a fork", func(t *testing.T) {
			t.Parallel()
			b, r := host.board(t), newRequest(t, host.name)
			r.push(forbidden)
			if log, failed := host.run(r, b, true); !failed {
				t.Errorf("the check passed what the policy forbids:\n%s", log)
			}
			r.push(harmless)
			if log, failed := host.run(r, b, true); failed {
				t.Errorf("the check of a good change failed:\n%s", log)
			}
			if note := b.review(t); note != "" {
				t.Errorf("a fork may not write, and there is %q", note)
			}
		})
	}
}
