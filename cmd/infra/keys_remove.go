package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) keysRemoveCommand() *cobra.Command {
	var (
		f     editFlags
		force bool
	)
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove an access key for good",
		Long: `Remove an access key, and commit that. Its id stays in revoked.yaml, so that
merging an old branch does not bring it back to life.`,
		Example:           "  infra keys remove example-connector",
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(keyNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return removeKey(files, s, args[0], force)
			})
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "succeed where there is no such key")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

func removeKey(files fs.FS, s *schema.Snapshot, name string, force bool) (proposal, error) {
	edit, err := schema.RemoveKey(files, name)
	if errors.Is(err, schema.ErrNoSuchKey) {
		if force {
			return proposal{said: fmt.Sprintf("there is no key %q", name)}, nil
		}
		return proposal{}, noSuchKey(s, name, "infra keys remove ")
	}
	if err != nil {
		return proposal{}, err
	}
	return proposal{edit: edit, subject: "keys: remove " + name, said: fmt.Sprintf("key %s is no longer good for anything", name)}, nil
}

// noSuchKey is the error for a name that no key has. call is the command without it.
func noSuchKey(s *schema.Snapshot, name, call string) error {
	fact := fmt.Sprintf("there is no key %q", name)
	if all := keyNames(s); len(all) > 0 && schema.Nearest(name, all) == "" {
		fact += ": there are " + strings.Join(all, ", ")
	}
	return nearest(errors.New(fact), name, keyNames(s), "infra keys list", call)
}
