package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) destinationsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:     "destinations",
		Short:   "Say which clusters there are",
		Long:    `Say which clusters there are. One is there as soon as something is granted on it.`,
		Example: "  infra destinations rename staging-eu staging-europe",
	}, a.renameCommand(schema.ADestination, namedDestinations))
}

// namedDestinations are those that may get another name: no pattern, and not the
// server itself.
func namedDestinations(s *schema.Snapshot) []string {
	return slices.DeleteFunc(destinations(s), func(name string) bool {
		return schema.IsPattern(name) || name == schema.InfraDestination
	})
}
