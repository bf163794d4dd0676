package main

import "github.com/spf13/cobra"

func (a *app) keysCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "keys",
		Short: "Make, rotate and remove access keys",
		Long: `Make, rotate and remove access keys: with one, a connector fetches what its cluster is
to give, and a person asks the server. The repository keeps a hash of a key,
never the key.`,
		Example: `  infra keys add example-connector connector
  infra keys list
  infra keys rotate example-connector
  infra keys remove example-connector`,
	}, a.keysAddCommand(), a.keysListCommand(), a.keysRotateCommand(), a.keysRemoveCommand())
}
