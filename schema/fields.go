package schema

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A field is one key of an entry and its value; an empty value is left out.
type field struct{ key, value string }

func grantFields(g Grant) []field {
	return filled(field{string(g.Subject.Kind), g.Subject.Name}, field{"role", g.Role}, field{"resource", g.Target.String()},
		field{"expires", timeText(g.Expires)}, field{"reason", g.Reason})
}

func keyFields(k Key) []field {
	return filled(field{"name", k.Name}, field{"user", k.User}, field{"id", k.ID}, field{"hash", k.Hash},
		field{"destination", k.Destination}, field{"created", timeText(k.Created)}, field{"expires", timeText(k.Expires)})
}

func revocationFields(v Revocation) []field {
	return filled(field{"user", v.User}, field{"group", v.Group}, field{"key", v.Key}, field{"reason", v.Reason})
}

func acknowledgementFields(a Acknowledgement) []field {
	return filled(field{"destination", a.Destination}, field{"removals", strconv.Itoa(a.Removals)}, field{"reason", a.Reason})
}

func userFields(u DeclaredUser) []field {
	return filled(field{"name", u.Name}, field{"displayName", u.DisplayName})
}

// groupFields has the members of a list one a line, which no name has.
func groupFields(g Group) []field {
	return filled(field{"name", g.Name}, field{"users", memberLines(g.Users)}, field{"groups", memberLines(g.Groups)})
}

func memberLines(members []Member) string {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return strings.Join(names, "\n")
}

func filled(fields ...field) []field {
	return slices.DeleteFunc(fields, func(f field) bool { return f.value == "" })
}

// timeText is an instant as files have it, "" for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// rank is where a key of a grant, group, user or revocation goes among others.
func rank(key string) int {
	return slices.Index([]string{"name", "displayName", "users", "groups", "subject", "role", "resource", "expires", "reason"}, styleKey(key))
}

// styleKey is the key whose style an entry's key follows: people and groups
// are written alike.
func styleKey(key string) string {
	switch key {
	case "user", "group", "key":
		return "subject"
	}
	return key
}

// scalar writes a value in a style, in quotes wherever a plain one could be
// read as anything else.
func scalar(key, value string, style int) string {
	switch {
	case key == "users" || key == "groups" || key == "formerly": // names, in brackets
		var members []string
		for name := range strings.SplitSeq(value, "\n") {
			members = append(members, scalar("", name, style))
		}
		return "[" + strings.Join(members, ", ") + "]"
	case style&int(singleQuotedStyle) != 0:
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case style&int(doubleQuotedStyle) != 0:
	case key == "expires" || key == "created" || key == "removals":
		return value // a time or a number, as it is meant to be read
	case plainForm.MatchString(value) && resolvesToString(value):
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// plainForm is what needs no quotes, in a flow mapping either. It leaves out more than
// YAML does, and nothing that a name has.
var plainForm = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9_./@+*-]|:[A-Za-z0-9_./@+*-]| [A-Za-z0-9_./@+(])*[A-Za-z0-9_./@+*)]?$`)

// placeOfGrant is where a grant goes among others: at the end, or where it keeps
// the list in the order that it has.
func placeOfGrant(grants []placedGrant, g Grant) int {
	return placeIn(grants, orderOfGrants(grants), g)
}

// placeIn is placeOfGrant for a list in an order; nil: in none.
func placeIn(grants []placedGrant, order func(a, b Grant) int, g Grant) int {
	if order == nil {
		return len(grants)
	}
	at, _ := slices.BinarySearchFunc(grants, g, func(have placedGrant, g Grant) int {
		if order(have.Grant, g) <= 0 {
			return -1
		}
		return 1
	})
	return at
}

// grantOrders are the orders in which people keep grants. The first is that of a new
// list.
var grantOrders = func() []func(a, b Grant) int {
	name := func(a, b Grant) int { return cmp.Compare(a.Subject.Name, b.Subject.Name) }
	subject := func(a, b Grant) int { return a.Subject.Compare(b.Subject) }
	target := func(a, b Grant) int { return cmp.Compare(a.Target.String(), b.Target.String()) }
	role := func(a, b Grant) int { return cmp.Compare(a.Role, b.Role) }
	return []func(a, b Grant) int{
		func(a, b Grant) int { return cmp.Or(name(a, b), target(a, b), role(a, b)) },
		func(a, b Grant) int { return cmp.Or(subject(a, b), target(a, b), role(a, b)) },
		func(a, b Grant) int { return cmp.Or(target(a, b), name(a, b), role(a, b)) },
		func(a, b Grant) int { return cmp.Or(target(a, b), subject(a, b), role(a, b)) },
		func(a, b Grant) int { return cmp.Or(role(a, b), name(a, b), target(a, b)) },
		name, subject, target,
	}
}()

// orderOfGrants is the order that a list has; nil: none, or too few to tell.
func orderOfGrants(grants []placedGrant) func(a, b Grant) int {
	if len(grants) < 2 {
		return nil
	}
	for _, order := range grantOrders {
		if slices.IsSortedFunc(grants, func(a, b placedGrant) int { return order(a.Grant, b.Grant) }) {
			return order
		}
	}
	return nil
}
