package schema_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

func TestARenameChangesTheNameAndNoOtherByte(t *testing.T) {
	t.Parallel()
	person := schema.Rename{What: schema.AUser, Old: "ann@example.com", New: "lee@example.com"}
	team := schema.Rename{What: schema.AGroup, Old: "web", New: "front end"}
	cluster := schema.Rename{What: schema.ADestination, Old: "prod", New: "prod-eu"}
	for _, tt := range []struct {
		name                string
		rename              schema.Rename
		file, before, after string
	}{
		{"a grant, commented", person, "grants/prod.yaml",
			"# ann@example.com was here\ngrants:\n  - user: ann@example.com  # ann@example.com\n    role: view\n    resource: prod\n    reason: ask ann@example.com\n",
			"# ann@example.com was here\ngrants:\n  - user: lee@example.com  # ann@example.com\n    role: view\n    resource: prod\n    reason: ask ann@example.com\n"},
		{"quotes, CRLF, no last line end", person, "grants/prod.yaml",
			"grants:\r\n- {user: 'ann@example.com', role: \"view\", resource: prod}\r\n- role: edit\r\n  resource: prod\r\n  user: \"ann@example.com\"",
			"grants:\r\n- {user: 'lee@example.com', role: \"view\", resource: prod}\r\n- role: edit\r\n  resource: prod\r\n  user: \"lee@example.com\""},
		{"an escape that hides the name", person, "grants/prod.yaml",
			"grants:\n- {user: \"\\x61nn@example.com\", role: view, resource: prod}\n",
			"grants:\n- {user: \"lee@example.com\", role: view, resource: prod}\n"},
		{"members, sorted or not", person, "groups/g.yaml",
			"groups:\n- name: g\n  users: [ann@example.com, bob@example.com]\n- name: h\n  users:\n  - bob@example.com\n  - ann@example.com # boss\n",
			"groups:\n- name: g\n  users: [lee@example.com, bob@example.com]\n- name: h\n  users:\n  - bob@example.com\n  - lee@example.com # boss\n"},
		{"a declaration", person, "users/people.yaml",
			"users: [{name: ann@example.com, displayName: ann@example.com}]\n",
			"users: [{name: lee@example.com, displayName: ann@example.com}]\n"},
		{"a revocation follows the person", person, "revoked.yaml",
			"revoked:\n- user: ann@example.com\n- group: ann@example.com\n",
			"revoked:\n- user: lee@example.com\n- group: ann@example.com\n"},
		{"the policy and its cases", person, "infra.yaml",
			"version: 1\npolicy:\n- name: ann\n  message: ann@example.com\n  deny: {roles: [admin], unless: {users: [ann@example.com, '*@x']}}\n  cases: [{grant: {user: ann@example.com, role: admin, resource: prod}, want: allowed}]\n",
			"version: 1\npolicy:\n- name: ann\n  message: ann@example.com\n  deny: {roles: [admin], unless: {users: [lee@example.com, '*@x']}}\n  cases: [{grant: {user: lee@example.com, role: admin, resource: prod}, want: allowed}]\n"},
		{"a rule that knows both names keeps both", person, "infra.yaml",
			"version: 1\npolicy:\n- name: ann\n  message: m\n  deny: {roles: [admin], unless: {users: [ann@example.com, lee@example.com]}}\n",
			"version: 1\npolicy:\n- name: ann\n  message: m\n  deny: {roles: [admin], unless: {users: [ann@example.com, lee@example.com]}}\n"},
		{"a group with a blank, nested too", team, "groups/all.yaml",
			"groups:\n- name: all\n  groups: [web]\n- {name: web, users: [web]}\n",
			"groups:\n- name: all\n  groups: [front end]\n- {name: front end, users: [web]}\n"},
		{"a destination in brakes and rules", cluster, "infra.yaml",
			"version: 1\nbrakes:\n  destinations: [{name: prod, people: 3}, {name: prod*, people: 4}]\npolicy:\n- {name: l, message: m, local: [prod]}\n- {name: d, message: m, deny: {destinations: [prod], roles: [edit]}}\n- {name: prod, message: prod, protect: {user: prod, role: view, resource: prod.prod}}\n",
			"version: 1\nbrakes:\n  destinations: [{name: prod-eu, people: 3}, {name: prod*, people: 4}]\npolicy:\n- {name: l, message: m, local: [prod-eu]}\n- {name: d, message: m, deny: {destinations: [prod-eu], roles: [edit]}}\n- {name: prod, message: prod, protect: {user: prod, role: view, resource: prod-eu.prod}}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := files("infra.yaml", "version: 1\n", tt.file, tt.before,
				"keys/k.yaml", "keys: [{name: k, user: ann@example.com, id: 7Zk2mQ9xWd, hash: 'sha256:"+strings.Repeat("a", 64)+"', destination: prod}]\n",
				"groups/z.yaml", "groups: [{name: z, users: [prod], groups: [web]}]\n")
			edit, err := tt.rename.Edit(before)
			if err != nil {
				t.Fatal(err)
			}
			got, changed := edit.Files[tt.file]
			if !changed {
				got = []byte(tt.before)
			}
			if diff := cmp.Diff(tt.after, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if both := strings.Contains(tt.name, "both"); both != (len(edit.Left) == 1) {
				t.Errorf("left: %v", edit.Left)
			}
		})
	}
}

func TestADestinationKeepsItsOldNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, before, after string }{
		{"no file", "", "destinations:\n  - name: new\n    formerly: [old]\n"},
		{"a file without former names",
			"destinations:\n  - name: old # ours\n    labels: {env: old}\n    roles: [{name: old}]\n",
			"destinations:\n  - name: new # ours\n    formerly: [old]\n    labels: {env: old}\n    roles: [{name: old}]\n"},
		{"in braces",
			"destinations: [{name: old, mode: observe}]\n",
			"destinations: [{name: new, formerly: [old], mode: observe}]\n"},
		{"some former names",
			"destinations:\n- name: old\n  formerly: [older]\n",
			"destinations:\n- name: new\n  formerly: [older, old]\n"},
		{"some, a line each",
			"destinations:\n- name: old\n  formerly:\n  - older\n  - oldest # of all\n  mode: observe\n",
			"destinations:\n- name: new\n  formerly:\n  - older\n  - oldest # of all\n  - old\n  mode: observe\n"},
		{"a former name again",
			"destinations:\n- {name: old, formerly: [new, older]}\n",
			"destinations:\n- {name: new, formerly: [old, older]}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := files("infra.yaml", "version: 1\n", "grants/old/team/a.yaml", "grants:\n- {user: ann, role: view, resource: old.x}\n",
				"grants/old/README.md", "old\n", "groups/old/g.yaml", "groups: [{name: g, users: [old]}]\n")
			if tt.before != "" {
				before["destinations/old.yaml"] = &fstest.MapFile{Data: []byte(tt.before)}
			}
			edit, err := schema.Rename{What: schema.ADestination, Old: "old", New: "new"}.Edit(before)
			if err != nil {
				t.Fatal(err)
			}
			after := apply(before, edit.Edit)
			if diff := cmp.Diff(tt.after, string(after["destinations/new.yaml"].Data)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			for p, want := range map[string]string{"grants/new/team/a.yaml": "grants:\n- {user: ann, role: view, resource: new.x}\n", "grants/new/README.md": "old\n", "groups/new/g.yaml": "groups: [{name: g, users: [old]}]\n"} {
				if f := after[p]; f == nil || string(f.Data) != want {
					t.Errorf("%s: %v", p, f)
				}
			}
			for p := range after {
				if strings.Contains(p, "old") {
					t.Errorf("%s stayed", p)
				}
			}
		})
	}
}

func TestRenamesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rename schema.Rename
		files  []string
		want   string
	}{
		"a name over several lines": {schema.Rename{What: schema.AGroup, Old: "a b", New: "c"},
			[]string{"groups/g.yaml", "groups:\n- name: a\n    b\n  users: [x]\n"}, "over several lines"},
		"a block scalar": {schema.Rename{What: schema.AUser, Old: "ann", New: "bob"},
			[]string{"users/u.yaml", "users:\n- name: |-\n    ann\n"}, "over several lines"},
		"a destination's file that is there": {schema.Rename{What: schema.ADestination, Old: "a", New: "b"},
			[]string{"grants/a.yaml", "grants: [{user: x, role: view, resource: a}]\n", "grants/b.yaml", "grants: []\n"}, "grants/b.yaml: a file of the new name exists"},
		"a name that deceives": {schema.Rename{What: schema.AUser, Old: "ann", New: "аnn"}, nil, "several scripts"},
		"the connector":        {schema.Rename{What: schema.AUser, Old: "connector", New: "ann"}, nil, "reserved"},
		"the server":           {schema.Rename{What: schema.ADestination, Old: "infra", New: "ann"}, nil, "reserved"},
		"another's former name": {schema.Rename{What: schema.ADestination, Old: "a", New: "b"},
			[]string{"grants/a.yaml", "grants: [{user: x, role: view, resource: a}]\n", "destinations/c.yaml", "destinations: [{name: c, formerly: [b]}]\n"}, `former name "b" is the name of a destination`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.rename.Edit(files(append([]string{"infra.yaml", "version: 1\n"}, tt.files...)...))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A warning that was there is no new one because it says another name.
func TestARenameTakesItsWarningsAlong(t *testing.T) {
	t.Parallel()
	before := files("infra.yaml", "version: 1\n", "groups/web.yaml", "groups: [{name: web, users: [a, a]}]\n",
		"grants/a.yaml", "grants:\n- {group: web, role: veiw, resource: a}\n- {group: web, role: veiw, resource: a}\n")
	for _, r := range []schema.Rename{{What: schema.AGroup, Old: "web", New: "front"}, {What: schema.AUser, Old: "a", New: "b"}, {What: schema.ADestination, Old: "a", New: "b"}, {What: schema.ADestination, Old: "a", New: "a-b"}} {
		if _, err := r.Edit(before); err != nil {
			t.Errorf("%v: %v", r, err)
		}
	}
}

// Renaming there and back restores every byte, but for the former name of a
// destination, and in between everybody has what they had, under the other name.
func FuzzRename(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		t.Parallel()
		r := rand.New(rand.NewPCG(seed, 1))
		before := aRepository(r)
		old, problems, err := schema.Load(before, nil)
		if err != nil || len(problems.Errors()) > 0 {
			t.Fatalf("the generator is wrong: %v %v", err, problems)
		}
		there := []schema.Rename{
			{What: schema.AUser, Old: "ann@example.com", New: "a.lee@example.com"},
			{What: schema.AGroup, Old: "web", New: "front"},
			{What: schema.ADestination, Old: "prod", New: "live"},
		}[r.IntN(3)]
		edit, err := there.Edit(before)
		if err != nil {
			t.Fatal(err)
		}
		if edit.Count == 0 {
			return
		}
		between := apply(before, edit.Edit)
		now, problems, err := schema.Load(between, nil)
		if err != nil || len(problems.Errors()) > 0 {
			t.Fatal(err, problems)
		}
		if left, _ := schema.Mentions(between, there.What, there.Old); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		renamed := old
		if there.What != schema.ADestination {
			renamed = there.Of(old)
		}
		for _, c := range access.Compare(access.Resolve(renamed, renamed.Revoked), access.Resolve(now, now.Revoked), time.Unix(0, 0)) {
			if c.Kind.OfAccess() || strings.HasPrefix(string(c.Kind), "key") && there.What != schema.ADestination || strings.HasPrefix(string(c.Kind), "revo") {
				t.Errorf("%s %s %s %s on %s", c.Kind, c.Subject, c.Name, c.Role, c.Target)
			}
		}
		back := schema.Rename{What: there.What, Old: there.New, New: there.Old}
		again, err := back.Edit(between)
		if err != nil {
			t.Fatal(err)
		}
		after := apply(between, again.Edit)
		if there.What == schema.ADestination {
			after["destinations/prod.yaml"] = before["destinations/prod.yaml"]
			if before["destinations/prod.yaml"] == nil {
				delete(after, "destinations/prod.yaml")
			}
		}
		texts := func(m fstest.MapFS) map[string]string {
			out := map[string]string{}
			for p, f := range m {
				out[p] = string(f.Data)
			}
			return out
		}
		if diff := cmp.Diff(texts(before), texts(after)); diff != "" {
			t.Errorf("seed %d: -before +after:\n%s", seed, diff)
		}
	})
}

// aRepository is a random repository without errors, in random styles.
func aRepository(r *rand.Rand) fstest.MapFS {
	people := []string{"ann@example.com", "bob@example.com", "cy@example.com", "web"}
	groups := []string{"web", "ops", "idp"}
	quote := func(s string) string {
		switch r.IntN(4) {
		case 0:
			return `"` + s + `"`
		case 1:
			return "'" + s + "'"
		}
		if strings.HasPrefix(s, "*") {
			return "'" + s + "'"
		}
		return s
	}
	some := func(of []string) []string {
		var out []string
		for _, s := range of {
			if r.IntN(2) == 0 {
				out = append(out, s)
			}
		}
		if len(out) == 0 {
			out = of[:1]
		}
		return out
	}
	list := func(indent string, of []string) string {
		if r.IntN(2) == 0 {
			var q []string
			for _, s := range of {
				q = append(q, quote(s))
			}
			return " [" + strings.Join(q, ", ") + "]\n"
		}
		out := " # who\n"
		for _, s := range of {
			out += indent + "- " + quote(s) + "\n"
		}
		return out
	}
	entry := func(pairs ...string) string {
		if r.IntN(2) == 0 {
			var q []string
			for i := 0; i < len(pairs); i += 2 {
				q = append(q, pairs[i]+": "+quote(pairs[i+1]))
			}
			return "  - {" + strings.Join(q, ", ") + "} # ann@example.com, web and prod\n"
		}
		out, lead := "", "  - "
		for i := 0; i < len(pairs); i += 2 {
			out, lead = out+lead+pairs[i]+": "+quote(pairs[i+1])+"\n", "    "
		}
		return out
	}
	grants := func(resources ...string) string {
		out, seen := "# grants\ngrants:\n", map[string]bool{}
		for range 1 + r.IntN(6) {
			kind, name := "user", people[r.IntN(len(people))]
			if r.IntN(2) == 0 {
				kind, name = "group", groups[r.IntN(len(groups))]
			}
			e := []string{kind, name, "role", []string{"view", "edit", "admin"}[r.IntN(3)], "resource", resources[r.IntN(len(resources))]}
			if id := fmt.Sprint(e); seen[id] {
				continue
			} else if seen[id] = true; r.IntN(3) == 0 {
				e = append(e, "expires", "2030-01-01T00:00:00Z")
			}
			out += entry(e...)
		}
		return out
	}
	m := files("infra.yaml", "version: 1\npolicy:\n- {name: web, message: prod, deny: {roles: [exec], users: [ann@example.com, '*.test'], destinations: [prod], unless: {groups: [web]}}}\n",
		"grants/prod.yaml", grants("prod", "prod.prod", "prod.pay-*"), "grants/dev.yaml", grants("dev", "dev.prod"),
		"groups/web.yaml", "groups:\n  - name: web\n    users:"+list("    ", some(people)),
		"groups/more.yaml", "groups:\n  - name: ops\n    groups:"+list("      ", some([]string{"web", "idp"}))+"    users:"+list("    ", some(people)))
	if r.IntN(2) == 0 {
		m["grants/_shared.yaml"] = &fstest.MapFile{Data: []byte(grants("*", "*.pay"))}
	}
	if r.IntN(2) == 0 {
		m["grants/prod/team.yaml"] = &fstest.MapFile{Data: []byte(grants("prod.team"))}
	}
	if r.IntN(2) == 0 {
		m["users/users.yaml"] = &fstest.MapFile{Data: []byte("users:\n" + entry("name", people[0]))}
	}
	if r.IntN(2) == 0 {
		m["destinations/prod.yaml"] = &fstest.MapFile{Data: []byte("destinations:\n" + entry("name", "prod", "mode", "observe"))}
	}
	if r.IntN(2) == 0 {
		m["revoked.yaml"] = &fstest.MapFile{Data: []byte("revoked:\n" + entry("user", people[r.IntN(2)]) + entry("group", groups[r.IntN(3)]))}
	}
	if r.IntN(2) == 0 {
		m["keys/k.yaml"] = &fstest.MapFile{Data: []byte("keys:\n" + entry("name", "k", "user", people[0], "id", "7Zk2mQ9xWd", "hash", "sha256:"+strings.Repeat("a", 64), "destination", "prod"))}
	}
	for p, f := range m {
		if r.IntN(4) == 0 {
			m[p] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(f.Data), "\n", "\r\n"))}
		}
	}
	return m
}
