package schema

import "math"

// readBrakes reads the brakes of infra.yaml. What a brake does not say is as in
// the one before it: of a destination as for all, and for all as in DefaultBrake.
func (f *parsedFile) readBrakes(r *reader, n *node) {
	b := Brakes{Pos: r.pos(n)}
	common, said := DefaultBrake, false
	set := func(b *Brake, key string, v *node) bool {
		switch key {
		case "people":
			if i, ok := r.number(v, key, 1, math.MaxInt32); ok {
				b.People = i
			}
		case "percent":
			if i, ok := r.number(v, key, 0, 100); ok {
				b.Percent = i
			}
		default:
			return false
		}
		return true
	}
	var destinations *node
	r.mapping(n, "brakes", []string{"people", "percent", "destinations"}, func(key string, _, v *node) {
		if set(&common, key, v) {
			said = true
		} else {
			destinations = v
		}
	})
	if said {
		b.Default = &common
	}
	count := 0
	if destinations != nil {
		r.each(destinations, "destinations", func(item *node) {
			if count++; count > maxRules {
				return
			}
			d := DestinationBrake{Brake: common, Pos: r.pos(item)}
			numbers := false
			ok := r.mapping(item, "a brake", []string{"name", "people", "percent"}, func(key string, _, v *node) {
				if set(&d.Brake, key, v) {
					numbers = true
					return
				}
				d.Name = r.name(v, key, validateDestinationPattern)
				f.name(r, v, "destination", d.Name)
			})
			if !ok {
				return
			}
			r.missing(item, "a brake", "name")
			if !numbers {
				r.errorf(d.Pos, "a brake without people or percent: it says nothing")
			}
			f.addBrake(r, &b, d)
		})
	}
	if count > maxRules {
		r.errorf(r.pos(destinations), "%d brakes: at most %d", count, maxRules)
	}
	f.settings.Brakes = b
}

// addBrake adds a brake, and notes where it does not count: the first that
// matches a destination does.
func (f *parsedFile) addBrake(r *reader, b *Brakes, d DestinationBrake) {
	if d.Name == "" {
		return
	}
	for _, before := range b.Destinations {
		switch {
		case before.Name == d.Name:
			r.errorf(d.Pos, "brake %s twice: first on line %d", quoted(d.Name), before.Pos.Line)
			return
		case MatchDestination(before.Name, d.Name):
			r.warnf(d.Pos, "brake %s never counts: %s comes before it, and the first that matches counts", quoted(d.Name), quoted(before.Name))
			b.Destinations = append(b.Destinations, d)
			return
		}
	}
	b.Destinations = append(b.Destinations, d)
}
