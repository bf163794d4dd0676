package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A checker looks for what only shows where files are seen together.
type checker struct {
	snapshot *Snapshot
	grants   []placedGrant
	named    []namedThing // in infra.yaml
	groups   map[string]*Group
	users    map[string]Pos // that are declared
	problems Problems

	nearGroups, nearUsers *spelling // of those that are declared; nil until somebody asks
}

func (c *checker) errorf(p Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{Pos: p, Severity: Error, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) warnf(p Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{Pos: p, Severity: Warning, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) check() {
	c.declareGroups()
	c.twins()
	c.checkGroups()
	c.checkDestinations()
	c.checkGrants()
	c.checkKeys()
	c.checkUsers()
	c.checkPolicy()
}

// namesSeen are names by their kind: user, group or role.
type namesSeen map[string]twins

// twins refuses names of one kind that an eye or a file system takes for one, and
// gives all names.
func (c *checker) twins() namesSeen {
	users, groups, roles := twins{}, twins{}, twins{}
	for _, u := range c.snapshot.Users {
		c.twin(users, "user", u.Name, u.Pos)
	}
	for _, g := range c.grants {
		if g.Subject.Kind == User {
			c.twin(users, "user", g.Subject.Name, g.subjectPos)
		} else {
			c.twin(groups, "group", g.Subject.Name, g.subjectPos)
		}
		c.twin(roles, "role", g.Role, g.rolePos)
	}
	for _, g := range c.snapshot.Groups {
		c.twin(groups, "group", g.Name, g.Pos)
		for _, m := range g.Users {
			c.twin(users, "user", m.Name, m.Pos)
		}
		for _, m := range g.Groups {
			c.twin(groups, "group", m.Name, m.Pos)
		}
	}
	for _, k := range c.snapshot.Keys {
		c.twin(users, "user", k.User, k.Pos)
	}
	for _, d := range c.snapshot.Destinations {
		for _, r := range d.Roles {
			c.twin(roles, "role", r.Name, r.Pos)
		}
	}
	for _, v := range c.snapshot.Revoked.Revocations {
		if v.User != "" {
			c.twin(users, "user", v.User, v.Pos)
		}
		if v.Group != "" {
			c.twin(groups, "group", v.Group, v.Pos)
		}
	}
	kinds := namesSeen{"user": users, "group": groups, "role": roles}
	for _, n := range c.named {
		if seen := kinds[n.kind]; seen != nil {
			c.twin(seen, n.kind, n.name, n.pos)
		}
	}
	return kinds
}

// twins are the names of one kind, by what they have in common with their twins.
type twins map[string]placedName

type placedName struct {
	name string
	pos  Pos
}

func (c *checker) twin(seen twins, what, name string, p Pos) {
	key := twinKey(name)
	first, ok := seen[key]
	if !ok {
		seen[key] = placedName{name, p}
	} else if first.name != name {
		c.errorf(p, "%s %s differs from %s (%s) only by case or normalisation", what, quoted(name), quoted(first.name), first.pos)
	}
}

func (c *checker) declareGroups() {
	c.groups = make(map[string]*Group, len(c.snapshot.Groups))
	for i := range c.snapshot.Groups {
		g := &c.snapshot.Groups[i]
		if first := c.groups[g.Name]; first != nil {
			c.errorf(g.Pos, "group %s twice: first at %s", quoted(g.Name), first.Pos)
			continue
		}
		c.groups[g.Name] = g
	}
}

// maxNesting is how many groups may be between a grant and a person.
const maxNesting = 10

// checkGroups looks at groups within groups.
func (c *checker) checkGroups() {
	depth := map[string]int{} // of groups that were looked at; -1: on the way
	var path []string
	deep := false // whether the stack's limit was said
	var visit func(g *Group) int
	visit = func(g *Group) int {
		if d := depth[g.Name]; d != 0 {
			return d
		}
		if len(path) > 10*maxNesting { // deep enough to be refused, and for the stack
			if !deep {
				c.errorf(g.Pos, "group %s: groups within groups more than %d deep", quoted(g.Name), maxNesting)
			}
			deep = true
			return maxNesting + 1
		}
		depth[g.Name] = -1
		path = append(path, g.Name)
		deepest := 0
		for _, m := range g.Groups {
			inner := c.groups[m.Name]
			switch {
			case inner == nil:
				c.nearGroup(m.Name, m.Pos)
				continue
			case m.Name == g.Name:
				c.errorf(m.Pos, "group %s is a member of itself", quoted(g.Name))
				continue
			case inner.Destination != "" && inner.Destination != g.Destination:
				c.errorf(m.Pos, "group %s may be granted on %s only, so it cannot be in group %s",
					quoted(inner.Name), inner.Destination, quoted(g.Name))
			}
			d := visit(inner)
			if d < 0 {
				at := slices.Index(path, m.Name)
				c.errorf(m.Pos, "groups in a circle: %s", strings.Join(append(slices.Clone(path[at:]), m.Name), " > "))
				continue
			}
			deepest = max(deepest, d)
		}
		path = path[:len(path)-1]
		depth[g.Name] = deepest + 1
		if deepest+1 == maxNesting+1 {
			c.errorf(g.Pos, "group %s: groups within groups more than %d deep", quoted(g.Name), maxNesting)
		}
		return deepest + 1
	}
	for i := range c.snapshot.Groups {
		visit(&c.snapshot.Groups[i])
	}
}

func (c *checker) checkDestinations() {
	entries := map[string]Pos{}
	for _, d := range c.snapshot.Destinations {
		if first, ok := entries[d.Name]; ok {
			c.errorf(d.Pos, "destination %s twice: first at %s", quoted(d.Name), first)
			continue
		}
		entries[d.Name] = d.Pos
	}
	former := map[string]string{}
	for _, d := range c.snapshot.Destinations {
		roles := map[string]bool{}
		for _, r := range d.Roles {
			if roles[r.Name] {
				c.errorf(r.Pos, "role %s twice", quoted(r.Name))
			}
			roles[r.Name] = true
		}
		for _, name := range d.Formerly {
			if _, current := entries[name]; current {
				c.errorf(d.Pos, "former name %s is the name of a destination", quoted(name))
			}
			if other, ok := former[name]; ok {
				c.errorf(d.Pos, "former name %s twice: %s has it too", quoted(name), other)
			}
			former[name] = d.Name
		}
	}
	if len(former) == 0 {
		return
	}
	for _, g := range c.grants {
		if now, ok := former[g.Target.Destination]; ok {
			c.errorf(g.targetPos, "destination %s is now called %s: it belongs in %s",
				quoted(g.Target.Destination), now, homeOfGrant(Target{Destination: now}))
		}
	}
}

// A grantID is what identifies a grant.
type grantID struct {
	subject Subject
	role    string
	target  Target
}

func (g Grant) id() grantID { return grantID{g.Subject, g.Role, g.Target} }

func (c *checker) checkGrants() {
	roles := newRoleCheck(c.snapshot.Destinations)
	seen := make(map[grantID]Pos, len(c.grants))
	for _, g := range c.grants {
		if first, ok := seen[g.id()]; ok {
			// Without a line, so that lines which move make no new warning.
			c.warnf(g.Pos, "the same grant as in %s: %s", first.File, g.Grant)
		} else {
			seen[g.id()] = g.Pos
		}
		if p, ok := roles.problem(g); ok {
			c.problems = append(c.problems, p)
		}
		if g.Subject.Kind != GroupKind {
			continue
		}
		if group := c.groups[g.Subject.Name]; group != nil {
			if group.Destination != "" && group.Destination != g.Target.Destination {
				c.errorf(g.subjectPos, "group %s may be granted on %s only: it is declared in groups/%s/",
					quoted(group.Name), group.Destination, group.Destination)
			}
			continue
		}
		c.nearGroup(g.Subject.Name, g.subjectPos)
	}
}

// nearGroup warns of a name that is not declared and looks like one that is.
func (c *checker) nearGroup(name string, p Pos) {
	if c.nearGroups == nil {
		c.nearGroups = newSpelling(slices.Collect(maps.Keys(c.groups)))
	}
	if near := c.nearGroups.of(name); near != "" {
		c.warnf(p, "group %s is not declared: did you mean %s?", quoted(name), quoted(near))
	}
}

// String says a grant as people say it: subject, role, target.
func (g Grant) String() string { return fmt.Sprintf("%s %s on %s", g.Subject, g.Role, g.Target) }

func (c *checker) checkKeys() {
	names, ids := map[string]Pos{}, map[string]Pos{}
	for _, k := range c.snapshot.Keys {
		if first, ok := names[k.Name]; ok {
			c.errorf(k.Pos, "key %s twice: first at %s", quoted(k.Name), first)
		} else {
			names[k.Name] = k.Pos
		}
		if first, ok := ids[k.ID]; ok {
			c.errorf(k.Pos, "the id of key %s twice: first at %s", quoted(k.Name), first)
		} else {
			ids[k.ID] = k.Pos
		}
	}
}

// Expired are warnings for the grants and keys of a snapshot that have ended at
// the given instant. Load has no clock, so it does not look for them.
func Expired(s *Snapshot, now time.Time) Problems {
	var ps Problems
	for _, g := range s.Grants {
		if ended(g.Expires, now) {
			ps = append(ps, Problem{Pos: g.Pos, Severity: Warning, Message: fmt.Sprintf("expired, so it gives nothing: %s", g)})
		}
	}
	for _, k := range s.Keys {
		if ended(k.Expires, now) {
			ps = append(ps, Problem{Pos: k.Pos, Severity: Warning, Message: fmt.Sprintf("key %s has expired", quoted(k.Name))})
		}
	}
	sortProblems(ps)
	return ps
}

func ended(expires, now time.Time) bool { return !expires.IsZero() && !now.Before(expires) }

// A roleCheck knows the roles of destinations that list them.
type roleCheck struct {
	listed  map[string][]string // destination to roles
	names   []string            // of destinations with a list, sorted
	nearest map[string]string   // role to the built-in one that is near
}

func newRoleCheck(destinations []Destination) *roleCheck {
	rc := &roleCheck{listed: map[string][]string{}, nearest: map[string]string{}}
	for _, d := range destinations {
		if d.Roles == nil {
			continue
		}
		roles := slices.Clone(BuiltinRoles)
		for _, r := range d.Roles {
			roles = append(roles, r.Name)
		}
		rc.listed[d.Name] = roles
		rc.names = append(rc.names, d.Name)
	}
	slices.SortFunc(rc.names, cmp.Compare[string])
	return rc
}

func (rc *roleCheck) problem(g placedGrant) (Problem, bool) {
	if indexOf(BuiltinRoles, g.Role) >= 0 {
		return Problem{}, false
	}
	if !IsPattern(g.Target.Destination) {
		if roles, ok := rc.listed[g.Target.Destination]; ok {
			return rc.unlisted(g, g.Target.Destination, roles)
		}
	} else {
		for _, name := range rc.names {
			if MatchDestination(g.Target.Destination, name) {
				if p, bad := rc.unlisted(g, name, rc.listed[name]); bad {
					return p, true
				}
			}
		}
	}
	near, ok := rc.nearest[g.Role]
	if !ok {
		near = Nearest(g.Role, BuiltinRoles)
		rc.nearest[g.Role] = near
	}
	if near == "" {
		return Problem{}, false
	}
	return Problem{Pos: g.rolePos, Severity: Warning, Message: fmt.Sprintf("role %s: did you mean %q?", quoted(g.Role), near)}, true
}

func (rc *roleCheck) unlisted(g placedGrant, destination string, roles []string) (Problem, bool) {
	if indexOf(roles, g.Role) >= 0 {
		return Problem{}, false
	}
	message := fmt.Sprintf("role %s: destination %s does not list it", quoted(g.Role), destination)
	if near := Nearest(g.Role, roles); near != "" {
		message += fmt.Sprintf(": did you mean %q?", near)
	}
	return Problem{Pos: g.rolePos, Severity: Error, Message: message}, true
}
