package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// who is the subject of a line of access: a person, a group with how many of it,
// or a group of the identity provider.
func (l line) who() phrase {
	switch {
	case l.Subject.Kind == schema.GroupKind:
		return say("idp group ", part{free, l.Subject.Name})
	case !l.summed():
		return say(named(l.Subject.Name))
	case len(l.all) < l.GroupSize:
		return say(named(l.Group), fmt.Sprintf(" (%s of %s)", count(len(l.all)), people(l.GroupSize)))
	}
	return say(named(l.Group), fmt.Sprintf(" (%s)", people(len(l.all))))
}

// verb is what becomes of the access.
func (l line) verb() string {
	if l.Kind == access.Extended || l.Kind == access.Shortened {
		return "keeps"
	}
	return string(l.Kind)
}

// notes are what there is to say beside who, verb, role and target, the most
// telling first. The place is not among them.
func (l line) notes() []phrase {
	var out []phrase
	add := func(p phrase) {
		if len(p) > 0 {
			out = append(out, p)
		}
	}
	add(l.whoElse())
	add(l.way())
	add(l.reach())
	add(l.ends())
	add(l.reason())
	add(l.besides())
	if l.Kind != access.Lost {
		add(allows(l.Powers))
	}
	add(l.outlives())
	return out
}

// where is the target. Where there are too many for a column, it is how many, and
// all of them in a note.
func (l line) where() (where, all phrase) {
	targets := l.targets()
	names := list(targetNames(targets), len(targets))
	switch {
	case len(targets) == 1 || columns(names.plain()) <= targetsWidth:
		return names, nil
	case slices.ContainsFunc(targets, func(t schema.Target) bool { return t.Namespace != "" }):
		return say(count(len(targets)) + " places"), say("on ", names)
	}
	return say(count(len(targets)) + " clusters"), say("on ", names)
}

// targetsWidth is how many columns several targets may take before they are
// counted.
const targetsWidth = 24

func targetNames(targets []schema.Target) []phrase {
	out := make([]phrase, len(targets))
	for i, t := range targets {
		out[i] = say(named(t.String()))
	}
	return out
}

// whoElse names the people of a small sum, and says what infra cannot know.
func (l line) whoElse() phrase {
	switch {
	case l.Subject.Kind == schema.GroupKind:
		return say("members unknown to infra")
	case l.summed() && len(l.people()) <= fewPeople:
		return list(names(l.people()), fewPeople)
	}
	return nil
}

// fewPeople are named beside their group.
const fewPeople = 4

// way is how a group brings it: "through group oncall, from engineering".
func (l line) way() phrase {
	if len(l.Reasons) == 0 {
		return nil
	}
	var out phrase
	if !l.summed() {
		out = through(l.Reasons[0].Via)
	} else if outer, same := l.outerGroups(); same {
		out = through(outer)
	}
	if n := len(l.Reasons) - 1; n > 0 {
		if len(out) > 0 {
			out = say(out, ", ")
		}
		var places []phrase
		for _, r := range l.Reasons[1:] {
			places = append(places, place(r.Grant.Pos, l.InOld))
		}
		out = say(out, "also by ", list(places, 3))
	}
	return out
}

// outerGroups are the groups through which the group of a sum has what it has,
// outermost first, where they are the same for all of its people.
func (l line) outerGroups() ([]string, bool) {
	outer := func(c access.Change) []string {
		via := c.Reasons[0].Via
		if i := slices.Index(via, l.Group); i >= 0 {
			return via[:i]
		}
		return via
	}
	first := outer(l.Change)
	for _, c := range l.all {
		if !slices.Equal(outer(c), first) {
			return nil, false
		}
	}
	return first, true
}

// through says the groups on the way, given from the outermost.
func through(via []string) phrase {
	n := len(via)
	if n == 0 {
		return nil
	}
	out := say("through group ", named(via[n-1]))
	for i := n - 2; i >= 0; i-- {
		between := ", in "
		if i == 0 {
			between = ", from "
		}
		out = say(out, between, named(via[i]))
	}
	return out
}

// reach says which destinations a pattern means.
func (l line) reach() phrase {
	switch {
	case !schema.IsPattern(l.Target.Destination):
		return nil
	case len(l.Destinations) == 0:
		return say("no known destination matches yet")
	}
	return say("matches ", list(names(l.Destinations), 5))
}

// ends is the expiry, and the one before where it changes.
func (l line) ends() phrase {
	instead := func(how string) phrase {
		return say(fmt.Sprintf("%s: %s, before: %s", how, until(l.Expires), until(l.Before)))
	}
	switch l.Kind {
	case access.Extended:
		return instead("longer")
	case access.Shortened:
		return instead("shorter")
	case access.Lost:
		if l.Expires.IsZero() {
			return nil
		}
		return say("it was " + until(l.Expires))
	}
	return say(until(l.Expires))
}

func (l line) reason() phrase {
	if len(l.Reasons) == 0 || l.Reasons[0].Grant.Reason == "" {
		return nil
	}
	return say("reason ", part{free, l.Reasons[0].Grant.Reason})
}

// besides is what they had of it before they gained, or keep though they lose.
func (l line) besides() phrase {
	if !l.summed() {
		return l.had(l.Others)
	}
	with := 0
	for _, c := range l.all {
		if len(c.Others) > 0 {
			with++
		}
	}
	does := "had"
	switch {
	case l.Kind == access.Lost && with == 1:
		does = "keeps"
	case l.Kind == access.Lost:
		does = "keep"
	}
	switch {
	case with == 0:
		return nil
	case with < len(l.all):
		return say(fmt.Sprintf("%s of them %s some of it", count(with), does))
	}
	// What all of them have is what the first has, where that is the same for all.
	first := l.had(l.Others).plain()
	for _, c := range l.all {
		if l.had(c.Others).plain() != first {
			return say("all of them " + does + " some of it")
		}
	}
	return l.had(l.Others)
}

func (l line) had(rows []access.Row) phrase {
	if len(rows) == 0 {
		return nil
	}
	var items []phrase
	for _, r := range rows {
		item := say(named(r.Role))
		if r.Target != l.Target {
			item = say(item, " on ", named(r.Target.String()))
		}
		if len(r.Reasons) > 0 {
			switch way := through(r.Reasons[0].Via); {
			case len(way) == 0:
			case len(rows) == 1:
				item = say(item, " ", way)
			default:
				item = say(item, " (", way, ")")
			}
		}
		if !r.Expires.IsZero() {
			item = say(item, " "+until(r.Expires))
		}
		items = append(items, item)
	}
	if l.Kind == access.Lost {
		return say("keeps ", list(items, 3))
	}
	return say("had ", list(items, 3))
}

// powerWords end a sentence that begins with "may".
var powerWords = map[access.Power]string{
	access.PowerEverything:  "do everything",
	access.PowerEscalate:    "make roles stronger than its own (escalate)",
	access.PowerBind:        "give any role to anybody (bind)",
	access.PowerImpersonate: "act as other people (impersonate)",
	access.PowerActAs:       "act as service accounts (impersonate)",
	access.PowerNodesProxy:  "use the nodes behind admission and audit (nodes/proxy)",
	access.PowerBindings:    "give to others what it has itself",
	access.PowerMintTokens:  "mint tokens of service accounts",
	access.PowerExec:        "run commands in pods",
	access.PowerSecrets:     "read secrets",

	access.PowerAdmission:    "change what others write (admission webhooks)",
	access.PowerCertificates: "sign certificates that say who somebody is",
	access.PowerVolumes:      "mount the nodes' files (persistent volumes)",
}

// allows says what makes a role dangerous.
func allows(powers []access.Power) phrase {
	var may []string
	unknown := false
	for _, p := range powers {
		switch text, known := powerWords[p]; {
		case p == access.PowerUnknownRules:
			unknown = true
		case known:
			may = append(may, text)
		default:
			may = append(may, string(p))
		}
	}
	if len(powers) > 0 && powers[0] == access.PowerEverything {
		may = may[:1]
	}
	var out []string
	if len(may) > 0 {
		out = append(out, "may "+strings.Join(may, ", "))
	}
	if unknown {
		out = append(out, "what the role allows is unknown here")
	}
	return say(strings.Join(out, "; "))
}

// outlives says that it can outlive its removal, and where that is not among what
// the role allows, how.
func (l line) outlives() phrase {
	switch {
	case l.Outlives == "":
		return nil
	case l.Kind != access.Lost && len(l.Powers) > 0:
		return say("can outlive its removal")
	}
	return say("can outlive its removal: ", part{sentence, l.Outlives})
}

// targetWords are a target in words: the whole of a cluster, or namespaces of it.
func targetWords(t schema.Target) phrase {
	cluster := say(named(t.Destination))
	if schema.IsPattern(t.Destination) {
		cluster = say("clusters ", cluster)
	}
	switch {
	case t.Destination == schema.InfraDestination:
		return say(cluster, ", infra's own server")
	case t.Namespace == "":
		return say(cluster, ", all of it")
	case schema.IsPattern(t.Namespace):
		return say(cluster, ", namespaces ", named(t.Namespace))
	}
	return say(cluster, ", namespace ", named(t.Namespace))
}

// told is a line of access as one sentence, without the notes.
func (l line) told() phrase {
	if !l.Kind.OfAccess() {
		out := say(string(l.Kind))
		if l.Name != "" {
			out = say(out, ": ", named(l.Name))
		}
		return out
	}
	out := say(l.who(), " ", l.verb(), " ", named(l.Role), " on ", named(l.Target.String()))
	switch l.Kind {
	case access.Extended:
		return say(out, " longer")
	case access.Shortened:
		return say(out, " for less time")
	}
	return out
}

// differences are what is different about something that is not access.
func (l line) differences() []phrase {
	var out []phrase
	for _, f := range l.Fields {
		what := part{sentence, f.Name}
		switch {
		case f.Before == "" && f.After == "":
			out = append(out, say(what))
		case f.Before == "":
			out = append(out, say(what, ": ", named(f.After)))
		case f.After == "":
			out = append(out, say(what, ": no longer ", named(f.Before)))
		default:
			out = append(out, say(what, ": ", named(f.After), ", before: ", named(f.Before)))
		}
	}
	if l.People > 0 {
		out = append(out, say("reaches "+people(l.People)))
	}
	saysPowers := func(f access.Field) bool { return f.Name == "powers" }
	if p := allows(l.Powers); len(p) > 0 && !slices.ContainsFunc(l.Fields, saysPowers) {
		out = append(out, p)
	}
	if p := l.outlives(); len(p) > 0 {
		out = append(out, p)
	}
	return out
}

// detail is notes or differences, whichever the line has.
func (l line) detail() []phrase {
	if l.Kind.OfAccess() {
		return l.notes()
	}
	return l.differences()
}

// from is where the line comes from.
func (l line) from() phrase {
	var out []phrase
	for _, p := range l.places() {
		out = append(out, place(p, false))
	}
	from := list(out, 3)
	if l.InOld && len(from) > 0 {
		from = say(from, " (before)")
	}
	return from
}
