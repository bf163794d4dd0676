package schema_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

func grantOf(subject, role, resource string) schema.Grant {
	g := schema.Grant{Subject: schema.Subject{Kind: schema.User, Name: subject}, Role: role}
	if name, ok := strings.CutPrefix(subject, "-g "); ok {
		g.Subject = schema.Subject{Kind: schema.GroupKind, Name: name}
	}
	var err error
	if g.Target, err = schema.ParseTarget(resource); err != nil {
		panic(err)
	}
	return g
}

func repository(files ...string) fstest.MapFS {
	fsys := fstest.MapFS{"infra.yaml": {Data: []byte("version: 1\n")}}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return fsys
}

func TestManyGrantsAreWrittenAsOneByOne(t *testing.T) {
	for name, files := range map[string][]string{
		"a file that is not there":  nil,
		"an empty list":             {"grants/prod.yaml", "grants: [] # none\n"},
		"one grant":                 {"grants/prod.yaml", "grants:\n  - {user: m@example.com, role: edit, resource: prod}\n"},
		"sorted, with blank lines":  {"grants/prod.yaml", "grants:\n- user: b@example.com\n  role: edit\n  resource: prod\n\n# of m\n- user: m@example.com\n  role: edit\n  resource: prod\n"},
		"CRLF, no last line end":    {"grants/prod.yaml", "grants:\r\n  - role: edit\r\n    user: b@example.com\r\n    resource: prod\r\n  - role: view\r\n    user: m@example.com\r\n    resource: prod"},
		"in brackets":               {"grants/prod.yaml", "grants: [{user: b@example.com, role: edit, resource: prod}, {user: m@example.com, role: edit, resource: prod}]\n"},
		"a file of somebody's own":  {"grants/prod/team.yaml", "grants:\n  - user: c@example.com\n    role: edit\n    resource: prod\n"},
		"in no order, with a notes": {"grants/prod.yaml", "# one\ngrants:\n  # two\n  - user: z@example.com\n    role: edit\n    resource: prod\n  - user: a@example.com # three\n    role: edit\n    resource: prod\n  # four\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var grants []schema.Grant
			for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(26) {
				grants = append(grants, grantOf(fmt.Sprintf("%c@example.com", 'a'+i), "view", "prod.web"))
			}
			many := repository(files...)
			edit, refused, err := schema.AddGrants(many, grants)
			if err != nil || len(refused) > 0 {
				t.Fatal(refused, err)
			}
			for _, g := range edit.After {
				lines := strings.Split(string(edit.Files[g.Pos.File]), "\n")[g.Pos.Line-1:]
				if entry := strings.Join(lines[:min(2, len(lines))], "\n"); !strings.Contains(entry, g.Subject.Name) {
					t.Errorf("%s is said to be at %s, which says %q", g, g.Pos, entry)
				}
			}
			one := repository(files...)
			for _, g := range edit.After {
				step, err := schema.AddGrant(one, g, now)
				if err != nil {
					t.Fatal(err)
				}
				one = apply(one, step)
			}
			for path, data := range edit.Files {
				if diff := cmp.Diff(string(one[path].Data), string(data)); diff != "" {
					t.Errorf("%s (-one by one +at once):\n%s", path, diff)
				}
			}
			if again, _, err := schema.AddGrants(one, grants); err != nil || again.Outcome != schema.Unchanged || len(again.Files) > 0 {
				t.Errorf("the second time it is %+v, %v", again, err)
			}
		})
	}
}

func TestOfManyGrantsThoseThatCannotBeAreLeftOut(t *testing.T) {
	fsys := repository(
		"groups/sre.yaml", "groups:\n  - name: engineering\n    users: [bob]\n",
		"destinations/prod.yaml", "destinations:\n  - name: prod\n    roles:\n      - name: deploy\n",
	)
	edit, refused, err := schema.AddGrants(fsys, []schema.Grant{
		grantOf("ann@example.com", "view", "prod"),
		grantOf("Ann@example.com", "view", "prod"),
		grantOf("Bob", "view", "prod"),
		grantOf("-g enginering", "view", "prod"),
		grantOf("zoe", "deploy", "prod"),
		grantOf("zoe", "reboot", "prod"),
		grantOf("system:admin", "view", "prod"),
		grantOf("ann@example.com", "view", "prod"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range refused {
		got[r.Grant.String()] = r.Reason
	}
	want := map[string]string{
		"Ann@example.com view on prod":    `user "Ann@example.com": e-mail addresses are in lower case: "ann@example.com"`,
		"Bob view on prod":                `user "Bob" differs from "bob" only by case or normalisation`,
		`group "enginering" view on prod`: `group "enginering" is not declared: did you mean "engineering"?`,
		"zoe reboot on prod":              `role "reboot": destination prod does not list it`,
		"system:admin view on prod":       `user "system:admin": names that begin with "system:" are Kubernetes' own`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(edit.After) != 2 {
		t.Errorf("added were %v", edit.After)
	}
}

func BenchmarkAddGrants(b *testing.B) {
	var grants []schema.Grant
	for i := range 10_000 {
		grants = append(grants, grantOf(fmt.Sprintf("p%d@example.com", i), "view", "prod"))
	}
	fsys := repository()
	for b.Loop() {
		if _, _, err := schema.AddGrants(fsys, grants); err != nil {
			b.Fatal(err)
		}
	}
}
