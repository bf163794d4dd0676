package main

import (
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/schema"
)

// A logAbout is what a log is about: everything, one subject, or one resource.
type logAbout struct {
	who     *schema.Subject
	targets []schema.Target // the resource under all names that it had; empty: no resource
	names   []string        // of the subject and the groups that it was in, where the walk is; nil: not known yet
	said    map[string]bool // by hash, whether a content may hold one of the names
}

// isAll says whether it is about everything.
func (l *logAbout) isAll() bool { return l.who == nil && len(l.targets) == 0 }

// reduce leaves of a snapshot what matters, and learns the names under which it
// does in the revisions before.
func (l *logAbout) reduce(s *schema.Snapshot) *schema.Snapshot {
	switch {
	case l.who != nil:
		near := access.Around(s, *l.who)
		names := []string{l.who.Name}
		for _, g := range near.Groups {
			names = append(names, g.Name)
		}
		if !slices.Equal(names, l.names) {
			l.names, l.said = names, map[string]bool{}
		}
		return near
	case len(l.targets) > 0:
		for _, d := range s.Destinations {
			for _, t := range slices.Clone(l.targets) {
				for _, former := range d.Formerly {
					old := schema.Target{Destination: former, Namespace: t.Namespace}
					if d.Name == t.Destination && !slices.Contains(l.targets, old) {
						l.targets = append(l.targets, old)
					}
				}
			}
		}
		return access.On(s, l.targets)
	}
	return s
}

// isAbout says whether a change is to be shown.
func (l *logAbout) isAbout(c access.Change) bool {
	switch {
	case l.who != nil && c.Kind.OfAccess():
		return c.Subject == *l.who
	case l.who != nil: // what Around leaves is all about them
		return slices.Contains([]access.Kind{access.KeyAdded, access.KeyRemoved, access.KeyChanged,
			access.RevocationAdded, access.RevocationRemoved, access.UsersChanged}, c.Kind)
	case len(l.targets) > 0 && c.Kind.OfAccess():
		return slices.ContainsFunc(l.targets, c.Target.Overlaps)
	case len(l.targets) > 0:
		return slices.ContainsFunc(c.Destinations, func(d string) bool {
			return slices.ContainsFunc(l.targets, func(t schema.Target) bool { return schema.MatchDestination(t.Destination, d) })
		})
	}
	return true
}

// mayMatter says whether a change of files can be about it, without parsing them. A
// name that a file does not hold, it does not say: what YAML could write
// otherwise counts as said. Paths are those of the access repository.
func (l *logAbout) mayMatter(files []repo.TouchedFile, read func(hash string) ([]byte, error)) (bool, error) {
	for _, f := range files {
		folder, _, below := strings.Cut(f.Path, "/")
		switch {
		case l.isAll(), !below, folder == "destinations":
			return true, nil
		case l.who == nil && folder == "grants":
			if slices.ContainsFunc(l.targets, func(t schema.Target) bool { return holdsGrantsOf(f.Path, t.Destination) }) {
				return true, nil
			}
		case l.who == nil:
			if folder != "users" {
				return true, nil
			}
		default:
			for _, hash := range []string{f.Old, f.New} {
				if said, err := l.isSaid(hash, read); said || err != nil {
					return said, err
				}
			}
		}
	}
	return false, nil
}

// isSaid says whether a content may hold one of the names. Each is looked at once
// for the same names, as it is there before one commit and after another.
func (l *logAbout) isSaid(hash string, read func(string) ([]byte, error)) (bool, error) {
	if l.names == nil || hash == "" {
		return l.names == nil, nil
	}
	if said, known := l.said[hash]; known {
		return said, nil
	}
	content, err := read(hash)
	if err != nil {
		return false, err
	}
	text := string(content)
	said := strings.Contains(text, `\`)
	if !said {
		text = strings.Join(strings.Fields(text), " ") // a name may be folded
		said = slices.ContainsFunc(l.names, func(name string) bool {
			return strings.Contains(name, "'") || strings.Contains(text, name)
		})
	}
	l.said[hash] = said
	return said, nil
}

// holdsGrantsOf says whether a file of grants is where those on a destination are.
func holdsGrantsOf(p, destination string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(p, "grants/"), "/")
	name = strings.TrimSuffix(name, ".yaml")
	return name == "_shared" || schema.MatchDestination(destination, name)
}
