package main

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// A membership is what adduser and removeuser do.
type membership bool

const (
	joins  membership = true
	leaves membership = false
)

func (m membership) String() string {
	if m {
		return "adduser"
	}
	return "removeuser"
}

func (a *app) groupsMemberCommand(m membership) *cobra.Command {
	var (
		f             editFlags
		nested, force bool
	)
	cmd := &cobra.Command{
		Use:   m.String() + " GROUP USER...",
		Short: "Put people into a group",
		Long: `Put people into a group that is declared, or, with -g, other groups, and commit
that. Who is in it already stays in it.`,
		Example: `  infra groups adduser engineering ann@example.com bob@example.com
  infra groups adduser -g engineering oncall`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return arguments(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return a.completeArguments(declaredGroups)(cmd, args, toComplete)
			}
			return a.words(candidates(m, args[0], nested)), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := subjectOf("", nested).Kind
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				have, declared := declaredGroup(s, args[0])
				switch {
				case !declared && m == leaves && force:
					return proposal{said: fmt.Sprintf("no file declares a group %q", args[0])}, nil
				case !declared:
					return proposal{}, undeclared(s, args[0], "infra groups "+m.String(), args[1:]...)
				case m == joins:
					return addMembers(files, s, have, kind, args[1:])
				}
				return removeMembers(files, have, kind, args[1:], force)
			})
			return err
		},
	}
	cmd.Flags().BoolVarP(&nested, "group", "g", false, "USER is a group, nested in GROUP")
	f.register(cmd)
	f.registerPush(cmd)
	if m == leaves {
		cmd.Short = "Take people out of a group"
		cmd.Long = `Take people out of a group that is declared, or, with -g, other groups, and commit
that. Who is not in it cannot be taken out: the command fails and says who is.
With --force it succeeds. A group keeps one member at least.`
		cmd.Example = `  infra groups removeuser engineering ann@example.com
  infra groups removeuser -g engineering oncall`
		cmd.Flags().BoolVar(&force, "force", false, "succeed where somebody is not in it")
		f.registerAcknowledge(cmd)
	}
	return cmd
}

// candidates are those who can still join a group, or leave it.
func candidates(m membership, group string, nested bool) vocabulary {
	return func(s *schema.Snapshot) []string {
		g, _ := declaredGroup(s, group)
		in, all := memberNames(g.Users), people(s)
		if nested {
			in, all = memberNames(g.Groups), groups(s)
		}
		if m == leaves {
			slices.Sort(in)
			return in
		}
		return slices.DeleteFunc(all, func(n string) bool { return n == group && nested || slices.Contains(in, n) })
	}
}

func addMembers(files fs.FS, s *schema.Snapshot, g schema.Group, kind schema.SubjectKind, names []string) (proposal, error) {
	for _, n := range names {
		who := schema.Subject{Kind: kind, Name: n}
		flag := ""
		if kind == schema.User {
			flag = "-g "
		}
		if err := mistaken(s, who, "infra groups adduser "+flag+shell(g.Name, n)); err != nil {
			return proposal{}, err
		}
	}
	edit, err := schema.AddMembers(files, g.Name, kind, names...)
	if err != nil {
		return proposal{}, err
	}
	if edit.Outcome == schema.Unchanged {
		return proposal{said: fmt.Sprintf("%s: in group %q already", strings.Join(names, ", "), g.Name)}, nil
	}
	who := strings.Join(edit.Members, ", ")
	return proposal{
		edit:    edit,
		subject: fmt.Sprintf("groups: add %s to %s", who, g.Name),
		said:    fmt.Sprintf("group %q has %s, too", g.Name, who),
	}, nil
}

func removeMembers(files fs.FS, g schema.Group, kind schema.SubjectKind, names []string, force bool) (proposal, error) {
	here, others := memberNames(g.Users), len(g.Groups)
	if kind == schema.GroupKind {
		here, others = memberNames(g.Groups), len(g.Users)
	}
	slices.Sort(here)
	gone := []string{}
	for _, n := range names {
		switch {
		case slices.Contains(here, n) && !slices.Contains(gone, n):
			gone = append(gone, n)
		case !slices.Contains(here, n) && !force:
			has := "it has no such members"
			if len(here) > 0 {
				has = "it has " + strings.Join(here, ", ")
			}
			err := fmt.Errorf("%s is not in group %q: %s", n, g.Name, has)
			if near := schema.Nearest(n, here); near != "" {
				return proposal{}, hint(err, "did you mean %s?", shell(near))
			}
			return proposal{}, hint(err, "infra groups list")
		}
	}
	who := strings.Join(gone, ", ")
	switch {
	case len(gone) == 0:
		return proposal{said: fmt.Sprintf("%s: not in group %q", strings.Join(names, ", "), g.Name)}, nil
	case len(gone) == len(here) && others == 0:
		return proposal{}, hint(fmt.Errorf("nobody but %s is in group %q, and a group has a member", who, g.Name), "infra groups remove %s", shell(g.Name))
	}
	edit, err := schema.RemoveMembers(files, g.Name, kind, gone...)
	if err != nil {
		return proposal{}, err
	}
	return proposal{
		edit:    edit,
		subject: fmt.Sprintf("groups: remove %s from %s", who, g.Name),
		said:    fmt.Sprintf("group %q no longer has %s", g.Name, who),
	}, nil
}
