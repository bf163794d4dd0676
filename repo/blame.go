package repo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Blamed line is one of which git knows the commit that last changed it.
type Blamed struct {
	Commit string // its full hash; empty: the line is not committed
	Cut    bool   // the clone is shallow and ends there, so that it may be older
}

// Blame says which commit last changed each of some lines of a file, by line.
// Lines count from 1. rev is the hash of a commit, or empty for the work tree,
// whose lines may not be committed. The user's list of commits to ignore is not
// heeded: who wrote a line is not a matter of taste.
func (c *Checkout) Blame(ctx context.Context, rev, file string, lines []int) (map[int]Blamed, error) {
	lines = slices.Compact(slices.Sorted(slices.Values(lines)))
	blamed := make(map[int]Blamed, len(lines))
	if len(lines) == 0 {
		return blamed, nil
	}
	if c.builtin != nil {
		if err := c.builtin.blame(rev, file, lines, blamed); err != nil {
			return nil, fmt.Errorf("reading who wrote %s: %w", file, err)
		}
		return blamed, nil
	}
	if rev == "" {
		// git blame knows no file that HEAD does not have.
		known, err := c.inHead(ctx, file)
		if err != nil {
			return nil, fmt.Errorf("reading who wrote %s: %w", file, err)
		}
		if !known {
			for _, line := range lines {
				blamed[line] = Blamed{}
			}
			return blamed, nil
		}
	}
	args := []string{"blame", "--porcelain", "--ignore-revs-file="}
	for _, line := range lines {
		args = append(args, fmt.Sprintf("-L%d,%d", line, line))
	}
	if rev != "" {
		args = append(args, rev)
	}
	out, err := c.git.run(ctx, nil, append(args, "--", file)...)
	if err != nil {
		return nil, fmt.Errorf("reading who wrote %s: %w", file, err)
	}
	shallow, err := c.git.line(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, fmt.Errorf("reading who wrote %s: %w", file, err)
	}
	if err := parseBlame(string(out), blamed, shallow == "true"); err != nil {
		return nil, fmt.Errorf("reading who wrote %s: %w", file, err)
	}
	for _, line := range lines {
		if _, ok := blamed[line]; !ok {
			return nil, fmt.Errorf("reading who wrote %s: git says nothing of line %d", file, line)
		}
	}
	return blamed, nil
}

// inHead says whether the current commit has a file.
func (c *Checkout) inHead(ctx context.Context, file string) (bool, error) {
	_, err := c.git.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD:"+file)
	if ended(err, 1) || ended(err, 128) { // no such file, or no commit
		return false, nil
	}
	return err == nil, err
}

// parseBlame reads git's porcelain format: a header for each line, what is known
// of its commit where that comes first, and the line itself after a tab.
func parseBlame(out string, blamed map[int]Blamed, shallow bool) error {
	boundary := map[string]bool{}
	commit, line := "", 0
	for text := range strings.Lines(out) {
		text = strings.TrimSuffix(text, "\n")
		switch {
		case commit == "":
			f := strings.Fields(text)
			if len(f) < 3 {
				return fmt.Errorf("git printed %q", text)
			}
			n, err := strconv.Atoi(f[2])
			if err != nil {
				return fmt.Errorf("git printed %q", text)
			}
			commit, line = f[0], n
		case text == "boundary":
			boundary[commit] = true
		case strings.HasPrefix(text, "\t"):
			b := Blamed{Commit: commit, Cut: shallow && boundary[commit]}
			if strings.Trim(commit, "0") == "" {
				b = Blamed{}
			}
			blamed[line], commit = b, ""
		}
	}
	return nil
}
