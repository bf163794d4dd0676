package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// A heldItem is what one grant gives somebody, as `explain -o json` shows it.
type heldItem struct {
	User     string        `json:"user,omitempty"`
	Group    string        `json:"group,omitempty"`
	Role     string        `json:"role"`
	Resource string        `json:"resource"`
	Expires  time.Time     `json:"expires,omitzero"`
	State    access.State  `json:"state"`
	Included *includedItem `json:"included,omitempty"` // what says as much
	Allowed  access.Answer `json:"allowed,omitempty"`  // with --verb: whether the role allows it
	Reason   string        `json:"reason,omitempty"`
	Via      []string      `json:"via,omitempty"`
	Lines    []lineItem    `json:"lines"`
}

// An includedItem is a role on a resource that contains another.
type includedItem struct {
	Role     string `json:"role"`
	Resource string `json:"resource"`
}

// A lineItem is where a file says something, and the commit that last changed
// that.
type lineItem struct {
	Kind         string      `json:"kind"` // grant, member or revocation
	Says         string      `json:"says"`
	File         string      `json:"file"`
	Line         int         `json:"line"`
	Commit       string      `json:"commit,omitempty"`
	NotCommitted bool        `json:"notCommitted,omitempty"`
	OrEarlier    bool        `json:"orEarlier,omitempty"` // a shallow clone ends at this commit
	Author       *signedItem `json:"author,omitempty"`
	Committer    *signedItem `json:"committer,omitempty"`
	reason       string
	pos          schema.Pos
}

// A signedItem is who wrote or made a commit, and when, as they said themselves.
type signedItem struct {
	Name  string    `json:"name"`
	Email string    `json:"email"`
	Date  time.Time `json:"date"`
}

func (a *app) explainCommand() *cobra.Command {
	var (
		isGroup bool
		at      string
		asked   requestFlags
		f       listFlags
	)
	cmd := &cobra.Command{
		Use:   "explain SUBJECT [RESOURCE]",
		Short: "Say what somebody may do, and why",
		Long: `Say what somebody may do: each grant that reaches a person or, with -g, a group,
and each line that it comes by, with the commit that last changed what is said
there: of a grant any part of it, be it the role or the expiry.

Of each grant the state is "in force", "expired", "revoked" (by the line that is
shown), or "included" in something else that they have, to which it adds nothing.
With a RESOURCE, only what they have there or in a part of it. What a group of the
identity provider gives is not among what a person has: infra does not know its
members.

With --verb and --resource (or --url), only the grants whose role allows that on all
of the RESOURCE, or may do so: "unknown" is the answer where nobody here knows the
role's rules, as infra who-can --help says.

The answer is about the work tree and now, or with --at about a revision, at the
time of its commit; or about a time, which is the newest commit of the current
branch then, by first parents. The time may lie ahead: what will have expired?

Author, committer and date are what the commit says of itself. The date in the
table is the committer's.

Fields of -o json and yaml: user or group, role, resource, expires, state (in
force, expired, revoked or included), included (role, resource), reason, via (the
groups on the way, outermost first), lines: kind (grant, member or revocation),
says, file, line, commit, notCommitted, orEarlier (a shallow clone ends there),
author and committer (name, email, date); with --verb allowed (yes or unknown).`,
		Example: `  infra explain fisher@example.com
  infra explain fisher@example.com example.payments
  infra explain fisher@example.com example.payments --verb get --resource secrets
  infra explain -g engineering -o wide
  infra explain fisher@example.com --at 2026-11-03`,
		Args:              arguments,
		ValidArgsFunction: a.completeSubject(&isGroup),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := question{who: subjectOf(args[0], isGroup)}
			if err := q.read(cmd, asked); err != nil {
				return err
			}
			m, err := a.moment(cmd.Context(), at)
			if err != nil {
				return err
			}
			if err := m.subject(q.who, "infra explain"); err != nil {
				return err
			}
			if err := q.on(cmd, m, args[1:]); err != nil {
				return err
			}
			items := q.answer(m)
			if err := a.blame(cmd.Context(), m, items); err != nil {
				return err
			}
			l := heldList(items)
			if q.request != nil {
				l = withAllowed(l, items)
			}
			if err := a.printList(l, f); err != nil {
				return err
			}
			a.sayHeld(m, q, items)
			return nil
		},
	}
	subjectFlags(cmd, &isGroup)
	asked.register(a, cmd)
	a.atFlag(cmd, &at)
	f.register(cmd, heldItem{}, unnamedFormats...)
	return cmd
}

// heldItems are what is held, with the lines in the order in which one reads them.
func heldItems(who schema.Subject, held []access.Held) []heldItem {
	items := []heldItem{}
	for _, h := range held {
		g := h.Grant
		i := heldItem{Role: g.Role, Resource: g.Target.String(), Expires: g.Expires, State: h.State, Reason: g.Reason}
		if who.Kind == schema.GroupKind {
			i.Group = who.Name
		} else {
			i.User = who.Name
		}
		if h.Included != nil {
			i.Included = &includedItem{h.Included.Role, h.Included.Target.String()}
		}
		i.add("grant", fmt.Sprintf("granted to %s", g.Subject), g.Pos, g.Reason)
		for n, s := range h.Steps {
			i.Via = append(i.Via, s.Group)
			next := who
			if n+1 < len(h.Steps) {
				next = subjectOf(h.Steps[n+1].Group, true)
			}
			i.add("member", fmt.Sprintf("%s in group %q", next, s.Group), s.Member.Pos, "")
		}
		if v := h.Revocation; v != nil {
			i.add("revocation", v.String()+" revoked", v.Pos, v.Reason)
		}
		items = append(items, i)
	}
	return items
}

func (i *heldItem) add(kind, says string, pos schema.Pos, reason string) {
	i.Lines = append(i.Lines, lineItem{Kind: kind, Says: says, File: pos.File, Line: pos.Line, reason: reason, pos: pos})
}

func heldList(items []heldItem) list {
	l := list{values: items, columns: []column{{name: "Role"}, {name: "Resource"}, {name: "Expires"}, {name: "State"},
		{name: "By"}, {name: "File"}, {name: "Commit"}, {name: "Author"}, {name: "Date"}, {name: "Committer", wide: true}, {name: "Reason", wide: true}}}
	for n, i := range items {
		state := string(i.State)
		if i.Included != nil {
			state = fmt.Sprintf("in %s on %s", i.Included.Role, i.Included.Resource)
		}
		ends := "never"
		if !i.Expires.IsZero() {
			ends = stamp(i.Expires)
		}
		head := []any{i.Role, i.Resource, ends, state}
		for _, line := range i.Lines {
			l.rows, l.of = append(l.rows, append(head, line.cells()...)), append(l.of, n)
			head = []any{"", "", "", ""}
		}
	}
	return l
}

// cells are a line in a table, from what it says on.
func (l lineItem) cells() []any {
	cells := []any{l.Says, l.place()}
	switch {
	case l.NotCommitted:
		return append(cells, "not committed", "", "", "", l.reason)
	case l.Commit == "":
		return append(cells, "", "", "", "", l.reason)
	}
	commit := l.Commit[:10]
	if l.OrEarlier {
		commit += " or earlier"
	}
	return append(cells, commit, l.Author.who(), stamp(l.Committer.Date), l.Committer.who(), l.reason)
}

// who is what a person is called in a table.
func (s *signedItem) who() string {
	if s.Email == "" {
		return s.Name
	}
	return s.Email
}
