package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) destinationsRolesCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "roles",
		Short: "Say which roles a destination has, besides the built-in ones",
		Long: `Say which roles a destination has, besides the built-in ones: ClusterRoles with the
label app.infrahq.com/include-role=true. A destination that lists none may have any;
as soon as it lists one, a grant of another is an error. The rules are for people and
reviews to know what a role allows: infra changes no ClusterRole.`,
		Example: `  infra destinations roles add prod deploy-bot --verb get,patch --resource deployments
  infra destinations roles list prod`,
	}, a.rolesAddCommand(), a.rolesRemoveCommand(), a.rolesListCommand())
}

func (a *app) rolesAddCommand() *cobra.Command {
	var (
		f    editFlags
		what ruleFlags
		file string
	)
	cmd := &cobra.Command{
		Use:   "add DESTINATION [ROLE...]",
		Short: "List roles of a destination",
		Long: `List roles of a destination, and commit that. A role that is listed already gets the
rules, where some are given. The rules are said as for "kubectl create clusterrole", or
are those of the ClusterRoles in a file, which then name the roles.

As soon as a destination lists one role, all others that are granted there must be
listed, too: name them in one go.`,
		Example: `  infra destinations roles add prod deploy-bot debugger
  infra destinations roles add prod deploy-bot --verb get,patch --resource deployments,pods/log
  kubectl get clusterrole deploy-bot -o yaml | infra destinations roles add prod -f -`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usage(cmd, "DESTINATION is missing")
			case file == "" && len(args) == 1:
				return usage(cmd, "ROLE is missing, or --filename")
			case file != "" && (len(args) > 1 || what.any()):
				return usage(cmd, "--filename says the roles and their rules: give nothing beside it")
			case what.any() && len(args) > 2:
				return usage(cmd, "the rules are for one role: %q is one too many", args[2])
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return a.completeArguments(namedDestinations)(cmd, args, toComplete)
			}
			return a.words(unlistedRoles(args[0])), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			roles, err := what.roles(args[1:])
			if err != nil {
				return err
			}
			var unlabelled []string
			if file != "" {
				read, err := clusterRoles(cmd.InOrStdin(), file)
				if err != nil {
					return err
				}
				roles, unlabelled = listable(read)
			}
			_, err = a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return addRoles(files, s, args[0], roles)
			})
			if err == nil && len(unlabelled) > 0 {
				a.advise("kubectl label clusterrole %s %s=true, without which the connector binds nobody to it", shell(unlabelled...), includeLabel)
			}
			return err
		},
	}
	what.register(cmd)
	cmd.Flags().StringVarP(&file, "filename", "f", "", "a `file` with ClusterRoles, or - for stdin")
	check(cmd.MarkFlagFilename("filename", "yaml", "yml", "json"))
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

// addRoles lists roles of a destination, which gets an entry where it has none.
func addRoles(files fs.FS, s *schema.Snapshot, destination string, roles []schema.Role) (proposal, error) {
	if err := knownDestination(s, destination, "infra destinations roles add"); err != nil {
		return proposal{}, err
	}
	made, err := schema.AddDestination(files, destination, schema.DestinationChange{})
	if err != nil {
		return proposal{}, err
	}
	edit, err := schema.AddRoles(overlay(files, made.Files), destination, roles...)
	if err != nil {
		return proposal{}, err
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.Name
	}
	if edit.Outcome == schema.Unchanged {
		return proposal{said: fmt.Sprintf("destination %s lists %s already", destination, strings.Join(names, ", "))}, nil
	}
	all := maps.Clone(made.Files)
	if all == nil {
		all = map[string][]byte{}
	}
	maps.Copy(all, edit.Files)
	edit.Files = all
	who := strings.Join(edit.Members, ", ")
	p := proposal{edit: edit, subject: fmt.Sprintf("destinations: %s lists %s", destination, who), said: fmt.Sprintf("destination %s lists %s", destination, who)}
	if d := declaredDestination(s, destination); d.Roles == nil {
		p.said += ", and no role that it does not list may be granted there"
	}
	return p, nil
}

// unlistedRoles are those of other destinations and of grants that one does not list.
func unlistedRoles(destination string) vocabulary {
	return func(s *schema.Snapshot) []string {
		d := declaredDestination(s, destination)
		here := append(roleNames(d), schema.BuiltinRoles...)
		return slices.DeleteFunc(roles(s), func(r string) bool { return slices.Contains(here, r) })
	}
}

func (a *app) rolesRemoveCommand() *cobra.Command {
	var (
		f     editFlags
		force bool
	)
	cmd := &cobra.Command{
		Use:   "remove DESTINATION ROLE...",
		Short: "List roles of a destination no more",
		Long: `Take roles off those that a destination lists, and commit that. While one is granted
there, the command refuses and says where. The last one leaves an empty list: then
only the built-in roles may be granted. To let any role be granted again, take
"roles:" out of the file.`,
		Example: "  infra destinations roles remove prod deploy-bot",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return arguments(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return a.completeArguments(declaredDestinations)(cmd, args, toComplete)
			}
			return a.words(func(s *schema.Snapshot) []string {
				d := declaredDestination(s, args[0])
				return roleNames(d)
			}), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := a.edit(cmd.Context(), f, func(files fs.FS, s *schema.Snapshot) (proposal, error) {
				return removeRoles(files, s, args[0], args[1:], force)
			})
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "succeed where the destination does not list a role")
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

func removeRoles(files fs.FS, s *schema.Snapshot, destination string, names []string, force bool) (proposal, error) {
	if err := knownDestination(s, destination, "infra destinations roles remove"); err != nil {
		return proposal{}, err
	}
	d := declaredDestination(s, destination)
	here, gone := roleNames(d), []string{}
	for _, n := range names {
		switch {
		case slices.Contains(here, n):
			gone = append(gone, n)
		case !force:
			fact := fmt.Sprintf("destination %s does not list a role %q", destination, n)
			if len(here) > 0 && schema.Nearest(n, here) == "" {
				fact += ": it lists " + strings.Join(here, ", ")
			}
			return proposal{}, nearest(errors.New(fact), n, here, "infra destinations roles list "+shell(destination), "infra destinations roles remove "+shell(destination)+" ")
		}
	}
	if len(gone) == 0 {
		return proposal{said: fmt.Sprintf("destination %s does not list %s", destination, strings.Join(names, ", "))}, nil
	}
	if err := roleInUse(s, destination, gone); err != nil {
		return proposal{}, err
	}
	edit, err := schema.RemoveRoles(files, destination, gone...)
	if err != nil {
		return proposal{}, err
	}
	who := strings.Join(edit.Members, ", ")
	return proposal{edit: edit, subject: fmt.Sprintf("destinations: %s no longer lists %s", destination, who),
		said: fmt.Sprintf("destination %s no longer lists %s", destination, who)}, nil
}

// roleInUse refuses to take a role off a list while it is granted, and gives the command
// that ends the first grant.
func roleInUse(s *schema.Snapshot, destination string, names []string) error {
	var uses []string
	way := ""
	for _, g := range s.Grants {
		if !slices.Contains(names, g.Role) || !schema.MatchDestination(g.Target.Destination, destination) {
			continue
		}
		uses = append(uses, fmt.Sprintf("%s has %s on %s (%s)", g.Subject, g.Role, g.Target, place(g.Pos)))
		if way == "" {
			way = "infra grants remove " + grantArguments(g.Subject, g.Role, g.Target)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	if more := len(uses) - mostUses; more > 0 {
		uses = append(uses[:mostUses], fmt.Sprintf("and %d more", more))
	}
	return hint(errors.New(strings.Join(uses, ", ")), "%s", way)
}
