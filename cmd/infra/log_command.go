package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A logQuestion is what the arguments and flags of log ask.
type logQuestion struct {
	verdicts     bool
	isGroup      bool
	from, to     string
	since, until string
	limit        int
	show         listFlags
}

func (a *app) logCommand() *cobra.Command {
	var q logQuestion
	cmd := &cobra.Command{
		Use:   "log [SUBJECT|RESOURCE]",
		Short: "Show the history of access: who got or lost what, by whom",
		Long: `Show the history in words of access, newest first: who got or lost what, who wrote
that and who reviewed it. With a SUBJECT, a person or with -g a group, it is what
reached them, also through groups, and of a group who got into it; with a RESOURCE,
what reached it or a part of it, also by patterns and by the whole cluster, and under
its former names. What has an @ in it is a person.

It follows first parents, as the server does: a merged branch is one change, at its
merge, by the authors of its commits. What an expiry ended is shown at its time. A
revision that no server would serve, because it is invalid, is marked, and what it
changed is told with the next one that is valid. Whether rules or brakes refused a
revision is what --verdicts says.

Reviewers are those whom Git holds: Reviewed-by and Approved-by trailers, and who
merged a branch that others wrote ("merge"; on GitHub's site it is the author of the
merge). The number of the pull request is the one in the message as Git hosts write
it. infra asks no Git host, and invents none.

With --verdicts, show what the server makes of each commit, oldest first: whether it
is accepted or refused, and why. It begins with the commit of --from, which is judged
for itself, as a server does that is started with --trust COMMIT. A commit that is
dated ahead of the clock is waiting, and those after it are with it. What may be known
only at a moment, such as which revocations a newer commit brought, is left out.

The fields of -o json are in docs/output.md.`,
		Example: `  infra log
  infra log fisher@example.com --since 2026-01-01
  infra log example.payments -n 20
  infra log -g engineering -o json
  infra log --verdicts --from main~20 --to main`,
		Args: arguments,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			words := func(s *schema.Snapshot) []string { return append(people(s), resources(s)...) }
			if q.isGroup {
				words = groups
			}
			return a.completeArguments(words)(cmd, args, toComplete)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.verdicts {
				return a.showVerdicts(cmd, args, q)
			}
			return a.showLog(cmd.Context(), args, q)
		},
	}
	flags := cmd.Flags()
	subjectFlags(cmd, &q.isGroup)
	flags.StringVar(&q.since, "since", "", "nothing before this `time`: 2026-12-24T18:00:00Z, 2026-12-24 for the begin of that day, or 30d ago")
	flags.StringVar(&q.until, "until", "", "nothing after this `time`: 2026-12-24T18:00:00Z, 2026-12-24 for the end of that day, or 30d ago")
	flags.VarP((*countFlag)(&q.limit), "limit", "n", "so many lines at most; 0: all")
	flags.StringVar(&q.from, "from", "", "begin with this `commit`")
	flags.StringVar(&q.to, "to", "HEAD", "end with this `revision`")
	flags.BoolVar(&q.verdicts, "verdicts", false, "what the server makes of each commit")
	for _, other := range []string{"group", "since", "until", "limit"} {
		cmd.MarkFlagsMutuallyExclusive("verdicts", other)
		if other != "group" {
			check(cmd.RegisterFlagCompletionFunc(other, cobra.NoFileCompletions))
		}
	}
	check(cmd.RegisterFlagCompletionFunc("from", a.completeRevisions(2)))
	check(cmd.RegisterFlagCompletionFunc("to", a.completeRevisions(2)))
	q.show.register(cmd, logFields{}, listFormats...)
	return cmd
}

// logFields are those of both kinds of log.
type logFields struct {
	logItem
	Verdict  string        `json:"verdict"`
	InForce  bool          `json:"inForce,omitempty"`
	Warnings int           `json:"warnings,omitempty"`
	Refusals []refusalItem `json:"refusals,omitempty"`
}

// showLog prints what happened to access.
func (a *app) showLog(ctx context.Context, args []string, q logQuestion) error {
	root, err := a.root()
	if err != nil {
		return err
	}
	c, err := openClone(ctx, root)
	if err != nil {
		return err
	}
	span, err := a.logSpan(c, q)
	if err != nil {
		return err
	}
	about, err := logTopic(c, args, q.isGroup)
	if err != nil {
		return err
	}
	w := &logWalk{ctx: ctx, c: c, about: about, span: span}
	done := a.busy("reading the history")
	items, err := w.run()
	done()
	if err != nil {
		return err
	}
	if err := a.printList(logList(items), q.show); err != nil {
		return err
	}
	switch {
	case w.full():
		a.say("there may be more: these are the newest %d", len(items))
	case w.cut:
		a.say("the clone ends at %.10s: what was before is not known here", w.touches[len(w.touches)-1].Hash)
		a.advise("git fetch --unshallow")
	case len(items) == 0 && len(args) > 0:
		a.say("nothing happened to %s", args[0])
	case len(items) == 0:
		a.say("nothing happened")
	}
	return nil
}

// logSpan reads which part of the history is meant.
func (a *app) logSpan(c *clone, q logQuestion) (logSpan, error) {
	now := a.now()
	span := logSpan{until: now.UTC(), limit: q.limit}
	var err error
	if span.to, err = c.resolve(q.to); err != nil {
		return span, fmt.Errorf("--to: %w", err)
	}
	if when := span.to.Committer.When.UTC(); span.to.Hash != c.head.Commit.Hash && when.Before(span.until) {
		span.until = when // later ones may have changed what would have expired since
	}
	if q.from != "" {
		from, err := c.resolve(q.from)
		if err != nil {
			return span, fmt.Errorf("--from: %w", err)
		}
		span.from = from.Hash
	}
	if span.since, err = past(q.since, now, false); err != nil {
		return span, fmt.Errorf("--since: %w", err)
	}
	if q.until != "" {
		if span.until, err = past(q.until, now, true); err != nil {
			return span, fmt.Errorf("--until: %w", err)
		}
	}
	if span.until.Before(span.since) {
		return span, fmt.Errorf("--until: %s is before %s of --since", stamp(span.until), stamp(span.since))
	}
	return span, nil
}

// past reads a time, or how long ago it was. A date is the begin of that day, or
// its end. Empty is zero.
func past(text string, now time.Time, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := duration(text); err == nil {
		return now.Add(-d).UTC(), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil && !end {
		return t.UTC(), nil
	}
	t, err := instant(text, now.Location())
	if err != nil {
		return t, hint(fmt.Errorf("%q is not a time", text), "write it like 2026-12-24T18:00:00Z, 2026-12-24 or 30d")
	}
	return t, nil
}

// logTopic finds out what a word means: a person, a group after -g, or a resource.
// It may be one that is no more.
func logTopic(c *clone, args []string, isGroup bool) (logAbout, error) {
	if len(args) == 0 {
		if isGroup {
			return logAbout{}, hint(errors.New("-g is for a group, and none is named"), "infra log -g NAME")
		}
		return logAbout{}, nil
	}
	who := subjectOf(args[0], isGroup)
	if isGroup || strings.Contains(args[0], "@") || isPerson(c, args[0]) {
		return logAbout{who: &who}, who.Validate()
	}
	target, err := schema.ParseTarget(args[0])
	if err != nil {
		return logAbout{}, hint(err, "a person's name has an @ or is one of the newest files; -g names a group")
	}
	return logAbout{targets: []schema.Target{target}}, nil
}

// isPerson says whether the work tree names somebody so, and no destination.
func isPerson(c *clone, name string) bool {
	s, _, err := schema.Load(os.DirFS(c.root), c.cache)
	return err == nil && s.Knows(subjectOf(name, false)) && !slices.Contains(destinations(s), name)
}

// subjectLine is the first line of a commit's message, and the rest.
func subjectLine(c repo.Commit) (subject, body string) {
	subject, body, _ = strings.Cut(c.Message, "\n")
	return subject, body
}

// A countFlag is a whole number from 0 on.
type countFlag int

func (f *countFlag) String() string { return strconv.Itoa(int(*f)) }
func (f *countFlag) Type() string   { return "number" }

func (f *countFlag) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return errors.New("must be a whole number from 0 on")
	}
	*f = countFlag(n)
	return nil
}
