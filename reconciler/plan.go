// Package reconciler works out what has to change in a cluster so that its
// role bindings give what a desired state says, and nothing more.
//
// New takes two values, the desired state and what the cluster has, and the
// time, and returns a third: the Plan. Nothing here asks a cluster, writes to
// one, logs or waits. The same values give the same plan, a plan that has been
// applied leaves an empty one, and the whole is worked out anew each time, so
// a new answer of the server, a hand that edited a binding, a namespace that
// appeared and a grant that expired are all the same case.
//
// # What is infra's
//
// The name is the ownership: bindings called infra:<destination>:... are
// infra's, whoever made them, and no other binding is ever changed. Names of
// destinations are DNS labels, so the colon settles where one ends. Bindings of
// a former name of the destination are never written, and are deleted once their
// access has been given under the new name. The role reference, not the name,
// says which role a binding gives: there may be several for one role, and any
// free name will do for the next.
//
// # What becomes of a binding
//
// For each place and role, with the people who are to have it:
//
//	a binding of infra's ...                          is ...
//	for a role that nobody is to have there           deleted
//	for a role that is missing or not labelled        deleted, and the grants held
//	of kind Role instead of ClusterRole               deleted
//	with all of its people wanted                     left, in whatever order they are
//	with some who are not wanted, or listed twice     updated without them
//	with nobody left                                  deleted, or refilled with who is missing
//	without infra's labels                            updated with them
//	of a former name                                  deleted, after its wanted people have
//	                                                  been bound under the new name
//	and who is missing ...                            is ...
//	where a binding has room                          added to the first that has
//	where none has                                    put into a new one, 100 people each
//	in a namespace that ends or does not exist        held; who is bound there already stays
//
// People stay in the binding that they are in, so one changed grant is one
// write, and no change reshuffles objects.
//
// # The order
//
// First comes what widens nobody's access (Keep), then what takes away (Take),
// then what adds (Add); a binding that needs more than one of these is written
// more than once. So the cluster never gives more than it gave before, until it
// gives no more than it should; and a refused addition cannot hold up a removal.
package reconciler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/api"
)

// A Plan is what has to be done and what cannot be. The zero Plan has nothing
// to do. All of it is sorted.
type Plan struct {
	Changes []Change      // in the order in which they are to be made
	Held    []api.Held    // what the desired state says and the cluster cannot have, and why
	Foreign []api.Foreign // bindings of others that name people to whom infra granted something
	Roles   []string      // labelled ClusterRoles that can be granted
	Owned   int           // bindings that are infra's, former names included
	Until   time.Time     // the next expiry of an entry, when a new plan is due; zero: never
}

// A Change is one write of one binding.
type Change struct {
	Stage Stage
	Verb  Verb
	Role  string // as granted; for a binding that nobody was granted, what its role reference says

	// Object is the whole binding as it is to be, or as it is where it is to be
	// deleted. Its Version and UID are those that the cluster had: the write is
	// to be refused where they are others by then, but for a change that comes
	// after another of the same plan and object, which goes by what that one left.
	Object Binding

	Gains []Subject // who comes to hold the role there; sorted
	Loses []Subject // who ceases to; a subject that keeps it through another binding is not listed

	// After names the objects whose earlier changes in this plan must have
	// been made, or this one is not to be tried.
	After []Key
}

// Stage is what a change does to access, in the order of a plan.
type Stage int

// The stages.
const (
	Keep Stage = iota // widens nobody's access and takes none
	Take              // takes away
	Add               // adds
)

// String is keep, take or add.
func (s Stage) String() string {
	switch s {
	case Keep:
		return "keep"
	case Take:
		return "take"
	case Add:
		return "add"
	}
	return fmt.Sprintf("stage %d", int(s))
}

// Verb is the kind of write, spelt as RBAC spells it.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Update Verb = "update"
	Delete Verb = "delete"
)

// String is a line for people: what is written, the role and place, who gains
// and who loses.
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", c.Verb, c.Object.Name, c.Role)
	if c.Object.Namespace != "" {
		fmt.Fprintf(&b, " in namespace %s", c.Object.Namespace)
	}
	for _, s := range c.Gains {
		fmt.Fprintf(&b, " +%s", s)
	}
	for _, s := range c.Loses {
		fmt.Fprintf(&b, " -%s", s)
	}
	return b.String()
}

// New plans how the cluster comes to give at the instant now what d says. A
// suspended destination has the zero Plan; one that is observed has a plan like
// any other, which nobody is to apply. d is taken as api.DesiredState.Check
// accepts it.
func New(d api.DesiredState, c Cluster, now time.Time) Plan { return plan(d, c, now, full) }

func plan(d api.DesiredState, c Cluster, now time.Time, full int) Plan {
	if d.Mode == api.Suspend {
		return Plan{}
	}
	b := newBoard(d, c)
	b.full = full
	people := map[Subject]bool{}
	var until time.Time
	for _, e := range d.Entries {
		if e.Expired(now) {
			continue
		}
		if !e.Expires.IsZero() && (until.IsZero() || e.Expires.Before(until)) {
			until = e.Expires
		}
		people[subjectOf(e)] = true
		b.want(e)
	}
	var changes []Change
	for _, s := range b.sorted() {
		changes = append(changes, b.arrange(s)...)
	}
	slices.SortStableFunc(changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(x.Stage, y.Stage), x.Object.Key().Compare(y.Object.Key()))
	})
	return Plan{
		Changes: changes,
		Held:    b.heldBack(),
		Foreign: foreign(b.names, c.Objects, people),
		Roles:   grantable(c.Roles),
		Owned:   b.owned,
		Until:   until,
	}
}

// foreign lists the bindings that are not infra's for this destination and
// name people to whom it granted something. Those of other destinations on the
// same cluster are listed too: infra: at the head of a name proves nothing, and
// would be the place to hide one.
func foreign(n names, objects []Binding, people map[Subject]bool) []api.Foreign {
	var out []api.Foreign
	for _, o := range objects {
		if n.owner(o.Name) != nobody {
			continue
		}
		var named []string
		for _, s := range o.Subjects {
			if people[Subject{Kind: s.Kind, Name: s.Name}] {
				named = append(named, s.String())
			}
		}
		if named == nil {
			continue
		}
		slices.Sort(named)
		out = append(out, api.Foreign{
			Namespace: o.Namespace, Name: o.Name, Role: o.Role.String(), Subjects: slices.Compact(named),
		})
	}
	slices.SortFunc(out, func(a, b api.Foreign) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out
}
