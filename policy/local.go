package policy

import "github.com/infrahq/infra/schema"

// newLocal judges `local`: on these destinations only groups of
// groups/<destination>/ are granted. A grant whose destination is a pattern
// that reaches one of them is against it, whomever it names. Who is in such a
// group, and which groups are nested in it, is for the owners of its file.
func newLocal(destinations []string) judge {
	picked := newPicker(schema.Selector{Destinations: destinations})
	return accessJudge(func(w *world) []breach {
		home := map[string]string{} // of groups
		for _, g := range w.snapshot.Groups {
			home[g.Name] = g.Destination
		}
		var out []breach
		for row, reason := range picked.picks(w, false) {
			d := row.Target.Destination
			if s := reason.Grant.Subject; s.Kind == schema.GroupKind && home[s.Name] == d {
				continue
			}
			b := breach{row: row, reason: reason, until: reason.Grant.Expires, tail: ", and not through a group of groups/" + d + "/",
				way: "grant it to a group that groups/" + d + "/ declares"}
			if schema.IsPattern(d) {
				b.tail = ", and not through a group of the destination's own folder below groups/"
				b.way = "grant it on each destination by its name, to a group of its own folder below groups/"
			}
			out = append(out, b)
		}
		return out
	})
}
