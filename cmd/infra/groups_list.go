package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// A groupItem is a group as `groups list -o json` shows it.
type groupItem struct {
	Name        string   `json:"name"`
	Users       []string `json:"users"`
	Groups      []string `json:"groups"`
	Destination string   `json:"destination,omitempty"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
}

func (a *app) groupsListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the groups that the repository declares",
		Long: `List the groups that the repository declares, with their members. The groups of an
identity provider are not among them: nobody here knows who is in those.

Fields of -o json and yaml: name, users, groups (nested), destination (where
alone it may be granted), file, line.`,
		Example: "  infra groups list\n  infra groups list -o json",
		Args:    arguments,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			return a.printList(groupList(s), f)
		},
	}
	f.register(cmd, groupItem{}, listFormats...)
	return cmd
}

func groupList(s *schema.Snapshot) list {
	l := list{columns: []column{{name: "Name"}, {name: "Users"}, {name: "Groups"}, {name: "Destination"}, {name: "File", wide: true}}}
	items := []groupItem{}
	sorted := slices.SortedFunc(slices.Values(s.Groups), func(x, y schema.Group) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), x.Pos.Compare(y.Pos))
	})
	for _, g := range sorted {
		i := groupItem{Name: g.Name, Users: memberNames(g.Users), Groups: memberNames(g.Groups), Destination: g.Destination, File: g.Pos.File, Line: g.Pos.Line}
		slices.Sort(i.Users)
		slices.Sort(i.Groups)
		items = append(items, i)
		l.rows = append(l.rows, []any{g.Name, strings.Join(i.Users, ","), strings.Join(i.Groups, ","), cmp.Or(g.Destination, "any"), place(g.Pos)})
		l.names = append(l.names, shell(g.Name))
	}
	l.values = items
	return l
}
