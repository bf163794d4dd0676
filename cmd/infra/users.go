package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) usersCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "users",
		Short: "Say which people there are",
		Long: `Say which people there are, in users/. To be declared gives nobody anything, and not
to be declared takes nothing away, unless the policy says "declared: [users]".`,
		Example: `  infra users add fisher@example.com --display-name "Robin Fisher"
  infra users list
  infra users remove fisher@example.com`,
	}, a.usersAddCommand(), a.usersRemoveCommand(), a.usersListCommand(),
		a.renameCommand(schema.AUser, knownPeople))
}

func declaredUsers(s *schema.Snapshot) []string {
	out := set{}
	for _, u := range s.Users {
		out[u.Name] = true
	}
	return out.sorted()
}

// undeclaredUsers are the people whom the repository names and users/ does not.
func undeclaredUsers(s *schema.Snapshot) []string {
	declared := declaredUsers(s)
	return slices.DeleteFunc(people(s), func(n string) bool { return slices.Contains(declared, n) })
}

// holds is what a person has by their own name, with its place, and the command
// that ends the first of it.
func holds(s *schema.Snapshot, name string) (what []string, way string) {
	who := schema.Subject{Kind: schema.User, Name: name}
	add := func(text string, p schema.Pos, command string) {
		what = append(what, fmt.Sprintf("%s (%s)", text, place(p)))
		if way == "" {
			way = command
		}
	}
	for _, g := range s.Grants {
		if g.Subject == who {
			add(fmt.Sprintf("%s on %s", g.Role, g.Target), g.Pos, "infra grants remove "+grantArguments(who, g.Role, g.Target))
		}
	}
	for _, g := range s.Groups {
		for _, m := range g.Users {
			if m.Name == name {
				add(fmt.Sprintf("in group %q", g.Name), m.Pos, "infra groups removeuser "+shell(g.Name, name))
			}
		}
	}
	for _, k := range s.Keys {
		if k.User == name {
			add("key "+k.Name, k.Pos, "infra keys remove "+shell(k.Name))
		}
	}
	return what, way
}

// knownPeople are those whom users/ declares, and all others.
func knownPeople(s *schema.Snapshot) []string {
	out := set{}
	for _, name := range append(declaredUsers(s), people(s)...) {
		out[name] = true
	}
	return out.sorted()
}
