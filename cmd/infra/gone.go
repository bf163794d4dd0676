package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A goneItem is what `offboard` and `tidy` take out, as -o json shows it.
type goneItem struct {
	Kind     string    `json:"kind"` // grant, member, key or declaration
	User     string    `json:"user,omitempty"`
	Group    string    `json:"group,omitempty"`
	Role     string    `json:"role,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Key      string    `json:"key,omitempty"`
	Via      []string  `json:"via,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
	Expired  bool      `json:"expired,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	File     string    `json:"file"`
	Line     int       `json:"line"`
}

// The kinds of goneItem.
const (
	goneGrant       = "grant"
	goneMember      = "member"
	goneKey         = "key"
	goneDeclaration = "declaration"
)

func grantGone(who schema.Subject, g schema.Grant, now time.Time) goneItem {
	i := goneItem{Kind: goneGrant, Role: g.Role, Resource: g.Target.String(), Expires: g.Expires, Expired: expired(g.Expires, now),
		Reason: g.Reason, File: g.Pos.File, Line: g.Pos.Line}
	if who.Kind == schema.GroupKind {
		i.Group = who.Name
	} else {
		i.User = who.Name
	}
	return i
}

func keyGone(k schema.Key, now time.Time) goneItem {
	return goneItem{Kind: goneKey, User: k.User, Key: k.Name, Resource: k.Destination, Expires: k.Expires, Expired: expired(k.Expires, now),
		File: k.Pos.File, Line: k.Pos.Line}
}

// heldBy is all that a person has: what each grant gives them, through groups too,
// their places in groups, their keys and their declaration.
func heldBy(s *schema.Snapshot, name string, now time.Time) []goneItem {
	who := subjectOf(name, false)
	var out []goneItem
	for _, h := range access.Explain(s, who, now) {
		i := grantGone(who, h.Grant, now)
		for _, step := range h.Steps {
			i.Via = append(i.Via, step.Group)
		}
		out = append(out, i)
	}
	for _, g := range s.Groups {
		if j := slices.IndexFunc(g.Users, func(m schema.Member) bool { return m.Name == name }); j >= 0 {
			out = append(out, goneItem{Kind: goneMember, User: name, Group: g.Name, File: g.Users[j].Pos.File, Line: g.Users[j].Pos.Line})
		}
	}
	for _, k := range s.Keys {
		if k.User == name {
			out = append(out, keyGone(k, now))
		}
	}
	for _, u := range s.Users {
		if u.Name == name {
			out = append(out, goneItem{Kind: goneDeclaration, User: name, File: u.Pos.File, Line: u.Pos.Line})
		}
	}
	return out
}

func goneList(items []goneItem, now time.Time) list {
	l := list{values: append([]goneItem{}, items...), columns: []column{{name: "Kind"}, {name: "Subject"}, {name: "Role"}, {name: "Resource"},
		{name: "Through"}, {name: "Expires"}, {name: "File"}, {name: "Reason", wide: true}}}
	for _, i := range items {
		resource, through, ends := i.Resource, strings.Join(i.Via, ", "), until(i.Expires, now)
		subject := i.User
		switch i.Kind {
		case goneGrant:
			if i.Group != "" {
				subject = subjectOf(i.Group, true).String()
			}
		case goneKey:
			resource, through = cmp.Or(i.Resource, "any"), "key "+i.Key
		default:
			through, ends = i.Group, ""
		}
		l.rows = append(l.rows, []any{i.Kind, subject, i.Role, resource, through, ends, i.place(), i.Reason})
	}
	return l
}

func (i goneItem) place() string { return place(schema.Pos{File: i.File, Line: i.Line}) }

// String is an item in the message of a commit.
func (i goneItem) String() string {
	text := "declared"
	switch i.Kind {
	case goneGrant:
		text = fmt.Sprintf("%s on %s", i.Role, i.Resource)
		if len(i.Via) > 0 {
			text += " through " + strings.Join(i.Via, ", ")
		}
	case goneMember:
		text = fmt.Sprintf("in group %q", i.Group)
	case goneKey:
		text = "key " + i.Key
	}
	return fmt.Sprintf("%s%s (%s)", text, ending(i.Expires), i.place())
}

// mostLines is how much of what went the message of a commit lists.
const mostLines = 200

// goneBody lists what went in the message of a commit. with is what a line begins
// with.
func goneBody(items []goneItem, with func(goneItem) string) string {
	var lines []string
	for n, i := range items {
		if n == mostLines {
			lines = append(lines, fmt.Sprintf("and %d more", len(items)-n))
			break
		}
		lines = append(lines, "- "+with(i)+i.String())
	}
	return strings.Join(lines, "\n")
}

// goneCount says how many of each kind there are, in the order of the kinds.
func goneCount(items []goneItem) string {
	var out []string
	for _, kind := range []struct{ kind, one, many string }{
		{goneGrant, "grant", "grants"}, {goneMember, "group", "groups"}, {goneKey, "key", "keys"},
	} {
		n := 0
		for _, i := range items {
			if i.Kind == kind.kind && len(i.Via) == 0 {
				n++
			}
		}
		switch {
		case n == 1:
			out = append(out, "1 "+kind.one)
		case n > 1:
			out = append(out, fmt.Sprintf("%d %s", n, kind.many))
		}
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

// withoutPatch refuses formats for programs beside a patch, which is for people.
func (f *listFlags) withoutPatch(dryRun bool) error {
	if dryRun && f.output != "table" && f.output != "wide" {
		return hint(fmt.Errorf("--dry-run prints a patch, which is not %s", f.output), "leave one of them out")
	}
	return nil
}
