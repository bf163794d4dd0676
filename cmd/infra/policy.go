package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

func (a *app) policyCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "policy",
		Short: "Show and test the rules that changes are judged by",
		Long: `Show and test the rules that changes are judged by: "policy:" in infra.yaml. A
change is judged by the rules that are in force before it; what the repository has
against its own rules already is what "infra validate" shows.`,
		Example: "  infra policy list\n  infra policy test",
	}, a.policyListCommand(), a.policyTestCommand())
}

// A ruleItem is a rule as `policy list -o json` shows it.
type ruleItem struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Cases   int    `json:"cases"`
	File    string `json:"file"`
	Line    int    `json:"line"`
}

func (a *app) policyListCommand() *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules",
		Long: `List the rules of the repository's policy, in the order of infra.yaml.

Fields (docs/output.md): name, kind (deny, require, protect, limit, separate,
declared, local or keys), message, cases (how many tests it has), file, line.`,
		Example: "  infra policy list\n  infra policy list -o json",
		Args:    arguments,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			items := []ruleItem{}
			l := list{columns: []column{{name: "Name"}, {name: "Kind"}, {name: "Message"}, {name: "Cases"}, {name: "File", wide: true}}}
			for _, r := range s.Settings.Policy {
				i := ruleItem{r.Name, ruleKind(r), r.Message, len(r.Cases), r.Pos.File, r.Pos.Line}
				items = append(items, i)
				l.rows = append(l.rows, []any{i.Name, i.Kind, i.Message, i.Cases, place(r.Pos)})
				l.names = append(l.names, i.Name)
			}
			l.values = items
			return a.printList(l, flags)
		},
	}
	flags.register(cmd, ruleItem{}, listFormats...)
	return cmd
}

// ruleKind is the key of infra.yaml that says what a rule does.
func ruleKind(r schema.PolicyRule) string {
	switch {
	case r.Deny != nil:
		return "deny"
	case r.Require != nil:
		return "require"
	case r.Protect != nil:
		return "protect"
	case r.Limit != nil:
		return "limit"
	case r.Separate != nil:
		return "separate"
	case r.Declared != nil:
		return "declared"
	case r.Local != nil:
		return "local"
	}
	return "keys"
}

// A caseItem is a case of a rule as `policy test -o json` shows it.
type caseItem struct {
	Rule    string `json:"rule"`
	Case    string `json:"case"`
	Want    string `json:"want"` // refused or allowed
	Got     string `json:"got"`
	Passed  bool   `json:"passed"`
	Message string `json:"message,omitempty"`
	File    string `json:"file"`
	Line    int    `json:"line"`
}

func (a *app) policyTestCommand() *cobra.Command {
	var flags listFlags
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Run the cases that stand beside the rules",
		Long: `Run the cases that stand beside the rules: what each rule says to a change of
the repository as it is, and whether that is what the case wants. Exits with 1
where one does not pass.

Fields (docs/output.md): rule, case, want and got (refused or allowed), passed,
message (what the rule said, or what happened instead), file, line.`,
		Example: "  infra policy test\n  infra policy test -o json",
		Args:    arguments,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.snapshot()
			if err != nil {
				return err
			}
			results := policy.Test(policy.Revision{ID: workTreeName, At: a.now().UTC(), Snapshot: s})
			l, failed := caseList(results)
			if err := a.printList(l, flags); err != nil {
				return err
			}
			switch {
			case failed > 0:
				return fmt.Errorf("%d of %s of the policy: not as wanted", failed, count(len(results), "case"))
			case len(results) == 0:
				a.say("the policy has no cases")
			default:
				a.say("%s of the policy: as wanted", count(len(results), "case"))
			}
			return nil
		},
	}
	flags.register(cmd, caseItem{}, unnamedFormats...)
	return cmd
}

func caseList(results []policy.CaseResult) (l list, failed int) {
	l.columns = []column{{name: "Result"}, {name: "Rule"}, {name: "Case"}, {name: "Want"}, {name: "Got"}, {name: "File"}, {name: "Message", wide: true}}
	items := []caseItem{}
	for _, r := range results {
		i := caseItem{
			Rule: r.Rule.Name, Case: caseText(r.Case), Want: "allowed", Passed: r.Passed,
			Message: r.Message, File: r.Case.Pos.File, Line: r.Case.Pos.Line,
		}
		other := "refused"
		if r.Case.Refused {
			i.Want, other = other, i.Want
		}
		result := "ok"
		if i.Got = i.Want; !r.Passed {
			failed++
			i.Got, result = other, "FAILED"
		}
		items = append(items, i)
		l.rows = append(l.rows, []any{result, i.Rule, i.Case, i.Want, i.Got, place(r.Case.Pos), i.Message})
	}
	l.values = items
	return l, failed
}

// caseText is a case in the words in which a person would propose it.
func caseText(c schema.Case) string {
	life := ""
	if c.Expires > 0 {
		life = " for " + lifetime(c.Expires)
	}
	switch {
	case c.Grant != nil:
		return fmt.Sprintf("grant %s %s on %s%s%s", c.Grant.Subject, c.Grant.Role, c.Grant.Target, life, because(c.Grant.Reason))
	case c.Remove != nil:
		return fmt.Sprintf("remove %s %s on %s", c.Remove.Subject, c.Remove.Role, c.Remove.Target)
	}
	where := ""
	if c.Key.Destination != "" {
		where = " on " + c.Key.Destination
	}
	return fmt.Sprintf("key of %s%s%s", c.Key.User, where, life)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf(", reason %q", reason)
}

// lifetime writes a stretch of time as infra.yaml does: 8h, 30d.
func lifetime(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}
