package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A sense is what a piece of a file says, without how it is written: a text,
// or a mapping of what is in it by identity. Lists are mappings too, because the
// order of a list says nothing in these files. What is not there is nil.
type sense any

// identity are the keys that tell the entries of a list apart. Entries of a list
// that is not here are the same where all of them is.
var identity = map[string][]string{
	string(grantsFile):       {"user", "group", "role", "resource"},
	string(groupsFile):       {"name"},
	string(keysFile):         {"name"},
	string(destinationsFile): {"name"},
	string(revokedFile):      {"user", "group", "key"},
	"users":                  {"name"},
	"roles":                  {"name"},
}

// senseOf is what a node says; name is the key that it is the value of.
func senseOf(n *node, name string) sense {
	switch {
	case n == nil:
		return nil
	case n.Kind == sequenceNode:
		m := map[string]sense{}
		for i, id := range identities(n, name) {
			m[id] = senseOf(n.Content[i], "")
		}
		return m
	case n.Kind == mappingNode:
		m := map[string]sense{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = senseOf(n.Content[i+1], n.Content[i].Value)
		}
		return m
	case name == "expires" || name == "created":
		if t, err := ParseTime(n.Value); err == nil {
			return timeText(t)
		}
	case n.Style&blockScalarStyles != 0:
		return strings.TrimRight(n.Value, "\n")
	}
	return n.Value
}

// identities are what the entries of a list are told apart by, in its order. The
// second entry of the same identity is another one.
func identities(list *node, name string) []string {
	ids := make([]string, len(list.Content))
	seen := map[string]int{}
	for i, item := range list.Content {
		id := identityOf(item, name)
		if seen[id]++; seen[id] > 1 {
			id = fmt.Sprintf("%s\x1e%d", id, seen[id])
		}
		ids[i] = id
	}
	return ids
}

func identityOf(item *node, name string) string {
	keys, known := identity[name]
	switch {
	case item.Kind == scalarNode:
		return item.Value
	case item.Kind != mappingNode || !known:
		return fmt.Sprintf("%q", senseOf(item, "")) // sorted, since fmt sorts maps
	}
	var parts []string
	for _, key := range keys {
		for i := 0; i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value == key {
				parts = append(parts, key+"="+item.Content[i+1].Value)
			}
		}
	}
	return strings.Join(parts, "\x1f")
}

// A reconciliation is a three-way merge of what files say, and what speaks
// against it.
type reconciliation struct {
	kind      fileKind
	conflicts []string
}

func (r *reconciliation) conflict(format string, args ...any) {
	r.conflicts = append(r.conflicts, fmt.Sprintf(format, args...))
}

// settled is the result where one side alone changed something, or both alike.
func settled(base, ours, theirs sense) (sense, bool) {
	switch {
	case reflect.DeepEqual(ours, theirs), reflect.DeepEqual(base, theirs):
		return ours, true
	case reflect.DeepEqual(base, ours):
		return theirs, true
	}
	return nil, false
}

// entries merges the one list of a file.
func (r *reconciliation) entries(base, ours, theirs map[string]sense) map[string]sense {
	out := map[string]sense{}
	for _, id := range union(base, ours, theirs) {
		b, o, t := entry(base[id]), entry(ours[id]), entry(theirs[id])
		merged, ok := settled(base[id], ours[id], theirs[id])
		switch {
		case ok:
		case o == nil:
			r.conflict("ours removes %s, theirs %s", r.describe(b), r.change(b, t))
		case t == nil:
			r.conflict("ours %s, theirs removes %s", r.change(b, o, r.describe(b)), r.describe(b))
		case b == nil:
			merged = r.added(o, t)
		case r.kind == keysFile && !sameSecret(b, o) && !sameSecret(b, t) && !sameSecret(o, t):
			r.conflict("ours and theirs both replace %s", r.describe(b))
		default:
			merged = r.fields(r.describe(b), "", b, o, t)
		}
		if merged != nil {
			out[id] = merged
		}
	}
	r.replaced(base, ours, theirs)
	return out
}

// added merges an entry that both sides added. Only a reason may be on one side
// alone: whatever else differs would give what one of them did not mean to.
func (r *reconciliation) added(ours, theirs map[string]sense) sense {
	out := maps.Clone(ours)
	for _, key := range union(ours, theirs) {
		if merged, ok := settled(nil, ours[key], theirs[key]); ok && (key == "reason" || reflect.DeepEqual(ours[key], theirs[key])) {
			out[key] = merged
			continue
		}
		r.conflict("ours and theirs both add %s: %s", r.describe(ours), differ(key, ours[key], theirs[key]))
		return nil
	}
	return out
}

// fields merges what is said of one thing. path is the keys that lead to it.
func (r *reconciliation) fields(thing, path string, base, ours, theirs map[string]sense) sense {
	out := map[string]sense{}
	for _, key := range union(base, ours, theirs) {
		b, bIsMap := base[key].(map[string]sense)
		o, oIsMap := ours[key].(map[string]sense)
		t, tIsMap := theirs[key].(map[string]sense)
		merged, ok := settled(base[key], ours[key], theirs[key])
		switch {
		case ok:
		// Members that both add to what had none are all meant. A list of roles
		// restricts, so that two of them are no sum.
		case oIsMap && tIsMap && (bIsMap || base[key] == nil && path == "" && key != "roles"):
			name := key
			if path != "" {
				name = path + " " + shown(key)
			}
			merged = r.fields(thing, name, b, o, t)
		case path != "":
			r.conflict("ours and theirs both change %s in the %s of %s", shown(key), path, thing)
		default:
			r.conflict("ours and theirs both change %s: %s", thing, differ(key, ours[key], theirs[key]))
		}
		if merged != nil {
			out[key] = merged
		}
	}
	return out
}

// replaced finds a grant that both sides replaced by another one: both gave
// somebody another role in its place, or the role somewhere else. To add up the
// two would give what neither side wanted to be given beside the other.
func (r *reconciliation) replaced(base, ours, theirs map[string]sense) {
	if r.kind != grantsFile {
		return
	}
	added := func(side map[string]sense) map[[3]sense][]map[string]sense {
		out := map[[3]sense][]map[string]sense{}
		for _, id := range union(side) {
			if base[id] == nil {
				g := entry(side[id])
				for _, aspect := range aspects(g) {
					out[aspect] = append(out[aspect], g)
				}
			}
		}
		return out
	}
	byOurs, byTheirs := added(ours), added(theirs)
	for _, id := range union(base) {
		if ours[id] != nil || theirs[id] != nil {
			continue
		}
		for _, aspect := range aspects(entry(base[id])) {
			for _, o := range byOurs[aspect] {
				for _, t := range byTheirs[aspect] {
					if o["role"] != t["role"] || o["resource"] != t["resource"] {
						r.conflict("ours replaces %s by %s, theirs by %s", r.describe(entry(base[id])), r.describe(o), r.describe(t))
					}
				}
			}
		}
	}
}

// aspects are what a grant has in common with one that it is replaced by: the
// subject, with the role or with the resource.
func aspects(g map[string]sense) [2][3]sense {
	s := subjectOf(g)
	return [2][3]sense{{s, "role", g["role"]}, {s, "resource", g["resource"]}}
}

// sameSecret says whether two keys are good for the same secret.
func sameSecret(a, b map[string]sense) bool { return a["id"] == b["id"] && a["hash"] == b["hash"] }

func entry(m sense) map[string]sense {
	e, _ := m.(map[string]sense)
	return e
}

// union are the keys of several mappings, sorted.
func union(ms ...map[string]sense) []string {
	all := map[string]bool{}
	for _, m := range ms {
		for k := range m {
			all[k] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
