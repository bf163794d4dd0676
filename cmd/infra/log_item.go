package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A logItem is one thing that happened to access, as `log -o json` shows it.
type logItem struct {
	Date        time.Time      `json:"date"` // the committer's, or that of the expiry
	Event       string         `json:"event"`
	Says        string         `json:"says"`
	User        string         `json:"user,omitempty"`
	Group       string         `json:"group,omitempty"`
	People      []string       `json:"people,omitempty"`
	Role        string         `json:"role,omitempty"`
	Resource    string         `json:"resource,omitempty"`
	Expires     time.Time      `json:"expires,omitzero"`
	Before      time.Time      `json:"before,omitzero"`
	Reason      string         `json:"reason,omitempty"`
	Via         []string       `json:"via,omitempty"`
	Name        string         `json:"name,omitempty"`
	Fields      []changedItem  `json:"fields,omitempty"`
	File        string         `json:"file,omitempty"`
	Line        int            `json:"line,omitempty"`
	LineIsGone  bool           `json:"lineIsGone,omitempty"` // the line was in the revision before
	Revision    string         `json:"revision"`
	Subject     string         `json:"subject"`
	Authors     []personItem   `json:"authors,omitempty"`
	Committer   *signedItem    `json:"committer,omitempty"`
	Reviewers   []reviewerItem `json:"reviewers,omitempty"`
	PullRequest string         `json:"pullRequest,omitempty"`
}

// A changedItem is a part of a thing, before and after.
type changedItem struct {
	Name   string `json:"name"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Events beside the kinds of access.Change.
const (
	eventExpired = "expired"
	eventJoined  = "joined"
	eventLeft    = "left"
	eventInvalid = "invalid"
)

// changeItems are what changes come to. With fold, those that are the same for
// several people of a group, by one line, are one.
func changeItems(changes []access.Change, fold bool) []logItem {
	var items []logItem
	index := map[string]int{}
	var size []int
	for _, c := range changes {
		i := changeItem(c)
		if fold && c.Kind.OfAccess() && c.Subject.Kind == schema.User && c.Group != "" {
			key := fmt.Sprint(c.Kind, c.Role, c.Target, c.Group, c.Pos, c.InOld, c.Expires, c.Before, i.Reason)
			i.User, i.Group, i.People = "", c.Group, []string{c.Subject.Name}
			if n, ok := index[key]; ok {
				items[n].People = append(items[n].People, c.Subject.Name)
				continue
			}
			index[key] = len(items)
		}
		items, size = append(items, i), append(size, c.GroupSize)
	}
	for n := range items {
		slices.Sort(items[n].People)
		items[n].Via = wayTo(items[n])
		items[n].Says = items[n].words(size[n])
	}
	return items
}

// wayTo are the groups on the way to the group whose people an item is about.
func wayTo(i logItem) []string {
	if n := slices.Index(i.Via, i.Group); len(i.People) > 0 && n >= 0 {
		return i.Via[:n]
	}
	return i.Via
}

// changeItem is one change, not put into words yet.
func changeItem(c access.Change) logItem {
	i := logItem{Event: string(c.Kind), Role: c.Role, Expires: c.Expires, Before: c.Before, Name: c.Name,
		File: c.Pos.File, Line: c.Pos.Line, LineIsGone: c.InOld}
	for _, f := range c.Fields {
		i.Fields = append(i.Fields, changedItem(f))
	}
	if !c.Kind.OfAccess() {
		return i
	}
	i.Resource = c.Target.String()
	if i.User = c.Subject.Name; c.Subject.Kind == schema.GroupKind {
		i.User, i.Group = "", c.Subject.Name
	}
	if len(c.Reasons) > 0 {
		i.Via, i.Reason = c.Reasons[0].Via, c.Reasons[0].Grant.Reason
	}
	if c.Kind == access.Lost && len(c.Others) > 0 {
		for _, o := range c.Others {
			i.Fields = append(i.Fields, changedItem{Name: "keeps", After: o.Role + " on " + o.Target.String()})
		}
	}
	return i
}

// lapseItems are what ended by itself.
func lapseItems(lapses []access.Lapse) []logItem {
	var items []logItem
	for _, l := range lapses {
		of := changeItem(l.Change)
		of.Date, of.Event = l.At, eventExpired
		of.Says = of.words(0)
		items = append(items, of)
	}
	return items
}

// memberItems are who got into a group, and who got out.
func memberItems(group string, changes []access.MemberChange) []logItem {
	var items []logItem
	for _, m := range changes {
		i := logItem{Event: eventJoined, Group: group, Name: m.Member.String(), File: m.Pos.File, Line: m.Pos.Line, LineIsGone: m.Left}
		if m.Left {
			i.Event = eventLeft
		}
		i.Says = i.words(0)
		items = append(items, i)
	}
	return items
}

// words say what happened, to be read after the name of who did it.
func (i logItem) words(size int) string {
	who := i.who(size)
	what := fmt.Sprintf("%s on %s", i.Role, i.Resource)
	switch i.Event {
	case string(access.Gained):
		return fmt.Sprintf("granted %s %s%s%s", who, what, i.way(), ending(i.Expires))
	case string(access.Lost):
		return fmt.Sprintf("took %s from %s%s%s", what, who, i.way(), i.keeps())
	case string(access.Extended):
		return fmt.Sprintf("extended %s of %s%s to %s, before: %s", what, who, i.way(), whenever(i.Expires), whenever(i.Before))
	case string(access.Shortened):
		return fmt.Sprintf("shortened %s of %s%s to %s, before: %s", what, who, i.way(), whenever(i.Expires), whenever(i.Before))
	case eventExpired:
		return fmt.Sprintf("%s of %s%s ended: expired%s", what, who, i.way(), i.keeps())
	case eventJoined:
		return fmt.Sprintf("put %s into group %q", i.Name, i.Group)
	case eventLeft:
		return fmt.Sprintf("took %s out of group %q", i.Name, i.Group)
	}
	var parts []string
	for _, f := range i.Fields {
		switch {
		case f.Before == "":
			parts = append(parts, f.Name+" "+f.After)
		case f.After == "":
			parts = append(parts, f.Name+" "+f.Before)
		default:
			parts = append(parts, fmt.Sprintf("%s %s, before: %s", f.Name, f.After, f.Before))
		}
	}
	text := strings.TrimSuffix(i.Event+": "+i.Name, ": ")
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, "; ") + ")"
	}
	return text
}

// who is whom it happened to; size is how many people are in the group.
func (i logItem) who(size int) string {
	switch {
	case i.Group == "":
		return i.User
	case len(i.People) == 1:
		return fmt.Sprintf("%s (of group %q)", i.People[0], i.Group)
	case len(i.People) > 0 && len(i.People) < size:
		return fmt.Sprintf("group %q (%d of %d people)", i.Group, len(i.People), size)
	case len(i.People) > 0:
		return fmt.Sprintf("group %q (%d people)", i.Group, len(i.People))
	}
	return fmt.Sprintf("group %q", i.Group)
}

func (i logItem) way() string {
	if len(i.Via) == 0 {
		return ""
	}
	return " through " + strings.Join(i.Via, ", ")
}

func (i logItem) keeps() string {
	if len(i.Fields) == 0 {
		return ""
	}
	return ", who keeps " + i.Fields[0].After
}

func whenever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return stamp(t)
}

// reviewed is who looked at it, for a table.
func (i logItem) reviewed() string {
	var out []string
	for _, r := range i.Reviewers {
		source := r.Source
		if r.IsAuthor {
			source += ", the author"
		}
		out = append(out, fmt.Sprintf("%s (%s)", r.who(), source))
	}
	return strings.Join(out, ", ")
}

func logList(items []logItem) list {
	l := list{values: items, columns: []column{{name: "Date"}, {name: "By"}, {name: "What"}, {name: "Commit"}, {name: "Reviewed by"}, {name: "Request"},
		{name: "File", wide: true}, {name: "Reason", wide: true}, {name: "Subject", wide: true}}}
	for _, i := range items {
		var by []string
		for _, p := range i.Authors {
			by = append(by, p.who())
		}
		file := place(schema.Pos{File: i.File, Line: i.Line})
		if i.LineIsGone {
			file += " (before)"
		}
		l.rows = append(l.rows, []any{stamp(i.Date), strings.Join(by, ", "), i.Says, i.Revision[:10], i.reviewed(), i.PullRequest, file, i.Reason, i.Subject})
		l.names = append(l.names, i.Revision)
	}
	return l
}
