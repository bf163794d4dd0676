package jsonschema_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrahq/infra/schema"
)

func rule(text string) string {
	return "version: 1\npolicy: [{name: a, message: m, " + text + "}]\n"
}

const (
	grantsFile = "grants/prod.yaml"
	keysFile   = "keys/a.yaml"
	hash       = "sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
)

// refused are files that the strict reader refuses for what each says by itself.
var refused = []struct{ name, path, text string }{
	{"no version", "infra.yaml", "changes: push\n"},
	{"another version", "infra.yaml", "version: 2\n"},
	{"a version in quotes", "infra.yaml", "version: '1'\n"},
	{"an unknown setting", "infra.yaml", "version: 1\nchange: push\n"},
	{"a setting of a later infra", "infra.yaml", "version: 1\nsignatures: {}\n"},
	{"a list in the wrong file", "infra.yaml", "version: 1\ngrants: []\n"},
	{"an unknown mode of changes", "infra.yaml", "version: 1\nchanges: comit\n"},
	{"a policy that is no list", "infra.yaml", "version: 1\npolicy: {}\n"},
	{"a policy of nothing", "infra.yaml", "version: 1\npolicy:\n"},
	{"a rule of no kind", "infra.yaml", "version: 1\npolicy: [{name: a, message: m}]\n"},
	{"a rule of two kinds", "infra.yaml", rule("keys: {bound: true}, local: [prod]")},
	{"a rule of an unknown kind", "infra.yaml", rule("denny: {roles: [exec]}")},
	{"a rule without a name", "infra.yaml", "version: 1\npolicy: [{message: m, local: [prod]}]\n"},
	{"a rule without a message", "infra.yaml", "version: 1\npolicy: [{name: a, local: [prod]}]\n"},
	{"a rule with a reserved name", "infra.yaml", "version: 1\npolicy: [{name: brake, message: m, local: [prod]}]\n"},
	{"a rule whose name is no label", "infra.yaml", "version: 1\npolicy: [{name: No Exec, message: m, local: [prod]}]\n"},
	{"a message of two lines", "infra.yaml", "version: 1\npolicy: [{name: a, message: \"one\\ntwo\", local: [prod]}]\n"},
	{"deny of everything", "infra.yaml", rule("deny: {}")},
	{"an empty list of roles", "infra.yaml", rule("deny: {roles: []}")},
	{"a role where a list is meant", "infra.yaml", rule("deny: {roles: exec}")},
	{"an unknown key of a selector", "infra.yaml", rule("deny: {role: [exec]}")},
	{"an unknown scope", "infra.yaml", rule("deny: {scope: clusters}")},
	{"undeclared: false", "infra.yaml", rule("deny: {undeclared: false}")},
	{"users who are undeclared", "infra.yaml", rule("deny: {users: [a], undeclared: true}")},
	{"namespaces of whole clusters", "infra.yaml", rule("deny: {namespaces: [a], scope: cluster}")},
	{"an exception of everything", "infra.yaml", rule("deny: {roles: [exec], unless: {}}")},
	{"an exception in an exception", "infra.yaml", rule("deny: {roles: [exec], unless: {users: [a], unless: {users: [b]}}}")},
	{"two stars", "infra.yaml", rule("deny: {destinations: ['**']}")},
	{"two stars in a role", "infra.yaml", rule("deny: {roles: ['a**']}")},
	{"two stars in a person", "infra.yaml", rule("deny: {users: ['**']}")},
	{"a pattern in capitals", "infra.yaml", rule("deny: {namespaces: ['Pay-*']}")},
	{"a person of Kubernetes' own", "infra.yaml", rule("deny: {users: ['system:*']}")},
	{"an e-mail address in capitals", "infra.yaml", rule("deny: {users: ['*@Example.com']}")},
	{"require of nothing", "infra.yaml", rule("require: {roles: [admin]}")},
	{"an expiry without a unit", "infra.yaml", rule("require: {expiry: 30}")},
	{"an expiry without a unit, in quotes", "infra.yaml", rule("require: {expiry: '30'}")},
	{"a part of a day", "infra.yaml", rule("require: {expiry: 1.5d}")},
	{"a negative expiry", "infra.yaml", rule("require: {expiry: -1d}")},
	{"group: false", "infra.yaml", rule("require: {group: false}")},
	{"an expression that is too long", "infra.yaml", rule("require: {reason: " + longText + "}")},
	{"protect of nobody", "infra.yaml", rule("protect: {role: admin, resource: prod}")},
	{"protect of two", "infra.yaml", rule("protect: {user: a, group: b, role: admin, resource: prod}")},
	{"protect without a role", "infra.yaml", rule("protect: {user: a, resource: prod}")},
	{"protect with an expiry", "infra.yaml", rule("protect: {user: a, role: admin, resource: prod, expires: 8h}")},
	{"limit without a number", "infra.yaml", rule("limit: {roles: [admin]}")},
	{"atMost below nobody", "infra.yaml", rule("limit: {atMost: -1}")},
	{"atLeast nobody", "infra.yaml", rule("limit: {atLeast: 0}")},
	{"a limit with an exception", "infra.yaml", rule("limit: {atMost: 1, unless: {users: [a]}}")},
	{"separate with one", "infra.yaml", rule("separate: [{roles: [edit]}]")},
	{"separate with everything", "infra.yaml", rule("separate: [{roles: [edit]}, {}]")},
	{"declared of nothing", "infra.yaml", rule("declared: []")},
	{"declared of an unknown kind", "infra.yaml", rule("declared: [user]")},
	{"local of nothing", "infra.yaml", rule("local: []")},
	{"local of the server", "infra.yaml", rule("local: [infra]")},
	{"keys with nothing", "infra.yaml", rule("keys: {}")},
	{"bound: false", "infra.yaml", rule("keys: {bound: false}")},
	{"a case that does nothing", "infra.yaml", rule("local: [prod], cases: [{want: refused}]")},
	{"a case that does two things", "infra.yaml", rule("local: [prod], cases: [{grant: {user: a, role: view, resource: prod}, key: {user: a}, want: refused}]")},
	{"a case that wants nothing", "infra.yaml", rule("local: [prod], cases: [{key: {user: a}}]")},
	{"a case that wants something else", "infra.yaml", rule("local: [prod], cases: [{key: {user: a}, want: denied}]")},
	{"a case that removes with an expiry", "infra.yaml", rule("local: [prod], cases: [{remove: {user: a, role: view, resource: prod, expires: 8h}, want: refused}]")},
	{"a case that ends at an instant", "infra.yaml", rule("local: [prod], cases: [{key: {user: a, expires: 2026-12-24T18:00:00Z}, want: refused}]")},
	{"a case with a key for the server", "infra.yaml", rule("local: [prod], cases: [{key: {user: a, destination: infra}, want: refused}]")},
	{"a brake for no people", "infra.yaml", "version: 1\nbrakes: {people: 0}\n"},
	{"more than all", "infra.yaml", "version: 1\nbrakes: {percent: 101}\n"},
	{"a per cent sign", "infra.yaml", "version: 1\nbrakes: {percent: 25%}\n"},
	{"a brake that says nothing", "infra.yaml", "version: 1\nbrakes: {destinations: [{name: prod}]}\n"},
	{"a brake without a name", "infra.yaml", "version: 1\nbrakes: {destinations: [{people: 3}]}\n"},

	{"a grant to nobody", grantsFile, "grants: [{role: view, resource: prod}]\n"},
	{"a grant to two", grantsFile, "grants: [{user: a, group: b, role: view, resource: prod}]\n"},
	{"a grant of nothing", grantsFile, "grants: [{user: a, resource: prod}]\n"},
	{"an unknown key of a grant", grantsFile, "grants: [{user: a, role: view, resource: prod, expiry: 8h}]\n"},
	{"a grant that ends on a day", grantsFile, "grants: [{user: a, role: view, resource: prod, expires: 2026-12-24}]\n"},
	{"a grant that ends without an offset", grantsFile, "grants: [{user: a, role: view, resource: prod, expires: 2026-12-24T18:00:00}]\n"},
	{"a resource in capitals", grantsFile, "grants: [{user: a, role: view, resource: prod.Web}]\n"},
	{"a resource with nothing behind the dot", grantsFile, "grants: [{user: a, role: view, resource: prod.}]\n"},
	{"a pattern of kube- namespaces", grantsFile, "grants: [{user: a, role: view, resource: 'prod.kube-*'}]\n"},
	{"a role with a slash", grantsFile, "grants: [{user: a, role: a/b, resource: prod}]\n"},
	{"a role of Kubernetes' own", grantsFile, "grants: [{user: a, role: 'system:node', resource: prod}]\n"},
	{"a person of number", grantsFile, "grants: [{user: 12, role: view, resource: prod}]\n"},
	{"a person with a blank at the end", grantsFile, "grants: [{user: 'a ', role: view, resource: prod}]\n"},
	{"a person with a dot at the end", grantsFile, "grants: [{user: ann., role: view, resource: prod}]\n"},
	{"a reason of two lines", grantsFile, "grants: [{user: a, role: view, resource: prod, reason: \"a\\nb\"}]\n"},
	{"grants of nothing", grantsFile, "grants:\n"},
	{"a file of grants without them", grantsFile, "{}\n"},
	{"groups among grants", grantsFile, "groups: []\n"},
	{"edit on the server", "grants/infra.yaml", "grants: [{user: a, role: edit, resource: infra}]\n"},
	{"a namespace of the server", "grants/infra.yaml", "grants: [{user: a, role: view, resource: infra.x}]\n"},

	{"a group without a name", "groups/a.yaml", "groups: [{users: [a]}]\n"},
	{"a group whose member is a mapping", "groups/a.yaml", "groups: [{name: a, users: [{name: b}]}]\n"},
	{"a group of Kubernetes' own", "groups/a.yaml", "groups: [{name: 'system:masters', users: [a]}]\n"},
	{"a user without a name", "users/a.yaml", "users: [{displayName: A}]\n"},
	{"a user with another key", "users/a.yaml", "users: [{name: a, email: a}]\n"},
	{"a user who is only a name", "users/a.yaml", "users: [a]\n"},

	{"a key without a hash", keysFile, "keys: [{name: a, user: connector, id: 7Zk2mQ9xWd}]\n"},
	{"a key with half a hash", keysFile, "keys: [{name: a, user: connector, id: 7Zk2mQ9xWd, hash: 'sha256:00'}]\n"},
	{"a key with half an id", keysFile, "keys: [{name: a, user: connector, id: 7Zk2m, hash: '" + hash + "'}]\n"},
	{"a key for the server", keysFile, "keys: [{name: a, user: connector, id: 7Zk2mQ9xWd, hash: '" + hash + "', destination: infra}]\n"},

	{"a destination without a name", "destinations/a.yaml", "destinations: [{mode: observe}]\n"},
	{"a destination that is the server", "destinations/infra.yaml", "destinations: [{name: infra}]\n"},
	{"an unknown mode", "destinations/a.yaml", "destinations: [{name: a, mode: watch}]\n"},
	{"a built-in role that is listed", "destinations/a.yaml", "destinations: [{name: a, roles: [{name: view}]}]\n"},
	{"a role that is only a name", "destinations/a.yaml", "destinations: [{name: a, roles: [deploy-bot]}]\n"},
	{"a prefix of Kubernetes' own", "destinations/a.yaml", "destinations: [{name: a, subjects: {userPrefix: 'system:'}}]\n"},

	{"an acknowledgement of nobody", "acknowledgements/a.yaml", "acknowledgements: [{destination: a, removals: 0}]\n"},
	{"an acknowledgement without a number", "acknowledgements/a.yaml", "acknowledgements: [{destination: a}]\n"},
	{"an acknowledgement for a pattern", "acknowledgements/a.yaml", "acknowledgements: [{destination: 'a*', removals: 1}]\n"},
	{"a revocation of nothing", "revoked.yaml", "revoked: [{reason: x}]\n"},
	{"a revocation of two", "revoked.yaml", "revoked: [{user: a, group: b}]\n"},
	{"a revocation of a key by its name", "revoked.yaml", "revoked: [{key: ci}]\n"},
}

// beyond are files that the strict reader refuses and that a JSON Schema cannot
// refuse: it sees one file, after the YAML was read, and no arithmetic.
var beyond = []struct{ name, path, text string }{
	{"two rules of one name", "infra.yaml", "version: 1\npolicy: [{name: a, message: m, local: [b]}, {name: a, message: m, local: [c]}]\n"},
	{"an expression that does not compile", "infra.yaml", rule("require: {reason: '['}")},
	{"an expression that asks for nothing", "infra.yaml", rule("require: {reason: '.*'}")},
	{"an expression that repeats too much", "infra.yaml", rule("require: {reason: '((x{20}){10}){5}'}")},
	{"an expiry of more than 100 years", "infra.yaml", rule("require: {expiry: 5300w}")},
	{"atLeast more than atMost", "infra.yaml", rule("limit: {atMost: 1, atLeast: 2}")},
	{"separate from itself", "infra.yaml", rule("separate: [{roles: [edit]}, {roles: [edit]}]")},
	{"two brakes of one name", "infra.yaml", "version: 1\nbrakes: {destinations: [{name: a, people: 1}, {name: a, people: 2}]}\n"},
	{"a yes of YAML 1.1", "infra.yaml", "version: 1\npolicy: [{name: a, message: yes, local: [b]}]\n"},
	{"a built-in role in other letters", "infra.yaml", rule("deny: {roles: [View]}")},
	{"a version that is no whole number as it is written", "infra.yaml", "version: 1.0\n"},
	{"a mixture of scripts", grantsFile, "grants: [{user: \"\\u0430nn\", role: view, resource: prod}]\n"},
	{"an invisible character", grantsFile, "grants: [{user: \"a\\u200bb\", role: view, resource: prod}]\n"},
	{"an alias", grantsFile, "grants: [{user: &a ann, role: view, resource: prod}, {user: bob, role: view, resource: prod}]\n"},
	{"a day that no month has", grantsFile, "grants: [{user: a, role: view, resource: prod, expires: 2026-02-31T18:00:00Z}]\n"},
	{"a grant in the file of another destination", grantsFile, "grants: [{user: a, role: view, resource: dev}]\n"},
	{"a grant that two names of one person have", grantsFile, "grants: [{user: ann, role: view, resource: prod}, {user: ANN, role: view, resource: prod}]\n"},
	{"a person twice", "users/a.yaml", "users: [{name: a}, {name: a}]\n"},
	{"a group in itself", "groups/a.yaml", "groups: [{name: a, groups: [a]}]\n"},
	{"a key in the file of another", keysFile, "keys: [{name: b, user: connector, id: 7Zk2mQ9xWd, hash: '" + hash + "'}]\n"},
	{"a prefix that begins one of Kubernetes' own", "destinations/a.yaml", "destinations: [{name: a, subjects: {userPrefix: sys}}]\n"},
}

// longText is one character longer than an expression may be.
var longText = strings.Repeat("x", 201)

func TestWhatTheStrictReaderRefusesDoesNotValidate(t *testing.T) {
	t.Parallel()
	schemas := compiled(t)
	for _, tt := range refused {
		if !strictlyRefused(t, tt.path, tt.text) {
			t.Errorf("%s: the strict reader takes it", tt.name)
		}
		if schemas[kindOf(tt.path)].Validate(asJSON(t, tt.text)) == nil {
			t.Errorf("%s: it validates", tt.name)
		}
	}
	for _, tt := range beyond {
		if !strictlyRefused(t, tt.path, tt.text) {
			t.Errorf("%s: the strict reader takes it", tt.name)
		}
		if err := schemas[kindOf(tt.path)].Validate(asJSON(t, tt.text)); err != nil {
			t.Errorf("%s: the schema can tell after all: %v", tt.name, err)
		}
	}
}

func strictlyRefused(t *testing.T, path, text string) bool {
	t.Helper()
	fsys := fstest.MapFS{"infra.yaml": {Data: []byte("version: 1\n")}}
	fsys[path] = &fstest.MapFile{Data: []byte(text)}
	_, problems, err := schema.Load(fsys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return len(problems.Errors()) > 0
}
