package main

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

func (a *app) destinationsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "destinations",
		Short: "Say which clusters there are, and how they are treated",
		Long: `Say which clusters there are, and how they are treated. One is there as soon as
something is granted on it. An entry in destinations/ says more: labels, whether its
connector enforces, how its authenticator names people, and which roles there are
besides the built-in ones.`,
		Example: `  infra destinations add prod --label env=production --user-prefix oidc:
  infra destinations set prod --mode observe
  infra destinations roles add prod deploy-bot --verb get,patch --resource deployments
  infra destinations list`,
	}, a.destinationsAddCommand(), a.destinationsSetCommand(), a.destinationsLabelCommand(), a.destinationsRemoveCommand(),
		a.destinationsListCommand(), a.destinationsRolesCommand(), a.renameCommand(schema.ADestination, namedDestinations))
}

// namedDestinations are those that are clusters: no pattern, and not the server itself.
func namedDestinations(s *schema.Snapshot) []string {
	return slices.DeleteFunc(destinations(s), func(name string) bool {
		return schema.IsPattern(name) || name == schema.InfraDestination
	})
}

// declaredDestinations are those that have an entry.
func declaredDestinations(s *schema.Snapshot) []string {
	out := set{}
	for _, d := range s.Destinations {
		out[d.Name] = true
	}
	return out.sorted()
}

// declaredDestination is the entry of a destination; zero: there is none.
func declaredDestination(s *schema.Snapshot, name string) schema.Destination {
	i := slices.IndexFunc(s.Destinations, func(d schema.Destination) bool { return d.Name == name })
	if i < 0 {
		return schema.Destination{}
	}
	return s.Destinations[i]
}

// knownDestination is an error for a destination that nothing names, as it is more
// likely misspelt than new. call is the command without it.
func knownDestination(s *schema.Snapshot, name, call string) error {
	known := namedDestinations(s)
	if slices.Contains(known, name) {
		return nil
	}
	return nearest(fmt.Errorf("no destination %q: no file declares it, and nothing is granted there", name), name, known,
		"infra destinations add "+shell(name)+" declares it", call+" ")
}

// changeDestination declares a destination or changes its entry.
func changeDestination(files fs.FS, name string, c schema.DestinationChange) (proposal, error) {
	edit, err := schema.AddDestination(files, name, c)
	if err != nil {
		return proposal{}, err
	}
	what := strings.Join(changesOf(c), ", ")
	with := func(between string) string {
		if what == "" {
			return ""
		}
		return between + what
	}
	switch edit.Outcome {
	case schema.Added:
		return proposal{edit: edit, subject: "destinations: add " + name + with(": "), said: fmt.Sprintf("destination %s is declared%s", name, with(": "))}, nil
	case schema.Unchanged:
		if what == "" {
			return proposal{said: fmt.Sprintf("destination %s is declared already", name)}, nil
		}
		return proposal{said: fmt.Sprintf("destination %s has %s already", name, what)}, nil
	}
	return proposal{edit: edit, subject: "destinations: " + name + with(": "), said: fmt.Sprintf("destination %s has %s", name, what)}, nil
}

// changesOf says a change in words.
func changesOf(c schema.DestinationChange) []string {
	var out []string
	if c.Mode != "" {
		out = append(out, "mode "+string(c.Mode))
	}
	for _, p := range []struct {
		name   string
		prefix *string
	}{{"user prefix", c.UserPrefix}, {"group prefix", c.GroupPrefix}} {
		switch {
		case p.prefix == nil:
		case *p.prefix == "":
			out = append(out, "no "+p.name)
		default:
			out = append(out, fmt.Sprintf("%s %q", p.name, *p.prefix))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		if v := c.Labels[k]; v == "" {
			out = append(out, "no label "+k)
		} else {
			out = append(out, "label "+k+"="+v)
		}
	}
	return out
}
