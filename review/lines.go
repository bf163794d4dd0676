package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A line is what one line of a review says: a change, or several that are the
// same for several people of a group.
type line struct {
	access.Change                 // of the first of them
	all           []access.Change // in order, never empty
	also          []line          // that say the same of other targets
}

// fold makes lines of changes. Changes of people that are the same, and come
// from the same line about a group, are one line, where the first of them was:
// "engineering (42 people) gains view on prod". With everybody, each person has
// a line.
func fold(changes []access.Change, everybody bool) []line {
	var lines []line
	at := map[sameness]int{}
	for _, c := range changes {
		if !everybody && c.Kind.OfAccess() && c.Group != "" && c.Subject.Kind == schema.User && len(c.Reasons) > 0 {
			k := samenessOf(c)
			if i, ok := at[k]; ok {
				lines[i].all = append(lines[i].all, c)
				continue
			}
			at[k] = len(lines)
		}
		lines = append(lines, line{Change: c, all: []access.Change{c}})
	}
	return lines
}

// sameness is equal for changes that differ in the person alone, in how the
// group reaches them, and in what else they have.
type sameness struct {
	kind            access.Kind
	danger          access.Danger
	role            string
	target          schema.Target
	expires, before time.Time
	grant           schema.Pos
	group           string
	reason          string
	outlives        string
	powers          string
	destinations    string // of a pattern, those where it is a change for them
	inOld           bool
}

func samenessOf(c access.Change) sameness {
	g := c.Reasons[0].Grant
	s := sameness{
		kind: c.Kind, danger: c.Danger, role: c.Role, target: c.Target,
		expires: c.Expires.UTC(), before: c.Before.UTC(),
		grant: g.Pos, group: c.Group, reason: g.Reason, outlives: c.Outlives, inOld: c.InOld,
	}
	for _, p := range c.Powers {
		s.powers += string(p) + "\n"
	}
	s.destinations = strings.Join(c.Destinations, "\n")
	return s
}

// summed says whether the line is about several people.
func (l line) summed() bool { return len(l.all) > 1 }

// people are the names of those that the line is about, sorted.
func (l line) people() []string {
	var out []string
	for _, c := range l.all {
		out = append(out, c.Subject.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// places are where the line comes from, in order, each once.
func (l line) places() []schema.Pos {
	var out []schema.Pos
	for _, one := range append([]line{l}, l.also...) {
		for _, c := range one.all {
			if c.Pos != (schema.Pos{}) {
				out = append(out, c.Pos)
			}
		}
	}
	slices.SortFunc(out, schema.Pos.Compare)
	return slices.Compact(out)
}

// gathered takes lines that say the same of several targets for one, where the
// first of them was: who joins a group of forty clusters is told of once.
func gathered(lines []line) []line {
	var out []line
	at := map[string]int{}
	for _, l := range lines {
		if l.Kind.OfAccess() && !schema.IsPattern(l.Target.Destination) {
			says := []string{string(l.Kind), l.symbol(), l.who().plain(), strings.Join(l.people(), "\n"), l.Role, fmt.Sprint(l.Danger)}
			for _, n := range l.notes() {
				says = append(says, n.plain())
			}
			key := strings.Join(says, "\n")
			if i, ok := at[key]; ok {
				out[i].also = append(out[i].also, l)
				continue
			}
			at[key] = len(out)
		}
		out = append(out, l)
	}
	return out
}

// targets are where the line is about, in order.
func (l line) targets() []schema.Target {
	out := []schema.Target{l.Target}
	for _, a := range l.also {
		out = append(out, a.Target)
	}
	slices.SortFunc(out, schema.Target.Compare)
	return slices.Compact(out)
}

// A class is a heading of a review: lines that are bad in the same way.
type class int

const (
	likeClusterAdmin class = iota
	handsOutAccess
	makesPossible // not of people's access, and dangerous
	unknownRole   // of which nobody here knows what it allows
	runsCommands
	readsSecrets
	otherGains
	losses
	longer
	shorter
	beside // not of people's access
	classes
)

func (l line) class() class {
	switch l.Kind {
	case access.Gained:
		switch l.Danger {
		case access.ClusterAdmin, access.EqualsAdmin:
			return likeClusterAdmin
		case access.Administers:
			return handsOutAccess
		case access.Unknown:
			return unknownRole
		case access.Executes:
			return runsCommands
		case access.ReadsSecrets:
			return readsSecrets
		}
		return otherGains
	case access.Lost:
		return losses
	case access.Extended:
		return longer
	case access.Shortened:
		return shorter
	}
	if l.dangerous() {
		return makesPossible
	}
	return beside
}

// dangerous says whether a reviewer should look at the line before any other: it
// lets somebody give access to others, or as much as a cluster-admin may, or
// nobody here knows that it does not.
func (l line) dangerous() bool {
	return l.Danger >= access.Unknown && l.Kind != access.Lost && l.Kind != access.Shortened
}

// symbol is what the line begins with.
func (l line) symbol() string {
	switch {
	case l.Kind == access.Extended || l.Kind == access.Shortened:
		return "~"
	case l.dangerous():
		return "!"
	case l.Kind == access.Gained || l.Kind == access.KeyAdded || l.Kind == access.DestinationAdded ||
		l.Kind == access.RevocationAdded || l.Kind == access.RuleAdded:
		return "+"
	case l.Kind == access.Lost || l.Kind == access.KeyRemoved || l.Kind == access.DestinationRemoved ||
		l.Kind == access.RevocationRemoved || l.Kind == access.RuleRemoved:
		return "-"
	}
	return "~"
}

// split are the lines of people's access, and the others.
func split(lines []line) (ofAccess, others []line) {
	for _, l := range lines {
		if l.Kind.OfAccess() {
			ofAccess = append(ofAccess, l)
		} else {
			others = append(others, l)
		}
	}
	return ofAccess, others
}
