package main

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// destinationFlags are what an entry in destinations/ may be given.
type destinationFlags struct {
	mode, user, group string
	labels            []string
}

func (f *destinationFlags) register(cmd *cobra.Command) {
	modes := []string{string(schema.ModeEnforce), string(schema.ModeObserve), string(schema.ModeSuspend)}
	flags := cmd.Flags()
	flags.Var(&choice{value: &f.mode, of: modes}, "mode", "what its connector does: `enforce`, observe (report only) or suspend (touch nothing)")
	flags.StringVar(&f.user, "user-prefix", "", "its authenticator puts this before the names of people; empty: nothing")
	flags.StringVar(&f.group, "group-prefix", "", "its authenticator puts this before the names of groups; empty: nothing")
	flags.StringArrayVar(&f.labels, "label", nil, "a label, as `name=value`; may be given several times")
	check(cmd.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions(modes, cobra.ShellCompDirectiveNoFileComp)))
}

// change is what the flags say.
func (f *destinationFlags) change(cmd *cobra.Command) (schema.DestinationChange, error) {
	c := schema.DestinationChange{Mode: schema.Mode(f.mode)}
	if cmd.Flags().Changed("user-prefix") {
		c.UserPrefix = &f.user
	}
	if cmd.Flags().Changed("group-prefix") {
		c.GroupPrefix = &f.group
	}
	var err error
	c.Labels, err = labelsOf(f.labels)
	return c, err
}

// labelsOf reads labels as kubectl does: name=value sets one, and name- takes it away.
func labelsOf(words []string) (map[string]string, error) {
	labels := map[string]string{}
	for _, w := range words {
		name, value, set := strings.Cut(w, "=")
		if !set {
			name, set = strings.CutSuffix(w, "-")
		} else if value == "" {
			return nil, hint(fmt.Errorf("label %q has no value", w), "write it like env=production, or env- to take it away")
		}
		if _, twice := labels[name]; !set || name == "" || twice {
			return nil, hint(fmt.Errorf("%q is not a label, or the second one of that name", w), "write it like env=production, or env- to take it away")
		}
		labels[name] = value
	}
	return labels, nil
}

func (a *app) destinationsAddCommand() *cobra.Command {
	var (
		f    editFlags
		what destinationFlags
	)
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Declare a destination",
		Long: `Declare a destination in destinations/, and commit that. One that is declared already
gets what the flags say and keeps the rest.

The prefixes are what the cluster's authenticator puts before names: with
--user-prefix oidc: a grant to fisher@example.com binds oidc:fisher@example.com there.`,
		Example: `  infra destinations add prod
  infra destinations add prod --label env=production --label region=eu
  infra destinations add staging --mode observe --user-prefix oidc: --group-prefix oidc:`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(namedDestinations),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := what.change(cmd)
			if err != nil {
				return err
			}
			_, err = a.edit(cmd.Context(), f, func(files fs.FS, _ *schema.Snapshot) (proposal, error) {
				return changeDestination(files, args[0], c)
			})
			return err
		},
	}
	what.register(cmd)
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	return cmd
}

func (a *app) destinationsSetCommand() *cobra.Command {
	var (
		f    editFlags
		what destinationFlags
	)
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change how a destination is treated",
		Long: `Change what destinations/ says of a destination, and commit that. A destination that
is known only by its grants gets an entry.

In mode observe its connector reports what it would change and changes nothing; in
mode suspend it does not even look. What was taken away here stays in the cluster
for so long, revocations too.

Another prefix makes other people of the names: a brake may hold it.`,
		Example: `  infra destinations set prod --mode observe
  infra destinations set prod --user-prefix oidc: --group-prefix ""`,
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(namedDestinations),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := what.change(cmd)
			if err != nil {
				return err
			}
			if len(changesOf(c)) == 0 {
				return usage(cmd, "nothing to set: --mode, --user-prefix, --group-prefix and --label are all missing")
			}
			_, err = a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				if err := knownDestination(s, args[0], "infra destinations set"); err != nil {
					return proposal{}, err
				}
				return changeDestination(files, args[0], c)
			})
			return err
		},
	}
	what.register(cmd)
	f.register(cmd)
	f.registerPush(cmd)
	f.registerAcknowledge(cmd)
	return cmd
}

func (a *app) destinationsLabelCommand() *cobra.Command {
	var f editFlags
	cmd := &cobra.Command{
		Use:   "label NAME LABEL...",
		Short: "Label a destination",
		Long: `Give a destination labels, or take some away, and commit that: name=value sets one,
whatever it was before, and name- takes it away. Labels are for people and for
"infra destinations list --selector": no grant and no rule asks for them.`,
		Example: `  infra destinations label prod env=production region=eu
  infra destinations label prod region-`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return arguments(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return a.completeArguments(namedDestinations)(cmd, args, toComplete)
			}
			return a.words(labelWords(args[0])), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			labels, err := labelsOf(args[1:])
			if err != nil {
				return err
			}
			_, err = a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				if err := knownDestination(s, args[0], "infra destinations label"); err != nil {
					return proposal{}, err
				}
				return changeDestination(files, args[0], schema.DestinationChange{Labels: labels})
			})
			return err
		},
	}
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

// labelWords are the labels that a destination can lose, and those that others have.
func labelWords(name string) vocabulary {
	return func(s *schema.Snapshot) []string {
		out := set{}
		for _, d := range s.Destinations {
			for k := range d.Labels {
				out[k+"="] = true
				if d.Name == name {
					out[k+"-"] = true
				}
			}
		}
		return out.sorted()
	}
}
