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

func (a *app) destinationsRemoveCommand() *cobra.Command {
	var (
		f     editFlags
		force bool
	)
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove the declaration of a destination",
		Long: `Remove what destinations/ says of a destination, and commit that. While something is
granted on it by name, a key is for it, or groups are for it alone, the command
refuses and says where: its prefixes, its mode and its roles would be forgotten,
and the access would not.`,
		Example:           "  infra destinations remove prod",
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(declaredDestinations),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return removeDestination(files, s, args[0], force)
			})
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "succeed where no file declares the destination")
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	return cmd
}

func removeDestination(files fs.FS, s *schema.Snapshot, name string, force bool) (proposal, error) {
	all := declaredDestinations(s)
	if !slices.Contains(all, name) {
		fact := fmt.Sprintf("no file declares a destination %q", name)
		if force {
			return proposal{said: fact}, nil
		}
		if len(all) > 0 && schema.Nearest(name, all) == "" {
			fact += ": there are " + strings.Join(all, ", ")
		}
		return proposal{}, nearest(errors.New(fact), name, all, "infra destinations list", "infra destinations remove ")
	}
	if err := destinationInUse(s, name); err != nil {
		return proposal{}, err
	}
	edit, err := schema.RemoveDestination(files, name)
	if err != nil {
		return proposal{}, err
	}
	return proposal{edit: edit, subject: "destinations: remove " + name, said: fmt.Sprintf("destination %s is no longer declared", name)}, nil
}

// mostUses is how many places an error names.
const mostUses = 5

// destinationInUse refuses to remove a destination that something names, and gives the
// command that ends the first kind of it.
func destinationInUse(s *schema.Snapshot, name string) error {
	var uses, ways []string
	use := func(way, format string, args ...any) {
		uses, ways = append(uses, fmt.Sprintf(format, args...)), append(ways, way)
	}
	for _, g := range s.Grants {
		if g.Target.Destination == name {
			use("infra grants remove "+grantArguments(g.Subject, g.Role, g.Target), "%s has %s on %s (%s)", g.Subject, g.Role, g.Target, place(g.Pos))
		}
	}
	if len(uses) > 1 {
		ways[0] = fmt.Sprintf("infra grants list --destination %s -o name | xargs -L1 infra grants remove", name)
	}
	for _, k := range s.Keys {
		if k.Destination == name {
			use("infra keys remove "+shell(k.Name), "key %s is for it (%s)", k.Name, place(k.Pos))
		}
	}
	for _, g := range s.Groups {
		if g.Destination == name {
			use("infra groups remove "+shell(g.Name), "group %q is for it alone (%s)", g.Name, place(g.Pos))
		}
	}
	if len(uses) == 0 {
		return nil
	}
	if more := len(uses) - mostUses; more > 0 {
		uses = append(uses[:mostUses], fmt.Sprintf("and %d more", more))
	}
	return hint(fmt.Errorf("destination %s is in use: %s", name, strings.Join(uses, ", ")), "%s", ways[0])
}
