package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/infrahq/infra/schema"
)

// A destinationItem is a destination as `destinations list -o json` shows it.
type destinationItem struct {
	Name        string            `json:"name"`
	Mode        string            `json:"mode"`
	Labels      map[string]string `json:"labels,omitempty"`
	UserPrefix  string            `json:"userPrefix,omitempty"`
	GroupPrefix string            `json:"groupPrefix,omitempty"`
	Roles       []string          `json:"roles,omitzero"`
	Formerly    []string          `json:"formerly,omitempty"`
	Grants      int               `json:"grants"`
	File        string            `json:"file,omitempty"`
	Line        int               `json:"line,omitempty"`
}

func (a *app) destinationsListCommand() *cobra.Command {
	var (
		f        listFlags
		selector string
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the destinations",
		Long: `List the destinations: those that a file declares, and those that grants or keys name.
The grants that are counted are those that reach the destination or a namespace of it,
by its name or by a pattern.

Fields (docs/output.md): name, mode, labels, userPrefix, groupPrefix, roles, formerly,
grants, file, line.`,
		Example: "  infra destinations list\n  infra destinations list --selector env=production -o wide",
		Args:    arguments,
		RunE: func(*cobra.Command, []string) error {
			chosen, err := labels.Parse(selector)
			if err != nil {
				return hint(fmt.Errorf("--selector: %w", err), "write it like kubectl: env=production,region!=eu")
			}
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			return a.printList(destinationList(s, chosen), f)
		},
	}
	cmd.Flags().StringVarP(&selector, "selector", "l", "", "only those whose labels fit this `selector`, as of kubectl")
	f.register(cmd, destinationItem{}, listFormats...)
	return cmd
}

func destinationList(s *schema.Snapshot, chosen labels.Selector) list {
	l := list{columns: []column{{name: "Name"}, {name: "Mode"}, {name: "Labels"}, {name: "Grants"}, {name: "Roles", wide: true},
		{name: "User prefix", wide: true}, {name: "Group prefix", wide: true}, {name: "Formerly", wide: true}, {name: "File", wide: true}}}
	items := []destinationItem{}
	reach := grantsByDestination(s)
	declared := map[string]schema.Destination{}
	for _, d := range s.Destinations {
		declared[d.Name] = d
	}
	for _, name := range namedDestinations(s) {
		d, isDeclared := declared[name]
		if !chosen.Matches(labels.Set(d.Labels)) {
			continue
		}
		i := destinationItem{Name: name, Mode: string(cmp.Or(d.Mode, schema.ModeEnforce)), Labels: d.Labels, UserPrefix: d.Subjects.UserPrefix,
			GroupPrefix: d.Subjects.GroupPrefix, Formerly: d.Formerly, Grants: reach(name), File: d.Pos.File, Line: d.Pos.Line}
		roles := "any"
		if d.Roles != nil {
			i.Roles = roleNames(d)
			roles = strings.Join(i.Roles, ",")
		}
		file := ""
		if isDeclared {
			file = place(d.Pos)
			l.names = append(l.names, name)
		}
		items = append(items, i)
		l.rows = append(l.rows, []any{name, i.Mode, labelText(d.Labels), i.Grants, roles, i.UserPrefix, i.GroupPrefix, strings.Join(i.Formerly, ","), file})
	}
	l.values = items
	return l
}

// grantsByDestination counts the grants that reach a destination.
func grantsByDestination(s *schema.Snapshot) func(name string) int {
	counts := map[string]int{}
	for _, g := range s.Grants {
		counts[g.Target.Destination]++
	}
	patterns := slices.DeleteFunc(slices.Collect(maps.Keys(counts)), func(d string) bool { return !schema.IsPattern(d) })
	return func(name string) int {
		n := counts[name]
		for _, p := range patterns {
			if schema.MatchDestination(p, name) {
				n += counts[p]
			}
		}
		return n
	}
}

// roleNames are the roles that a destination lists; never nil.
func roleNames(d schema.Destination) []string {
	names := []string{}
	for _, r := range d.Roles {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

func labelText(of map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(of)) {
		out = append(out, k+"="+of[k])
	}
	return strings.Join(out, ",")
}
