package access_test

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// What follows is a second meaning of the files, as simple as can be: it writes
// out every single thing that somebody may do. It calls nothing of package
// access.

// A point is one thing that somebody may do, somewhere, at an instant.
type point struct {
	who     schema.Subject
	role    string
	cluster string // under its new name
	place   string // a namespace; empty: what is of the whole cluster
	instant time.Time
}

// atoms are what each role allows, in terms of roles.
var atoms = map[string][]string{
	"cluster-admin": {"cluster-admin", "admin", "edit", "view", "exec", "port-forward", "logs", "reboot", "audit"},
	"admin":         {"admin", "edit", "view", "exec", "port-forward", "logs"},
	"edit":          {"edit", "view", "exec", "port-forward", "logs"},
	"view":          {"view", "logs"},
	"exec":          {"exec"}, "port-forward": {"port-forward"}, "logs": {"logs"}, "reboot": {"reboot"}, "audit": {"audit"},
}

// A universe is all places and instants at which two snapshots are looked at.
type universe struct {
	clusters map[string][]string // new name to the old ones
	fresh    []string            // clusters that nobody named, as patterns may mean
	places   []string
	instants []time.Time
}

var expressions = map[string]*regexp.Regexp{}

func matches(pattern, name string) bool {
	e := expressions[pattern]
	if e == nil {
		e = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		expressions[pattern] = e
	}
	return e.MatchString(name)
}

func isPattern(s string) bool { return strings.Contains(s, "*") }

func onCluster(pattern, name string) bool {
	return pattern == name || isPattern(pattern) && name != "infra" && matches(pattern, name)
}

func inPlace(pattern, name string) bool {
	switch {
	case pattern == "" || pattern == name:
		return true
	case name == "":
		return false
	}
	return isPattern(pattern) && !strings.HasPrefix(name, "kube-") && matches(pattern, name)
}

func newUniverse(old, next *schema.Snapshot) universe {
	u := universe{clusters: map[string][]string{}, places: []string{"", "web", "kube-system"}, instants: []time.Time{now, soon, late, late.Add(time.Hour)}}
	literal := [2]map[string]bool{{}, {}}
	patterns := map[string]bool{}
	for i, s := range []*schema.Snapshot{old, next} {
		for _, d := range s.Destinations {
			literal[i][d.Name] = true
		}
		for _, g := range s.Grants {
			if isPattern(g.Target.Destination) {
				patterns[g.Target.Destination] = true
			} else {
				literal[i][g.Target.Destination] = true
			}
			if place := strings.ReplaceAll(g.Target.Namespace, "*", "q"); !slices.Contains(u.places, place) {
				u.places = append(u.places, place)
			}
		}
	}
	gone := map[string]bool{}
	for _, d := range next.Destinations {
		var before []string
		for _, former := range d.Formerly {
			if literal[0][former] && !literal[1][former] {
				before = append(before, former)
			}
		}
		if len(before) == 1 && !literal[0][d.Name] { // of several clusters none is this one
			u.clusters[d.Name] = before
			gone[before[0]] = true
		}
	}
	for _, names := range literal {
		for name := range names {
			if u.clusters[name] == nil && !gone[name] {
				u.clusters[name] = []string{name}
			}
		}
	}
	for p := range patterns {
		name := strings.ReplaceAll(p, "*", "q")
		if u.clusters[name] == nil && !slices.Contains(u.fresh, name) {
			u.fresh = append(u.fresh, name)
			u.clusters[name] = []string{name}
		}
	}
	return u
}

// people are those for whom a subject stands.
func people(s *schema.Snapshot, who schema.Subject) []schema.Subject {
	for _, v := range s.Revoked.Revocations {
		if who.Kind == schema.User && v.User == who.Name || who.Kind == schema.GroupKind && v.Group == who.Name {
			return nil
		}
	}
	for _, g := range s.Groups {
		if who.Kind != schema.GroupKind || g.Name != who.Name {
			continue
		}
		var out []schema.Subject
		for _, m := range g.Users {
			out = append(out, people(s, user(m.Name))...)
		}
		for _, m := range g.Groups {
			out = append(out, people(s, group(m.Name))...)
		}
		return out
	}
	return []schema.Subject{who}
}

// points are all that a snapshot allows; names are those of a cluster in it.
func (u universe) points(s *schema.Snapshot, names func(cluster string) []string) map[point]bool {
	out := map[point]bool{}
	for _, g := range s.Grants {
		for _, who := range people(s, g.Subject) {
			for cluster := range u.clusters {
				if slices.ContainsFunc(names(cluster), func(name string) bool { return onCluster(g.Target.Destination, name) }) {
					u.add(out, who, g.Role, cluster, g.Target.Namespace, now, g.Expires)
				}
			}
		}
	}
	return out
}

// add puts in what a role allows from one instant until another; zero is never.
func (u universe) add(out map[point]bool, who schema.Subject, role, cluster, namespace string, from, until time.Time) {
	for _, place := range u.places {
		if !inPlace(namespace, place) {
			continue
		}
		for _, instant := range u.instants {
			if instant.Before(from) || !until.IsZero() && !instant.Before(until) {
				continue
			}
			for _, atom := range atoms[role] {
				out[point{who, atom, cluster, place, instant}] = true
			}
		}
	}
}

// named are the points that a change names, less what its others say.
func (u universe) named(c access.Change) map[point]bool {
	from, until := now, c.Expires
	switch c.Kind {
	case access.Extended:
		from = c.Before
	case access.Shortened:
		from, until = c.Expires, c.Before
	}
	out, less := map[point]bool{}, map[point]bool{}
	reached := slices.Clone(c.Destinations)
	for _, name := range u.fresh {
		if onCluster(c.Target.Destination, name) {
			reached = append(reached, name)
		}
	}
	for _, cluster := range reached {
		u.add(out, c.Subject, c.Role, cluster, c.Target.Namespace, from, until)
		for _, o := range c.Others {
			if onCluster(o.Target.Destination, cluster) {
				u.add(less, o.Subject, o.Role, cluster, o.Target.Namespace, now, o.Expires)
			}
		}
	}
	maps.DeleteFunc(out, func(p point, _ bool) bool { return less[p] })
	return out
}

// without are the points of a that b does not have.
func without(a, b map[point]bool) map[point]bool {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(p point, _ bool) bool { return b[p] })
	return out
}

// dice make repositories.
type dice struct{ *rand.Rand }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func (d dice) grant() schema.Grant {
	g := schema.Grant{Subject: user(pick(d, "ann", "bob", "cyd", "dan")), Role: pick(d, slices.Sorted(maps.Keys(atoms))...)}
	if d.IntN(2) == 0 {
		g.Subject = group(pick(d, "all", "sre", "oncall", "empty", "idp", "idp2"))
	}
	if d.IntN(2) == 0 { // so that the same, strong and weak meet often
		g.Role = pick(d, "view", "edit")
	}
	g.Target.Destination = pick(d, "aa", "ab", "ba", "aa", "ab", "ba", "infra", "*", "a*", "*b", "a*b", "*a*")
	if g.Target.Destination != "infra" && d.IntN(3) > 0 {
		g.Target.Namespace = pick(d, "web", "db", "pay-eu", "kube-system", "*", "pay-*", "*-eu", "w*", "*b")
	}
	g.Expires = d.expiry()
	return g
}

func (d dice) expiry() time.Time {
	return pick(d, time.Time{}, time.Time{}, past, soon, late, now, now.Add(time.Hour))
}

func (d dice) world() world {
	var w world
	for range 2 + d.IntN(9) {
		w.grants = append(w.grants, d.grant())
	}
	if d.IntN(4) > 0 {
		w.groups = []schema.Group{d.group("all", "sre", "oncall", "idp"), d.group("sre", "oncall", "idp2"), d.group("oncall"), declare("empty:")}
	}
	w.revoked = d.revocations()
	return w
}

// group is a declared one with some of these in it, and some people.
func (d dice) group(name string, groups ...string) schema.Group {
	g := schema.Group{Name: name}
	for _, p := range []string{"ann", "bob", "cyd", "dan"} {
		if d.IntN(3) == 0 {
			g.Users = append(g.Users, schema.Member{Name: p})
		}
	}
	for _, n := range groups {
		if d.IntN(2) == 0 {
			g.Groups = append(g.Groups, schema.Member{Name: n})
		}
	}
	return g
}

func (d dice) revocations() []schema.Revocation {
	if d.IntN(3) > 0 {
		return nil
	}
	return []schema.Revocation{pick(d, schema.Revocation{User: "ann"}, schema.Revocation{User: "bob"}, schema.Revocation{Group: "sre"},
		schema.Revocation{Group: "idp"}, schema.Revocation{Key: "none"})}
}

// changed is a world after some changes.
func (d dice) changed(w world) world {
	w.grants, w.groups = slices.Clone(w.grants), slices.Clone(w.groups)
	for range 1 + d.IntN(4) {
		i := d.IntN(len(w.grants))
		switch d.IntN(9) {
		case 0:
			w.grants = append(w.grants, d.grant())
		case 1:
			w.grants[i] = d.grant()
		case 2, 7, 8:
			w.grants[i].Expires = d.expiry()
		case 3:
			w.grants[i].Role = d.grant().Role
		case 4:
			w.grants[i].Target = d.grant().Target
			if w.grants[i].Target.Destination == "infra" {
				w.grants[i].Target.Destination = "aa"
			}
		case 5:
			if len(w.groups) > 0 {
				w.groups[0], w.groups[1] = d.group("all", "sre", "oncall", "idp"), d.group("sre", "oncall", "idp2")
			}
		case 6:
			w.revoked = d.revocations()
		}
	}
	return w
}

// renamed is a world in which a destination has another name.
func (d dice) renamed(w world) world {
	from, to := pick(d, "aa", "ab", "ba"), pick(d, "ac", "cb", "ba", "ab")
	if from == to {
		return w
	}
	w.grants = slices.Clone(w.grants)
	for i := range w.grants {
		if w.grants[i].Target.Destination == from {
			w.grants[i].Target.Destination = to
		}
	}
	w.destinations = append(slices.Clone(w.destinations), schema.Destination{Name: to, Formerly: []string{from}})
	return w
}

// pair is a world and what became of it.
func (d dice) pair() (old, next world) {
	old = d.world()
	next = d.changed(old)
	if d.IntN(5) == 0 {
		next = d.world()
	}
	if d.IntN(3) == 0 {
		next = d.renamed(next)
	}
	return old, next
}
