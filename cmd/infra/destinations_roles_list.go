package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/schema"
)

// A roleItem is a role of a destination as `destinations roles list -o json` shows it.
type roleItem struct {
	Destination string        `json:"destination"`
	Name        string        `json:"name"`
	Rules       []apiRuleItem `json:"rules,omitzero"`
	File        string        `json:"file"`
	Line        int           `json:"line"`
}

// An apiRuleItem is a rule as RBAC has it.
type apiRuleItem struct {
	APIGroups       []string `json:"apiGroups,omitempty"`
	Resources       []string `json:"resources,omitempty"`
	ResourceNames   []string `json:"resourceNames,omitempty"`
	NonResourceURLs []string `json:"nonResourceURLs,omitempty"`
	Verbs           []string `json:"verbs"`
}

func (a *app) rolesListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:   "list [DESTINATION]",
		Short: "List the roles that destinations list",
		Long: `List the roles that one destination lists, or all do. The seven built-in ones are
on every destination and not among them.

Fields (docs/output.md): destination, name, rules (left out where they are unknown),
file, line.`,
		Example:           "  infra destinations roles list\n  infra destinations roles list prod -o yaml",
		Args:              arguments,
		ValidArgsFunction: a.completeArguments(namedDestinations),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				if err := knownDestination(s, args[0], "infra destinations roles list"); err != nil {
					return err
				}
			}
			return a.printList(roleList(s, args...), f)
		},
	}
	f.register(cmd, roleItem{}, listFormats...)
	return cmd
}

// roleList has the roles of the destinations given, or of all.
func roleList(s *schema.Snapshot, only ...string) list {
	l := list{columns: []column{{name: "Destination"}, {name: "Role"}, {name: "Rules"}, {name: "File", wide: true}}}
	items := []roleItem{}
	for _, d := range s.Destinations {
		if len(only) > 0 && !slices.Contains(only, d.Name) {
			continue
		}
		for _, r := range d.Roles {
			items = append(items, roleItem{Destination: d.Name, Name: r.Name, Rules: apiRuleItems(r.Rules), File: r.Pos.File, Line: r.Pos.Line})
		}
	}
	slices.SortFunc(items, func(x, y roleItem) int {
		return cmp.Or(cmp.Compare(x.Destination, y.Destination), cmp.Compare(x.Name, y.Name))
	})
	for _, i := range items {
		l.rows = append(l.rows, []any{i.Destination, i.Name, ruleWords(i.Rules), place(schema.Pos{File: i.File, Line: i.Line})})
		l.names = append(l.names, shell(i.Destination, i.Name))
	}
	l.values = items
	return l
}

func apiRuleItems(rules []schema.Rule) []apiRuleItem {
	if rules == nil {
		return nil
	}
	items := []apiRuleItem{}
	for _, r := range rules {
		items = append(items, apiRuleItem{APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames,
			NonResourceURLs: r.NonResourceURLs, Verbs: r.Verbs})
	}
	return items
}

// ruleWords are rules for people, as in "get,patch deployments.apps".
func ruleWords(rules []apiRuleItem) string {
	if rules == nil {
		return "unknown"
	}
	var out []string
	for _, r := range rules {
		var what []string
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				name, sub, hasSub := strings.Cut(resource, "/")
				if group != "" {
					name += "." + group
				}
				if hasSub {
					name += "/" + sub
				}
				what = append(what, name)
			}
		}
		text := strings.Join(r.Verbs, ",") + " " + strings.Join(append(what, r.NonResourceURLs...), ",")
		if len(r.ResourceNames) > 0 {
			text += " called " + strings.Join(r.ResourceNames, ",")
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}
