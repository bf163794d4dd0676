package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "schema [KIND]",
		Short: "Print the JSON Schema of a kind of file",
		Long: `Print the JSON Schema of a kind of file, for editors: a folder's name, or infra or
revoked. Without KIND, the kinds are listed. It says less than "infra validate",
which sees all files at once.

With --write all of them are written to a folder, as KIND.json. "infra init" does
so, and has VS Code and its relatives use them; after an update of infra, write
them anew.`,
		Example: `  infra schema
  infra schema grants
  infra schema --write .infra/schema`,
		Args: arguments,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return schema.JSONSchemaKinds(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case dir != "" && len(args) > 0:
				return usage(cmd, "--write writes all kinds: leave out %q", args[0])
			case dir != "":
				return a.writeSchemas(dir)
			case len(args) == 0:
				_, err := fmt.Fprintln(a.stdout, strings.Join(schema.JSONSchemaKinds(), "\n"))
				return err
			}
			text, ok := schema.JSONSchema(args[0])
			if !ok {
				return hint(fmt.Errorf("%q is no kind of file", args[0]), "the kinds are %s", strings.Join(schema.JSONSchemaKinds(), ", "))
			}
			_, err := a.stdout.Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "write", "", "write the schemas of all kinds to this `folder`")
	check(cmd.MarkFlagDirname("write"))
	return cmd
}

func (a *app) writeSchemas(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("writing the schemas: %w", err)
	}
	for name, text := range schemaFiles() {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return fmt.Errorf("writing the schemas: %w", err)
		}
	}
	a.say("wrote %s to %s", count(len(schema.JSONSchemaKinds()), "schema"), dir)
	return nil
}

// schemaFiles are the schemas by the names of their files.
func schemaFiles() map[string][]byte {
	out := map[string][]byte{}
	for _, kind := range schema.JSONSchemaKinds() {
		out[kind+".json"], _ = schema.JSONSchema(kind)
	}
	return out
}
