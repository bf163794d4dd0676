package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"
)

// git is one way of running the system's git in one folder.
type git struct {
	dir    string
	env    []string  // added to the process's
	config []string  // settings NAME=value that stand above the user's
	stderr io.Writer // gets what git says when it succeeds; may be nil
}

// patience is how long git may take to end after it was told to.
const patience = 5 * time.Second

// run runs git and returns what it printed. Paths after "--" are taken as they
// are, without the magic of pathspecs.
func (g git) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	all := []string{"--literal-pathspecs"}
	for _, setting := range g.config {
		all = append(all, "-c", setting)
	}
	cmd := exec.CommandContext(ctx, "git", append(all, args...)...)
	cmd.Dir = g.dir
	cmd.Env = append(environment(), g.env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = patience
	err := cmd.Run()
	switch {
	case err == nil:
		if g.stderr != nil {
			_, _ = g.stderr.Write(stderr.Bytes()) // words alone: that they are lost undoes nothing
		}
		return stdout.Bytes(), nil
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("running git: %w", ErrNoGit)
	case ctx.Err() != nil:
		return nil, &GitError{Command: "git " + args[0], Err: ctx.Err()}
	}
	words := strings.TrimSpace(stderr.String())
	if words == "" {
		words = strings.TrimSpace(stdout.String()) // "nothing to commit" goes there
	}
	return stdout.Bytes(), &GitError{Command: "git " + args[0], Words: words, Err: err}
}

// plainWords makes git say in English what goes wrong, whatever language the user
// reads, and in the user's character set: for those of its words that lead to a remedy.
const plainWords = "LANGUAGE=en"

// line runs git and returns its output without the final newline.
func (g git) line(ctx context.Context, args ...string) (string, error) {
	out, err := g.run(ctx, nil, args...)
	return strings.TrimSuffix(string(out), "\n"), err
}

// with is the same git with more environment.
func (g git) with(env ...string) git {
	g.env = slices.Concat(g.env, env)
	return g
}

// set is the same git with one more setting.
func (g git) set(setting string) git {
	g.config = slices.Concat(g.config, []string{setting})
	return g
}

// redirecting are the variables that point git at another repository than the
// folder's, as they do in a hook of the user's that runs infra.
var redirecting = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_SHALLOW_FILE",
	"GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
}

func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(redirecting, name)
	})
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		env = append(env, "GIT_TERMINAL_PROMPT=0")
	}
	return env
}

// ended says whether git ran and ended with this code.
func ended(err error, code int) bool {
	e, ok := errors.AsType[*exec.ExitError](err)
	return ok && e.ExitCode() == code
}
