package review

import (
	"fmt"
	"strings"

	"github.com/infrahq/infra/schema"
)

// classTitles are the headings, in the words of somebody who knows no YAML.
var classTitles = [classes]string{
	likeClusterAdmin: "Becomes equal to cluster-admin",
	handsOutAccess:   "Can give access to others",
	makesPossible:    "Other changes to look at first",
	unknownRole:      "Gains a role of which infra does not know what it allows",
	runsCommands:     "Can run commands in containers",
	readsSecrets:     "Can read secrets",
	otherGains:       "Gains other access",
	losses:           "Loses access",
	longer:           "Keeps access longer",
	shorter:          "Keeps access for less time",
	beside:           "Other changes",
}

const (
	accessHeader = "| Who | What | Where | More | From |\n|---|---|---|---|---|\n"
	besideHeader = "| What | Which | More | From |\n|---|---|---|---|\n"
)

// class adds the lines of one class.
func (d *document) class(c class, lines []line) {
	b := block{title: "#### " + classTitles[c], header: accessHeader, shown: few, counts: morePeople}
	switch {
	case c == beside || c == makesPossible:
		b.header, b.counts = besideHeader, moreOf("change", "changes")
	case c <= runsCommands:
		b.shown = many
	}
	for i := range lines {
		l := &lines[i]
		if l.class() == c {
			rank := rankOf(len(b.rows), rankFew, rankClass+int(c))
			b.rows = append(b.rows, mdRow{text: l.tableRow(), rank: rank, line: l})
		}
	}
	d.add(b)
}

func (l line) tableRow() string {
	var more []string
	for i, n := range l.detail() {
		if i == partsShown {
			more = append(more, "and "+count(len(l.detail())-partsShown)+" more")
			break
		}
		more = append(more, n.markdown())
	}
	cells := []string{l.who().markdown(), l.verb() + " " + say(named(l.Role)).markdown(), l.whereCell()}
	if !l.Kind.OfAccess() {
		which := ""
		if l.Name != "" {
			which = codeSpan(l.Name)
		}
		cells = []string{string(l.Kind), which}
	}
	cells = append(cells, strings.Join(more, "<br>"), l.from().markdown())
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// partsShown is how many parts a row says of what changes, so that a thing of a
// thousand labels does not take the room of all other rows.
const partsShown = 12

// whereCell has each target on a line.
func (l line) whereCell() string {
	var out []string
	for i, t := range l.targets() {
		if i == many {
			out = append(out, "and "+count(len(l.targets())-many)+" more")
			break
		}
		out = append(out, targetWords(t).markdown())
	}
	return strings.Join(out, "<br>")
}

// morePeople counts whom the rows that are left out are about.
func morePeople(left []mdRow) string {
	known, groups := map[string]bool{}, map[string]bool{}
	for _, row := range left {
		for _, c := range row.line.all {
			if c.Subject.Kind == schema.GroupKind {
				groups[c.Subject.Name] = true
			} else {
				known[c.Subject.Name] = true
			}
		}
	}
	var out []string
	if n := len(known); n > 0 {
		out = append(out, number(n, "more person", "more people"))
	}
	if n := len(groups); n > 0 {
		out = append(out, number(n, "more idp group", "more idp groups"))
	}
	return strings.Join(out, " and ")
}

// members names the people of every sum, for who asks, those of several lines once.
func (d *document) members(lines []line) {
	b := block{title: "#### Who is meant", counts: moreOf("group", "groups")}
	said := map[string]bool{}
	for _, l := range lines {
		if !l.summed() || len(l.people()) <= fewPeople {
			continue
		}
		text := fmt.Sprintf("- %s: %s\n", l.who().markdown(), list(names(l.people()), 500).markdown())
		if !said[text] {
			said[text] = true
			b.rows = append(b.rows, mdRow{text: text, rank: rankMembers})
		}
	}
	d.add(b)
}
