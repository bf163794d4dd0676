package adopt

import (
	"slices"
	"strings"

	"github.com/infrahq/infra/schema"
)

// atoms are rules taken apart, each as one verb on one thing, sorted and once: what a
// set of rules allows, but for what a wildcard of one covers of another.
func atoms(rules []schema.Rule) []string {
	var out []string
	for _, r := range rules {
		for _, verb := range r.Verbs {
			for _, url := range r.NonResourceURLs {
				out = append(out, verb+" "+url)
			}
			for _, group := range r.APIGroups {
				for _, resource := range r.Resources {
					thing := verb + " " + resource
					if group != "" {
						thing += "." + group
					}
					if len(r.ResourceNames) == 0 {
						out = append(out, thing)
					}
					for _, name := range r.ResourceNames {
						out = append(out, thing+" "+quote(name))
					}
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// quote keeps a resource's name apart from what stands before it.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `\"`) + `"` }
