package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) grantsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "grants",
		Short: "Give and take access",
		Long: `Give and take access: a grant gives a person or a group a role on a resource.

A resource is a cluster, or a namespace of one: cluster.namespace. The roles are
cluster-admin, admin, edit, view, logs, exec and port-forward, and the
ClusterRoles of the cluster that are labelled app.infrahq.com/include-role=true.`,
		Example: `  infra grants add fisher@example.com example --role admin
  infra grants add -g engineering example --role view
  infra grants list`,
	}, a.grantsAddCommand(), a.grantsRemoveCommand(), a.grantsListCommand())
}

// subjectFlags are how a subject is said: its name, and -g for a group.
func subjectFlags(cmd *cobra.Command, isGroup *bool) {
	cmd.Flags().BoolVarP(isGroup, "group", "g", false, "SUBJECT is a group")
}

func subjectOf(name string, isGroup bool) schema.Subject {
	if isGroup {
		return schema.Subject{Kind: schema.GroupKind, Name: name}
	}
	return schema.Subject{Kind: schema.User, Name: name}
}

// mistaken refuses the name of a group without -g, and that of a person with
// it. A name that is both, or neither, may mean either. call is the command
// that works.
func mistaken(s *schema.Snapshot, who schema.Subject, call string) error {
	isGroup, isPerson := slices.Contains(groups(s), who.Name), slices.Contains(people(s), who.Name)
	switch {
	case who.Kind == schema.User && isGroup && !isPerson:
		return hint(fmt.Errorf("%q is a group, and -g was not given", who.Name), "%s", call)
	case who.Kind == schema.GroupKind && isPerson && !isGroup:
		return hint(fmt.Errorf("%q is a person, and -g is for groups", who.Name), "%s", call)
	}
	return nil
}

// other is the subject of the same name and of the other kind.
func other(s schema.Subject) schema.Subject {
	return subjectOf(s.Name, s.Kind == schema.User)
}

// completeSubject completes SUBJECT and RESOURCE, groups alone after -g.
func (a *app) completeSubject(isGroup *bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		subjects := people
		if *isGroup {
			subjects = groups
		}
		return a.completeArguments(subjects, resources)(cmd, args, toComplete)
	}
}
