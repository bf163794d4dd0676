package schema

import (
	"fmt"
	"reflect"
	"strings"
)

// describe names an entry as sentences do.
func (r *reconciliation) describe(e map[string]sense) string {
	text := func(key string) string { s, _ := e[key].(string); return s }
	switch r.kind {
	case grantsFile:
		return fmt.Sprintf("%s %s on %s", subjectOf(e), text("role"), text("resource"))
	case groupsFile:
		return Subject{GroupKind, text("name")}.String()
	case revokedFile:
		return "the revocation of " + Revocation{User: text("user"), Group: text("group"), Key: text("key")}.String()
	case acknowledgementsFile:
		return "the acknowledgement for " + text("destination")
	}
	return strings.TrimSuffix(string(r.kind), "s") + " " + text("name")
}

func subjectOf(e map[string]sense) Subject {
	for _, kind := range []SubjectKind{User, GroupKind} {
		if name, ok := e[string(kind)].(string); ok {
			return Subject{kind, name}
		}
	}
	return Subject{}
}

// change says what one side did to an entry: "extends it to ...". The entry is
// called it unless what says otherwise.
func (r *reconciliation) change(before, after map[string]sense, what ...string) string {
	it := "it"
	if len(what) > 0 {
		it = what[0]
	}
	var verbs []string
	for _, key := range union(before, after) {
		was, is := before[key], after[key]
		if reflect.DeepEqual(was, is) {
			continue
		}
		verbs = append(verbs, verb(key, it, was, is))
		it = "it"
	}
	return strings.Join(verbs, " and ")
}

func verb(key, it string, was, is sense) string {
	switch before, after := entry(was), entry(is); {
	case key == "expires" && is == nil:
		return fmt.Sprintf("extends %s without end", it)
	case key == "expires" && was == nil:
		return fmt.Sprintf("shortens %s to %s", it, is)
	case key == "expires" && laterText(is, was):
		return fmt.Sprintf("extends %s to %s", it, is)
	case key == "expires":
		return fmt.Sprintf("shortens %s to %s", it, is)
	case before == nil && after == nil && is == nil:
		return fmt.Sprintf("takes the %s of %s away", key, it)
	case before == nil && after == nil:
		return fmt.Sprintf("changes the %s of %s to %s", key, it, shown(is))
	case key == "users" || key == "groups":
		var gained, lost []string
		for _, name := range union(before, after) {
			switch {
			case before[name] == nil:
				gained = append(gained, shown(name))
			case after[name] == nil:
				lost = append(lost, shown(name))
			}
		}
		switch {
		case len(lost) == 0:
			return fmt.Sprintf("adds %s to %s", strings.Join(gained, ", "), it)
		case len(gained) == 0:
			return fmt.Sprintf("takes %s out of %s", strings.Join(lost, ", "), it)
		}
		return fmt.Sprintf("adds %s to %s and takes %s out", strings.Join(gained, ", "), it, strings.Join(lost, ", "))
	}
	return fmt.Sprintf("changes the %s of %s", key, it)
}

// laterText compares two instants as timeText writes them.
func laterText(a, b sense) bool {
	at, errA := ParseTime(fmt.Sprint(a))
	bt, errB := ParseTime(fmt.Sprint(b))
	return errA == nil && errB == nil && at.After(bt)
}

// differ says what a key is on each side.
func differ(key string, ours, theirs sense) string {
	if entry(ours) != nil || entry(theirs) != nil {
		return "their " + key + " differ"
	}
	if key == "expires" {
		return fmt.Sprintf("ours ends %s, theirs %s", ends(ours), ends(theirs))
	}
	return fmt.Sprintf("the %s of ours is %s, of theirs %s", key, shown(ours), shown(theirs))
}

func ends(m sense) string {
	if m == nil {
		return "never"
	}
	return fmt.Sprintf("at %s", m)
}

// shown is a text as sentences have it: names as they are, all else in quotes.
func shown(m sense) string {
	text, ok := m.(string)
	switch {
	case !ok:
		return "not there"
	case plainForm.MatchString(text) && !strings.Contains(text, " ") && len(text) <= clipLength:
		return text
	}
	return quoted(text)
}
