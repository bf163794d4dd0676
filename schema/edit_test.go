package schema_test

import (
	"errors"
	"io/fs"
	"maps"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/schema"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// apply is what the files are after an edit.
func apply(fsys fstest.MapFS, e schema.Edit) fstest.MapFS {
	out := maps.Clone(fsys)
	for p, data := range e.Files {
		if data == nil {
			delete(out, p)
		} else {
			out[p] = &fstest.MapFile{Data: data}
		}
	}
	return out
}

func grant(t testing.TB, user, role, resource string) schema.Grant {
	t.Helper()
	target, err := schema.ParseTarget(resource)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Grant{Subject: schema.Subject{Kind: schema.User, Name: user}, Role: role, Target: target}
}

const prod = "grants/prod.yaml"

// styles are lists of grants as people write them, and what adding
// zoe@example.com view on prod.web makes of them.
var styles = []struct{ name, before, after string }{
	{"two blanks before the dash",
		"grants:\n  - user: ann@example.com\n    role: admin\n    resource: prod\n",
		"grants:\n  - user: ann@example.com\n    role: admin\n    resource: prod\n  - user: zoe@example.com\n    role: view\n    resource: prod.web\n"},
	{"dash under the key",
		"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n",
		"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n- user: zoe@example.com\n  role: view\n  resource: prod.web\n"},
	{"no newline at the end",
		"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod",
		"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n- user: zoe@example.com\n  role: view\n  resource: prod.web"},
	{"CRLF",
		"grants:\r\n- user: ann@example.com\r\n  role: admin\r\n  resource: prod\r\n",
		"grants:\r\n- user: ann@example.com\r\n  role: admin\r\n  resource: prod\r\n- user: zoe@example.com\r\n  role: view\r\n  resource: prod.web\r\n"},
	{"comments at the end",
		"# prod\ngrants: # ours\n  # boss\n  - user: ann@example.com # ann\n    role: admin\n    resource: prod\n    # INC-1\n\n  # end of list\n# end\n",
		"# prod\ngrants: # ours\n  # boss\n  - user: ann@example.com # ann\n    role: admin\n    resource: prod\n    # INC-1\n  - user: zoe@example.com\n    role: view\n    resource: prod.web\n\n  # end of list\n# end\n"},
	{"blank lines between",
		"grants:\n  - user: zed@example.com\n    role: admin\n    resource: prod\n\n  - user: bob@example.com\n    role: edit\n    resource: prod.a\n",
		"grants:\n  - user: zed@example.com\n    role: admin\n    resource: prod\n\n  - user: bob@example.com\n    role: edit\n    resource: prod.a\n\n  - user: zoe@example.com\n    role: view\n    resource: prod.web\n"},
	{"sorted by name",
		"grants:\n  - {user: ann@example.com, role: view, resource: prod}\n  - {user: zzz@example.com, role: view, resource: prod.a}\n",
		"grants:\n  - {user: ann@example.com, role: view, resource: prod}\n  - {user: zoe@example.com, role: view, resource: prod.web}\n  - {user: zzz@example.com, role: view, resource: prod.a}\n"},
	{"another order of keys, in quotes, wide gap",
		"grants:\n    -   resource: \"prod\"\n        role: 'admin'\n        user: \"ann@example.com\"\n",
		"grants:\n    -   resource: \"prod\"\n        role: 'admin'\n        user: \"ann@example.com\"\n    -   resource: \"prod.web\"\n        role: 'view'\n        user: \"zoe@example.com\"\n"},
	{"empty list",
		"# none\ngrants: [] # yet\n# end\n",
		"# none\ngrants: # yet\n  - user: zoe@example.com\n    role: view\n    resource: prod.web\n# end\n"},
	{"empty list without newline",
		"grants: []",
		"grants:\n  - user: zoe@example.com\n    role: view\n    resource: prod.web"},
	{"empty list on its own line",
		"grants:\n  []\n",
		"grants:\n  - user: zoe@example.com\n    role: view\n    resource: prod.web\n"},
	{"flow on one line",
		"grants: [{user: ann@example.com, role: view, resource: prod}]\n",
		"grants: [{user: ann@example.com, role: view, resource: prod}, {user: zoe@example.com, role: view, resource: prod.web}]\n"},
	{"flow, a line each, comma at the end",
		"grants: [\n  { user: ann@example.com, role: view, resource: prod }, # ann\n]\n",
		"grants: [\n  { user: ann@example.com, role: view, resource: prod }, # ann\n  { user: zoe@example.com, role: view, resource: prod.web },\n]\n"},
	{"flow, a line each, no comma at the end",
		"grants: [\n  {user: ann@example.com, role: view, resource: prod} # ann\n]\n",
		"grants: [\n  {user: ann@example.com, role: view, resource: prod}, # ann\n  {user: zoe@example.com, role: view, resource: prod.web}\n]\n"},
	{"JSON",
		"{\"grants\": [\n  {\"user\": \"ann@example.com\", \"role\": \"view\", \"resource\": \"prod\"}\n]}\n",
		"{\"grants\": [\n  {\"user\": \"ann@example.com\", \"role\": \"view\", \"resource\": \"prod\"},\n  {\"user\": \"zoe@example.com\", \"role\": \"view\", \"resource\": \"prod.web\"}\n]}\n"},
	{"JSON, empty",
		"{\"grants\": []}",
		"{\"grants\": [{\"user\": \"zoe@example.com\", \"role\": \"view\", \"resource\": \"prod.web\"}]}"},
	{"dash on a line of its own",
		"grants:\n  -\n    user: ann@example.com\n    role: admin\n    resource: prod\n",
		"grants:\n  -\n    user: ann@example.com\n    role: admin\n    resource: prod\n  -\n    user: zoe@example.com\n    role: view\n    resource: prod.web\n"},
	{"document marks",
		"---\ngrants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n...\n",
		"---\ngrants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n- user: zoe@example.com\n  role: view\n  resource: prod.web\n...\n"},
	{"a folded reason at the end",
		"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n  reason: >\n    because # of\n    that\n\n",
		"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n  reason: >\n    because # of\n    that\n- user: zoe@example.com\n  role: view\n  resource: prod.web\n\n"},
}

func TestAddingAGrantFollowsTheStyleOfTheFileAndRemovingItRestoresIt(t *testing.T) {
	t.Parallel()
	g := grant(t, "zoe@example.com", "view", "prod.web")
	for _, tt := range styles {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := files("infra.yaml", "version: 1\n", prod, tt.before)
			added, err := schema.AddGrant(before, g, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(added.Files[prod])); diff != "" || added.Outcome != schema.Added {
				t.Fatalf("%s: -want +got:\n%s", added.Outcome, diff)
			}
			after := apply(before, added)
			again, err := schema.AddGrant(after, g, now)
			if err != nil || again.Outcome != schema.Unchanged || len(again.Files) > 0 {
				t.Errorf("added again: %+v, %v", again, err)
			}
			if s, _, err := schema.Load(before, nil); err != nil || len(s.Grants) == 0 {
				return // the last grant removed leaves [], however the list was written
			}
			removed, err := schema.RemoveGrant(after, g.Subject, "", g.Target)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.before, string(removed.Files[prod])); diff != "" {
				t.Errorf("removed: -want +got:\n%s", diff)
			}
		})
	}
}

func TestTheLastGrantRemovedLeavesAnEmptyList(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{
		"grants: # ours\n- user: ann@example.com\n  role: admin\n  resource: prod\n# end\n": "grants: [] # ours\n# end\n",
		"grants: [{user: ann@example.com, role: admin, resource: prod}]":                    "grants: []",
		"grants:\n  # boss\n  - {user: ann@example.com, role: admin, resource: prod}":       "grants: []\n  # boss",
	} {
		g := grant(t, "ann@example.com", "admin", "prod")
		e, err := schema.RemoveGrant(files("infra.yaml", "version: 1\n", prod, before), g.Subject, "admin", g.Target)
		if err != nil {
			t.Errorf("%q: %v", before, err)
		} else if got := string(e.Files[prod]); got != want || e.Outcome != schema.Removed {
			t.Errorf("%q: %q", before, got)
		}
	}
}

func TestChangingAGrantTouchesTheKeysThatChange(t *testing.T) {
	t.Parallel()
	later := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, before, after string
		expires             time.Time
		reason              string
		outcome             schema.Outcome
	}{
		{"adds an expiry and a reason",
			"grants:\n- user: ann@example.com # boss\n  role: admin\n  resource: prod # all\n",
			"grants:\n- user: ann@example.com # boss\n  role: admin\n  resource: prod # all\n  expires: 2026-12-24T18:00:00Z\n  reason: \"INC-1: stuck\"\n",
			later, "INC-1: stuck", schema.Changed},
		{"renews what had expired",
			"grants:\n- {user: ann@example.com, role: admin, resource: prod, expires: 2026-01-01T00:00:00Z}\n",
			"grants:\n- {user: ann@example.com, role: admin, resource: prod, expires: 2026-12-24T18:00:00Z, reason: more}\n",
			later, "more", schema.Renewed},
		{"takes the expiry and the reason away",
			"grants:\n- expires: 2026-12-31T00:00:00Z\n  user: ann@example.com\n  role: admin\n  reason: >\n    long\n    story\n  resource: prod\n",
			"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n",
			time.Time{}, "", schema.Changed},
		{"replaces a reason of several lines",
			"grants:\n- user: ann@example.com\n  role: admin\n  reason: |\n    story\n\n  resource: prod\n",
			"grants:\n- user: ann@example.com\n  role: admin\n  reason: short\n\n  resource: prod\n",
			time.Time{}, "short", schema.Changed},
		{"puts the expiry before the reason",
			"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n  reason: 'why'\n",
			"grants:\n- user: ann@example.com\n  role: admin\n  resource: prod\n  expires: 2026-12-24T18:00:00Z\n  reason: 'why'\n",
			later, "why", schema.Changed},
		{"takes them away in braces",
			"grants: [{user: ann@example.com, role: admin, resource: prod, expires: 2026-12-31T00:00:00Z, reason: \"a, b\"}]\n",
			"grants: [{user: ann@example.com, role: admin, resource: prod}]\n",
			time.Time{}, "", schema.Changed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := grant(t, "ann@example.com", "admin", "prod")
			g.Expires, g.Reason = tt.expires, tt.reason
			e, err := schema.AddGrant(files("infra.yaml", "version: 1\n", prod, tt.before), g, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(e.Files[prod])); diff != "" || e.Outcome != tt.outcome {
				t.Errorf("%s: -want +got:\n%s", e.Outcome, diff)
			}
			if diff := cmp.Diff([]schema.Grant{g}, e.After, cmpopts.IgnoreTypes(schema.Pos{})); diff != "" || len(e.Before) != 1 {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWhereAGrantGoes(t *testing.T) {
	t.Parallel()
	const one = "grants:\n  - user: ann@example.com\n    role: view\n    resource: prod.web\n"
	for _, tt := range []struct{ name, user, resource, file string }{
		{"to the file that holds grants of the subject there", "ann@example.com", "prod", "grants/prod/web.yaml"},
		{"else to the destination's", "zoe@example.com", "prod", "grants/prod.yaml"},
		{"also where the subject has grants elsewhere", "ann@example.com", "dev", "grants/dev.yaml"},
		{"a pattern's to the shared file", "ann@example.com", "prod-*", "grants/_shared.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := schema.AddGrant(files("infra.yaml", "version: 1\n", "grants/prod/web.yaml", one), grant(t, tt.user, "edit", tt.resource), now)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := e.Files[tt.file]; !ok || len(e.Files) != 1 {
				t.Errorf("in %v", e.Files)
			}
		})
	}
}

func TestRemovingWhatIsNotThereNamesWhatIs(t *testing.T) {
	t.Parallel()
	fsys := files("infra.yaml", "version: 1\n", "grants/example.yaml",
		"grants:\n  - user: ops@example.com\n    role: admin\n    resource: example.payments\n")
	g := grant(t, "ops@example.com", "cluster-admin", "example.payments")
	_, err := schema.RemoveGrant(fsys, g.Subject, g.Role, g.Target)
	var missing *schema.NotFoundError
	if !errors.As(err, &missing) {
		t.Fatal(err)
	}
	want := "ops@example.com does not have role cluster-admin on example.payments; ops@example.com has role admin on example.payments"
	if err.Error() != want || len(missing.Held) != 1 {
		t.Errorf("%v", err)
	}
}

func TestAnEditRefusesToBringInAProblem(t *testing.T) {
	t.Parallel()
	fsys := files("infra.yaml", "version: 1\n", prod, "grants: []\n")
	_, err := schema.AddGrant(fsys, grant(t, "ann@example.com", "veiw", "prod"), now)
	var p *schema.ProblemsError
	if !errors.As(err, &p) || p.Problems[0].Severity != schema.Warning {
		t.Errorf("a near miss of a role: %v", err)
	}
	if _, err := schema.AddGrant(fsys, grant(t, "system:anonymous", "view", "prod"), now); err == nil {
		t.Error("system:anonymous was granted something")
	}
	broken := files("infra.yaml", "version: 1\n", prod, "grants: [{user: ann@example.com}]\n")
	if _, err := schema.AddGrant(broken, grant(t, "ann@example.com", "view", "prod"), now); !errors.As(err, &p) {
		t.Errorf("a file with errors: %v", err)
	}
	if _, err := schema.AddGrant(fstest.MapFS{}, grant(t, "ann@example.com", "view", "prod"), now); !errors.Is(err, schema.ErrNoInfraYAML) {
		t.Errorf("no infra.yaml: %v", err)
	}
}

func TestKeysAndRevocations(t *testing.T) {
	t.Parallel()
	empty := files("infra.yaml", "version: 1\n")
	k := schema.Key{Name: "example-connector", User: "connector", ID: "7Zk2mQ9xWd", Destination: "example",
		Hash:    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		Created: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Expires: time.Date(2027, 11, 23, 10, 0, 0, 0, time.UTC)}
	added, err := schema.AddKey(empty, k)
	if err != nil {
		t.Fatal(err)
	}
	want := "keys:\n  - name: example-connector\n    user: connector\n    id: 7Zk2mQ9xWd\n    hash: " + k.Hash +
		"\n    destination: example\n    created: 2026-11-23T10:00:00Z\n    expires: 2027-11-23T10:00:00Z\n"
	if diff := cmp.Diff(want, string(added.Files["keys/example-connector.yaml"])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	with := apply(empty, added)
	if _, err := schema.AddKey(with, k); !errors.Is(err, schema.ErrKeyNameInUse) {
		t.Errorf("a name in use: %v", err)
	}
	if _, err := schema.RemoveKey(with, "other"); !errors.Is(err, schema.ErrNoSuchKey) {
		t.Errorf("an unknown name: %v", err)
	}
	removed, err := schema.RemoveKey(with, k.Name)
	if err != nil {
		t.Fatal(err)
	}
	without := apply(with, removed)
	if _, err := fs.Stat(without, "keys/example-connector.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key's file is still there: %v", err)
	}
	revoked, problems, err := schema.LoadRevoked(without)
	if err != nil || len(problems) > 0 || !revoked.Key(k.ID) {
		t.Errorf("the id is not revoked: %v %v %v", revoked, problems, err)
	}

	v := schema.Revocation{User: "mallory@example.com", Reason: "laptop stolen"}
	e, err := schema.Revoke(without, v)
	if err != nil || e.Outcome != schema.Added {
		t.Fatal(e.Outcome, err)
	}
	both := apply(without, e)
	if e, err := schema.Revoke(both, v); err != nil || e.Outcome != schema.Unchanged || len(e.Files) > 0 {
		t.Errorf("revoked again: %v %v", e, err)
	}
	back, err := schema.Unrevoke(both, v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(without["revoked.yaml"].Data), string(back.Files["revoked.yaml"])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := schema.Unrevoke(without, v); !errors.Is(err, schema.ErrNotRevoked) {
		t.Errorf("taken back twice: %v", err)
	}
	broken := apply(both, schema.Edit{Files: map[string][]byte{"grants/x.yaml": []byte("grants: {")}})
	if _, err := schema.Revoke(broken, schema.Revocation{Group: "eng"}); err != nil {
		t.Errorf("where another file is broken: %v", err)
	}
}
