package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

func TestCompareSaysWhatElseChanges(t *testing.T) {
	at := func(line int) schema.Pos { return schema.Pos{File: "f", Line: line} }
	key := func(user, destination, id string, expires time.Time) schema.Key {
		return schema.Key{Name: "k", User: user, ID: id, Hash: "sha256:" + id, Destination: destination, Expires: expires, Pos: at(1)}
	}
	keyed := func(k schema.Key, granted ...string) world {
		return world{keys: []schema.Key{k}, grants: grants(granted...)}
	}
	at1 := func(d schema.Destination) world { d.Pos = at(1); return world{destinations: []schema.Destination{d}} }
	ruled := func(rules ...schema.PolicyRule) world {
		return world{settings: schema.Settings{Version: 1, Policy: rules}}
	}
	deny := func(roles ...string) schema.PolicyRule {
		return schema.PolicyRule{Name: "r", Message: "m", Pos: at(3), Deny: &schema.Deny{Selector: schema.Selector{Roles: roles}}}
	}
	three := 3

	tests := []struct {
		name     string
		old, new world
		want     []string
	}{
		{"a connector's key for one destination", world{}, keyed(key("connector", "dev", "id", late)),
			[]string{`key added k, user: "" to "connector", id: "" to "id", destination: "" to "dev", expires: "" to "2027-01-02T00:00:00Z", by f:1`}},
		{"a connector's key for all of them", world{}, keyed(key("connector", "", "id", time.Time{})),
			[]string{`key added k administers, user: "" to "connector", id: "" to "id", destination: "" to "all", expires: "" to "never", by f:1`}},
		{"a key of somebody who is admin of the server", world{grants: grants("ann admin infra")}, keyed(key("ann", "", "id", late), "ann admin infra"),
			[]string{`key added k administers, user: "" to "ann", id: "" to "id", destination: "" to "all", expires: "" to "2027-01-02T00:00:00Z", by f:1`}},
		{"a key that goes", keyed(key("ann", "", "id", late)), world{},
			[]string{`key removed k, user: "ann" to "", id: "id" to "", destination: "all" to "", expires: "2027-01-02T00:00:00Z" to "", by old f:1`}},
		{"a key that is bound no longer", keyed(key("connector", "dev", "id", late)), keyed(key("connector", "", "id", late)),
			[]string{`key changed k administers, destination: "dev" to "all", by f:1`}},
		{"a key that is bound now", keyed(key("connector", "", "id", late)), keyed(key("connector", "dev", "id", late)),
			[]string{`key changed k, destination: "all" to "dev", by f:1`}},
		{"a key that lives longer", keyed(key("ann", "", "id", soon)), keyed(key("ann", "", "id", late)),
			[]string{`key changed k administers, expires: "2027-01-01T00:00:00Z" to "2027-01-02T00:00:00Z", by f:1`}},
		{"a key with another secret", keyed(key("connector", "dev", "id", late)), keyed(key("connector", "dev", "new", late)),
			[]string{`key changed k, id: "id" to "new", secret: "one" to "another", by f:1`}},

		{"people who are declared and are not any more, in one change", world{users: []schema.DeclaredUser{{Name: "ann"}, {Name: "bob", Pos: at(2)}}},
			world{users: []schema.DeclaredUser{{Name: "ann"}, {Name: "p1", Pos: at(3)}, {Name: "p2"}, {Name: "p3"}, {Name: "p4"}, {Name: "p5"}, {Name: "p6"}, {Name: "p7"}}},
			[]string{`declared users changed , declared: "bob" to "", declared: "" to "p1, p2, p3, p4, p5 and 2 more", by f:3`}},
		{"somebody who is declared no more", world{users: []schema.DeclaredUser{{Name: "ann", Pos: at(1)}}}, world{},
			[]string{`declared users changed , declared: "ann" to "", by old f:1`}},
		{"a declared user who moves to another line", world{users: []schema.DeclaredUser{{Name: "ann", Pos: at(1)}}}, world{users: []schema.DeclaredUser{{Name: "ann", Pos: at(9)}}}, nil},

		{"a destination that a grant names first", world{}, world{grants: grants("ann view *", "g:none view dev"), groups: groups("none:")},
			[]string{`destination added dev, mode: "" to "enforce", by grants:2`}},
		{"a destination that nothing names any more", at1(schema.Destination{Name: "dev", Mode: schema.ModeObserve}), world{},
			[]string{`destination removed dev, mode: "observe" to "", by old f:1`}},
		{"an entry that says nothing new", world{grants: grants("g:none view dev"), groups: groups("none:")}, at1(schema.Destination{Name: "dev", Mode: schema.ModeEnforce}), nil},
		{"a destination that is enforced no more, and labelled", at1(schema.Destination{Name: "dev", Labels: map[string]string{"a": "1", "b": "2"}}),
			at1(schema.Destination{Name: "dev", Mode: schema.ModeSuspend, Labels: map[string]string{"a": "2", "c": "3"}}),
			[]string{`destination changed dev administers, mode: "enforce" to "suspend", label a: "1" to "2", label c: "" to "3", label b: "2" to "", by f:1`}},
		{"roles that are listed", at1(schema.Destination{Name: "dev"}), at1(schema.Destination{Name: "dev", Roles: []schema.Role{{Name: "b"}, {Name: "a"}}}),
			[]string{`destination changed dev, roles: "" to "a, b", by f:1`}},
		{"roles that are listed no longer", at1(schema.Destination{Name: "dev", Roles: []schema.Role{{Name: "a"}}}), at1(schema.Destination{Name: "dev"}),
			[]string{`destination changed dev, roles: "a" to "any that the cluster has", by f:1`}},
		{"a destination with another name", world{grants: grants("ann view old")},
			world{grants: grants("ann view new"), destinations: []schema.Destination{{Name: "new", Formerly: []string{"old"}, Pos: at(1)}}},
			[]string{`destination changed new, name: "old" to "new", formerly: "" to "old", by f:1`}},

		{"a revocation", world{}, world{revoked: []schema.Revocation{{User: "ann", Reason: "laptop", Pos: at(2)}}},
			[]string{`revocation added ann, reason: "" to "laptop", by f:2`}},
		{"a revocation that goes", world{revoked: []schema.Revocation{{Group: "sre", Pos: at(2)}}}, world{},
			[]string{`revocation removed group "sre", by old f:2`}},
		{"a key that is revoked no longer", world{keys: []schema.Key{key("ann", "", "id", late)}, revoked: []schema.Revocation{{Key: "id", Pos: at(2)}}},
			keyed(key("ann", "", "id", late)), []string{`revocation removed key id administers, by old f:2`}},
		{"a revocation for another reason", world{revoked: []schema.Revocation{{User: "ann", Reason: "a"}}}, world{revoked: []schema.Revocation{{User: "ann", Reason: "b"}}}, nil},

		{"a rule", ruled(), ruled(deny("exec", "edit")),
			[]string{`policy rule added r, deny: "" to "roles exec, edit", message: "" to "m", by f:3`}},
		{"a rule that goes", ruled(deny("exec")), ruled(),
			[]string{`policy rule removed r administers, deny: "roles exec" to "", message: "m" to "", by old f:3`}},
		{"a rule that changes", ruled(deny("exec", "edit")), ruled(deny("exec")),
			[]string{`policy rule changed r administers, deny: "roles exec, edit" to "roles exec", by f:3`}},
		{"a rule that becomes another", ruled(deny("exec")), ruled(schema.PolicyRule{Name: "r", Message: "m", Pos: at(3), Limit: &schema.Limit{AtMost: &three, AtLeast: 1}}),
			[]string{`policy rule changed r administers, limit: "" to "everything; at most 3; at least 1", deny: "roles exec" to "", by f:3`}},
		{"a rule that only says it better", ruled(deny("exec")), ruled(schema.PolicyRule{Name: "r", Message: "better", Pos: at(3), Deny: deny("exec").Deny,
			Cases: []schema.Case{{Grant: &grants("eve exec prod")[0], Expires: 8 * time.Hour, Refused: true}}}),
			[]string{`policy rule changed r, message: "m" to "better", cases: "" to "grant eve exec on prod for 8h is refused", by f:3`}},
		{"an exception", ruled(deny("exec")), ruled(schema.PolicyRule{Name: "r", Message: "m", Pos: at(3),
			Deny: &schema.Deny{Selector: schema.Selector{Roles: []string{"exec"}}, Unless: &schema.Selector{Groups: []string{"oncall"}}}}),
			[]string{`policy rule changed r administers, deny: "roles exec" to "roles exec; unless (groups oncall)", by f:3`}},

		{"a brake that holds less", world{}, world{settings: schema.Settings{Brakes: schema.Brakes{Pos: at(9), Default: &schema.Brake{People: 10, Percent: 50}}}},
			[]string{`brakes changed brakes administers, all: "10 people, 25 %" to "10 people, 50 %", by f:9`}},
		{"a brake that holds more", world{}, world{settings: schema.Settings{Brakes: schema.Brakes{Pos: at(9),
			Destinations: []schema.DestinationBrake{{Name: "prod-*", Brake: schema.Brake{People: 5, Percent: 10}}}}}},
			[]string{`brakes changed brakes, 1: "" to "prod-*: 5 people, 10 %", by f:9`}},
		{"what edits do", world{settings: schema.Settings{Version: 1}}, world{settings: schema.Settings{Version: 1, Changes: schema.ChangePush, Pos: at(1)}},
			[]string{`setting changed changes, changes: "commit" to "push", by f:1`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, c := range access.Compare(test.old.table(), test.new.table(), now) {
				if !c.Kind.OfAccess() {
					got = append(got, said(c))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPrefixIsAChangeOfTheDestinationNotOfEverybody(t *testing.T) {
	w := world{grants: grants("ann view dev", "bob view *", "g:idp view dev", "cyd view prod", "dan view dev until past")}
	prefixed := w
	prefixed.destinations = []schema.Destination{{Name: "dev", Subjects: schema.SubjectNames{UserPrefix: "oidc:"}, Pos: schema.Pos{File: "f", Line: 1}}}
	got := saidAll(access.Compare(w.table(), prefixed.table(), now))
	want := []string{`destination changed dev administers, user prefix: "" to "oidc:", 2 people, by f:1`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestADestinationThatIsEnforcedFromNowOnReachesEverybodyThere(t *testing.T) {
	in := func(mode schema.Mode) world {
		return world{grants: grants("ann admin dev", "bob view *", "cyd view prod"),
			destinations: []schema.Destination{{Name: "dev", Mode: mode, Pos: schema.Pos{File: "f", Line: 1}}}}
	}
	got := saidAll(access.Compare(in(schema.ModeSuspend).table(), in(schema.ModeEnforce).table(), now))
	want := []string{`destination changed dev administers, mode: "suspend" to "enforce", 2 people, by f:1`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatARoleAllowsChangesForItsHolders(t *testing.T) {
	with := func(text string) world {
		role := schema.Role{Name: "ops", Pos: schema.Pos{File: "f", Line: 4}}
		if text != "" {
			role.Rules = rules(text)
		}
		w := world{grants: grants("ann ops dev.web", "bob ops *.db", "cyd ops prod", "ann ops dev.db")}
		if text != "no entry" {
			w.destinations = []schema.Destination{{Name: "dev", Roles: []schema.Role{role}}}
		}
		return w
	}
	tests := []struct{ name, before, after, want string }{
		{"it may more", "get pods", "get pods; create pods/exec",
			`role changed ops executes, powers: "" to "runs commands in pods", rules: "get pods" to "create pods/exec; get pods", 2 people, by f:4`},
		{"it may less", "get secrets; get pods", "get pods",
			`role changed ops, powers: "reads secrets" to "", rules: "get pods; get secrets" to "get pods", 2 people, by f:4`},
		{"it becomes known", "", "get pods",
			`role changed ops, powers: "what it allows is unknown" to "", rules: "unknown" to "get pods", 2 people, by f:4`},
		{"nobody knows any more", "get pods", "",
			`role changed ops unknown, powers: "" to "what it allows is unknown", rules: "get pods" to "unknown", 2 people, by f:4`},
		{"it is listed no more, and any role is taken", "get pods", "no entry",
			`role changed ops unknown, powers: "" to "what it allows is unknown", rules: "get pods" to "unknown", 2 people, by grants:1` + "\n" +
				`destination changed dev, roles: "ops" to "any that the cluster has", by grants:1`},
		{"it may give away one role more", "bind roles of * named view", "bind roles of * named admin,view",
			`role changed ops administers, rules: "bind roles of * named view" to "bind roles of * named admin, view", 2 people, by f:4`},
		{"it may give away one role less", "bind roles of * named view; bind roles of * named admin", "bind roles of * named view",
			`role changed ops, rules: "bind roles of * named admin; bind roles of * named view" to "bind roles of * named view", 2 people, by f:4`},
		{"the rules are in another order", "get pods; list pods", "list pods; get pods", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []string
			if test.want != "" {
				want = strings.Split(test.want, "\n")
			}
			if diff := cmp.Diff(want, saidAll(access.Compare(with(test.before).table(), with(test.after).table(), now))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnAcknowledgementThatIsNew(t *testing.T) {
	ack := func(destination string, removals int) schema.Acknowledgement {
		return schema.Acknowledgement{Destination: destination, Removals: removals, Reason: "rebuilt", Pos: schema.Pos{File: "f", Line: removals}}
	}
	old := &schema.Snapshot{Acknowledgements: []schema.Acknowledgement{ack("dev", 3), ack("dev", 4)}}
	next := &schema.Snapshot{Acknowledgements: []schema.Acknowledgement{ack("dev", 4), ack("dev", 4), ack("prod", 5)}}
	got := saidAll(access.Compare(access.Resolve(old, old.Revoked), access.Resolve(next, next.Revoked), now))
	want := []string{`acknowledgement dev, removals: "" to "4", reason: "" to "rebuilt", by f:4`, `acknowledgement prod, removals: "" to "5", reason: "" to "rebuilt", by f:5`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
