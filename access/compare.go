package access

import (
	"cmp"
	"slices"
	"time"

	"github.com/infrahq/infra/schema"
)

// Compare says what is different between two tables at an instant: what has
// expired by then is not there. A nil table is an empty one. Changes are sorted
// by danger, the worst first, then gains before the rest, then by destination,
// subject and role.
//
// It speaks of effective access. Who is cluster-admin already gains nothing by
// view; who loses admin and keeps view is told so (Others). Lines that move,
// files and groups that get another name change nothing; nor does the new name
// of a destination that lists the old one in `formerly`, unless there was one of
// the new name before, or several become one.
//
// The changes of access are exact: what they name (the role and all that it
// contains, on Destinations and whatever else a pattern may come to mean, from
// the instant or Before until Expires, or the other way round) less what Others
// say is all that is gained or lost, and each names something.
func Compare(old, new *Table, at time.Time) []Change {
	c := newComparison(old, new, at)
	c.people()
	c.keys()
	c.destinations()
	c.roles()
	c.revocations()
	c.policy()
	c.settings()
	c.users()
	return c.sorted()
}

func (c *comparison) add(change Change) { c.changes = append(c.changes, &change) }

// sorted are the changes in order.
func (c *comparison) sorted() []Change {
	slices.SortFunc(c.changes, compareChanges)
	var out []Change // nil where nothing changes
	if len(c.changes) > 0 {
		out = make([]Change, 0, len(c.changes))
	}
	for _, change := range c.changes {
		out = append(out, *change)
	}
	return out
}

func compareChanges(a, b *Change) int {
	return cmp.Or(
		-cmp.Compare(a.Danger, b.Danger),
		cmp.Compare(rank(a.Kind), rank(b.Kind)),
		cmp.Compare(a.Target.Destination, b.Target.Destination),
		a.Subject.Compare(b.Subject),
		cmp.Compare(a.Role, b.Role),
		cmp.Compare(a.Target.Namespace, b.Target.Namespace),
		cmp.Compare(a.Name, b.Name),
		a.Pos.Compare(b.Pos),
	)
}

// rank puts gains before losses, and people before things.
func rank(k Kind) int {
	return slices.Index([]Kind{Gained, Extended, Lost, Shortened,
		KeyAdded, KeyChanged, KeyRemoved, DestinationAdded, DestinationChanged, DestinationRemoved, RoleChanged,
		RevocationRemoved, RevocationAdded, RuleRemoved, RuleChanged, RuleAdded, BrakesChanged, UsersChanged, SettingChanged, Acknowledged}, k)
}

// A comparison is Compare at work.
type comparison struct {
	old, new *side
	at       time.Time
	places   places
	assessed map[assessedKey]assessment
	changes  []*Change
}

// A side is one of the two tables.
type side struct {
	*Table
	isNew bool
	at    time.Time // at which it is looked at; zero: when the comparison is
	// Made when they are first asked for.
	grants  map[grantID]*schema.Grant
	groups  map[string]*schema.Group
	members *expansion
}

func newComparison(old, new *Table, at time.Time) *comparison {
	empty := func(t *Table) *Table {
		if t == nil {
			return Resolve(&schema.Snapshot{}, schema.Revoked{})
		}
		return t
	}
	c := &comparison{old: &side{Table: empty(old)}, new: &side{Table: empty(new), isNew: true}, at: at, assessed: map[assessedKey]assessment{}}
	c.places = newPlaces(c.old.snapshot, c.new.snapshot)
	return c
}

// people compares each subject that either table has.
func (c *comparison) people() {
	for s := range c.new.bySubject {
		c.person(s)
	}
	for s := range c.old.bySubject {
		if _, both := c.new.bySubject[s]; !both {
			c.person(s)
		}
	}
}

func (c *comparison) person(s schema.Subject) {
	if c.same(s) {
		return
	}
	old, new := c.held(c.old, s), c.held(c.new, s)
	for _, p := range c.places.renamed {
		c.compare(s, old.at(p.name, p.old), new.at(p.name, p.name))
	}
	if len(c.places.renamed) > 0 {
		isRenamed := func(h holding) bool { return c.places.isRenamed(h.target.Destination) }
		old.named, new.named = slices.DeleteFunc(old.named, isRenamed), slices.DeleteFunc(new.named, isRenamed)
	}
	c.compare(s, old, new)
}

// compare finds the changes between what a subject held and holds.
func (c *comparison) compare(s schema.Subject, old, new holdings) {
	match(old.patterned, new.patterned)
	match(old.named, new.named)
	c.changed(s, c.new, new, old)
	c.changed(s, c.old, old, new)
}

// same says whether nothing can have changed for a subject: the rows are the
// same, and no destination under a pattern of them has another name.
func (c *comparison) same(s schema.Subject) bool {
	old, new := c.old.bySubject[s], c.new.bySubject[s]
	if len(old) != len(new) || !c.old.at.IsZero() {
		return false
	}
	for i := range old {
		a, b := &c.old.rows[old[i]], &c.new.rows[new[i]]
		if a.Role != b.Role || a.Target != b.Target || !a.Expires.Equal(b.Expires) {
			return false
		}
		if len(c.places.renamed) > 0 && schema.IsPattern(a.Target.Destination) {
			return false
		}
	}
	return true
}

// changed finds what one side has that the other has not, or not for so long.
func (c *comparison) changed(s schema.Subject, on *side, mine, theirs holdings) {
	for _, list := range [][]holding{mine.patterned, mine.named} {
		for i := range list {
			if !list[i].matched {
				c.changedBy(s, on, &list[i], mine, theirs)
			}
		}
	}
}

// changedBy says what a holding of one side is that the other has not.
func (c *comparison) changedBy(s schema.Subject, on *side, h *holding, mine, theirs holdings) {
	other := longest(theirs, h.row.Role, h.target)
	if other != nil && !endsLater(h.row.Expires, other.row.Expires) || said(mine, h, h.target) {
		return
	}
	change := Change{
		Subject: s,
		Role:    h.row.Role,
		Target:  h.target,
		Expires: h.row.Expires,
		Others:  others(h, other, theirs),
	}
	change.Destinations = c.reached(h, mine, theirs)
	reasons, against := h.row.Reasons, on
	switch {
	case on.isNew && other == nil:
		change.Kind = Gained
	case on.isNew:
		change.Kind, change.Before = Extended, other.row.Expires
	case other == nil:
		change.Kind = Lost
	default:
		change.Kind, change.Before, change.Expires = Shortened, h.row.Expires, other.row.Expires
		reasons, against = other.row.Reasons, c.new
	}
	change.Reasons = c.ordered(against, s, reasons)
	counts := change.Reasons[0]
	if change.Kind == Shortened {
		counts = c.ordered(on, s, h.row.Reasons)[0]
	}
	why := c.cause(on, s, counts)
	change.Pos, change.InOld = why.pos, !why.on.isNew
	if change.Group = why.group; change.Group != "" {
		change.GroupSize = on.size(change.Group)
	}
	found := c.assess(on, h.row.Role, h.target)
	change.Danger, change.Powers, change.Outlives = found.danger, found.powers, found.outlives
	c.add(change)
}

// reached are the destinations whose access changes by a holding that does
// change something: of a pattern those that are known, and where nothing of
// either side says as much.
func (c *comparison) reached(h *holding, mine, theirs holdings) []string {
	if !schema.IsPattern(h.target.Destination) {
		return []string{h.target.Destination}
	}
	var out []string
	for _, name := range c.places.names {
		if !schema.MatchDestination(h.target.Destination, name) {
			continue
		}
		there := schema.Target{Destination: name, Namespace: h.target.Namespace}
		other := longest(theirs, h.row.Role, there)
		if (other == nil || endsLater(h.row.Expires, other.row.Expires)) && !said(mine, h, there) {
			out = append(out, name)
		}
	}
	return out
}

// others are the rows of the other side that overlap with a holding: those that
// cover its target first, then by the strength of the role.
func others(h, longest *holding, theirs holdings) []Row {
	var out []Row
	for _, list := range theirs.near(h.target.Destination) {
		for _, o := range list {
			share := Contains(o.row.Role, h.row.Role) || Contains(h.row.Role, o.row.Role)
			if !share || !o.target.Overlaps(h.target) {
				continue
			}
			if longest != nil && o.row.Role == h.row.Role && o.target == h.target {
				continue // Before says it, or Expires
			}
			out = append(out, o.asRow())
		}
	}
	if len(out) < 2 {
		return out
	}
	strength := func(role string) int {
		if i := slices.Index(schema.BuiltinRoles, role); i >= 0 {
			return i
		}
		return len(schema.BuiltinRoles)
	}
	narrower := func(r Row) int {
		if r.Target.Covers(h.target) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b Row) int {
		return cmp.Or(cmp.Compare(narrower(a), narrower(b)), cmp.Compare(strength(a.Role), strength(b.Role)))
	})
	return out
}
