package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) groupsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "groups",
		Short: "Say who is in a group",
		Long: `Say who is in a group: a group that the repository declares is its members, people
and other groups. A group that is granted something and not declared is the
identity provider's, which knows who is in it.`,
		Example: `  infra groups add engineering --users fisher@example.com,ops@example.com
  infra groups adduser engineering ann@example.com
  infra groups list`,
	}, a.groupsAddCommand(), a.groupsRemoveCommand(), a.groupsListCommand(),
		a.groupsMemberCommand(joins), a.groupsMemberCommand(leaves),
		a.renameCommand(schema.AGroup, groups))
}

// declaredGroups are those that a file declares.
func declaredGroups(s *schema.Snapshot) []string {
	out := set{}
	for _, g := range s.Groups {
		out[g.Name] = true
	}
	return out.sorted()
}

func declaredGroup(s *schema.Snapshot, name string) (schema.Group, bool) {
	i := slices.IndexFunc(s.Groups, func(g schema.Group) bool { return g.Name == name })
	if i < 0 {
		return schema.Group{}, false
	}
	return s.Groups[i], true
}

// undeclared is the error for a group that no file declares. call is the command
// without the group's name, and rest what follows it.
func undeclared(s *schema.Snapshot, name, call string, rest ...string) error {
	fact := fmt.Sprintf("no file declares a group %q", name)
	all := declaredGroups(s)
	if slices.Contains(groups(s), name) {
		fact += ": it is the identity provider's"
	} else if len(all) > 0 {
		fact += ": there are " + strings.Join(all, ", ")
	}
	if near := schema.Nearest(name, all); near != "" {
		return hint(errors.New(fact), "%s %s", call, shell(append([]string{near}, rest...)...))
	}
	return hint(errors.New(fact), "infra groups list")
}

func memberNames(members []schema.Member) []string {
	names := []string{}
	for _, m := range members {
		names = append(names, m.Name)
	}
	return names
}
