package reconciler

import (
	"cmp"
	"maps"
	"slices"
)

// full is how many subjects a binding may have before another is made. Each
// binding is walked at every request that the API server authorises, and each
// write costs by the length of the one that is written.
const full = 100

// A seat is one binding of a slot, as it is and as it is to be.
type seat struct {
	key     Key
	now     *Binding  // nil: it is to be created
	staying []Subject // in their order
	leaving []Subject
	moving  []Subject // into it, from bindings of former names
	joining []Subject // into it, new
}

func (s *seat) size() int { return len(s.staying) + len(s.moving) + len(s.joining) }

// arrange plans one slot.
func (b *board) arrange(s *slot) []Change {
	seats, holding := s.seated()
	movers := map[Subject]bool{}
	for _, o := range s.former {
		for _, subject := range o.Subjects {
			movers[subject] = true
		}
	}
	var moving, joining []Subject
	for _, subject := range s.wanted {
		switch {
		case holding[subject]:
		case movers[subject]:
			moving = append(moving, subject)
		default:
			joining = append(joining, subject)
		}
	}
	if n := len(moving) + len(joining); n > 0 {
		if reason := b.closed(s.namespace); reason != "" {
			b.hold(granted(s.role), s.namespace, reason, n)
			moving, joining = nil, nil
		}
	}
	slices.SortFunc(moving, Subject.Compare)
	slices.SortFunc(joining, Subject.Compare)
	at := map[Subject]Key{}
	seats = b.fill(s, seats, moving, func(to *seat, subject Subject) {
		to.moving, at[subject], holding[subject] = append(to.moving, subject), to.key, true
	})
	seats = b.fill(s, seats, joining, func(to *seat, subject Subject) { to.joining = append(to.joining, subject) })

	var out []Change
	for _, seat := range seats {
		out = append(out, b.writes(s, seat, holding)...)
	}
	for _, o := range s.former {
		c := Change{Stage: Take, Verb: Delete, Role: granted(s.role), Object: o, Loses: without(o.Subjects, holding)}
		if len(c.Loses) == 0 { // nobody is to lose anything, so the new comes first or not at all
			c.After = keysOf(o.Subjects, at)
		}
		out = append(out, c)
	}
	return out
}

// seated puts every wanted subject that is bound where it is, once, and says
// who is. Of a subject in two bindings the one in which nobody has to leave
// counts: so a binding that was replaced, and could not be deleted at once, goes.
func (s *slot) seated() ([]*seat, map[Subject]bool) {
	slices.SortFunc(s.objects, func(x, y Binding) int { return x.Key().Compare(y.Key()) })
	clean := func(o Binding) int {
		if len(o.Subjects) > 0 && !slices.ContainsFunc(o.Subjects, func(x Subject) bool { return !s.wants[x] }) {
			return 0
		}
		return 1
	}
	order := slices.SortedStableFunc(slices.Values(s.objects), func(x, y Binding) int {
		return cmp.Compare(clean(x), clean(y))
	})
	holding := make(map[Subject]bool, len(s.wanted))
	var seats []*seat
	for _, o := range order {
		seat := &seat{key: o.Key(), now: &o}
		for _, subject := range o.Subjects {
			if s.wants[subject] && !holding[subject] {
				holding[subject] = true
				seat.staying = append(seat.staying, subject)
			} else {
				seat.leaving = append(seat.leaving, subject)
			}
		}
		seats = append(seats, seat)
	}
	slices.SortFunc(seats, func(x, y *seat) int { return x.key.Compare(y.key) })
	return seats, holding
}

// fill puts subjects into the first bindings with room: those that stay anyway,
// then those that would be left empty, then new ones.
func (b *board) fill(s *slot, seats []*seat, subjects []Subject, put func(*seat, Subject)) []*seat {
	for _, mayBeEmpty := range []bool{false, true} {
		for _, seat := range seats {
			if (seat.size() == 0) != mayBeEmpty {
				continue
			}
			for len(subjects) > 0 && seat.size() < b.full {
				put(seat, subjects[0])
				subjects = subjects[1:]
			}
		}
	}
	for len(subjects) > 0 {
		seat := &seat{key: b.free(Key{s.namespace, b.own + granted(s.role)})}
		for len(subjects) > 0 && seat.size() < b.full {
			put(seat, subjects[0])
			subjects = subjects[1:]
		}
		seats = append(seats, seat)
	}
	return seats
}

// writes are the changes that a binding needs: none, or one for each stage in
// which something happens to it.
func (b *board) writes(s *slot, seat *seat, holding map[Subject]bool) []Change {
	var out []Change
	object := Binding{Namespace: seat.key.Namespace, Name: seat.key.Name, Role: s.role}
	relabel := false
	if seat.now != nil {
		object = *seat.now
		relabel = !b.labelled(object)
	}
	object.Labels = maps.Clone(object.Labels)
	if object.Labels == nil {
		object.Labels = map[string]string{}
	}
	maps.Copy(object.Labels, b.labels())

	write := func(stage Stage, subjects, gains, loses []Subject) {
		c := Change{Stage: stage, Verb: Update, Role: granted(s.role), Object: object, Gains: gains, Loses: loses}
		c.Object.Subjects = subjects
		switch {
		case len(out) > 0:
			c.After = []Key{seat.key}
		case seat.now == nil:
			c.Verb = Create
		}
		out = append(out, c)
	}
	loses := without(seat.leaving, holding)
	if seat.size() == 0 {
		return []Change{{Stage: Take, Verb: Delete, Role: granted(s.role), Object: *seat.now, Loses: loses}}
	}
	stays := slices.Concat(seat.staying, seat.moving)
	if seat.moving != nil || relabel && seat.leaving == nil && seat.joining == nil {
		before := stays
		if seat.now != nil {
			before = slices.Concat(seat.now.Subjects, seat.moving)
		}
		write(Keep, before, nil, nil)
	}
	if seat.leaving != nil {
		write(Take, stays, nil, loses)
	}
	if seat.joining != nil {
		write(Add, slices.Concat(stays, seat.joining), seat.joining, nil)
	}
	return out
}

func (b *board) labels() map[string]string {
	return map[string]string{ManagedByLabel: ManagedBy, DestinationLabel: b.destination}
}

func (b *board) labelled(o Binding) bool {
	return o.Labels[ManagedByLabel] == ManagedBy && o.Labels[DestinationLabel] == b.destination
}

// without are the subjects that are not in a set, sorted, each once.
func without(subjects []Subject, set map[Subject]bool) []Subject {
	var out []Subject
	for _, s := range subjects {
		if !set[s] {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, Subject.Compare)
	return slices.Compact(out)
}

func keysOf(subjects []Subject, at map[Subject]Key) []Key {
	var out []Key
	for _, s := range subjects {
		if k, ok := at[s]; ok {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, Key.Compare)
	return slices.Compact(out)
}
