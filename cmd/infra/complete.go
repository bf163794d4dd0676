package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// A vocabulary is the words of a repository that fit somewhere.
type vocabulary func(*schema.Snapshot) []string

// complete lets the shell complete a flag from the repository.
func (a *app) complete(cmd *cobra.Command, flag string, words vocabulary) {
	check(cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return a.words(words), cobra.ShellCompDirectiveNoFileComp
	}))
}

// completeArguments lets the shell complete the arguments, each from its own words.
func (a *app) completeArguments(words ...vocabulary) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(words) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.words(words[len(args)]), cobra.ShellCompDirectiveNoFileComp
	}
}

// words are sorted. Where the repository cannot be read there are none: whoever
// presses the tab key wants no error in the middle of the line.
func (a *app) words(v vocabulary) []string {
	if v == nil {
		return nil
	}
	s, err := a.snapshot()
	if err != nil {
		return nil
	}
	return v(s)
}

type set map[string]bool

func (s set) sorted() []string {
	delete(s, "")
	return slices.Sorted(maps.Keys(s))
}

func people(s *schema.Snapshot) []string {
	out := set{}
	for _, g := range s.Grants {
		if g.Subject.Kind == schema.User {
			out[g.Subject.Name] = true
		}
	}
	for _, g := range s.Groups {
		for _, m := range g.Users {
			out[m.Name] = true
		}
	}
	for _, k := range s.Keys {
		if k.User != schema.ConnectorUser {
			out[k.User] = true
		}
	}
	return out.sorted()
}

func groups(s *schema.Snapshot) []string {
	out := set{}
	for _, g := range s.Grants {
		if g.Subject.Kind == schema.GroupKind {
			out[g.Subject.Name] = true
		}
	}
	for _, g := range s.Groups {
		out[g.Name] = true
		for _, m := range g.Groups {
			out[m.Name] = true
		}
	}
	return out.sorted()
}

func destinations(s *schema.Snapshot) []string {
	out := set{}
	for _, g := range s.Grants {
		out[g.Target.Destination] = true
	}
	for _, d := range s.Destinations {
		out[d.Name] = true
	}
	for _, k := range s.Keys {
		out[k.Destination] = true
	}
	return out.sorted()
}

func resources(s *schema.Snapshot) []string {
	out := set{}
	for _, d := range destinations(s) {
		out[d] = true
	}
	for _, g := range s.Grants {
		out[g.Target.String()] = true
	}
	return out.sorted()
}

func roles(s *schema.Snapshot) []string {
	out := set{}
	for _, r := range schema.BuiltinRoles {
		out[r] = true
	}
	for _, g := range s.Grants {
		out[g.Role] = true
	}
	for _, d := range s.Destinations {
		for _, r := range d.Roles {
			out[r.Name] = true
		}
	}
	return out.sorted()
}

func keyNames(s *schema.Snapshot) []string {
	out := set{}
	for _, k := range s.Keys {
		out[k.Name] = true
	}
	return out.sorted()
}

func keyUsers(s *schema.Snapshot) []string {
	return append([]string{schema.ConnectorUser}, people(s)...)
}
