package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// command is the whole tree.
func (a *app) command() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "infra",
		Short: "Kubernetes access, kept in Git",
		Long: `infra keeps Kubernetes access in a Git repository.

Grants and access keys are YAML files. The commands here edit and commit them,
"infra server" serves the newest good commit, and "infra connector" keeps the
role bindings of a cluster equal to it.

Repositories are read and written with the git program where there is one in PATH,
or else by infra itself, which refuses what takes git. INFRA_GIT=system or builtin
asks for one of the two.

Exit codes: 0 done, 1 failed, 2 differences found (where asked for), 3 the
repository is invalid, 4 a policy refuses, 5 a brake holds the change.`,
		Example: `  infra init access && cd access
  infra grants add fisher@example.com example --role admin
  infra grants list`,
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	section(root, "Change access:",
		a.initCommand(),
		a.grantsCommand(),
		a.groupsCommand(),
		a.usersCommand(),
		a.destinationsCommand(),
		a.keysCommand(),
		a.revokeCommand(),
		a.unrevokeCommand(),
		a.importCommand(),
		a.offboardCommand(),
		a.tidyCommand(),
	)
	section(root, "Ask about access:",
		a.explainCommand(),
		a.whoCanCommand(),
		a.logCommand(),
	)
	section(root, "Check changes:",
		a.validateCommand(),
		a.diffCommand(),
		a.acknowledgeCommand(),
		a.policyCommand(),
	)
	section(root, "Run infra:",
		a.serverCommand(),
		a.connectorCommand(),
	)
	root.AddCommand(
		a.schemaCommand(),
		a.mergeDriverCommand(),
		a.versionCommand(),
	)
	root.PersistentPreRunE = a.arrive
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, "%w", err) })
	flags := root.PersistentFlags()
	flags.StringVarP(&a.repository, "repo", "C", "", "the access repository's `folder` or address (default $INFRA_REPO, else the nearest folder above with infra.yaml)")
	flags.DurationVar(&a.timeout, "timeout", time.Minute, "how long a Git host may take in all (also $INFRA_TIMEOUT)")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no words but errors")
	flags.BoolVar(&a.noPager, "no-pager", false, "write to the terminal itself, not to $INFRA_PAGER or git's pager")
	check(root.MarkPersistentFlagDirname("repo"))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// section adds commands that the help lists under a title of their own.
func section(root *cobra.Command, title string, children ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range children {
		c.GroupID = title
	}
	root.AddCommand(children...)
}

// group makes a command that does nothing but hold others, and that knows a
// misspelt one, which cobra alone would answer with the help text and success.
func group(cmd *cobra.Command, children ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(children...)
	cmd.SuggestionsMinimumDistance = 2 // the most that cobra itself calls near
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		err := fmt.Errorf("unknown command %q of %q", args[0], cmd.CommandPath())
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return hint(err, "%s %s", cmd.CommandPath(), near[0])
		}
		return hint(err, "%s --help lists them", cmd.CommandPath())
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// arguments asks for exactly the arguments of cmd.Use that are not in brackets,
// and at most those that are, and names the one that is missing.
func arguments(cmd *cobra.Command, args []string) error {
	names := strings.Fields(cmd.Use)[1:]
	required := 0
	for _, n := range names {
		if !strings.HasPrefix(n, "[") {
			required++
		}
	}
	switch {
	case len(args) < required:
		return usage(cmd, "%s is missing", names[len(args)])
	case len(args) > len(names):
		return usage(cmd, "one argument too many: %q", args[len(names)])
	}
	return nil
}

// usage is a mistake in how a command was called.
func usage(cmd *cobra.Command, format string, args ...any) error {
	return hint(fmt.Errorf(format, args...), "%s --help", cmd.CommandPath())
}

// check is for registrations that fail only where the program itself is wrong.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
