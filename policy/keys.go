package policy

import (
	"fmt"
	"time"

	"github.com/infrahq/infra/schema"
)

// A keyJudge judges `keys`: access keys that are valid, and what they must be.
// A key is the same as long as its id and hash are. What is asked for is asked
// again when a key is to last longer, or becomes somebody else's.
//
// The lifetime counts from when the key says it was created. A key that does not
// say, or says a day that is still to come, counts from the revision's date.
type keyJudge struct{ schema.KeyRule }

// A keyID is what makes a key the same key.
type keyID struct{ id, hash string }

// clockSkew is how far the clocks of who makes a key and of who commits it may
// be apart.
const clockSkew = 24 * time.Hour

func (j keyJudge) standing(w *world) []finding { return j.fresh(nil, w) }

func (j keyJudge) fresh(before, after *world) []finding {
	type what struct {
		keyID
		user, demand string
	}
	had := map[what]time.Time{}
	if before != nil {
		for _, k := range validKeys(before) {
			for _, d := range j.unmet(before, k) {
				id := what{keyID{k.ID, k.Hash}, k.User, d.demand}
				if end, ok := had[id]; !ok || longer(k.Expires, end) {
					had[id] = k.Expires
				}
			}
		}
	}
	var out []finding
	for _, k := range validKeys(after) {
		for _, d := range j.unmet(after, k) {
			if end, ok := had[what{keyID{k.ID, k.Hash}, k.User, d.demand}]; ok && !longer(k.Expires, end) {
				continue
			}
			out = append(out, finding{pos: k.Pos, text: fmt.Sprintf("key %s of %s %s %s", k.Name, k.User, after.is(), d.is), way: d.way})
		}
	}
	return out
}

// A demand is one that a key does not meet.
type demand struct{ demand, is, way string }

func (j keyJudge) unmet(w *world, k schema.Key) []demand {
	var out []demand
	if j.Bound && k.User == schema.ConnectorUser && k.Destination == "" {
		out = append(out, demand{"bound", "valid for every destination", "bind the key to its destination, by `destination:`"})
	}
	if j.Lifetime <= 0 {
		return out
	}
	way := fmt.Sprintf("let the key expire within %s after it is created", span(j.Lifetime))
	born := k.Created
	if born.IsZero() || born.After(w.at.Add(clockSkew)) {
		born = w.at
	}
	switch {
	case k.Expires.IsZero():
		out = append(out, demand{"lifetime", fmt.Sprintf("valid for ever, and at most %s are allowed", span(j.Lifetime)), way})
	case k.Expires.After(born.Add(j.Lifetime)):
		out = append(out, demand{"lifetime", fmt.Sprintf("valid until %s, more than %s after %s", stamp(k.Expires), span(j.Lifetime), stamp(born)), way})
	}
	return out
}

// validKeys are the keys that have neither surely expired nor been revoked.
func validKeys(w *world) []schema.Key {
	out := make([]schema.Key, 0, len(w.snapshot.Keys))
	for _, k := range w.snapshot.Keys {
		if !ended(k.Expires, w.surely()) && !w.snapshot.Revoked.Key(k.ID) {
			out = append(out, k)
		}
	}
	return out
}
