package repo

import (
	"context"
	"errors"
	"strings"
	"time"
)

// fastForward moves the branch that is checked out to a commit that was built on
// where it stands, with the files that differ. It touches nothing, and says false,
// where something of it is not as plain as that.
func (b *builtin) fastForward(ctx context.Context, c *Checkout, h *History, to string, config gitConfig) (bool, error) {
	unlock, err := c.lockedHere(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	guard, err := lock(b.indexPath())
	if err != nil {
		return false, err
	}
	defer guard.release()
	from, err := b.position()
	if err != nil || from.commit == "" || from.ref == "" {
		return false, err
	}
	if clean, err := b.cleanEverywhere(); err != nil || !clean || c.checkOperation() != nil {
		return false, err
	}
	change, plain, err := h.difference(from.commit, to)
	if err != nil || !plain {
		return false, err
	}
	root, olds, err := c.begin(ctx, change)
	if err != nil {
		return false, err
	}
	defer root.Close()
	// As checked out, a text may have other line ends than the one that git keeps.
	files, err := h.Files(to)
	if err != nil {
		return false, err
	}
	for path := range change.Files {
		if err := b.checkConversion(config, files, path, []byte("\r")); err != nil {
			return false, err
		}
	}
	_, who, err := b.identity(config, time.Now())
	if err != nil {
		return false, err
	}
	s := step{from: from, to: to, who: who, why: "merge " + to + ": Fast-forward"}
	return true, b.advance(ctx, c, root, guard, olds, change, s, config)
}

// difference is what makes one commit of another. It is not plain where something
// but the content of regular files differs.
func (h *History) difference(from, to string) (change Change, plain bool, err error) {
	old, err := h.Files(from)
	if err != nil {
		return change, false, err
	}
	now, err := h.Files(to)
	if err != nil {
		return change, false, err
	}
	change.Files = map[string][]byte{}
	d := difference{old.(*treeFS), now.(*treeFS), change.Files}
	err = d.folder(".", d.old.root, d.now.root)
	if errors.Is(err, errDiffers) {
		return change, false, nil
	}
	return change, err == nil, err
}

type difference struct {
	old, now *treeFS
	files    map[string][]byte
}

// folder compares what two commits have in one; nil: it is not there.
func (d difference) folder(at string, old, now *node) error {
	if old != nil && now != nil && old.hash == now.hash {
		return nil
	}
	olds, err := childrenByName(old)
	if err != nil {
		return err
	}
	nows, err := childrenByName(now)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for name := range olds {
		names[name] = true
	}
	for name := range nows {
		names[name] = true
	}
	for name := range names {
		path := strings.TrimPrefix(at+"/"+name, "./")
		if err := d.entry(path, olds[name], nows[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d difference) entry(path string, old, now *node) error {
	switch {
	case old != nil && now != nil && old.hash == now.hash && old.mode == now.mode:
		return nil
	case (old == nil || old.IsDir()) && (now == nil || now.IsDir()):
		return d.folder(path, old, now)
	case old != nil && now != nil && old.mode != now.mode:
		return errDiffers
	case old == nil && now.mode != 0o444, now == nil && !old.mode.IsRegular(), now != nil && !now.mode.IsRegular():
		return errDiffers
	case now == nil:
		d.files[path] = nil
		return nil
	}
	content, err := now.content()
	if content == nil {
		content = []byte{}
	}
	d.files[path] = content
	return err
}

func childrenByName(n *node) (map[string]*node, error) {
	out := map[string]*node{}
	if n == nil {
		return out, nil
	}
	children, err := n.children()
	for _, c := range children {
		out[c.name] = c
	}
	return out, err
}
