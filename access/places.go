package access

import (
	"maps"
	"slices"

	"github.com/infrahq/infra/schema"
)

// places are the destinations that either of two snapshots knows by name: it has
// an entry, or a grant on it alone. The reserved schema.InfraDestination is none.
type places struct {
	old, new map[string]schema.Pos // where each snapshot names a destination first
	names    []string              // of those that kept their name, sorted
	renamed  []place               // by name
	became   map[string]string     // old name to new
}

// A place is a destination that got another name, as its entry's `formerly` says.
type place struct {
	name string
	old  string // its name in the old snapshot
}

// newPlaces finds out which destinations are there, and which got another name.
// Where several become one, or one becomes another that was there already, none
// has just got another name: what people had on the one is no measure of what
// they get on the other.
func newPlaces(old, new *schema.Snapshot) places {
	p := places{old: known(old), new: known(new), became: map[string]string{}}
	taken := map[string]bool{}
	for _, k := range old.Keys { // a cluster that a key is for is there, whoever is granted anything on it
		taken[k.Destination] = true
	}
	for _, d := range new.Destinations {
		var former []string
		for _, name := range d.Formerly {
			_, was := p.old[name]
			if _, is := p.new[name]; was && !is && p.became[name] == "" && !slices.Contains(former, name) {
				former = append(former, name)
			}
		}
		if _, was := p.old[d.Name]; was || taken[d.Name] || len(former) != 1 {
			continue
		}
		p.became[former[0]] = d.Name
		p.renamed = append(p.renamed, place{d.Name, former[0]})
	}
	slices.SortFunc(p.renamed, func(a, b place) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	for _, name := range slices.Sorted(maps.Keys(p.new)) {
		if !p.isRenamed(name) {
			p.names = append(p.names, name)
		}
	}
	for name := range p.old {
		if _, both := p.new[name]; !both && p.became[name] == "" {
			p.names = append(p.names, name)
		}
	}
	slices.Sort(p.names)
	return p
}

// known are the destinations that a snapshot names.
func known(s *schema.Snapshot) map[string]schema.Pos {
	names := map[string]schema.Pos{}
	for _, d := range s.Destinations {
		names[d.Name] = d.Pos
	}
	last := ""
	for i := range s.Grants {
		name := s.Grants[i].Target.Destination
		if name == last || name == schema.InfraDestination || schema.IsPattern(name) {
			continue
		}
		last = name
		if _, ok := names[name]; !ok {
			names[name] = s.Grants[i].Pos
		}
	}
	return names
}

// now is what a destination of the old snapshot is called now.
func (p *places) now(name string) string {
	if len(p.became) > 0 {
		if now, ok := p.became[name]; ok {
			return now
		}
	}
	return name
}

func (p *places) isRenamed(name string) bool {
	return slices.ContainsFunc(p.renamed, func(r place) bool { return r.name == name })
}
