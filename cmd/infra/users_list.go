package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// A userItem is a person as `users list -o json` shows them.
type userItem struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	File        string `json:"file"`
	Line        int    `json:"line"`
}

func (a *app) usersListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the people that the repository declares",
		Long: `List the people that the repository declares in users/. Others may have access too:
"infra grants list --inherited" lists everybody.

Fields of -o json and yaml: name, displayName, file, line.`,
		Example: "  infra users list\n  infra users list -o json",
		Args:    arguments,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			return a.printList(userList(s), f)
		},
	}
	f.register(cmd, userItem{}, listFormats...)
	return cmd
}

func userList(s *schema.Snapshot) list {
	l := list{columns: []column{{name: "Name"}, {name: "Display Name"}, {name: "File", wide: true}}}
	items := []userItem{}
	sorted := slices.SortedFunc(slices.Values(s.Users), func(x, y schema.DeclaredUser) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), x.Pos.Compare(y.Pos))
	})
	for _, u := range sorted {
		items = append(items, userItem{Name: u.Name, DisplayName: u.DisplayName, File: u.Pos.File, Line: u.Pos.Line})
		l.rows = append(l.rows, []any{u.Name, u.DisplayName, place(u.Pos)})
		l.names = append(l.names, shell(u.Name))
	}
	l.values = items
	return l
}
