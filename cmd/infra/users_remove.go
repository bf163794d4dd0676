package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) usersRemoveCommand() *cobra.Command {
	var (
		f     editFlags
		force bool
	)
	cmd := &cobra.Command{
		Use:   "remove USER",
		Short: "Remove the declaration of a person",
		Long: `Remove the declaration of a person who holds nothing, and commit that. While they
have a grant, a key or a place in a group, the command refuses and says where:
to remove the declaration would take none of it away.`,
		Example:           "  infra users remove fisher@example.com",
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(declaredUsers),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return removeUser(files, s, args[0], force)
			})
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "succeed where no file declares the person")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

func removeUser(files fs.FS, s *schema.Snapshot, name string, force bool) (proposal, error) {
	if all := declaredUsers(s); !slices.Contains(all, name) {
		fact := fmt.Sprintf("no file declares %q", name)
		if force {
			return proposal{said: fact}, nil
		}
		if near := schema.Nearest(name, all); near != "" {
			return proposal{}, hint(errors.New(fact), "infra users remove %s", shell(near))
		}
		if len(all) > 0 {
			fact += ": there are " + strings.Join(all, ", ")
		}
		return proposal{}, hint(errors.New(fact), "infra users list")
	}
	if what, way := holds(s, name); len(what) > 0 {
		return proposal{}, hint(fmt.Errorf("%s still has access: %s", name, strings.Join(what, ", ")), "%s", way)
	}
	edit, err := schema.RemoveUser(files, name)
	if err != nil {
		return proposal{}, err
	}
	return proposal{edit: edit, subject: "users: remove " + name, said: name + " is no longer declared"}, nil
}
