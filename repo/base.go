package repo

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// MergeBase is where two commits part: the newest commit that both have, which
// is a or b itself where one is an ancestor of the other. Of several, as after
// two branches were merged into each other, it is the one committed last.
//
// The error wraps [ErrUnrelated] where they have none, [ErrShallow] where a clone
// ends too early to tell, and [ErrNotFound] where a or b is unknown.
func (h *History) MergeBase(a, b string) (Commit, error) {
	other, err := h.Commit(b)
	if err != nil {
		return Commit{}, err
	}
	mine, cutMine, err := h.walk(a, b)
	if err != nil {
		return Commit{}, err
	}
	if _, found := mine[b]; found {
		return other, nil
	}
	theirs, cutTheirs, err := h.walk(b, a)
	if err != nil {
		return Commit{}, err
	}
	common := map[string]Commit{}
	for hash, c := range mine {
		if _, both := theirs[hash]; both {
			common[hash] = c
		}
	}
	// Ancestors of what is common are common too, so the best have no child there.
	best := maps.Clone(common)
	for _, c := range common {
		for _, p := range c.Parents {
			delete(best, p)
		}
	}
	switch {
	case len(best) > 0:
		return slices.MaxFunc(slices.Collect(maps.Values(best)), func(x, y Commit) int {
			return cmp.Or(x.Committer.When.Compare(y.Committer.When), cmp.Compare(x.Hash, y.Hash))
		}), nil
	case cutMine || cutTheirs:
		return Commit{}, fmt.Errorf("looking for where commits %.10s and %.10s part: %w", a, b, ErrShallow)
	}
	return Commit{}, fmt.Errorf("commits %.10s and %.10s: %w", a, b, ErrUnrelated)
}

// walk collects a commit and its ancestors, until it meets the commit end. cut
// says that some of them are missing.
func (h *History) walk(from, end string) (seen map[string]Commit, cut bool, err error) {
	seen = map[string]Commit{}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		if _, again := seen[queue[0]]; again {
			continue
		}
		c, err := h.Commit(queue[0])
		if err != nil {
			return nil, false, err
		}
		seen[c.Hash] = c
		switch {
		case c.Hash == end:
			return seen, cut, nil
		case h.shallow[c.Hash]:
			cut = true
		default:
			queue = append(queue, c.Parents...)
		}
	}
	return seen, cut, nil
}
