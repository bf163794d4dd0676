package repo

import (
	"fmt"
	"slices"
	"time"
)

// At is the newest commit on the first-parent line of a commit at an instant. No
// commit was there before its parent was, whatever its date says. The error wraps
// [ErrNotFound] where there was none yet, and [ErrShallow] where a clone ends too
// early to tell.
func (h *History) At(tip string, at time.Time) (Commit, error) {
	c, err := h.Commit(tip)
	if err != nil {
		return Commit{}, err
	}
	line := []Commit{c}
	for len(c.Parents) > 0 && !h.shallow[c.Hash] {
		if c, err = h.Commit(c.Parents[0]); err != nil {
			return Commit{}, err
		}
		line = append(line, c)
	}
	slices.Reverse(line)
	n := slices.IndexFunc(line, func(c Commit) bool { return c.Committer.When.After(at) })
	switch {
	case n < 0:
		return line[len(line)-1], nil
	case n > 0:
		return line[n-1], nil
	case h.shallow[line[0].Hash]:
		err = ErrShallow
	default:
		err = ErrNotFound
	}
	return Commit{}, fmt.Errorf("looking for a commit at %s: %w", at.Format(time.RFC3339), err)
}
