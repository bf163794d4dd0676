package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/schema"
)

// keys compares the access keys by name.
func (c *comparison) keys() {
	had := map[string]schema.Key{}
	for _, k := range c.old.snapshot.Keys {
		had[k.Name] = k
	}
	for _, k := range c.new.snapshot.Keys {
		before, ok := had[k.Name]
		delete(had, k.Name)
		change := Change{Kind: KeyAdded, Name: k.Name, Pos: k.Pos, Destinations: boundTo(k), Expires: k.Expires, Danger: c.keyDanger(k),
			Fields: different(nil, keyParts(k))}
		if ok {
			change.Kind, change.Fields = KeyChanged, different(keyParts(before), keyParts(k))
			if before.ID != k.ID || before.Hash != k.Hash {
				change.Fields = append(change.Fields, Field{Name: "secret", Before: "one", After: "another"})
			} else if !widened(before, k) {
				change.Danger = Ordinary
			} else {
				change.Danger = Administers
			}
			if len(change.Fields) == 0 {
				continue
			}
		}
		c.add(change)
	}
	for _, k := range had {
		c.add(Change{Kind: KeyRemoved, Name: k.Name, Pos: k.Pos, InOld: true, Destinations: boundTo(k),
			Expires: k.Expires, Fields: different(keyParts(k), nil)})
	}
}

// keyDanger is that of a key with which one can act as every connector, or as
// somebody who is admin of the server.
func (c *comparison) keyDanger(k schema.Key) Danger {
	infra := schema.Target{Destination: schema.InfraDestination}
	switch {
	case k.User == schema.ConnectorUser && k.Destination == "",
		k.User != schema.ConnectorUser && c.new.Holds(schema.Subject{Kind: schema.User, Name: k.User}, "admin", infra, c.at):
		return Administers
	}
	return Ordinary
}

// widened says whether a key can more than before, or for longer.
func widened(before, k schema.Key) bool {
	return before.User != k.User || before.Destination != "" && before.Destination != k.Destination || endsLater(k.Expires, before.Expires)
}

func boundTo(k schema.Key) []string {
	if k.Destination == "" {
		return nil
	}
	return []string{k.Destination}
}

func keyParts(k schema.Key) []part {
	destination := k.Destination
	if destination == "" {
		destination = "all"
	}
	return []part{{"user", k.User}, {"id", k.ID}, {"destination", destination}, {"expires", whenever(k.Expires)}}
}

// whenever is an expiry in words.
func whenever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// revocations compares what is revoked by what is named.
func (c *comparison) revocations() {
	named := func(revocations []schema.Revocation) map[schema.Revocation]schema.Revocation {
		out := map[schema.Revocation]schema.Revocation{}
		for _, v := range revocations {
			id := schema.Revocation{User: v.User, Group: v.Group, Key: v.Key}
			if _, twice := out[id]; !twice {
				out[id] = v
			}
		}
		return out
	}
	had, has := named(c.old.revoked.Revocations), named(c.new.revoked.Revocations)
	for id, v := range has {
		if _, ok := had[id]; !ok {
			c.add(Change{Kind: RevocationAdded, Name: v.String(), Pos: v.Pos, Fields: different(nil, revocationParts(v))})
		}
	}
	for id, v := range had {
		if _, ok := has[id]; ok {
			continue
		}
		change := Change{Kind: RevocationRemoved, Name: v.String(), Pos: v.Pos, InOld: true, Fields: different(revocationParts(v), nil)}
		// What people get back are changes of their own; a key comes back by this alone.
		if v.Key != "" && slices.ContainsFunc(c.new.snapshot.Keys, func(k schema.Key) bool { return k.ID == v.Key }) {
			change.Danger = Administers
		}
		c.add(change)
	}
}

func revocationParts(v schema.Revocation) []part { return []part{{"reason", v.Reason}} }

// settings compares what infra.yaml says beside its policy and brakes, and looks
// for acknowledgements that are new.
func (c *comparison) settings() {
	old, new := c.old.snapshot.Settings, c.new.snapshot.Settings
	for _, setting := range []struct{ name, before, after string }{
		{"version", version(old), version(new)},
		{"changes", mode(old), mode(new)},
	} {
		if setting.before != setting.after {
			c.add(Change{Kind: SettingChanged, Name: setting.name, Pos: new.Pos,
				Fields: []Field{{setting.name, setting.before, setting.after}}})
		}
	}
	type said struct {
		destination string
		removals    int
		reason      string
	}
	had := map[said]int{}
	for _, a := range c.old.snapshot.Acknowledgements {
		had[said{a.Destination, a.Removals, a.Reason}]++
	}
	for _, a := range c.new.snapshot.Acknowledgements {
		id := said{a.Destination, a.Removals, a.Reason}
		if had[id]--; had[id] < 0 {
			c.add(Change{Kind: Acknowledged, Name: a.Destination, Pos: a.Pos, Destinations: []string{a.Destination},
				Fields: different(nil, []part{{"removals", fmt.Sprint(a.Removals)}, {"reason", a.Reason}})})
		}
	}
}

func version(s schema.Settings) string {
	if s.Version == 0 { // nothing was there
		return ""
	}
	return fmt.Sprint(s.Version)
}

func mode(s schema.Settings) string {
	if s.Version == 0 {
		return ""
	}
	return string(cmp.Or(s.Changes, schema.ChangeCommit))
}

// A part is one thing that is said of something, in words.
type part struct{ name, text string }

// different are the parts that are not the same, in the order of after, then of
// before.
func different(before, after []part) []Field {
	text := func(parts []part, name string) string {
		for _, p := range parts {
			if p.name == name {
				return p.text
			}
		}
		return ""
	}
	var fields []Field
	add := func(name string) {
		f := Field{name, text(before, name), text(after, name)}
		if f.Before != f.After && !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	for _, p := range after {
		add(p.name)
	}
	for _, p := range before {
		add(p.name)
	}
	return fields
}

// users says who is declared now and who is not any more: in one change, since
// many come at once.
func (c *comparison) users() {
	added := newcomers(c.old.snapshot.Users, c.new.snapshot.Users)
	removed := newcomers(c.new.snapshot.Users, c.old.snapshot.Users)
	if len(added)+len(removed) == 0 {
		return
	}
	change := Change{Kind: UsersChanged}
	if len(removed) > 0 {
		change.Fields = append(change.Fields, Field{Name: "declared", Before: someOf(removed)})
		change.Pos, change.InOld = removed[0].Pos, true
	}
	if len(added) > 0 {
		change.Fields = append(change.Fields, Field{Name: "declared", After: someOf(added)})
		change.Pos, change.InOld = added[0].Pos, false
	}
	c.add(change)
}

// newcomers are those who are declared after and were not before.
func newcomers(before, after []schema.DeclaredUser) []schema.DeclaredUser {
	had := make(map[string]bool, len(before))
	for _, u := range before {
		had[u.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(after), func(u schema.DeclaredUser) bool { return had[u.Name] })
}

// someOf names the first few, and counts the others.
func someOf(users []schema.DeclaredUser) string {
	const most = 5
	names := make([]string, 0, most)
	for _, u := range users[:min(most, len(users))] {
		names = append(names, u.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(users) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
