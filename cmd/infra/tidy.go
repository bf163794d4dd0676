package main

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

func (a *app) tidyCommand() *cobra.Command {
	var (
		f    editFlags
		show listFlags
		age  string
	)
	cmd := &cobra.Command{
		Use:   "tidy",
		Short: "Remove what has expired",
		Long: `Remove the grants and access keys that have expired, in one commit. It takes nothing
from anybody, as what has expired gives nothing; the ids of the keys stay in
revoked.yaml. With --older-than, what expired a short while ago stays for the record.

The last grant of a file leaves an empty list, the last key none. A group that is
granted nothing any more stays declared. Where nothing has expired there is nothing
to do.

Fields (docs/output.md): kind (grant or key), user, group, role, resource, key,
expires, expired, reason, file, line.`,
		Example: `  infra tidy
  infra tidy --older-than 30d
  infra tidy --dry-run`,
		Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := show.withoutPatch(f.dryRun); err != nil {
				return err
			}
			t := &tidying{now: a.now(), at: a.now()}
			if age != "" {
				d, err := duration(age)
				if err != nil {
					return fmt.Errorf("--older-than: %w", err)
				}
				t.at, t.age = t.now.Add(-d), age
			}
			return a.tidy(cmd.Context(), f, show, t)
		},
	}
	cmd.Flags().StringVar(&age, "older-than", "", "only what expired so `long` ago at least: 30d, 2w, 12h")
	f.register(cmd)
	f.registerPush(cmd)
	show.register(cmd, goneItem{}, unnamedFormats...)
	return cmd
}

func (a *app) tidy(ctx context.Context, f editFlags, show listFlags, t *tidying) error {
	f.hasOutput = true
	became, err := a.edit(ctx, f, t.propose)
	if err != nil {
		return err
	}
	if became == nothingToDo && (show.output == "table" || show.output == "wide") {
		return nil
	}
	return a.printList(goneList(t.gone, t.now), show)
}

// A tidying is `tidy` at work. It is proposed anew where the branch has moved.
type tidying struct {
	now, at time.Time // what had ended at the second goes
	age     string    // as it was given; empty: none was
	gone    []goneItem
}

func (t *tidying) propose(files fs.FS, before *schema.Snapshot) (proposal, error) {
	t.gone = nil
	edit, err := schema.Tidy(files, t.at)
	if err != nil {
		return proposal{}, err
	}
	since := ""
	if t.age != "" {
		since = fmt.Sprintf(" %s ago or earlier", t.age)
	}
	if edit.Outcome == schema.Unchanged {
		return proposal{said: "nothing has expired" + since}, nil
	}
	for _, g := range edit.Before {
		t.gone = append(t.gone, grantGone(g.Subject, g, t.now))
	}
	for _, k := range edit.Keys {
		t.gone = append(t.gone, keyGone(k, t.now))
	}
	after, _, err := schema.Load(overlay(files, edit.Files), nil)
	if err != nil {
		return proposal{}, fmt.Errorf("reading what the edit would give: %w", err)
	}
	for _, c := range access.Compare(access.Resolve(before, before.Revoked), access.Resolve(after, after.Revoked), t.now) {
		if c.Kind.OfAccess() {
			return proposal{}, &problemsError{err: errAccessChanges, problems: changeWords([]access.Change{c})}
		}
	}
	return proposal{
		edit:    edit,
		subject: fmt.Sprintf("tidy: remove %s that expired%s", goneCount(t.gone), since),
		said:    fmt.Sprintf("%s that expired%s: removed", goneCount(t.gone), since),
		body: goneBody(t.gone, func(i goneItem) string {
			if i.Group != "" {
				return subjectOf(i.Group, true).String() + ": "
			}
			return i.User + ": "
		}),
	}, nil
}
