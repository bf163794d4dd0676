package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A logSpan is which part of a history is shown.
type logSpan struct {
	to           repo.Commit
	from         string // hash of the oldest commit that counts; empty: all
	since, until time.Time
	limit        int // of items; zero: none
}

// A logWalk goes along first parents, newest first, and tells what each revision
// changed for what the log is about. It loads only revisions that may matter, and
// no more of them than the limit asks for.
type logWalk struct {
	ctx      context.Context
	c        *clone
	about    logAbout
	span     logSpan
	touches  []repo.Touch    // of the access repository, newest first
	cut      bool            // the clone ends before the history does
	isOnLine map[string]bool // the first parents of the span's end; nil: not asked for yet
	older    map[string]bool // those of the commit before which nothing counts; nil: there is none

	newer   *logState // the last that was visited and is servable; nil: none yet
	pending []logItem // between that and the next
	end     time.Time // until which the next state was in force
	items   []logItem
}

// A logState is a revision that a server could serve.
type logState struct {
	at       int // index in the touches
	commit   repo.Commit
	date     time.Time
	snapshot *schema.Snapshot // reduced; nil where there was no access repository yet
	table    *access.Table    // nil likewise
}

// run collects the items.
func (w *logWalk) run() ([]logItem, error) {
	w.items, w.end = []logItem{}, w.span.until
	if err := w.begin(); err != nil {
		return nil, err
	}
	blobs, err := w.c.checkout.Blobs(w.ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = blobs.Close() }() // all that was asked for was read
	for i, t := range w.touches {
		if t.When.After(w.span.until) && w.newer == nil && w.pending == nil {
			continue
		}
		matters, err := w.about.mayMatter(t.Files, blobs.Read)
		if err != nil {
			return nil, err
		}
		if !matters && !w.history().EndsAt(t.Hash) { // what was in force there counts, whoever changed it
			continue
		}
		if done, err := w.visit(i); done || err != nil {
			return w.items, err
		}
	}
	if w.newer != nil && !w.cut {
		if err := w.tell(nil); err != nil {
			return nil, err
		}
	}
	w.emit(w.pending...)
	return w.items, nil
}

func (w *logWalk) history() *repo.History { return w.c.history }

// begin finds the commits that touch the access repository.
func (w *logWalk) begin() error {
	var paths []string
	for _, name := range append(schema.Folders(), marker, "revoked.yaml") {
		paths = append(paths, path.Join(w.c.prefix, name))
	}
	var err error
	if w.touches, err = w.c.checkout.Touches(w.ctx, w.span.to.Hash, paths); err != nil {
		return err
	}
	for _, t := range w.touches {
		for n := range t.Files {
			t.Files[n].Path = strings.TrimPrefix(strings.TrimPrefix(t.Files[n].Path, w.c.prefix), "/")
		}
		w.cut = w.cut || w.history().EndsAt(t.Hash)
	}
	if w.span.from == "" {
		return nil
	}
	if onLine, err := w.onLine(); err != nil || !onLine[w.span.from] {
		if err == nil {
			err = hint(fmt.Errorf("--from: %.10s is not among the first parents of %.10s", w.span.from, w.span.to.Hash), "git log --first-parent --oneline shows where to begin")
		}
		return err
	}
	hashes, err := w.c.checkout.FirstParents(w.ctx, w.span.from)
	if err != nil {
		return err
	}
	w.older = map[string]bool{}
	for _, hash := range hashes[1:] {
		w.older[hash] = true
	}
	return nil
}

// onLine are the first parents of the span's end.
func (w *logWalk) onLine() (map[string]bool, error) {
	if w.isOnLine != nil {
		return w.isOnLine, nil
	}
	hashes, err := w.c.checkout.FirstParents(w.ctx, w.span.to.Hash)
	if err != nil {
		return nil, err
	}
	w.isOnLine = make(map[string]bool, len(hashes))
	for _, hash := range hashes {
		w.isOnLine[hash] = true
	}
	return w.isOnLine, nil
}

// visit takes a revision into account; done: no older one is asked for.
func (w *logWalk) visit(i int) (done bool, err error) {
	s, invalid, err := w.load(i)
	if err != nil {
		return false, err
	}
	if invalid == nil {
		return w.serve(s)
	}
	// What it changed came into force with the next that was servable, be that one
	// which changed nothing about this.
	first := 0
	if w.newer != nil {
		first = w.newer.at + 1
	}
	for k := i - 1; k >= first; k-- {
		if w.touches[k].When.After(w.span.until) && w.newer == nil {
			break
		}
		s, bad, err := w.load(k)
		if err != nil {
			return false, err
		}
		if bad == nil {
			if done, err := w.serve(s); done || err != nil {
				return done, err
			}
			break
		}
	}
	w.pending = append(w.pending, *invalid)
	return false, nil
}

// serve goes on from a revision that is servable.
func (w *logWalk) serve(s *logState) (done bool, err error) {
	if w.newer != nil {
		before := len(w.items)
		if err := w.tell(s); err != nil {
			return false, err
		}
		if len(w.items) == before && !w.about.isAll() {
			w.pending = nil // they held up nothing that this is about
		}
		w.end = w.newer.date
	}
	beyond := w.older[s.commit.Hash]
	if !beyond {
		w.lapses(s)
	}
	w.newer = s
	return w.full() || beyond || s.date.Before(w.span.since), nil
}

// lapses tells what ended by itself while a revision was in force, among the
// revisions meanwhile that were not servable.
func (w *logWalk) lapses(s *logState) {
	if s.table != nil {
		var ended []access.Lapse
		for _, l := range s.table.Lapses(s.date, w.end) {
			if w.about.isAbout(l.Change) {
				ended = append(ended, l)
			}
		}
		subject, _ := subjectLine(s.commit)
		for _, i := range lapseItems(ended) {
			i.Revision, i.Subject = s.commit.Hash, subject
			w.pending = append(w.pending, i)
		}
	}
	slices.SortStableFunc(w.pending, func(a, b logItem) int { return b.Date.Compare(a.Date) })
	w.emit(w.pending...)
	w.pending = nil
}

// tell says what the newer revision changed against an older one; nil: there was
// none.
func (w *logWalk) tell(older *logState) error {
	var before *access.Table
	var had *schema.Snapshot
	if older != nil {
		before, had = older.table, older.snapshot
	}
	var changes []access.Change
	if w.newer.table != nil || before != nil {
		changes = access.Compare(before, w.newer.table, w.newer.date)
	}
	changes = slices.DeleteFunc(changes, func(c access.Change) bool { return !w.about.isAbout(c) })
	items := changeItems(changes, w.about.who == nil)
	if who := w.about.who; who != nil && who.Kind == schema.GroupKind {
		items = append(items, memberItems(who.Name, access.Members(had, w.newer.snapshot, who.Name))...)
	}
	if len(items) == 0 {
		return nil
	}
	return w.signed(w.newer.commit, items)
}

// signed emits items of one commit with who wrote and who reviewed it.
func (w *logWalk) signed(commit repo.Commit, items []logItem) error {
	brought, err := w.brought(commit)
	if err != nil {
		return err
	}
	s := sign(commit, brought)
	subject, _ := subjectLine(commit)
	for n := range items {
		i := &items[n]
		i.Date, i.Revision, i.Subject = commit.Committer.When.UTC(), commit.Hash, subject
		i.Authors, i.Committer, i.Reviewers, i.PullRequest = s.authors, signed(commit.Committer), s.reviewers, s.pullRequest
	}
	w.emit(items...)
	return nil
}

// brought are the commits of the branches that a merge brought, along the first
// parents of each.
func (w *logWalk) brought(merge repo.Commit) ([]repo.Commit, error) {
	var out []repo.Commit
	if len(merge.Parents) < 2 {
		return nil, nil
	}
	onLine, err := w.onLine()
	if err != nil {
		return nil, err
	}
	for _, p := range merge.Parents[1:] {
		for commit, err := range w.c.history.Line(p) {
			if errors.Is(err, repo.ErrShallow) || errors.Is(err, repo.ErrNotFound) || err == nil && onLine[commit.Hash] {
				break
			}
			if err != nil {
				return nil, err
			}
			out = append(out, commit)
		}
	}
	return out, nil
}

// emit adds items that lie in the span.
func (w *logWalk) emit(items ...logItem) {
	for _, i := range items {
		if !w.full() && !i.Date.Before(w.span.since) && !i.Date.After(w.span.until) {
			w.items = append(w.items, i)
		}
	}
}

func (w *logWalk) full() bool { return w.span.limit > 0 && len(w.items) >= w.span.limit }

// load reads a revision; one that no server would serve is an item instead.
func (w *logWalk) load(i int) (*logState, *logItem, error) {
	commit, err := w.history().Commit(w.touches[i].Hash)
	if err != nil {
		return nil, nil, err
	}
	r, err := w.c.accessRevision(commit)
	if err != nil {
		return nil, nil, err
	}
	s := &logState{at: i, commit: commit, date: commit.Committer.When.UTC()}
	if isNone(r) {
		return s, nil, nil
	}
	if bad := r.Problems.Errors(); len(bad) > 0 {
		subject, _ := subjectLine(commit)
		item := logItem{Date: s.date, Event: eventInvalid, Revision: commit.Hash, Subject: subject,
			Says: invalidWords(bad),
			File: bad[0].Pos.File, Line: bad[0].Pos.Line, Committer: signed(commit.Committer)}
		brought, err := w.brought(commit)
		sign := sign(commit, brought)
		item.Authors, item.Reviewers, item.PullRequest = sign.authors, sign.reviewers, sign.pullRequest
		return nil, &item, err
	}
	s.snapshot = w.about.reduce(r.Snapshot)
	s.table = access.Resolve(s.snapshot, s.snapshot.Revoked)
	if who := w.about.who; who != nil && who.Kind == schema.GroupKind {
		s.snapshot = r.Snapshot // with the group itself
	}
	return s, nil, nil
}

// invalidWords say that a revision is served by nobody, and the first reason.
func invalidWords(bad schema.Problems) string {
	text := "not served, as it is invalid: " + line(bad[0])
	if more := len(bad) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
