package repo

import (
	"fmt"
	"slices"
)

// Relation is how two commits of a history are related.
type Relation string

// The relations that a Path may have.
const (
	Same    Relation = "same"    // the tip is the accepted commit: nothing to judge
	Start   Relation = "start"   // nothing was accepted before: the tip alone
	Linear  Relation = "linear"  // the accepted commit is on the tip's first-parent line: all that came after
	OffLine Relation = "offline" // an ancestor, but beside that line: the tip, as one change
)

// A Path is what is to be judged between an accepted commit and a tip.
type Path struct {
	Commits  []Commit // oldest first; empty only where Relation is Same
	Relation Relation
}

// Since is the way from an accepted commit to a later one. It follows first
// parents, because that is the line along which a branch grows: a merged pull
// request counts as one change at the moment of its merge, whatever its own
// commits were.
//
// Where the accepted commit is an ancestor beside that line (someone merged the
// branch into their own line and pushed that), the tip counts as one change.
// Where accepted is empty, as in a server that starts without a checkpoint, the
// tip alone is the start: what came before was judged by nobody.
//
// The error wraps [ErrRewritten] where accepted is no ancestor of tip,
// [ErrShallow] where a local clone ends too early to tell, and [ErrNotFound]
// where tip is unknown.
func (h *History) Since(accepted, tip string) (Path, error) {
	end, err := h.Commit(tip)
	if err != nil {
		return Path{}, err
	}
	switch accepted {
	case "":
		return Path{Commits: []Commit{end}, Relation: Start}, nil
	case tip:
		return Path{Relation: Same}, nil
	}
	line, found, err := h.line(end, accepted)
	if err != nil {
		return Path{}, err
	}
	if found {
		return Path{Commits: line, Relation: Linear}, nil
	}
	cut, found, err := h.ancestor(end, accepted)
	switch {
	case err != nil:
		return Path{}, err
	case found:
		return Path{Commits: []Commit{end}, Relation: OffLine}, nil
	case cut:
		return Path{}, fmt.Errorf("looking for commit %s before %s: %w", accepted, tip, ErrShallow)
	}
	return Path{}, fmt.Errorf("commit %s is not an ancestor of %s: %w", accepted, tip, ErrRewritten)
}

// line walks the first parents of tip down to accepted, and returns what lies
// between, oldest first.
func (h *History) line(tip Commit, accepted string) (line []Commit, found bool, err error) {
	for c := tip; ; {
		line = append(line, c)
		if len(c.Parents) == 0 || h.shallow[c.Hash] {
			return nil, false, nil
		}
		if c.Parents[0] == accepted {
			slices.Reverse(line)
			return line, true, nil
		}
		if c, err = h.Commit(c.Parents[0]); err != nil {
			return nil, false, err
		}
	}
}

// ancestor looks for a commit among all ancestors of tip. cut says that some of
// them are missing.
func (h *History) ancestor(tip Commit, hash string) (cut, found bool, err error) {
	seen := map[string]bool{tip.Hash: true}
	for queue := []Commit{tip}; len(queue) > 0; queue = queue[1:] {
		c := queue[0]
		if h.shallow[c.Hash] {
			cut = true
			continue
		}
		for _, p := range c.Parents {
			if p == hash {
				return false, true, nil
			}
			if seen[p] {
				continue
			}
			seen[p] = true
			parent, err := h.Commit(p)
			if err != nil {
				return false, false, err
			}
			queue = append(queue, parent)
		}
	}
	return cut, false, nil
}

// contains says whether a commit, of which the parent is known, is the tip or an
// ancestor of it, as far as this history goes. It looks no further than the parent.
func (h *History) contains(hash, parent string) bool {
	seen := map[string]bool{parent: true}
	for queue := []string{h.tip.Hash}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == hash {
			return true
		}
		if seen[queue[0]] || h.shallow[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		if c, err := h.Commit(queue[0]); err == nil {
			queue = append(queue, c.Parents...)
		}
	}
	return false
}

// reaches says whether a walk along first parents from the tip either meets the
// commit or ends at the first commit of all, so that a deeper fetch would not
// tell more. An empty hash is always reached.
func (h *History) reaches(hash string) (bool, error) {
	if hash == "" || hash == h.tip.Hash || len(h.shallow) == 0 {
		return true, nil
	}
	_, found, err := h.line(h.tip, hash)
	return found, err
}
