package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// reviewFlags are those of the commands that print a review.
type reviewFlags struct {
	output string
	at     string
	people bool
	limit  uint
}

func (f *reviewFlags) register(cmd *cobra.Command, formats ...string) {
	outputFlag(cmd, &f.output, "text", formats...)
	flags := cmd.Flags()
	flags.StringVar(&f.at, "at", "", "what has expired by this `time` is gone (default: the date of the head's commit, at most now)")
	flags.BoolVar(&f.people, "people", false, "name every person, instead of summing up groups")
	flags.UintVar(&f.limit, "limit", 0, "of markdown, the `bytes` that it must fit in (default 65536, a comment on GitHub; a job's summary takes 1048576)")
}

func reviewFormats() []string {
	var out []string
	for _, f := range review.Formats {
		out = append(out, string(f))
	}
	return out
}

func (a *app) diffCommand() *cobra.Command {
	var (
		f        reviewFlags
		exitCode bool
	)
	cmd := &cobra.Command{
		Use:   "diff [BASE [HEAD]]",
		Short: "Show who gains and who loses what",
		Long: `Show who gains and who loses what by a change, the most dangerous first: through
groups, patterns, revocations and expiries, with the line that causes it.

BASE is a branch, a tag or a commit; without it, the branch that changes are
meant for (origin/HEAD, origin/main, else main). HEAD is the work tree where
nothing is said. Where BASE has moved on since, the comparison begins where the
two part, as with git diff BASE...HEAD. Who owns what is read from BASE: no
change says itself who has to agree to it.

What the policy refuses, and what a brake holds, is shown with the rest; whether
that fails is for "infra validate --base" to say. Exit code 2, with --exit-code,
says that the review lists a change; 3, always, that a revision does not load: a
head, of which all errors are shown, or a base, in place of which nothing is taken.

docs/review.md says how to read a review, and names the fields of -o json.`,
		Example: `  infra diff
  infra diff main my-branch --people
  infra diff origin/main -o markdown --limit 1048576
  infra diff v1.2 v1.3 --exit-code -q`,
		Args:              arguments,
		ValidArgsFunction: a.completeRevisions(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			args = append(args, "", "")
			root, err := a.root()
			if err != nil {
				return err
			}
			_, r, err := a.reviewed(cmd.Context(), root, args[0], args[1], f)
			if err != nil {
				return err
			}
			if exitCode && len(r.Changes) > 0 {
				return errDiffers
			}
			return nil
		},
	}
	f.register(cmd, reviewFormats()...)
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 where the review lists a change")
	return cmd
}

// A comparison is a head and what it is compared with.
type comparison struct {
	clone *clone
	base  base
	name  string // of the head, for the reader
	head  policy.Revision
	ahead string // says that the head is dated ahead of the clock; empty: it is not
}

// reviewed compares a base and a head, and prints the review. A base or a head
// that does not load is an error, once it is shown.
func (a *app) reviewed(ctx context.Context, root, base, head string, f reviewFlags) (comparison, review.Review, error) {
	c, err := a.compare(ctx, root, base, head, f.at)
	if err != nil {
		return c, review.Review{}, err
	}
	r, err := c.review()
	if err == nil {
		err = a.paged(func(w io.Writer) error { return a.writeReview(w, r, c.clone.prefix, f) })
	}
	if err == nil {
		err = c.unfit()
	}
	return c, r, err
}

// compare reads a base and a head: a revision, or the work tree where rev is
// empty. It says what the reader does not expect of the base.
func (a *app) compare(ctx context.Context, root, baseRev, headRev, at string) (comparison, error) {
	over := a.busy("reading two revisions")
	c, err := a.read(ctx, root, baseRev, headRev)
	over()
	if err != nil {
		return comparison{}, err
	}
	if c.base.note != "" && !c.base.ofReview {
		a.say("%s", c.base.note)
	}
	c.until(a.now().UTC())
	c.head = notBefore(c.base.judge, c.head)
	if at != "" {
		if c.head.At, err = instant(at, a.now().Location()); err != nil {
			return comparison{}, fmt.Errorf("--at: %w", err)
		}
	}
	a.age(&c.base.revision)
	a.age(&c.head)
	return c, nil
}

// until dates nothing later than now. Who proposes a change dates it, and what ends
// before that date would not be seen; the server lets no such commit count before
// its time.
func (c *comparison) until(now time.Time) {
	if c.head.At.After(now.Add(policy.AheadLimit)) {
		c.ahead = fmt.Sprintf("%s is dated %s, ahead of the clock, and is judged as of now", c.name, c.head.At.Format(time.RFC3339))
	}
	for _, r := range []*policy.Revision{&c.base.revision, &c.base.judge, &c.head} {
		if r.At.After(now) {
			r.At = now
		}
	}
}

func (a *app) read(ctx context.Context, root, baseRev, headRev string) (c comparison, err error) {
	if c.clone, err = openClone(ctx, root); err != nil {
		return c, err
	}
	c.name = cmp.Or(headRev, workTreeName)
	commit := c.clone.head.Commit
	if headRev == "" {
		c.head, err = workTree(root, c.clone.cache)
		c.head.At = a.now().UTC()
	} else if commit, err = c.clone.resolve(headRev); err == nil {
		c.head, err = c.clone.revision(commit)
	}
	if err != nil {
		return c, err
	}
	c.base, err = c.clone.base(ctx, baseRev, commit)
	return c, err
}

// age adds the problems that need a clock.
func (a *app) age(r *policy.Revision) {
	if r.Snapshot != nil && len(r.Problems.Errors()) == 0 {
		r.Problems = append(r.Problems, schema.Expired(r.Snapshot, a.now())...)
	}
}

// review is all that there is to say of the change.
func (c comparison) review() (review.Review, error) {
	owners, ownersErr, err := c.owners()
	if err != nil {
		return review.Review{}, err
	}
	r := review.New(c.base.revision, c.head, owners)
	r.Base, r.Head = c.base.name, c.name
	if c.base.moved() && c.unfit() == nil {
		r.Refusals = policy.Step(c.base.judge, c.head).Refusals
	}
	if c.base.ofReview {
		r.Notes = append(r.Notes, c.base.note)
	}
	if c.ahead != "" {
		r.Notes = append(r.Notes, c.ahead)
	}
	if ownersErr != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("CODEOWNERS of %s: %s", c.base.name, strings.ReplaceAll(ownersErr.Error(), "\n", "; ")))
	}
	return r, nil
}

// owners reads who owns what, from the base: no change says itself who has to
// agree to it. What is wrong with the file is not the fault of the change.
func (c comparison) owners() (owners review.Owners, wrong, err error) {
	if c.base.tip.Hash == "" {
		return nil, nil, nil
	}
	files, err := c.clone.top(c.base.tip)
	if err != nil {
		return nil, nil, err
	}
	text, found, err := review.OwnersFile(files)
	if err != nil || !found {
		return nil, nil, err
	}
	of, wrong := review.ParseOwners(text)
	return func(name string) []string { return of(path.Join(c.clone.prefix, name)) }, wrong, nil
}

// unfit is the error for a head or a base that does not load, or nil.
func (c comparison) unfit() error {
	if bad := c.head.Problems.Errors(); len(bad) > 0 {
		return fmt.Errorf("%w: %s", errInvalid, count(len(bad), "error"))
	}
	return c.base.bad()
}

// writeReview writes a review. prefix is the folder of infra.yaml, as seen from the
// top of the checkout.
func (a *app) writeReview(w io.Writer, r review.Review, prefix string, f reviewFlags) error {
	o := review.Options{
		Color: a.colorOut, Width: a.width, People: f.people, Limit: int(min(f.limit, math.MaxInt32)),
		Prefix: strings.TrimPrefix(prefix, "."), Version: thisBuild().Version,
	}
	if f.output != "yaml" {
		return review.Render(w, review.Format(f.output), r, o)
	}
	var text bytes.Buffer
	if err := review.Render(&text, review.JSON, r, o); err != nil {
		return err
	}
	out, err := yaml.JSONToYAML(text.Bytes())
	if err == nil {
		_, err = w.Write(out)
	}
	return err
}
