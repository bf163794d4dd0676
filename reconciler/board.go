package reconciler

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/infrahq/infra/api"
)

// A board lays out, for each place and role, who is to have it and what
// bindings of infra's there are.
type board struct {
	names
	namer
	slots       map[place]*slot
	namespaces  map[string]bool // what is known, and whether a binding may be added to there
	matchable   []string        // what patterns may match
	matched     map[string][]string
	roles       map[string]bool
	held        map[api.Held]int
	destination string
	owned       int
	full        int // subjects in a binding before another is made
}

// A place is where a role is given: the whole cluster or one namespace.
type place struct {
	namespace string
	role      RoleRef
}

// A slot is one role at one place.
type slot struct {
	place
	wanted  []Subject // each once, in order of arrival
	wants   map[Subject]bool
	objects []Binding // infra's for it
	former  []Binding // those of former names
}

func newBoard(d api.DesiredState, c Cluster) *board {
	b := &board{
		names:       newNames(d.Destination, d.Formerly),
		namer:       namer{taken: map[Key]bool{}, next: map[Key]int{}},
		slots:       map[place]*slot{},
		namespaces:  map[string]bool{"": true},
		matched:     map[string][]string{},
		roles:       map[string]bool{},
		held:        map[api.Held]int{},
		destination: d.Destination,
	}
	for _, r := range c.Roles {
		b.roles[r.Name] = r.Included
	}
	known := map[string]bool{}
	for _, n := range c.Namespaces {
		b.namespaces[n.Name] = !n.Terminating
		known[n.Name] = true
	}
	for _, o := range c.Objects {
		owner := b.owner(o.Name)
		if owner == nobody {
			continue
		}
		b.owned++
		b.taken[o.Key()] = true
		// A namespace that has a binding exists, even where the list of namespaces,
		// read a moment earlier or later, does not say so.
		known[o.Namespace] = true
		s := b.slot(place{o.Namespace, o.Role})
		if owner == own {
			s.objects = append(s.objects, o)
		} else {
			s.former = append(s.former, o)
		}
	}
	for n := range known {
		if n != "" && n != c.OwnNamespace && !strings.HasPrefix(n, "kube-") {
			b.matchable = append(b.matchable, n)
		}
	}
	return b
}

func (b *board) slot(p place) *slot {
	s := b.slots[p]
	if s == nil {
		s = &slot{place: p, wants: map[Subject]bool{}}
		b.slots[p] = s
	}
	return s
}

// sorted are the slots in order of namespace and role.
func (b *board) sorted() []*slot {
	return slices.SortedFunc(maps.Values(b.slots), func(x, y *slot) int {
		return cmp.Or(cmp.Compare(x.namespace, y.namespace),
			cmp.Compare(x.role.Kind, y.role.Kind), cmp.Compare(x.role.Name, y.role.Name))
	})
}

// want notes an entry at all the places that it means.
func (b *board) want(e api.Entry) {
	ref, reason := bound(e.Role, b.roles)
	if reason != "" {
		b.hold(e.Role, e.Namespace, reason, 1)
		return
	}
	for _, n := range b.meant(e.Namespace) {
		s, subject := b.slot(place{n, ref}), subjectOf(e)
		if !s.wants[subject] {
			s.wants[subject] = true
			s.wanted = append(s.wanted, subject)
		}
	}
}

// meant are the namespaces that an entry's stands for.
func (b *board) meant(namespace string) []string {
	if !strings.Contains(namespace, "*") {
		return []string{namespace}
	}
	list, done := b.matched[namespace]
	if !done {
		for _, n := range b.matchable {
			if matches(namespace, n) {
				list = append(list, n)
			}
		}
		b.matched[namespace] = list
	}
	return list
}

func (b *board) hold(role, namespace, reason string, subjects int) {
	b.held[api.Held{Role: role, Namespace: namespace, Reason: reason}] += subjects
}

// closed is the reason why nobody can be added in a namespace; empty: they can.
func (b *board) closed(namespace string) string {
	open, known := b.namespaces[namespace]
	switch {
	case !known:
		return "namespace " + strconv.Quote(namespace) + " does not exist"
	case !open:
		return "namespace " + strconv.Quote(namespace) + " is being deleted"
	}
	return ""
}

func (b *board) heldBack() []api.Held {
	var out []api.Held
	for h, subjects := range b.held {
		h.Subjects = subjects
		out = append(out, h)
	}
	slices.SortFunc(out, func(x, y api.Held) int {
		return cmp.Or(cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Role, y.Role), cmp.Compare(x.Reason, y.Reason))
	})
	return out
}
