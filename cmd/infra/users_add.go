package main

import (
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) usersAddCommand() *cobra.Command {
	var (
		f       editFlags
		display string
	)
	cmd := &cobra.Command{
		Use:   "add USER",
		Short: "Declare a person",
		Long: `Declare a person in users/, and commit that. Who is declared already stays so, and
gets the display name where one is given.`,
		Example:           `  infra users add fisher@example.com --display-name "Robin Fisher"`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(undeclaredUsers),
		RunE: func(cmd *cobra.Command, args []string) error {
			u := schema.DeclaredUser{Name: args[0], DisplayName: display}
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, _ *schema.Snapshot) (proposal, error) {
				edit, err := schema.AddUser(files, u)
				if err != nil {
					return proposal{}, err
				}
				p := proposal{edit: edit, subject: "users: add " + u.Name, said: u.Name + " is declared"}
				switch edit.Outcome {
				case schema.Unchanged:
					p.said += " already"
				case schema.Changed:
					p.subject = fmt.Sprintf("users: %s is called %q", u.Name, u.DisplayName)
					p.said = fmt.Sprintf("%s is called %q", u.Name, u.DisplayName)
				}
				return p, nil
			})
			return err
		},
	}
	cmd.Flags().StringVar(&display, "display-name", "", "the `name` that people know them by")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}
