package way_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

func TestMain(m *testing.M) { way.Main(m) }

func TestEachRoleAllowsWhatTheGuideSaysUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	namespace, elsewhere := w.Namespace(t), w.Namespace(t)
	resources := map[string]string{"everywhere": w.Name, "here": w.Name + "." + namespace}

	// Each way of holding a role has somebody of its own for each role and place.
	type holding struct {
		through string
		flags   []string
		subject func(role, place string) string       // whom the grant names
		holder  func(role, place string) chart.Holder // who has it by that
	}
	person := func(role, place string) string { return fmt.Sprintf("%s-%s@%s.example.com", role, place, w.Name) }
	holdings := []holding{{
		through: "a user", subject: person,
		holder: func(role, place string) chart.Holder { return chart.Holder{User: person(role, place)} },
	}, {
		through: "a declared group", flags: []string{"-g"},
		subject: func(role, place string) string { return fmt.Sprintf("%s-team-%s-%s", w.Name, role, place) },
		holder:  func(role, place string) chart.Holder { return chart.Holder{User: "member-" + person(role, place)} },
	}, {
		through: "an identity provider's group", flags: []string{"-g"},
		subject: func(role, place string) string { return fmt.Sprintf("%s-idp-%s-%s", w.Name, role, place) },
		holder: func(role, place string) chart.Holder {
			return chart.Holder{User: "someone@example.com", Groups: []string{fmt.Sprintf("%s-idp-%s-%s", w.Name, role, place)}}
		},
	}}

	teams := holdings[1]
	var declared strings.Builder
	declared.WriteString("groups:\n")
	for _, role := range chart.Roles() {
		for place := range resources {
			fmt.Fprintf(&declared, "  - name: %s\n    users: [%s]\n", teams.subject(role, place), teams.holder(role, place).User)
		}
	}
	w.Commit("groups: who is in which team", map[string]string{"groups/teams.yaml": declared.String()})

	each := func(holdings []holding, do func(h holding, role, place string)) {
		for _, h := range holdings {
			for _, role := range chart.Roles() {
				for place := range resources {
					do(h, role, place)
				}
			}
		}
	}

	each(holdings, func(h holding, role, place string) {
		w.Infra(append([]string{"grants", "add", h.subject(role, place), resources[place], "--role", role}, h.flags...)...)
	})
	w.InForce()
	for _, h := range holdings {
		for _, role := range chart.Roles() {
			t.Run(role+" through "+h.through, func(t *testing.T) {
				chart.CheckRole(t, w.ControlPlane, role, h.holder(role, "everywhere"), h.holder(role, "here"), namespace, elsewhere)
			})
		}
	}

	// The first by the command, all others at once by hand.
	each(holdings[:1], func(h holding, role, place string) {
		w.Infra("grants", "remove", h.subject(role, place), resources[place], "--role", role)
	})
	w.Commit("grants: nothing", map[string]string{
		"grants/" + w.Name + ".yaml":    "grants: []\n",
		"acknowledgements/nothing.yaml": "acknowledgements: [{destination: " + w.Name + ", removals: 100, reason: it is meant}]\n",
	})
	w.InForce()
	each(holdings, func(h holding, role, place string) {
		who := h.holder(role, place)
		w.Eventually(t, controlplane.Question{User: who.User, Groups: who.Groups, Verb: "get", Resource: "pods", Namespace: namespace}, false)
	})
}
