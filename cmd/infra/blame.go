package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// blame finds the commit of everything that the lines say, file by file.
func (a *app) blame(ctx context.Context, m moment, items []heldItem) error {
	c, err := a.blamed(ctx, m)
	if c == nil || err != nil {
		return err
	}
	files := os.DirFS(c.root)
	if m.commit.Hash != "" {
		if files, err = c.files(m.commit); err != nil {
			return err
		}
	}
	byFile := map[string][]*lineItem{}
	for _, i := range items {
		for n := range i.Lines {
			byFile[i.Lines[n].File] = append(byFile[i.Lines[n].File], &i.Lines[n])
		}
	}
	defer a.busy("reading who wrote %s", count(len(byFile), "file"))()
	for _, name := range slices.Sorted(maps.Keys(byFile)) {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("reading who wrote %s: %w", name, err)
		}
		if err := c.blameFile(ctx, m.commit.Hash, name, strings.Split(string(text), "\n"), byFile[name]); err != nil {
			return err
		}
	}
	return nil
}

// blameFile does so for one file, whose lines are given.
func (c *clone) blameFile(ctx context.Context, rev, name string, text []string, items []*lineItem) error {
	var wanted []int
	for _, l := range items {
		for n := l.pos.Line; n <= l.last(text); n++ {
			wanted = append(wanted, n)
		}
	}
	found, err := c.checkout.Blame(ctx, rev, path.Join(c.prefix, name), wanted)
	if err != nil {
		return err
	}
	for _, l := range items {
		var newest repo.Commit
		for n := l.pos.Line; n <= l.last(text); n++ {
			b := found[n]
			if b.Commit == "" {
				newest, l.NotCommitted, l.OrEarlier = repo.Commit{}, true, false
				break
			}
			commit, err := c.history.Commit(b.Commit)
			if err != nil {
				return err
			}
			if newest.Hash == "" || commit.Committer.When.After(newest.Committer.When) {
				newest, l.OrEarlier = commit, b.Cut
			}
		}
		if l.Commit = newest.Hash; !l.NotCommitted {
			l.Author, l.Committer = signed(newest.Author), signed(newest.Committer)
		}
	}
	return nil
}

// last is the last line of what begins at a line: who changes the role of a
// grant changes another line than that which names the person. What is written
// in flow style counts with the line where it begins.
func (l *lineItem) last(text []string) int {
	n := l.pos.Line
	if l.Kind == "member" || n < 1 || n > len(text) {
		return n
	}
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	first := text[n-1]
	inside := indent(first) // where its keys stand at least
	switch {
	case strings.HasPrefix(first[inside:], "-"):
		inside++
	case inside != l.pos.Column-1:
		return n
	}
	for n < len(text) {
		next := text[n]
		words := strings.TrimSpace(next)
		if words == "" || indent(next) < inside || strings.HasPrefix(words, "-") || strings.HasPrefix(words, "#") {
			break
		}
		n++
	}
	return n
}

// blamed is the clone that knows who wrote the lines; nil where there is none.
func (a *app) blamed(ctx context.Context, m moment) (*clone, error) {
	if m.clone != nil {
		return m.clone, nil
	}
	root, err := a.root()
	if err != nil {
		return nil, err
	}
	c, err := openClone(ctx, root)
	if errors.Is(err, repo.ErrNotRepository) || errors.Is(err, repo.ErrNoGit) {
		a.say("who wrote the lines is not known here: %v", err)
		return nil, nil
	}
	return c, err
}

func signed(p repo.Person) *signedItem { return &signedItem{p.Name, p.Email, p.When.UTC()} }

// place is where a line begins.
func (l lineItem) place() string { return place(schema.Pos{File: l.File, Line: l.Line}) }
