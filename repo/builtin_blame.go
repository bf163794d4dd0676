package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// blame is Checkout.Blame without git, which also follows a file that had another
// name; here its lines are of the commit that named it so.
func (b *builtin) blame(rev, file string, lines []int, blamed map[int]Blamed) error {
	tip := rev
	if tip == "" {
		p, err := b.position()
		if err != nil {
			return err
		}
		tip = p.commit
	}
	wanted := map[int]int{} // the lines of the text in the tip to the ones that are asked for; both from zero
	for _, line := range lines {
		wanted[line-1] = line - 1
		blamed[line] = Blamed{} // until a commit is found
	}
	if tip == "" {
		return nil
	}
	h, err := b.local.at(tip)
	if err != nil {
		return err
	}
	text, hash, err := h.text(tip, file)
	if err != nil {
		return err
	}
	if rev == "" {
		now, err := os.ReadFile(filepath.Join(b.root, filepath.FromSlash(file)))
		if err != nil {
			return unwrapPath(err)
		}
		if err := inRange(textLines(now), lines); err != nil {
			return err
		}
		wanted = carried(compare(text, textLines(now)), wanted)
	} else if err := inRange(text, lines); err != nil {
		return err
	}
	w := blaming{h: h, file: file, blamed: blamed}
	return w.walk(tip, hash, wanted)
}

func inRange(text []string, lines []int) error {
	for _, line := range lines {
		if line < 1 || line > len(text) {
			return fmt.Errorf("it has %d lines, and none with number %d", len(text), line)
		}
	}
	return nil
}

// text is a file of a commit, in lines; no lines and no hash where it has none.
func (h *History) text(commit, file string) ([]string, string, error) {
	files, err := h.Files(commit)
	if err != nil {
		return nil, "", err
	}
	n, err := files.(*treeFS).find("read", file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !n.mode.IsRegular() {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	content, err := n.content()
	return textLines(content), n.hash.String(), err
}

// carried takes wanted lines of a text to the same lines of the text before some
// edits; those that an edit brought in have none.
func carried(edits []textEdit, wanted map[int]int) map[int]int {
	out := map[int]int{}
	for line, asked := range wanted {
		shift, fresh := 0, false
		for _, e := range edits {
			if line < e.newAt {
				break
			}
			if line < e.newEnd {
				fresh = true
				break
			}
			shift = e.oldEnd - e.newEnd
		}
		if !fresh {
			out[line+shift] = asked
		}
	}
	return out
}

// A blaming looks for the commits of the lines of one file.
type blaming struct {
	h      *History
	file   string
	blamed map[int]Blamed
}

// walk gives each wanted line, or its like in the parents, to the commit that
// brought it in. Of several parents, one that has the whole file so is asked
// further, or else the first that has a line.
func (w blaming) walk(tip, hash string, wanted map[int]int) error {
	type place struct {
		commit, hash string
		wanted       map[int]int
	}
	for queue := []place{{tip, hash, wanted}}; len(queue) > 0; queue = queue[1:] {
		p := queue[0]
		if len(p.wanted) == 0 {
			continue
		}
		c, err := w.h.Commit(p.commit)
		if err != nil {
			return err
		}
		cut := w.h.shallow[c.Hash]
		left := p.wanted
		if !cut {
			parents, err := w.alikeFirst(c.Parents, p.hash)
			if err != nil {
				return err
			}
			for _, parent := range parents {
				theirs, hash, err := w.inParent(parent, p.commit, p.hash, left)
				if err != nil {
					return err
				}
				if len(theirs) == 0 {
					continue
				}
				queue = append(queue, place{parent, hash, theirs})
				left = without(left, theirs)
			}
		}
		for _, asked := range left {
			w.blamed[asked+1] = Blamed{Commit: c.Hash, Cut: cut}
		}
	}
	return nil
}

// alikeFirst puts a parent first that has the very same text.
func (w blaming) alikeFirst(parents []string, hash string) ([]string, error) {
	if len(parents) < 2 {
		return parents, nil
	}
	for i, parent := range parents {
		_, theirs, err := w.h.text(parent, w.file)
		if err != nil {
			return nil, err
		}
		if theirs == hash {
			return slices.Concat(parents[i:i+1], parents[:i], parents[i+1:]), nil
		}
	}
	return parents, nil
}

// inParent are the wanted lines that a parent has, too.
func (w blaming) inParent(parent, commit, hash string, wanted map[int]int) (map[int]int, string, error) {
	files, err := w.h.Files(parent)
	if err != nil {
		return nil, "", err
	}
	_, before, err := committedFile(files, w.file)
	if err != nil || before.IsZero() {
		return nil, "", err
	}
	if before.String() == hash {
		return wanted, hash, nil
	}
	old, _, err := w.h.text(parent, w.file)
	if err != nil {
		return nil, "", err
	}
	now, _, err := w.h.text(commit, w.file)
	return carried(compare(old, now), wanted), before.String(), err
}

// without are the lines that were not carried on.
func without(wanted, carried map[int]int) map[int]int {
	gone := map[int]bool{}
	for _, asked := range carried {
		gone[asked] = true
	}
	out := map[int]int{}
	for line, asked := range wanted {
		if !gone[asked] {
			out[line] = asked
		}
	}
	return out
}
