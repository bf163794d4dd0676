package repo

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Mainline is the branch that changes are meant for. The zero value is none.
type Mainline struct {
	Name   string // as people call it: origin/main, or main where no remote is known
	Ref    string // its full name, which is nothing else's: refs/remotes/origin/main
	Branch string // its name on the remote, without it: main
}

// Mainline finds the branch that changes are meant for: the default branch of
// the remote (origin, or else the first by name), its main or master, or else
// the local main or master. A checkout that has none of these is no error.
func (c *Checkout) Mainline(ctx context.Context) (Mainline, error) {
	list, err := c.branches(ctx)
	if err != nil {
		return Mainline{}, fmt.Errorf("looking for the default branch: %w", err)
	}
	refs := map[string]string{} // to what a symbolic ref stands for
	remotes := []string{"origin"}
	for _, r := range list {
		refs[r.name] = r.target
		if rest, ok := strings.CutPrefix(r.name, "refs/remotes/"); ok {
			if remote, _, ok := strings.Cut(rest, "/"); ok && !slices.Contains(remotes, remote) {
				remotes = append(remotes, remote) // which are sorted
			}
		}
	}
	for _, remote := range remotes {
		prefix := "refs/remotes/" + remote + "/"
		branches := []string{"main", "master"}
		if def, ok := strings.CutPrefix(refs[prefix+"HEAD"], prefix); ok {
			branches = append([]string{def}, branches...)
		}
		for _, branch := range branches {
			if _, ok := refs[prefix+branch]; ok {
				return Mainline{Name: remote + "/" + branch, Ref: prefix + branch, Branch: branch}, nil
			}
		}
	}
	for _, branch := range []string{"main", "master"} {
		if _, ok := refs["refs/heads/"+branch]; ok {
			return Mainline{Name: branch, Ref: "refs/heads/" + branch, Branch: branch}, nil
		}
	}
	return Mainline{}, nil
}

// branches lists the branches, here and of the remotes, by name.
func (c *Checkout) branches(ctx context.Context) ([]listedRef, error) {
	if c.builtin != nil {
		return c.builtin.refs("refs/remotes", "refs/heads")
	}
	out, err := c.git.run(ctx, nil, "for-each-ref", "--format=%(refname) %(symref)", "refs/remotes", "refs/heads")
	if err != nil {
		return nil, err
	}
	var list []listedRef
	for line := range strings.Lines(string(out)) {
		name, target, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		list = append(list, listedRef{name: name, target: target})
	}
	return list, nil
}

// Names are the branches and tags by which a person may call a revision, those
// with the newest commits first.
func (c *Checkout) Names(ctx context.Context) ([]string, error) {
	if c.builtin != nil {
		return c.builtin.names()
	}
	out, err := c.git.run(ctx, nil, "for-each-ref", "--sort=-creatordate", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")
	if err != nil {
		return nil, fmt.Errorf("listing branches and tags: %w", err)
	}
	return strings.Fields(string(out)), nil
}
