package main

import (
	"fmt"
	"io"
	"io/fs"
	"maps"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/adopt"
	"github.com/infrahq/infra/schema"
)

func (a *app) importCommand() *cobra.Command {
	var (
		f      editFlags
		list   listFlags
		source rbacSource
		i      importer
		all    bool
		roles  string
	)
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Turn the role bindings of a cluster into grants",
		Long: `Turn the RoleBindings and ClusterRoleBindings that a cluster has into grants on a
destination, and commit them. The cluster is only read.

Each subject of each binding becomes a grant where that gives exactly the same, and
is left where it would not, with the reason. Before anything is written it is proved
that nobody gains or loses anything: neither now, nor once the bindings are deleted
that the grants stand for.

A list says what became of each binding, and who owns it: what Argo CD, Flux, Helm
or rbac-manager made would come back, and is to be taken out there. -o name lists
the bindings that can be deleted, as kubectl takes them: with --kubeconfig those
alone for which infra's own bindings are in force. A second time, there is nothing
to do.

-f takes manifests as kubectl does, and RBACDefinitions of rbac-manager. Together
with --kubeconfig, the roles and namespaces are the cluster's.`,
		Example: `  infra import --kubeconfig prod.kubeconfig --destination prod --dry-run
  infra import --kubeconfig prod.kubeconfig --destination prod
  infra import --kubeconfig prod.kubeconfig --destination prod -q -o name | xargs -rL1 kubectl --kubeconfig prod.kubeconfig delete
  kubectl get clusterrolebindings,rolebindings,clusterroles,roles -A -o yaml | infra import -f - --destination prod`,
		Args: arguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case i.destination == "":
				return usage(cmd, "--destination is missing: which destination is this cluster")
			case source.kubeconfig == "" && len(source.files) == 0:
				return usage(cmd, "--kubeconfig is missing, or -f: where are the role bindings")
			case source.context != "" && source.kubeconfig == "":
				return usage(cmd, "--context is of a --kubeconfig, which is missing")
			}
			if err := schema.ValidateDestination(i.destination); err != nil {
				return err
			}
			if i.destination == schema.InfraDestination {
				return fmt.Errorf("destination %q is the server itself, and no cluster", i.destination)
			}
			if err := importList(&i, all, false).write(io.Discard, list); err != nil { // before the commit, not after
				return err
			}
			source.stdin, f.hasOutput = cmd.InOrStdin(), true
			over := a.busy("reading the role bindings of %s", i.destination)
			var err error
			i.objects, err = source.read(cmd.Context())
			over()
			if err != nil {
				return err
			}
			editor := a
			if f.dryRun && list.output != "table" && list.output != "wide" {
				editor = a.silentOut()
			}
			done, err := editor.edit(cmd.Context(), f, i.propose)
			if err != nil {
				return err
			}
			if roles != "" && done != shown {
				if err := writeRoles(roles, i.plan.Steps.Make); err != nil {
					return err
				}
			}
			a.adviseImport(&i, &source, roles)
			return a.printList(importList(&i, all, source.live()), list)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&i.destination, "destination", "", "the `destination` that the cluster is")
	flags.StringVar(&source.kubeconfig, "kubeconfig", "", "`file` that says how to reach the cluster")
	flags.StringVar(&source.context, "context", "", "the `context` of the kubeconfig (default: its current one)")
	flags.StringSliceVarP(&source.files, "filename", "f", nil, "manifests instead: a `file`, folder or URL, or - for what is piped in")
	flags.BoolVarP(&source.recursive, "recursive", "R", false, "also the folders in the folders of -f")
	flags.BoolVar(&i.groups, "groups", false, "declare people as a group where several bindings name the same ones")
	flags.StringVar(&roles, "write-roles", "", "write the ClusterRoles that are to be made of Roles to this `file`, for kubectl create -f")
	flags.BoolVar(&all, "all", false, "list what every cluster has, too, and what the connector made: it is never imported")
	check(cmd.MarkFlagFilename("kubeconfig"))
	check(cmd.MarkFlagFilename("filename", "yaml", "yml", "json"))
	check(cmd.MarkFlagFilename("write-roles", "yaml", "yml"))
	check(cmd.RegisterFlagCompletionFunc("context", completeContexts))
	a.complete(cmd, "destination", clusters)
	list.register(cmd, importedBinding{}, listFormats...)
	f.register(cmd)
	f.registerPush(cmd)
	return cmd
}

// silentOut is the same program with nothing on stdout.
func (a *app) silentOut() *app {
	silent := *a
	silent.stdout = io.Discard
	return &silent
}

// clusters are the destinations that are clusters, by name.
func clusters(s *schema.Snapshot) []string {
	out := set{}
	for _, d := range destinations(s) {
		out[d] = d != schema.InfraDestination && !schema.IsPattern(d)
	}
	maps.DeleteFunc(out, func(_ string, is bool) bool { return !is })
	return out.sorted()
}

// An importer proposes the grants that stand for bindings.
type importer struct {
	destination string
	groups      bool
	objects     adopt.Objects

	plan  adopt.Plan                // as of the last proposal
	proof adopt.Proof               // of it
	at    map[grantKey]schema.Grant // the grants as the files have them then
	mode  schema.Mode               // of the destination
}

// A grantKey is what identifies a grant.
type grantKey struct {
	subject schema.Subject
	role    string
	target  schema.Target
}

func keyOfGrant(g schema.Grant) grantKey { return grantKey{g.Subject, g.Role, g.Target} }

// propose plans, writes the plan into files, and plans anew without the grants that
// the repository cannot have, until it can have all of them.
func (i *importer) propose(files fs.FS, s *schema.Snapshot) (proposal, error) {
	refused := map[schema.Grant]string{}
	for {
		i.plan = adopt.New(i.objects, s, i.destination, adopt.Options{Groups: i.groups, Refused: refused})
		edit, more, err := i.write(files)
		if err != nil {
			return proposal{}, err
		}
		if len(more) == 0 {
			return i.proved(files, s, edit)
		}
		for _, r := range more {
			refused[r.Grant] = r.Reason
		}
	}
}

// write makes the edit of a plan: the roles first, without which some grants cannot be.
func (i *importer) write(files fs.FS) (schema.Edit, []schema.RefusedGrant, error) {
	all := schema.Edit{Outcome: schema.Unchanged, Files: map[string][]byte{}}
	take := func(e schema.Edit, err error) error {
		if err == nil && e.Outcome != schema.Unchanged {
			all.Outcome = schema.Added
			maps.Copy(all.Files, e.Files)
		}
		return err
	}
	if len(i.plan.Roles) > 0 {
		if err := take(schema.AddDestination(files, i.destination, schema.DestinationChange{})); err != nil {
			return all, nil, err
		}
		if err := take(schema.AddRoles(overlay(files, all.Files), i.destination, i.plan.Roles...)); err != nil {
			return all, nil, err
		}
	}
	for _, g := range i.plan.Groups {
		if err := take(schema.AddGroup(overlay(files, all.Files), g)); err != nil {
			return all, nil, err
		}
	}
	edit, refused, err := schema.AddGrants(overlay(files, all.Files), i.plan.Grants)
	return all, refused, take(edit, err)
}

// proved is the proposal of an edit, if it is proved that it changes nobody's access.
func (i *importer) proved(files fs.FS, before *schema.Snapshot, edit schema.Edit) (proposal, error) {
	after, err := load(overlay(files, edit.Files), nil)
	if err != nil {
		return proposal{}, err
	}
	if i.proof, err = adopt.Prove(i.objects, i.plan, before, after.Snapshot); err != nil {
		return proposal{}, fmt.Errorf("importing the bindings of %s: %w", i.destination, err)
	}
	i.at, i.mode = map[grantKey]schema.Grant{}, schema.ModeEnforce
	for _, g := range after.Snapshot.Grants {
		i.at[keyOfGrant(g)] = g
	}
	for _, d := range after.Snapshot.Destinations {
		if d.Name == i.destination {
			i.mode = d.Mode
		}
	}
	bindings := 0
	for _, item := range i.plan.Items {
		if !i.plan.Expected(item.Binding) {
			bindings++
		}
	}
	p := proposal{edit: edit, said: fmt.Sprintf("of %s, all that fits is granted on %s already", count(bindings, "binding"), i.destination)}
	if len(edit.Files) > 0 {
		p.said = fmt.Sprintf("%s on %s for what its bindings give", count(len(i.plan.Grants), "grant"), i.destination)
		p.subject = fmt.Sprintf("grants: import %s on %s from its role bindings", count(len(i.plan.Grants), "grant"), i.destination)
	}
	return p, nil
}
