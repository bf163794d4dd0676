package reconciler

import "slices"

// Fallback is the other way to make an update that takes away, for when the
// cluster refuses it: who stays is bound under a free name first, and the old
// binding is deleted then, which needs no right over the role. It is empty for
// any other change. objects are the bindings that the cluster has by now; where
// the old one is no longer among them there is nothing to do.
func Fallback(c Change, destination string, objects []Binding) []Change {
	if c.Verb != Update || c.Stage != Take {
		return nil
	}
	taken := map[Key]bool{}
	for _, o := range objects {
		taken[o.Key()] = true
	}
	i := slices.IndexFunc(objects, func(o Binding) bool { return o.Key() == c.Object.Key() })
	if i < 0 {
		return nil
	}
	remove := Change{Stage: Take, Verb: Delete, Role: c.Role, Object: objects[i], Loses: c.Loses}
	if len(c.Object.Subjects) == 0 {
		return []Change{remove}
	}
	rest := Change{Stage: Keep, Verb: Create, Role: c.Role, Object: c.Object}
	n := namer{taken: taken, next: map[Key]int{}}
	rest.Object.Name = n.free(Key{c.Object.Namespace, Prefix(destination) + c.Role}).Name
	rest.Object.Version, rest.Object.UID = "", ""
	remove.After = []Key{rest.Object.Key()}
	return []Change{rest, remove}
}
