package access

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/schema"
)

// policy compares the policy's rules by name, and the brakes. A rule that goes
// or that changes may forbid less than before, so it has the danger of what it
// kept people from.
func (c *comparison) policy() {
	had := map[string]schema.PolicyRule{}
	for _, r := range c.old.snapshot.Settings.Policy {
		had[r.Name] = r
	}
	for _, r := range c.new.snapshot.Settings.Policy {
		before, ok := had[r.Name]
		delete(had, r.Name)
		change := Change{Kind: RuleAdded, Name: r.Name, Pos: r.Pos, Fields: different(nil, append(asked(r), aside(r)...))}
		if ok {
			change.Kind, change.Fields = RuleChanged, different(asked(before), asked(r))
			if len(change.Fields) > 0 {
				change.Danger = Administers
			}
			change.Fields = append(change.Fields, different(aside(before), aside(r))...)
			if len(change.Fields) == 0 {
				continue
			}
		}
		c.add(change)
	}
	for _, r := range had {
		c.add(Change{Kind: RuleRemoved, Name: r.Name, Pos: r.Pos, InOld: true, Danger: Administers,
			Fields: different(append(asked(r), aside(r)...), nil)})
	}
	c.brakes()
}

// asked is what a rule asks, in words: one part for its kind.
func asked(r schema.PolicyRule) []part {
	switch {
	case r.Deny != nil:
		return []part{{"deny", picked(r.Deny.Selector, r.Deny.Unless)}}
	case r.Require != nil:
		words := picked(r.Require.Selector, r.Require.Unless)
		if r.Require.Expiry > 0 {
			words += "; expiry within " + span(r.Require.Expiry)
		}
		if r.Require.Reason != "" {
			words += "; reason matches " + r.Require.Reason
		}
		if r.Require.Group {
			words += "; through a group"
		}
		return []part{{"require", words}}
	case r.Protect != nil:
		return []part{{"protect", fmt.Sprintf("%s %s on %s", r.Protect.Subject, r.Protect.Role, r.Protect.Target)}}
	case r.Limit != nil:
		words := picked(r.Limit.Selector, nil)
		if r.Limit.AtMost != nil {
			words += fmt.Sprintf("; at most %d", *r.Limit.AtMost)
		}
		if r.Limit.AtLeast > 0 {
			words += fmt.Sprintf("; at least %d", r.Limit.AtLeast)
		}
		return []part{{"limit", words}}
	case len(r.Separate) > 0:
		words := make([]string, len(r.Separate))
		for i, s := range r.Separate {
			words[i] = picked(s, nil)
		}
		return []part{{"separate", strings.Join(words, " from ")}}
	case len(r.Declared) > 0:
		return []part{{"declared", list(r.Declared)}}
	case len(r.Local) > 0:
		return []part{{"local", list(r.Local)}}
	case r.Keys != nil:
		var words []string
		if r.Keys.Bound {
			words = append(words, "bound")
		}
		if r.Keys.Lifetime > 0 {
			words = append(words, "for at most "+span(r.Keys.Lifetime))
		}
		return []part{{"keys", strings.Join(words, ", ")}}
	}
	return nil
}

// aside is what a rule says beside what it asks.
func aside(r schema.PolicyRule) []part {
	cases := make([]string, len(r.Cases))
	for i, c := range r.Cases {
		cases[i] = caseText(c)
	}
	return []part{{"message", r.Message}, {"cases", strings.Join(cases, "; ")}}
}

func caseText(c schema.Case) string {
	var words string
	switch {
	case c.Grant != nil:
		words = "grant " + c.Grant.String()
		if c.Grant.Reason != "" {
			words += fmt.Sprintf(" because %q", c.Grant.Reason)
		}
	case c.Remove != nil:
		words = "remove " + c.Remove.String()
	case c.Key != nil:
		words = "key of " + c.Key.User
		if c.Key.Destination != "" {
			words += " for " + c.Key.Destination
		}
	}
	if c.Expires > 0 {
		words += " for " + span(c.Expires)
	}
	if c.Refused {
		return words + " is refused"
	}
	return words + " is allowed"
}

// picked is what a selector picks, in words.
func picked(s schema.Selector, unless *schema.Selector) string {
	var words []string
	add := func(name string, items []string) {
		if len(items) > 0 {
			words = append(words, name+" "+strings.Join(items, ", "))
		}
	}
	add("roles", s.Roles)
	add("destinations", s.Destinations)
	add("namespaces", s.Namespaces)
	if s.Scope != "" {
		words = append(words, "scope "+string(s.Scope))
	}
	add("users", s.Users)
	add("groups", s.Groups)
	if s.Undeclared {
		words = append(words, "undeclared groups")
	}
	if len(words) == 0 {
		words = append(words, "everything")
	}
	if unless != nil {
		words = append(words, "unless ("+picked(*unless, nil)+")")
	}
	return strings.Join(words, "; ")
}

func list[T ~string](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = string(item)
	}
	return strings.Join(texts, ", ")
}

// span is a duration as the files have it.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return fmt.Sprintf("%dh", d/time.Hour)
}

// brakes compares the brakes. To hold less than before is a danger.
func (c *comparison) brakes() {
	before, after := c.old.snapshot.Settings.Brakes, c.new.snapshot.Settings.Brakes
	fields := different(brakeParts(before), brakeParts(after))
	if len(fields) == 0 {
		return
	}
	change := Change{Kind: BrakesChanged, Name: "brakes", Pos: after.Pos, Fields: fields}
	if change.Pos == (schema.Pos{}) {
		change.Pos = c.new.snapshot.Settings.Pos
	}
	// A name of no destination stands for what no entry matches, and a pattern for what may come.
	names := append([]string{""}, c.places.names...)
	for _, d := range slices.Concat(before.Destinations, after.Destinations) {
		names = append(names, d.Name)
	}
	for _, name := range names {
		if was, is := before.Of(name), after.Of(name); is.People > was.People || is.Percent > was.Percent {
			change.Danger = Administers
		}
	}
	c.add(change)
}

func brakeParts(b schema.Brakes) []part {
	text := func(b schema.Brake) string { return fmt.Sprintf("%d people, %d %%", b.People, b.Percent) }
	usual := schema.DefaultBrake
	if b.Default != nil {
		usual = *b.Default
	}
	parts := []part{{"all", text(usual)}}
	for i, d := range b.Destinations {
		// The first that matches counts, so the order is part of what they say.
		parts = append(parts, part{fmt.Sprintf("%d", i+1), d.Name + ": " + text(d.Brake)})
	}
	return parts
}
