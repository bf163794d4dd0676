package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// A keyItem is a key as `keys list -o json` shows it. The hash is not there: it
// is of no use to anybody who reads a list.
type keyItem struct {
	Name        string    `json:"name"`
	User        string    `json:"user"`
	ID          string    `json:"id"`
	Destination string    `json:"destination,omitempty"`
	Created     time.Time `json:"created,omitzero"`
	Expires     time.Time `json:"expires,omitzero"`
	State       string    `json:"state"`
	File        string    `json:"file"`
	Line        int       `json:"line"`
}

func (a *app) keysListCommand() *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List access keys",
		Long: `List access keys: what the repository knows of them, never a secret.

Fields (docs/output.md): name, user, id, destination, created, expires,
state (valid, expired or revoked), file, line.`,
		Example: "  infra keys list\n  infra keys list -o json",
		Args:    arguments,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			return a.printList(keyList(s, a.now()), flags)
		},
	}
	flags.register(cmd, keyItem{}, listFormats...)
	return cmd
}

func keyList(s *schema.Snapshot, now time.Time) list {
	l := list{columns: []column{
		{name: "Name"}, {name: "User"}, {name: "Destination"}, {name: "State"}, {name: "Expires"},
		{name: "ID", wide: true}, {name: "Created", wide: true}, {name: "File", wide: true},
	}}
	items := []keyItem{}
	keys := slices.SortedFunc(slices.Values(s.Keys), func(x, y schema.Key) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), x.Pos.Compare(y.Pos))
	})
	for _, k := range keys {
		i := keyItem{
			Name: k.Name, User: k.User, ID: k.ID, Destination: k.Destination,
			Created: k.Created, Expires: k.Expires, State: keyState(s, k, now),
			File: k.Pos.File, Line: k.Pos.Line,
		}
		items = append(items, i)
		expires := "never"
		if !k.Expires.IsZero() {
			expires = stamp(k.Expires)
		}
		created := ""
		if !k.Created.IsZero() {
			created = stamp(k.Created)
		}
		l.rows = append(l.rows, []any{k.Name, k.User, cmp.Or(k.Destination, "any"), i.State, expires, k.ID, created, place(k.Pos)})
		l.names = append(l.names, shell(k.Name))
	}
	l.values = items
	return l
}

func keyState(s *schema.Snapshot, k schema.Key, now time.Time) string {
	switch {
	case s.Revoked.Key(k.ID), s.Revoked.Subject(schema.Subject{Kind: schema.User, Name: k.User}):
		return "revoked"
	case expired(k.Expires, now):
		return "expired"
	}
	return "valid"
}

// place is where a thing is written, without the column, which is for problems.
func place(p schema.Pos) string {
	p.Column = 0
	return p.String()
}
