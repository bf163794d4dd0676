package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
	"github.com/infrahq/infra/server"
)

// A verdictItem is a commit as `log --verdicts -o json` shows it.
type verdictItem struct {
	Revision string        `json:"revision"`
	Date     time.Time     `json:"date"` // the committer's
	Subject  string        `json:"subject"`
	Verdict  string        `json:"verdict"`            // accepted, refused or waiting
	InForce  bool          `json:"inForce,omitempty"`  // the last that was accepted
	Warnings int           `json:"warnings,omitempty"` // that it was accepted with
	Refusals []refusalItem `json:"refusals,omitempty"`
}

// A refusalItem is one reason against a commit, as in the JSON of a review.
type refusalItem struct {
	Kind     policy.Kind  `json:"kind"` // invalid, policy or brake
	Rule     policy.Rule  `json:"rule"`
	Position positionItem `json:"position"`
	Message  string       `json:"message"`
	Hint     string       `json:"hint,omitempty"`
}

// A positionItem is a place in a file; what is not known is left out.
type positionItem struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func (a *app) logCommand() *cobra.Command {
	var (
		verdicts bool
		from, to string
		show     listFlags
	)
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show which commits were accepted, and why others were not",
		Long: `Show what the server makes of a history: for each commit, oldest first, whether
it is accepted or refused, and why. It is the server's own judgement, and follows
first parents as the server does: a merged branch is one change, at its merge.

It begins with the commit of --from, which is judged for itself, as a server does
that is started with --trust COMMIT. A commit that is dated ahead of the clock is
waiting, and those after it are with it. What may be known only at a moment, such as
which revocations a newer commit brought, is left out.

Fields (docs/output.md): revision, date, subject, verdict (accepted, refused or
waiting), inForce (the last one that was accepted), warnings (how many it was
accepted with), refusals: kind (invalid, policy or brake), rule, position (file, line,
column), message, hint.`,
		Example: `  infra log --verdicts --from v1.0
  infra log --verdicts --from main~20 --to main -o json`,
		Args:              arguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !verdicts {
				return hint(errors.New("--verdicts is missing: this version shows verdicts alone"), "infra log --verdicts --from COMMIT; git log shows the commits")
			}
			if from == "" {
				return usage(cmd, "--from is missing: with which commit does it begin")
			}
			items, err := a.verdicts(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			if err := a.printList(verdictList(items), show); err != nil {
				return err
			}
			a.sayInForce(items)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&verdicts, "verdicts", false, "what the server makes of each commit")
	flags.StringVar(&from, "from", "", "begin with this `commit`")
	flags.StringVar(&to, "to", "HEAD", "end with this `revision`")
	check(cmd.RegisterFlagCompletionFunc("from", a.completeRevisions(1)))
	check(cmd.RegisterFlagCompletionFunc("to", a.completeRevisions(1)))
	show.register(cmd, verdictItem{}, listFormats...)
	return cmd
}

// verdicts folds a history as the server does.
func (a *app) verdicts(ctx context.Context, from, to string) ([]verdictItem, error) {
	root, err := a.root()
	if err != nil {
		return nil, err
	}
	c, err := openClone(ctx, root)
	if err != nil {
		return nil, err
	}
	first, err := c.resolve(from)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	last, err := c.resolve(to)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	way, err := c.history.Since(first.Hash, last.Hash)
	if errors.Is(err, repo.ErrRewritten) {
		return nil, hint(fmt.Errorf("%s is not among the ancestors of %s", from, to), "git log --first-parent --oneline %s shows where to begin", shell(to))
	}
	if err != nil {
		return nil, deepen(err)
	}
	defer a.busy("judging %s", count(len(way.Commits)+1, "commit"))()
	return c.fold(ctx, append([]repo.Commit{first}, way.Commits...), a.now())
}

// fold judges commits, oldest first, from none on. now is for those that are
// dated ahead of it.
func (c *clone) fold(ctx context.Context, commits []repo.Commit, now time.Time) ([]verdictItem, error) {
	accepted, verdicts, err := policy.Fold(policy.Revision{}, func(yield func(policy.Revision, error) bool) {
		for _, commit := range commits {
			if commit.Committer.When.After(now.Add(server.AheadLimit)) {
				return
			}
			r, err := c.revision(commit)
			err = errors.Join(err, ctx.Err())
			if !yield(r, err) || err != nil {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	items := []verdictItem{}
	for i, commit := range commits {
		subject, _, _ := strings.Cut(commit.Message, "\n")
		item := verdictItem{Revision: commit.Hash, Date: commit.Committer.When.UTC(), Subject: subject, Verdict: "waiting"}
		if i < len(verdicts) {
			v := verdicts[i]
			item.Verdict, item.Warnings, item.InForce = "accepted", len(v.Warnings), v.Revision == accepted.ID
			for _, r := range v.Refusals {
				item.Verdict = "refused"
				item.Refusals = append(item.Refusals, refusalItem{r.Kind, r.Rule, positionItem(r.Pos), r.Message, r.Hint})
			}
		}
		items = append(items, item)
	}
	return items, nil
}

func verdictList(items []verdictItem) list {
	l := list{values: items, columns: []column{{name: "Commit"}, {name: "Date"}, {name: "Verdict"}, {name: "Why"}, {name: "Subject"}}}
	for at, i := range items {
		verdict := i.Verdict
		if i.InForce {
			verdict = "in force"
		}
		row := []any{i.Revision[:10], i.Date.Format(time.RFC3339), verdict, "", i.Subject}
		if len(i.Refusals) == 0 {
			l.rows = append(l.rows, row)
		}
		for n, r := range i.Refusals {
			if n > 0 {
				row = []any{"", "", "", "", ""}
			}
			pos := schema.Pos(r.Position)
			row[3] = strings.TrimPrefix(pos.String()+": ", ": ") + string(r.Rule) + ": " + r.Message
			l.rows = append(l.rows, row)
		}
		for len(l.of) < len(l.rows) {
			l.of = append(l.of, at)
		}
		l.names = append(l.names, i.Revision)
	}
	return l
}

// sayInForce ends with what all the verdicts come to.
func (a *app) sayInForce(items []verdictItem) {
	after := 0
	inForce := ""
	for _, i := range items {
		after++
		if i.InForce {
			inForce, after = i.Revision, 0
		}
	}
	switch {
	case inForce == "":
		a.say("nothing is in force: none of these commits is accepted")
	case after == 0:
		a.say("in force: %s", inForce)
	default:
		a.say("in force: %s; not accepted since then: %s", inForce, count(after, "commit"))
	}
}
