package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/kube"
	"github.com/infrahq/infra/schema"
)

// requestFlags ask about a verb of Kubernetes instead of a role.
type requestFlags struct{ verb, resource, name, url string }

func (f *requestFlags) register(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.verb, "verb", "", "ask about this `verb` of Kubernetes: get, list, create, ...")
	flags.StringVar(&f.resource, "resource", "", "what of the cluster the verb is about: pods, deploy, pods/exec, certificates.cert-manager.io")
	flags.StringVar(&f.name, "name", "", "the one thing of that `name`")
	flags.StringVar(&f.url, "url", "", "what the verb is about where it is no resource: /metrics")
	cmd.MarkFlagsMutuallyExclusive("resource", "url")
	cmd.MarkFlagsMutuallyExclusive("name", "url")
	check(cmd.RegisterFlagCompletionFunc("verb", cobra.FixedCompletions(
		[]string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "bind", "escalate"}, cobra.ShellCompDirectiveNoFileComp)))
	a.complete(cmd, "resource", kubeResources)
	for _, flag := range []string{"name", "url"} {
		check(cmd.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions))
	}
}

// asked says whether it is about a verb at all.
func (f requestFlags) asked() bool { return f != requestFlags{} }

// request reads what the flags ask.
func (f requestFlags) request(cmd *cobra.Command) (kube.Request, error) {
	switch {
	case f.verb == "":
		return kube.Request{}, usage(cmd, "--verb is missing: what is it that one may do")
	case f.url != "" && !strings.HasPrefix(f.url, "/"):
		return kube.Request{}, hint(fmt.Errorf("--url: %q does not begin with /", f.url), "--url %s", shell("/"+f.url))
	case f.url != "":
		return kube.Request{Verb: f.verb, URL: f.url}, nil
	case f.resource == "":
		return kube.Request{}, usage(cmd, "--resource is missing: what of the cluster is it that one may %s", f.verb)
	}
	group, resource, err := kube.ParseResource(f.resource)
	switch {
	case errors.Is(err, kube.ErrNoResource):
		return kube.Request{}, nearest(fmt.Errorf("--resource: %w", err), f.resource, kube.ResourceNames(),
			"one of the cluster's own is written with its group: certificates.cert-manager.io")
	case err != nil:
		return kube.Request{}, fmt.Errorf("--resource: %w", err)
	}
	return kube.Request{Verb: f.verb, Group: group, Resource: resource, Name: f.name}, nil
}

// kubeResources are those of Kubernetes and those that custom roles name.
func kubeResources(s *schema.Snapshot) []string {
	out := set{}
	for _, name := range kube.ResourceNames() {
		out[name] = true
	}
	for _, d := range s.Destinations {
		for _, role := range d.Roles {
			for _, rule := range role.Rules {
				for _, g := range rule.APIGroups {
					for _, r := range rule.Resources {
						out[strings.TrimSuffix(r+"."+g, ".")] = true
					}
				}
			}
		}
	}
	return out.sorted()
}

// place checks that a request can be about a target.
func (m *moment) place(cmd *cobra.Command, r kube.Request, t schema.Target) error {
	switch {
	case t.Destination == schema.InfraDestination:
		return fmt.Errorf("%s is infra's own server: nothing of Kubernetes is there", t)
	case schema.IsPattern(t.Destination):
		return usage(cmd, "%s is a pattern, and custom roles mean something else on each cluster: name one, or none", t)
	case t.Namespace != "" && r.OfCluster():
		what := r.Resource
		if r.URL != "" {
			what = r.URL
		}
		return hint(fmt.Errorf("%s: this is of the whole cluster, and in no namespace", what), "%s", askedAgain(cmd, r, t.String(), t.Destination))
	}
	return nil
}

// askedAgain is the same call about another resource.
func askedAgain(cmd *cobra.Command, r kube.Request, old, resource string) string {
	words := []string{cmd.CommandPath()}
	if cmd.Flags().Changed("group") {
		words = append(words, "-g")
	}
	for _, arg := range cmd.Flags().Args() {
		if arg == old {
			arg = resource
		}
		words = append(words, shell(arg))
	}
	words = append(words, "--verb", shell(r.Verb))
	if r.URL != "" {
		return strings.Join(append(words, "--url", shell(r.URL)), " ")
	}
	words = append(words, "--resource", shell(r.Of()))
	if r.Name != "" {
		words = append(words, "--name", shell(r.Name))
	}
	return strings.Join(words, " ")
}

// askedTarget is the resource that a request is about; nil: none is said.
func (m *moment) askedTarget(cmd *cobra.Command, r kube.Request, args []string) (*schema.Target, error) {
	if len(args) == 0 {
		return nil, nil
	}
	target, err := m.target(args[0])
	if err != nil {
		return nil, err
	}
	return &target, m.place(cmd, r, target)
}

// allows is what is known of which role allows a request where.
func (m *moment) allows(r kube.Request) access.Allows {
	return func(role, destination string) access.Answer {
		rules, known := m.rules(role, destination)
		switch {
		case r.AllowedBy(rules):
			return access.AnswerYes
		case !known, kube.Extensible(role) && r.URL == "" && !kube.Owns(r.Group):
			return access.AnswerUnknown
		}
		return access.AnswerNo
	}
}

// rules are those of a role on a destination, where they are known. A role that is
// not on the list of a destination does not exist there.
func (m *moment) rules(role, destination string) (rules []schema.Rule, known bool) {
	if rules, ok := kube.Rules(role); ok {
		return rules, true
	}
	for _, d := range m.snapshot.Destinations {
		if d.Name != destination || d.Roles == nil {
			continue
		}
		i := slices.IndexFunc(d.Roles, func(r schema.Role) bool { return r.Name == role })
		if i < 0 {
			return nil, true
		}
		return d.Roles[i].Rules, d.Roles[i].Rules != nil
	}
	return nil, false
}

// sayBeyond says what no answer about a verb can know.
func (a *app) sayBeyond(r kube.Request) {
	if role := kube.Everyone(r); role != "" {
		a.say("everybody with a login may %s anyway, by Kubernetes' own role %s", r, role)
	}
	a.say("not known here: bindings that others made in the cluster, and what it adds to admin, edit and view")
}

// sayModes says which of the destinations that targets mean do not enforce what
// the repository says.
func (a *app) sayModes(s *schema.Snapshot, targets []schema.Target) {
	for _, d := range s.Destinations {
		reached := slices.ContainsFunc(targets, func(t schema.Target) bool { return schema.MatchDestination(t.Destination, d.Name) })
		switch {
		case !reached:
		case d.Mode == schema.ModeObserve:
			a.say("%s is only observed (%s): what its cluster gives may be something else", d.Name, place(d.Pos))
		case d.Mode == schema.ModeSuspend:
			a.say("%s is suspended (%s): what its cluster gives may be something else", d.Name, place(d.Pos))
		}
	}
}
