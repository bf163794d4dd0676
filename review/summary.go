package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// noChange is what a review says where nobody's access changes.
const noChange = "no change in access"

// summary is the review in one sentence, without a full stop: "1 person becomes
// equal to cluster-admin, 2 gain, 1 loses".
func (r Review) summary() string {
	if n := len(r.Problems.Errors()); n > 0 {
		return fmt.Sprintf("not readable: %s, so what it would change is not known", number(n, "error", "errors"))
	}
	var clauses []string
	if c := sum(r.Changes, schema.User).clauses("person", "people"); c != "" {
		clauses = append(clauses, c)
	}
	if c := sum(r.Changes, schema.GroupKind).clauses("idp group", "idp groups"); c != "" {
		clauses = append(clauses, c+" (members unknown to infra)")
	}
	if len(clauses) > 0 {
		return strings.Join(clauses, "; ")
	}
	// A role that allows more, or a cluster that hears other names, is no change of
	// anybody's roles and changes what they can do.
	reached := 0
	for _, c := range r.Changes {
		if c.Kind == access.RoleChanged || c.Kind == access.DestinationChanged {
			reached = max(reached, c.People)
		}
	}
	if reached > 0 {
		return fmt.Sprintf("nobody's roles change, but other changes reach %s", people(reached))
	}
	return noChange
}

// also counts what changes beside access: "1 key added, 2 policy rules changed".
// Empty: nothing does.
func (r Review) also() string {
	counts := map[access.Kind]int{}
	var kinds []access.Kind
	for _, c := range r.Changes {
		if c.Kind.OfAccess() {
			continue
		}
		if counts[c.Kind] == 0 {
			kinds = append(kinds, c.Kind)
		}
		counts[c.Kind]++
	}
	var out []string
	for _, k := range kinds {
		noun, does, _ := strings.Cut(string(k), " ")
		if rest, ok := strings.CutPrefix(string(k), "policy rule "); ok {
			noun, does = "policy rule", rest
		}
		many := noun + "s"
		if k == access.BrakesChanged || k == access.UsersChanged { // one, whatever it says
			out = append(out, string(k))
			continue
		}
		out = append(out, strings.TrimSpace(number(counts[k], noun, many)+" "+does))
	}
	return strings.Join(out, ", ")
}

// A tally counts subjects by what becomes of their access; one who both gains
// and loses counts as both.
type tally struct{ admins, gain, lose, longer, shorter map[string]bool }

func sum(changes []access.Change, kind schema.SubjectKind) tally {
	t := tally{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, c := range changes {
		if c.Subject.Kind != kind {
			continue
		}
		switch name := c.Subject.Name; {
		case c.Kind == access.Gained && c.Danger >= access.EqualsAdmin:
			t.admins[name] = true
		case c.Kind == access.Gained:
			t.gain[name] = true
		case c.Kind == access.Lost:
			t.lose[name] = true
		case c.Kind == access.Extended:
			t.longer[name] = true
		case c.Kind == access.Shortened:
			t.shorter[name] = true
		}
	}
	for name := range t.admins {
		delete(t.gain, name) // the worst is said once
	}
	return t
}

func (t tally) clauses(one, many string) string {
	var out []string
	for _, c := range []struct {
		who              map[string]bool
		singular, plural string
	}{
		{t.admins, "becomes equal to cluster-admin", "become equal to cluster-admin"},
		{t.gain, "gains", "gain"},
		{t.lose, "loses", "lose"},
		{t.longer, "keeps access longer", "keep access longer"},
		{t.shorter, "keeps access for less time", "keep access for less time"},
	} {
		n := len(c.who)
		if n == 0 {
			continue
		}
		verb := c.plural
		if n == 1 {
			verb = c.singular
		}
		if len(out) == 0 {
			if c.plural == "gain" || c.plural == "lose" {
				verb += " access"
			}
			out = append(out, number(n, one, many)+" "+verb)
		} else {
			out = append(out, count(n)+" "+verb)
		}
	}
	return strings.Join(out, ", ")
}

// touched lists the destinations with those who own them, at most so many of both:
// "dev (owner: @web), prod (owners: @sre, @ops)".
func (r Review) touched(most, mostOwners int) phrase {
	var out []phrase
	for _, d := range r.Destinations {
		item := say(named(d.Name))
		switch len(d.Owners) {
		case 0:
		case 1:
			item = say(item, " (owner: ", named(d.Owners[0]), ")")
		default:
			owners := names(d.Owners)
			if len(owners) > mostOwners {
				owners = append(owners[:mostOwners:mostOwners], say(count(len(d.Owners)-mostOwners)+" more"))
			}
			item = say(item, " (owners: ", join(owners, ", "), ")")
		}
		out = append(out, item)
	}
	if len(out) > most {
		out = append(out[:most:most], say(count(len(r.Destinations)-most)+" more"))
	}
	return join(out, ", ")
}

// everyOwner is more owners than a destination has.
const everyOwner = 1 << 20

// verdict says in one sentence what the judge makes of the change, without a full
// stop. Empty: nothing is against it.
func (r Review) verdict() phrase {
	invalid := len(r.Problems.Errors())
	var rules []string
	denied, braked := 0, 0
	for _, f := range r.Refusals {
		switch f.Kind {
		case policy.Denied:
			denied++
			rules = append(rules, string(f.Rule))
		case policy.Braked:
			braked++
		case policy.Invalid:
			if invalid == 0 {
				invalid = 1
			}
		}
	}
	slices.Sort(rules)
	by := list(names(slices.Compact(rules)), 5)
	switch {
	case invalid > 0:
		return say("refused: a revision with errors is not served")
	case denied > 0 && braked > 0:
		return say("refused by policy (", by, "), and held by the brake")
	case denied > 0:
		return say("refused by policy (", by, ")")
	case braked > 0:
		return say("held by the brake until the removal is acknowledged")
	}
	return nil
}

// command is what the reader types to see everything.
func (r Review) command() string {
	out := "infra diff"
	for _, rev := range []string{r.Base, r.Head} {
		if !plainRevision(rev) {
			return out
		}
		out += " " + rev
	}
	return out
}

// plainRevision says whether a revision's name can be typed into any shell as it
// is.
func plainRevision(s string) bool {
	return s != "" && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") == ""
}
