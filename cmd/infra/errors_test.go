package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

func TestReport(t *testing.T) {
	t.Parallel()
	problem := schema.Problem{Pos: schema.Pos{File: "grants/a.yaml", Line: 2, Column: 3}, Severity: schema.Error, Message: "bad"}
	for _, test := range []struct {
		name  string
		err   error
		color bool
		code  int
		want  string
	}{
		{name: "no error", code: 0},
		{name: "a fact alone", err: errors.New("it is so"), code: 1, want: "error: it is so\n"},
		{name: "a fact and its remedy", err: fmt.Errorf("doing: %w", hint(errors.New("it is so"), "do %s", "that")), code: 1,
			want: "error: doing: it is so\nhint: do that\n"},
		{name: "an invalid repository", err: &problemsError{err: errInvalid, problems: schema.Problems{problem}}, code: 3,
			want: "grants/a.yaml:2:3: bad\nerror: the repository is invalid\n"},
		{name: "a policy refuses", err: hint(&problemsError{err: errPolicy, problems: schema.Problems{problem}}, "ask"), code: 4,
			want: "grants/a.yaml:2:3: bad\nerror: a policy refuses the change\nhint: ask\n"},
		{name: "an edit that repo refuses", err: &repo.Refusal{Err: repo.ErrDirty, What: "a.yaml", Hint: "commit it"}, code: 1,
			want: "error: a.yaml has uncommitted changes\nhint: commit it\n"},
		{name: "Ctrl-C", err: fmt.Errorf("git commit: %w", context.Canceled), code: 1,
			want: "error: interrupted: git commit: context canceled\n"},
		{name: "on a terminal", err: hint(errors.New("it is so"), "do that"), color: true, code: 1,
			want: "\x1b[31;1merror:\x1b[0m it is so\n\x1b[36mhint:\x1b[0m do that\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			a := &app{stderr: &stderr, color: test.color, quiet: true}
			if code := a.report(test.err); code != test.code {
				t.Errorf("code %d, want %d", code, test.code)
			}
			if diff := cmp.Diff(test.want, stderr.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestShellWordsAreReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	got := shell("fisher@example.com", "example.pay-*", "a b", "it's", "", "~x", "tschüß")
	want := `fisher@example.com 'example.pay-*' 'a b' 'it'\''s' '' '~x' 'tschüß'`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
