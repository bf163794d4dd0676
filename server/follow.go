package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// AheadLimit is how far in the future a commit may be dated. One that is dated
// later waits until then.
const AheadLimit = policy.AheadLimit

// A follower turns tips of the branch into accepted revisions. One goroutine
// has it.
type follower struct {
	*server
	source *repo.Source
	branch string
	path   string
	cache  *schema.Cache

	trusted  string          // where the fold begins; empty: nothing seen yet
	accepted policy.Revision // Snapshot is nil until the accepted commit was loaded
	since    time.Time       // when it was accepted, by the server's clock
	revoked  schema.Revoked  // by the newest tip whose revoked.yaml could be read
	judged   string          // the tip that was last worked through to the end
	refused  []api.Refused
	packed   []byte          // the files of the accepted revision, as they are kept
	saveErr  error           // not nil: what is in force is not what a restart would find
	said     map[string]bool // what the log has said already
}

func newFollower(s *server, source *repo.Source, o Options) (*follower, error) {
	folder := path.Clean(cmp.Or(o.Path, "."))
	if !fs.ValidPath(folder) {
		return nil, fmt.Errorf("the folder of infra.yaml, %q, is not within the repository", o.Path)
	}
	f := &follower{server: s, source: source, branch: o.Branch, path: folder, cache: new(schema.Cache), said: map[string]bool{}}
	c := s.records.checkpoint()
	f.trusted, f.revoked = c.Trusted, c.revocations()
	f.accepted = policy.Revision{ID: c.Accepted, At: c.At}
	f.since = c.AcceptedAt
	if o.Trust != "" && o.Trust != c.Trusted {
		if c.Trusted != "" {
			s.log.Warn("starting again from the commit that is to be trusted", "trusted", o.Trust, "before", c.Trusted, "accepted", c.Accepted)
		}
		f.trusted, f.accepted, f.since = o.Trust, policy.Revision{}, time.Time{}
		return f, nil
	}
	if err := f.restore(c); err != nil {
		s.log.Warn("what was kept of the accepted revision is of no use; it is read from Git", "error", err)
	}
	return f, nil
}

func (f *follower) run(ctx context.Context, o Options) error {
	err := f.source.Follow(ctx, repo.FollowOptions{Branch: f.branch, Every: o.PollInterval},
		func(ctx context.Context, tip string, err error) {
			if f.saveErr != nil {
				f.save()
			}
			if err == nil {
				err = f.follow(ctx, tip)
			}
			f.settle(ctx, tip, err)
		})
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("following the repository: %w", err)
}

// settle reports how it stands after a tip was looked at.
func (f *follower) settle(ctx context.Context, tip string, err error) {
	if ctx.Err() != nil {
		return
	}
	r := &api.RevisionReport{Repository: f.source.String(), Trusted: f.trusted, Tip: cmp.Or(tip, f.report.Load().Tip), Refused: f.refused}
	if f.accepted.Snapshot != nil {
		r.Accepted, r.AcceptedAt = f.accepted.ID, f.since
	}
	if f.saveErr != nil {
		r.SaveError = redact(f.saveErr.Error())
	}
	held, isHeld := errors.AsType[*heldError](err)
	switch {
	case err == nil:
		f.metrics.fetched(f.now())
		clear(f.said)
		for _, x := range f.refused {
			f.said[x.Revision+x.Message] = true
		}
	case isHeld:
		f.metrics.fetched(f.now())
		r.Held, r.Hint = redact(held.Error()), held.hint
		if !f.said[r.Held] {
			f.log.Error("nothing newer is accepted until an operator acts", "reason", r.Held, "hint", r.Hint, "tip", tip, "accepted", f.accepted.ID)
		}
		f.said[r.Held] = true
	default:
		f.metrics.fetchErrors.Inc()
		r.FetchError = redact(err.Error())
		f.log.Warn("the repository could not be read; what was accepted stays in service", "error", r.FetchError)
	}
	f.report.Store(r)
}

// heldError is why nothing newer than the accepted revision can be accepted.
type heldError struct {
	err  error
	hint string
}

func (e *heldError) Error() string { return e.err.Error() }
func (e *heldError) Unwrap() error { return e.err }

// follow works through what came after the accepted commit, up to the tip.
func (f *follower) follow(ctx context.Context, tip string) error {
	if tip == f.judged {
		return nil
	}
	start := f.now()
	history, err := f.source.Fetch(ctx, f.branch, cmp.Or(f.accepted.ID, f.trusted))
	if err != nil {
		return err
	}
	tip = history.Tip().Hash
	commits, err := f.unjudged(history, tip)
	if err != nil {
		return err
	}
	if err := f.reload(history); err != nil {
		return err
	}
	revoked := f.revocations(history, tip)

	waiting := false
	accepted, verdicts, foldErr := policy.Fold(f.accepted, f.revisions(ctx, history, commits, &waiting))
	f.note(verdicts)
	f.metrics.fold.Observe(f.now().Sub(start).Seconds())

	changed := accepted.Snapshot != nil && (f.current.Load() == nil || accepted.ID != f.accepted.ID || !slices.Equal(revoked.Revocations, f.revoked.Revocations))
	var packErr error
	if accepted.ID != f.accepted.ID || accepted.Snapshot != nil && f.packed == nil {
		f.packed, packErr = f.pack(history, accepted.ID)
		changed = true
	}
	if accepted.ID != f.accepted.ID {
		f.since = f.now().UTC()
		f.trusted = cmp.Or(f.trusted, accepted.ID)
	}
	f.accepted, f.revoked = accepted, revoked
	if changed {
		f.save()
		f.publish()
	}
	switch err := errors.Join(foldErr, packErr); {
	case err != nil:
		return err
	case waiting:
		return &heldError{fmt.Errorf("a commit is dated more than %s ahead of the server's clock", AheadLimit),
			"it is judged once its time has come; check the clocks of the server and of who committed it"}
	}
	f.judged = tip
	return nil
}

// unjudged are the commits that the fold has not seen.
func (f *follower) unjudged(h *repo.History, tip string) ([]repo.Commit, error) {
	from := cmp.Or(f.accepted.ID, f.trusted)
	way, err := h.Since(from, tip)
	if errors.Is(err, repo.ErrRewritten) {
		return nil, &heldError{err, "what was accepted stays in service; if the new history is meant, start the server with --trust and the full hash of the commit to start from"}
	}
	if err != nil {
		return nil, err
	}
	if f.accepted.ID != "" || from == "" {
		return way.Commits, nil
	}
	first, err := h.Commit(from) // the trusted one, which is judged against none
	if err != nil {
		return nil, err
	}
	return append([]repo.Commit{first}, way.Commits...), nil
}

// note keeps what was refused since the last accepted revision, and logs what is new.
func (f *follower) note(verdicts []policy.Verdict) {
	f.refused = nil
	for _, v := range verdicts {
		if v.Accepted() {
			f.log.Info("a revision was accepted", "revision", v.Revision, "warnings", len(v.Warnings))
			f.refused = nil
			continue
		}
		for _, r := range v.Refusals {
			x := api.Refused{Revision: v.Revision, Kind: string(r.Kind), Rule: string(r.Rule), Message: redact(r.Message), Hint: redact(r.Hint)}
			if r.Pos != (schema.Pos{}) {
				x.Position = redact(r.Pos.String())
			}
			f.refused = append(f.refused, x)
			if said := x.Revision + x.Message; !f.said[said] {
				f.said[said] = true
				f.log.Error("a revision was refused; the last accepted one stays in service",
					"revision", x.Revision, "kind", x.Kind, "rule", x.Rule, "position", x.Position, "message", x.Message, "hint", x.Hint)
			}
		}
	}
}

// save keeps what is accepted: before it is served, so that no restart goes back
// behind it. A disk that is full must not keep access from being taken away,
// though: then it is served all the same, and saved as soon as that can be done.
func (f *follower) save() {
	was := f.saveErr
	f.saveErr = f.records.accept(acceptance{f.trusted, f.accepted, f.since, f.path, f.packed, f.revoked})
	switch {
	case f.saveErr != nil && was == nil:
		f.log.Error("what is in force cannot be saved; a restart would go back behind it", "accepted", f.accepted.ID, "error", f.saveErr)
	case f.saveErr == nil && was != nil:
		f.log.Info("what is in force is saved again", "accepted", f.accepted.ID)
	}
}

// publish serves what was accepted, less what is revoked.
func (f *follower) publish() {
	s := f.accepted.Snapshot
	revoked := s.Revoked.Union(f.revoked)
	old := f.current.Load()
	next := newPublished(f.accepted.ID, f.since, access.Resolve(s, revoked), s.Keys, revoked, f.records)
	next.replace(old, func() { f.current.Store(next) })
	f.log.Info("serving a revision", "revision", f.accepted.ID, "destinations", len(next.table.Destinations()), "keys", len(next.keys), "revocations", len(revoked.Revocations))
}

// redact takes whatever has the form of an access key out of a text: nothing
// should put one there, and nothing that does may spread it.
func redact(text string) string {
	for {
		start, end, found := auth.Find([]byte(text))
		if !found {
			return text
		}
		text = text[:start] + "(an access key)" + text[end:]
	}
}
