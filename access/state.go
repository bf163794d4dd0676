package access

import (
	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/schema"
)

// DesiredState is what one cluster needs of the table, sealed: every entry in
// the names that the cluster's authenticator says. A destination that nothing
// names gets a state that says it is empty; a pattern never reaches the
// reserved schema.InfraDestination, whose grants are not a cluster's.
func (t *Table) DesiredState(destination string) api.DesiredState {
	d := t.destinations[destination]
	state := api.DesiredState{
		Destination: destination,
		Formerly:    d.Formerly,
		Mode:        api.Mode(d.Mode),
	}
	if destination == schema.InfraDestination {
		return api.Seal(state)
	}
	add := func(row Row) {
		state.Entries = append(state.Entries, entry(row, d.Subjects))
	}
	t.on(destination, func(row *Row) { add(*row) })
	return api.Seal(state)
}

func entry(row Row, names schema.SubjectNames) api.Entry {
	e := api.Entry{
		Kind:      api.User,
		Name:      names.UserPrefix + row.Subject.Name,
		Role:      row.Role,
		Namespace: row.Target.Namespace,
		Expires:   row.Expires,
	}
	if row.Subject.Kind == schema.GroupKind {
		e.Kind, e.Name = api.Group, names.GroupPrefix+row.Subject.Name
	}
	return e
}

// on calls do with each row that reaches a destination.
func (t *Table) on(destination string, do func(*Row)) {
	each := func(rows []Row) {
		for i := range rows {
			do(&rows[i])
		}
	}
	each(t.byDestination[destination])
	for _, rows := range t.patterned {
		if schema.MatchDestination(rows[0].Target.Destination, destination) {
			each(rows)
		}
	}
}
