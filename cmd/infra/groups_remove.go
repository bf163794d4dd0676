package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) groupsRemoveCommand() *cobra.Command {
	var (
		f     editFlags
		force bool
	)
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove the declaration of a group",
		Long: `Remove the declaration of a group that is granted nothing and in no other group, and
commit that. While it is, the command refuses and says where: without a
declaration its members would be known to nobody here, as the name would stand
for a group of the identity provider.`,
		Example:           "  infra groups remove engineering",
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(declaredGroups),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return removeGroup(files, s, args[0], force)
			})
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "succeed where no file declares the group")
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	return cmd
}

func removeGroup(files fs.FS, s *schema.Snapshot, name string, force bool) (proposal, error) {
	if _, declared := declaredGroup(s, name); !declared {
		if force {
			return proposal{said: fmt.Sprintf("no file declares a group %q", name)}, nil
		}
		return proposal{}, undeclared(s, name, "infra groups remove")
	}
	if err := inUse(s, name); err != nil {
		return proposal{}, err
	}
	edit, err := schema.RemoveGroup(files, name)
	if err != nil {
		return proposal{}, err
	}
	return proposal{edit: edit, subject: "groups: remove " + name, said: fmt.Sprintf("group %q is no longer declared", name)}, nil
}

// inUse refuses to remove a group that is granted something or nested, and gives
// the command that ends the first of it.
func inUse(s *schema.Snapshot, name string) error {
	who := schema.Subject{Kind: schema.GroupKind, Name: name}
	var uses []string
	way := ""
	for _, g := range s.Grants {
		if g.Subject != who {
			continue
		}
		uses = append(uses, fmt.Sprintf("%s on %s (%s)", g.Role, g.Target, place(g.Pos)))
		if way == "" {
			way = "infra grants remove " + grantArguments(who, g.Role, g.Target)
		}
	}
	for _, g := range s.Groups {
		for _, m := range g.Groups {
			if m.Name != name {
				continue
			}
			uses = append(uses, fmt.Sprintf("in group %q (%s)", g.Name, place(m.Pos)))
			if way == "" {
				way = "infra groups removeuser -g " + shell(g.Name, name)
			}
		}
	}
	if len(uses) == 0 {
		return nil
	}
	return hint(errors.New(fmt.Sprintf("group %q is in use: ", name)+strings.Join(uses, ", ")), "%s", way)
}
