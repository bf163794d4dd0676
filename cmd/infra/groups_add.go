package main

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) groupsAddCommand() *cobra.Command {
	var (
		f            editFlags
		users, inner []string
		destination  string
		asMembersOf  = func(names []string) (out []schema.Member) {
			for _, n := range names {
				out = append(out, schema.Member{Name: n})
			}
			return out
		}
	)
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Declare a group and its members",
		Long: `Declare a group and its members, and commit that. A group has at least one member.

A group that is declared already gets the members that it lacks and keeps those
that it has. With --destination it may be granted on that destination alone, and
its file lies in groups/DESTINATION/, for other owners perhaps.`,
		Example: `  infra groups add engineering --users fisher@example.com,ops@example.com
  infra groups add everybody --groups engineering,oncall
  infra groups add payments --users ops@example.com --destination example`,
		Args: arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			g := schema.Group{Name: args[0], Users: asMembersOf(users), Groups: asMembersOf(inner), Destination: destination}
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				have, declared := declaredGroup(s, g.Name)
				switch {
				case !declared && len(g.Users)+len(g.Groups) == 0:
					return proposal{}, usage(cmd, "--users is missing: who is in group %q", g.Name)
				case declared && !cmd.Flags().Changed("destination"):
					g.Destination = have.Destination // it stays where it is
				}
				return addGroup(files, g)
			})
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&users, "users", nil, "`people` in it, with commas between")
	flags.StringSliceVar(&inner, "groups", nil, "`groups` in it, with commas between")
	flags.StringVar(&destination, "destination", "", "may be granted on this `destination` only")
	f.register(cmd)
	f.registerPush(cmd)
	a.complete(cmd, "users", people)
	a.complete(cmd, "groups", groups)
	a.complete(cmd, "destination", destinations)
	return cmd
}

func addGroup(files fs.FS, g schema.Group) (proposal, error) {
	edit, err := schema.AddGroup(files, g)
	if err != nil {
		return proposal{}, err
	}
	members := strings.Join(append(memberNames(g.Users), memberNames(g.Groups)...), ", ")
	p := proposal{edit: edit, said: fmt.Sprintf("group %q is %s", g.Name, members), subject: fmt.Sprintf("groups: add %s with %s", g.Name, members)}
	switch edit.Outcome {
	case schema.Changed:
		members = strings.Join(edit.Members, ", ")
		p.said = fmt.Sprintf("group %q has %s, too", g.Name, members)
		p.subject = fmt.Sprintf("groups: add %s to %s", members, g.Name)
	case schema.Unchanged:
		p.said = fmt.Sprintf("group %q is declared already", g.Name)
		if members != "" {
			p.said = fmt.Sprintf("group %q has %s already", g.Name, members)
		}
	}
	return p, nil
}
