package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// showEdit prints what --dry-run shows: the patch, and the access it changes.
func (a *app) showEdit(ctx context.Context, c *repo.Checkout, change repo.Change, before, after *schema.Snapshot) error {
	patch, err := c.Patch(ctx, change)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(a.stdout, patch); err != nil {
		return err
	}
	lines := accessLines(access.Resolve(before, before.Revoked).Rows(), access.Resolve(after, after.Revoked).Rows())
	if len(lines) == 0 {
		lines = []string{"no change in access"}
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(a.stdout, l); err != nil {
			return err
		}
	}
	a.say("nothing was changed")
	return nil
}

// accessLines are the rows that one table has and another has not, or has with
// another end, in words.
func accessLines(before, after []access.Row) []string {
	type identity struct {
		subject schema.Subject
		role    string
		target  schema.Target
	}
	of := func(r access.Row) identity { return identity{r.Subject, r.Role, r.Target} }
	was, is := map[identity]access.Row{}, map[identity]access.Row{}
	for _, r := range before {
		was[of(r)] = r
	}
	for _, r := range after {
		is[of(r)] = r
	}
	rows := slices.Concat(before, after)
	slices.SortStableFunc(rows, func(x, y access.Row) int {
		return cmp.Or(x.Target.Compare(y.Target), cmp.Compare(x.Role, y.Role), x.Subject.Compare(y.Subject))
	})
	rows = slices.CompactFunc(rows, func(x, y access.Row) bool { return of(x) == of(y) })
	var lines []string
	for _, r := range rows {
		old, had := was[of(r)]
		new, has := is[of(r)]
		switch {
		case !had:
			lines = append(lines, fmt.Sprintf("+ %s gains %s on %s%s", r.Subject, r.Role, r.Target, ending(new.Expires)))
		case !has:
			lines = append(lines, fmt.Sprintf("- %s loses %s on %s", r.Subject, r.Role, r.Target))
		case !old.Expires.Equal(new.Expires):
			lines = append(lines, fmt.Sprintf("~ %s has %s on %s until %s, was %s", r.Subject, r.Role, r.Target, end(new), end(old)))
		}
	}
	return lines
}

func end(r access.Row) string {
	if r.Expires.IsZero() {
		return "ever"
	}
	return stamp(r.Expires)
}
