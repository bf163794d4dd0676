package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/infrahq/infra/test/controlplane"
)

// Everything that the demo says goes through these functions, and to stdout.

var colored = term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == ""

func paint(code, text string) string {
	if !colored {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func bold(text string) string  { return paint("1", text) }
func green(text string) string { return paint("32", text) }
func red(text string) string   { return paint("31", text) }
func dim(text string) string   { return paint("2", text) }

// chapter begins a part of the story.
func chapter(title string) { fmt.Printf("\n%s\n", bold("== "+title)) }

// say tells something in words.
func say(format string, args ...any) { fmt.Printf("   "+format+"\n", args...) }

// timed does something that takes a while, and says how long it took.
func timed(what string, do func() error) error {
	fmt.Printf("%s ... ", what)
	start := time.Now()
	if err := do(); err != nil {
		fmt.Println("failed")
		return err
	}
	fmt.Printf("%.1f s\n", time.Since(start).Seconds())
	return nil
}

// shell types a command and shows what it says. A command that is to fail is
// one whose failure is part of the story.
func (s *stage) shell(ctx context.Context, fails bool, words ...string) error {
	_, err := s.typed(ctx, fails, func(out string) string { return out }, words...)
	return err
}

// typed is shell for a command whose output matters, or must not be shown whole.
func (s *stage) typed(ctx context.Context, fails bool, show func(string) string, words ...string) (string, error) {
	fmt.Printf("\n%s %s\n", dim("$"), bold(quoted(words)))
	program := words[0]
	if program != "git" { // the demo has its own
		program = s.program(program)
	}
	cmd := exec.CommandContext(ctx, program, words[1:]...)
	cmd.Dir, cmd.Env = s.repo, s.environ()
	if _, err := os.Stat(s.repo); err != nil {
		cmd.Dir = s.dir
	}
	var stdout, both transcript
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, &both), &both
	err := cmd.Run()
	s.returned = time.Now()
	if text := strings.TrimRight(show(both.String()), "\n"); text != "" {
		fmt.Println("  " + strings.ReplaceAll(text, "\n", "\n  "))
	}
	switch {
	case err == nil && fails:
		return "", fmt.Errorf("%s: went well, and should not have", quoted(words))
	case err != nil && !fails:
		return "", fmt.Errorf("%s: %w", quoted(words), err)
	}
	return stdout.String(), nil
}

// A transcript takes what a command writes to stdout and stderr, in that order.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string { return t.text.String() }

// quoted is a command as one would type it.
func quoted(words []string) string {
	var out []string
	for _, w := range words {
		if strings.ContainsAny(w, " *\"") {
			w = "'" + w + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// An answer of the API server, and when it was first given.
type answer struct {
	at  time.Time
	err error
}

// watch asks the API server over and over, from now on and beside what the story
// does, until the answer is the wanted one.
func (s *stage) watch(ctx context.Context, q controlplane.Question, want bool) <-chan answer {
	found := make(chan answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			got, err := s.cluster.Can(ctx, q)
			if err == nil && got == want {
				found <- answer{at: time.Now()}
				return
			}
			select {
			case <-ctx.Done():
				found <- answer{err: fmt.Errorf("the API server does not say %t to %q: %w", want, q, errors.Join(ctx.Err(), err))}
				return
			case <-tick.C:
			}
		}
	}()
	return found
}

// A question of the story: what is asked, in its words, and the answer to come.
type question struct {
	words string
	asked controlplane.Question
	want  bool
}

// ask shows what the API server says.
func (s *stage) ask(ctx context.Context, q question) error {
	a := <-s.watch(ctx, q.asked, q.want)
	if a.err == nil {
		q.show("")
	}
	return a.err
}

// change types a command that changes an answer, and shows the new one and how
// long it took: from the moment at which the commit was on the branch where the
// command made one, else from its end.
func (s *stage) change(ctx context.Context, q question, command ...string) error {
	watch := s.watch(ctx, q.asked, q.want)
	if err := s.shell(ctx, false, command...); err != nil {
		return err
	}
	a := <-watch
	if a.err != nil {
		return a.err
	}
	since, event := s.returned, "command"
	if command[0] == "infra" {
		branch, err := os.Stat(filepath.Join(s.repo, ".git", "refs", "heads", "main"))
		if err != nil {
			return err
		}
		since, event = branch.ModTime(), "commit"
	}
	if took := a.at.Sub(since); took > 0 {
		q.show(fmt.Sprintf("%.2f s after the %s", took.Seconds(), event))
	} else {
		q.show("before the " + event + " returned")
	}
	return nil
}

func (q question) show(when string) {
	answer := green("yes")
	if !q.want {
		answer = red("no")
	}
	if when != "" {
		answer += "   " + dim(when)
	}
	say("%s: %s", q.words, answer)
}
