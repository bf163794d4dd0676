package policy

import (
	"fmt"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// lostDeclarations refuses a change that takes away the declaration of a group
// that still reaches a grant: ten people whom every review named would become
// a group of the identity provider, whose members nobody here knows.
func lostDeclarations(accepted, next *schema.Snapshot) []Refusal {
	lost := map[string]schema.Group{}
	for _, g := range accepted.Groups {
		lost[g.Name] = g
	}
	for _, g := range next.Groups {
		delete(lost, g.Name)
	}
	if len(lost) == 0 {
		return nil
	}
	var refusals []Refusal
	// What is revoked today may be restored tomorrow, so it counts as granted.
	for _, row := range access.Resolve(next, schema.Revoked{}).Rows() {
		group, isLost := lost[row.Subject.Name]
		if row.Subject.Kind != schema.GroupKind || !isLost {
			continue
		}
		delete(lost, group.Name) // once for each group is enough
		refusals = append(refusals, Refusal{
			Kind: Denied,
			Rule: Declaration,
			Pos:  row.Reasons[0].Grant.Pos,
			Message: fmt.Sprintf("group %q is granted %s on %s but is no longer declared (it was at %s): its members would be unknown",
				group.Name, row.Role, row.Target, group.Pos),
			Hint: fmt.Sprintf("declare group %q again, or remove its grants in the same change", group.Name),
		})
	}
	return refusals
}
