package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// A Proof is what was compared.
type Proof struct {
	Subjects int // people, groups and ServiceAccounts that hold something, but by Kubernetes' own bindings
	Holdings int // what they hold: a set of roles at a place each
}

// An UnequalError says that somebody would have more or less than before.
type UnequalError struct {
	Gains, Losses []string // sorted sentences
}

// Error names the first few.
func (e *UnequalError) Error() string {
	all := append(slices.Clone(e.Losses), e.Gains...)
	text := strings.Join(all[:min(3, len(all))], "; ")
	if len(all) > 3 {
		text += fmt.Sprintf("; and %d more", len(all)-3)
	}
	return "it would not be the same access: " + text
}

// Prove shows that nobody gains or loses anything by a plan: with what the repository
// says after it, once the steps are done and what is superseded is gone, everybody
// has the same rules at the same places as with what it said before and all bindings.
// It takes the plan's word for nothing else. Other destinations have to be as before,
// altogether. Where it is not so, the error is *UnequalError.
func Prove(o Objects, p Plan, before, after *schema.Snapshot) (Proof, error) {
	gone := map[bindingKey]bool{}
	for _, i := range p.Items {
		if i.Superseded() {
			gone[keyOf(i.Binding)] = true
		}
	}
	was, is := newWorld(o, p.Steps), newWorld(o, p.Steps)
	for _, b := range o.Bindings {
		if b.Internal() { // never superseded; and what a connector makes of the repository comes from there
			continue
		}
		was.bind(b)
		if !gone[keyOf(b)] {
			is.bind(b)
		}
	}
	old, now := access.Resolve(before, before.Revoked), access.Resolve(after, after.Revoked)
	was.grant(old.DesiredState(p.Destination))
	is.grant(now.DesiredState(p.Destination))
	e := was.compare(is)
	for _, name := range append(old.Destinations(), now.Destinations()...) {
		if name != p.Destination && old.DesiredState(name).Digest != now.DesiredState(name).Digest {
			e.Gains = append(e.Gains, "access to "+name+" would be other than it is")
		}
	}
	if len(e.Gains)+len(e.Losses) > 0 {
		return Proof{}, e
	}
	proof := Proof{Holdings: len(was.held)}
	subjects := map[reconciler.Subject]bool{}
	for h := range was.held {
		subjects[h.subject] = true
	}
	proof.Subjects = len(subjects)
	return proof, nil
}

// bindingKey names a binding among all.
type bindingKey struct{ kind, namespace, name string }

func keyOf(b Binding) bindingKey { return bindingKey{b.Kind, b.Namespace, b.Name} }

// A world is who holds which roles where.
type world struct {
	rules    map[reconciler.Key][]schema.Rule
	given    map[string]bool // ClusterRoles that infra can bind, but for the built-in
	complete bool
	held     map[holder]map[string]bool // to the roles, as "Kind namespace/name"
	atoms    map[string][]string        // of the roles that are held
}

// A holder is somebody at a place, until some time.
type holder struct {
	subject   reconciler.Subject
	namespace string // empty: the whole cluster; may be a pattern, where a grant has one
	until     string // empty: for good
}

func newWorld(o Objects, steps Steps) *world {
	w := &world{
		rules: map[reconciler.Key][]schema.Rule{}, given: map[string]bool{}, complete: o.Complete,
		held: map[holder]map[string]bool{}, atoms: map[string][]string{},
	}
	for _, r := range o.Roles {
		w.rules[reconciler.Key{Namespace: r.Namespace, Name: r.Name}] = r.Rules
		if r.Namespace == "" && r.Included {
			w.given[r.Name] = true
		}
	}
	for _, r := range steps.Make {
		w.rules[reconciler.Key{Name: r.Name}] = r.Rules
		w.given[r.Name] = true
	}
	for _, name := range steps.Label {
		w.given[name] = true
	}
	return w
}

// bind adds what a binding gives.
func (w *world) bind(b Binding) {
	key := reconciler.Key{Name: b.Role.Name}
	if b.Role.Kind == roleKind {
		key.Namespace = b.Namespace
	}
	for _, s := range b.Subjects {
		w.add(holder{subject: s, namespace: b.Namespace}, key)
	}
}

// grant adds what a connector would bind.
func (w *world) grant(state api.DesiredState) {
	for _, e := range state.Entries {
		name := reconciler.ClusterRole(e.Role)
		if builtin[name] == "" && !w.given[name] {
			continue // the connector holds it back
		}
		h := holder{subject: reconciler.Subject{Kind: string(e.Kind), Name: e.Name}, namespace: e.Namespace}
		if !e.Expires.IsZero() {
			h.until = " until " + e.Expires.String()
		}
		w.add(h, reconciler.Key{Name: name})
	}
}

func (w *world) add(h holder, role reconciler.Key) {
	rules, known := w.rules[role]
	if !known && w.complete {
		return
	}
	text := role.Namespace + "/" + role.Name
	if _, ok := w.atoms[text]; !ok {
		w.atoms[text] = atoms(rules)
		if !known {
			w.atoms[text] = []string{"all that " + ClusterRole + " " + role.Name + " allows"}
		}
	}
	if w.held[h] == nil {
		w.held[h] = map[string]bool{}
	}
	w.held[h][text] = true
}

// compare finds who has other rules in another world.
func (w *world) compare(is *world) *UnequalError {
	e := &UnequalError{}
	holders := map[holder]bool{}
	for _, world := range []*world{w, is} {
		for h := range world.held {
			holders[h] = true
		}
	}
	for h := range holders {
		if sameKeys(w.held[h], is.held[h]) {
			continue
		}
		before, after := w.allowed(h), is.allowed(h)
		for _, a := range before {
			if _, ok := slices.BinarySearch(after, a); !ok {
				e.Losses = append(e.Losses, h.text("loses", a))
			}
		}
		for _, a := range after {
			if _, ok := slices.BinarySearch(before, a); !ok {
				e.Gains = append(e.Gains, h.text("gains", a))
			}
		}
	}
	slices.Sort(e.Losses)
	slices.Sort(e.Gains)
	return e
}

// allowed is all that somebody may do at a place, sorted.
func (w *world) allowed(h holder) []string {
	var out []string
	for role := range w.held[h] {
		out = append(out, w.atoms[role]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (h holder) text(verb, what string) string {
	place := "on the whole cluster"
	if h.namespace != "" {
		place = "in " + h.namespace
	}
	return fmt.Sprintf("%s %s %s %s%s", h.subject, verb, what, place, h.until)
}

func sameKeys(a, b map[string]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}
