package schema

func (f *parsedFile) readAcknowledgement(r *reader, n *node) {
	before := len(r.problems)
	a := Acknowledgement{Pos: r.pos(n)}
	ok := r.mapping(n, "an acknowledgement", []string{"destination", "removals", "reason"}, func(key string, _, v *node) {
		switch key {
		case "destination":
			a.Destination = r.name(v, key, ValidateDestination)
		case "removals":
			a.Removals = r.count(v, key)
		case "reason":
			a.Reason = r.reason(v)
		}
	})
	if !ok {
		return
	}
	r.missing(n, "an acknowledgement", "destination", "removals")
	if len(r.problems) == before {
		f.acknowledgements = append(f.acknowledgements, a)
	}
}
