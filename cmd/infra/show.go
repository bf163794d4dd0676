package main

import (
	"context"
	"fmt"
	"io"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/review"
)

// showEdit prints what --dry-run shows: the patch, and a review of it. Whether it
// may be was judged before.
func (a *app) showEdit(ctx context.Context, c *repo.Checkout, change repo.Change, before, after policy.Revision) error {
	patch, err := c.Patch(ctx, change)
	if err != nil {
		return err
	}
	r := review.New(before, after, nil)
	r.Refusals, r.Standing = nil, nil
	err = a.paged(func(w io.Writer) error {
		if _, err := fmt.Fprintf(w, "%s\n", patch); err != nil {
			return err
		}
		return a.writeReview(w, r, "", reviewFlags{output: string(review.Text)})
	})
	if err == nil {
		a.say("nothing was changed")
	}
	return err
}
