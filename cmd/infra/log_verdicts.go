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

// showVerdicts prints what the server makes of a history.
func (a *app) showVerdicts(cmd *cobra.Command, args []string, q logQuestion) error {
	switch {
	case len(args) > 0:
		return usage(cmd, "one argument too many: %q; verdicts are about all of a revision", args[0])
	case q.from == "":
		return usage(cmd, "--from is missing: with which commit does it begin")
	}
	items, err := a.verdicts(cmd.Context(), q.from, q.to)
	if err != nil {
		return err
	}
	if err := a.printList(verdictList(items), q.show); err != nil {
		return err
	}
	a.sayInForce(items)
	return nil
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
		subject, _ := subjectLine(commit)
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
