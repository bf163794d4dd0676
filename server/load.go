package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// revisions loads commits one by one, and ends before one whose time has not come.
func (f *follower) revisions(ctx context.Context, h *repo.History, commits []repo.Commit, waiting *bool) iter.Seq2[policy.Revision, error] {
	return func(yield func(policy.Revision, error) bool) {
		for _, c := range commits {
			if c.Committer.When.After(f.now().Add(AheadLimit)) {
				*waiting = true
				return
			}
			r, err := f.load(h, c)
			if err == nil {
				err = ctx.Err()
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (f *follower) load(h *repo.History, c repo.Commit) (policy.Revision, error) {
	files, err := f.files(h, c.Hash)
	if err != nil {
		return policy.Revision{}, err
	}
	snapshot, problems, err := schema.Load(files, f.cache)
	if err != nil {
		return policy.Revision{}, fmt.Errorf("reading commit %s: %w", c.Hash, err)
	}
	return policy.Revision{ID: c.Hash, At: c.Committer.When.UTC(), Snapshot: snapshot, Problems: problems}, nil
}

func (f *follower) files(h *repo.History, hash string) (fs.FS, error) {
	files, err := h.Files(hash)
	if err != nil || f.path == "." {
		return files, err
	}
	return fs.Sub(files, f.path)
}

// pack copies what is kept of a revision.
func (f *follower) pack(h *repo.History, hash string) ([]byte, error) {
	files, err := f.files(h, hash)
	if err != nil {
		return nil, err
	}
	return pack(files, f.cache)
}

// restore loads the accepted revision from the data directory, and serves it
// until Git says more. Where nothing of use is kept, reload reads it from Git.
func (f *follower) restore(c checkpoint) error {
	files, packed, err := f.records.keptFiles(c)
	if err != nil || files == nil || c.Path != f.path {
		return err
	}
	snapshot, problems, err := schema.Load(files, f.cache)
	if err != nil {
		return err
	}
	if bad := problems.Errors(); len(bad) > 0 {
		return errors.New(bad[0].String())
	}
	f.accepted.Snapshot, f.accepted.Problems, f.packed = snapshot, problems, packed
	f.publish()
	f.report.Store(&api.RevisionReport{Repository: f.source.String(), Trusted: f.trusted, Accepted: f.accepted.ID, AcceptedAt: f.since})
	return nil
}

// reload loads the commit that the checkpoint says was accepted. It is not judged again.
func (f *follower) reload(h *repo.History) error {
	if f.accepted.ID == "" || f.accepted.Snapshot != nil {
		return nil
	}
	c, err := h.Commit(f.accepted.ID)
	if err != nil {
		return err
	}
	r, err := f.load(h, c)
	if err != nil {
		return err
	}
	if bad := r.Problems.Errors(); len(bad) > 0 {
		return &heldError{fmt.Errorf("the commit %s that was accepted before cannot be read any more: %s", c.Hash, bad[0]),
			"run the version of infra that accepted it, or start from another commit with --trust"}
	}
	r.At = f.accepted.At
	f.accepted = r
	return nil
}

// revocations are what the tip revokes. Where its revoked.yaml has errors, or
// cannot be read at all, what was revoked before stands, and whatever of it could be
// read counts too.
func (f *follower) revocations(h *repo.History, tip string) schema.Revoked {
	files, err := f.files(h, tip)
	if err != nil {
		return f.revoked
	}
	revoked, problems, err := schema.LoadRevoked(files)
	if err == nil && len(problems.Errors()) == 0 {
		return revoked
	}
	if err == nil {
		err = errors.New(problems.Errors()[0].String())
	}
	if said := "revoked.yaml " + tip; !f.said[said] {
		f.said[said] = true
		f.log.Error("revoked.yaml cannot be read; what was revoked before stays revoked", "revision", tip, "error", redact(err.Error()))
	}
	stands := slices.Clone(f.revoked.Revocations)
	for _, r := range revoked.Revocations {
		if !slices.Contains(stands, r) {
			stands = append(stands, r)
		}
	}
	return schema.Revoked{Revocations: stands}
}
