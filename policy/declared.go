package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A declaredJudge judges `declared`: nobody gains access that names somebody or
// something that no file declares.
//
//   - users: people who would have access are in users/.
//   - groups: groups that would have access are in groups/.
//   - destinations: what is granted on, or a key is for, is in destinations/. A
//     pattern names no destination.
//   - roles: a role is built in, or in the list of the destination. Where the
//     destination is a pattern, it is in the list of every known one that matches.
type declaredJudge struct {
	accessJudge
	destinations bool
}

func newDeclared(kinds []schema.DeclaredKind) judge {
	asked := func(k schema.DeclaredKind) bool { return slices.Contains(kinds, k) }
	everything := newPicker(schema.Selector{})
	server := newPicker(schema.Selector{Destinations: []string{schema.InfraDestination}})
	return declaredJudge{destinations: asked(schema.DeclaredDestinations), accessJudge: func(w *world) []breach {
		users := map[string]bool{}
		for _, u := range w.snapshot.Users {
			users[u.Name] = true
		}
		lists := roleLists{world: w, missing: map[grantID][]string{}}
		var out []breach
		for _, picker := range []*picker{everything, server} {
			for row, reason := range picker.picks(w, false) {
				undeclared := func(kind schema.DeclaredKind, destination, tail, way string) {
					out = append(out, breach{demand: string(kind), destination: destination, row: row, reason: reason,
						until: reason.Grant.Expires, tail: tail, way: way})
				}
				if asked(schema.DeclaredUsers) && row.Subject.Kind == schema.User && !users[row.Subject.Name] {
					undeclared(schema.DeclaredUsers, "", ", and users/ does not declare them", "declare the person in users/ first")
				}
				if asked(schema.DeclaredGroups) && row.Subject.Kind == schema.GroupKind {
					undeclared(schema.DeclaredGroups, "", ", and groups/ does not declare it", "declare the group in groups/ with its members")
				}
				d := row.Target.Destination
				if d == schema.InfraDestination {
					continue
				}
				if _, ok := w.byName()[d]; asked(schema.DeclaredDestinations) && !ok && !schema.IsPattern(d) {
					undeclared(schema.DeclaredDestinations, d, ", and destinations/ does not declare "+d, declareWay(d))
				}
				if !asked(schema.DeclaredRoles) {
					continue
				}
				for _, d := range lists.without(row) {
					undeclared(schema.DeclaredRoles, d, fmt.Sprintf(", and %s does not list that role", d),
						fmt.Sprintf("list the role in destinations/%s.yaml", d))
				}
			}
		}
		return out
	}}
}

func declareWay(destination string) string {
	return fmt.Sprintf("declare it in destinations/%s.yaml", destination)
}

func (j declaredJudge) standing(w *world) []finding {
	return append(j.accessJudge.standing(w), j.keys(nil, w)...)
}

func (j declaredJudge) fresh(before, after *world) []finding {
	return append(j.accessJudge.fresh(before, after), j.keys(before, after)...)
}

// keys are those for destinations that are not declared, and were none before.
func (j declaredJudge) keys(before, w *world) []finding {
	if !j.destinations {
		return nil
	}
	had := map[keyUse]time.Time{}
	if before != nil {
		for _, k := range undeclaredKeys(before) {
			use := keyUse{keyID{k.ID, k.Hash}, before.now(k.Destination)}
			if end, ok := had[use]; !ok || longer(k.Expires, end) {
				had[use] = k.Expires
			}
		}
	}
	var out []finding
	for _, k := range undeclaredKeys(w) {
		if end, ok := had[keyUse{keyID{k.ID, k.Hash}, k.Destination}]; ok && !longer(k.Expires, end) {
			continue
		}
		out = append(out, finding{pos: k.Pos, text: fmt.Sprintf("key %s %s for %s, and destinations/ does not declare %s", k.Name, w.is(), k.Destination, k.Destination),
			way: declareWay(k.Destination)})
	}
	return out
}

// A keyUse is a key and what it is for.
type keyUse struct {
	key         keyID
	destination string
}

func undeclaredKeys(w *world) []schema.Key {
	return slices.DeleteFunc(validKeys(w), func(k schema.Key) bool {
		_, declared := w.byName()[k.Destination]
		return declared || k.Destination == ""
	})
}

// roleLists are the roles that destinations list.
type roleLists struct {
	*world
	missing map[grantID][]string // by role and target
}

// without are the destinations of a row that do not list its role.
func (l roleLists) without(row *access.Row) []string {
	if slices.Contains(schema.BuiltinRoles, row.Role) {
		return nil
	}
	id := grantID{role: row.Role, target: row.Target}
	found, ok := l.missing[id]
	if !ok {
		for _, name := range l.known() {
			if schema.MatchDestination(row.Target.Destination, name) && !slices.ContainsFunc(l.byName()[name].Roles, func(r schema.Role) bool { return r.Name == row.Role }) {
				found = append(found, name)
			}
		}
		l.missing[id] = found
	}
	return found
}
