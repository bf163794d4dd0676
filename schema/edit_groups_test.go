package schema_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/schema"
)

const webFile = "groups/web.yaml"

// memberStyles are groups as people write them, and what adding kim@example.com
// to the group web makes of them.
var memberStyles = []struct{ name, before, after string }{
	{"in brackets",
		"groups:\n  - name: web\n    users: [ann@example.com] # us\n",
		"groups:\n  - name: web\n    users: [ann@example.com, kim@example.com] # us\n"},
	{"in brackets, sorted",
		"groups:\n  - name: web\n    users: [ann@example.com, zoe@example.com]\n",
		"groups:\n  - name: web\n    users: [ann@example.com, kim@example.com, zoe@example.com]\n"},
	{"in brackets, first of a sorted list",
		"groups:\n  - name: web\n    users: [leo@example.com, zoe@example.com]\n",
		"groups:\n  - name: web\n    users: [kim@example.com, leo@example.com, zoe@example.com]\n"},
	{"a line each, before another list and another group",
		"groups:\n  - name: web\n    users:\n      - ann@example.com # boss\n      # not sorted\n      - zoe@example.com\n      - bob@example.com\n    # inner\n    groups: [ops]\n\n  - name: x\n    users: [ann@example.com]\n",
		"groups:\n  - name: web\n    users:\n      - ann@example.com # boss\n      # not sorted\n      - zoe@example.com\n      - bob@example.com\n      - kim@example.com\n    # inner\n    groups: [ops]\n\n  - name: x\n    users: [ann@example.com]\n"},
	{"a line each, the dash under the key, CRLF, last in the file without a newline",
		"groups:\r\n- name: web\r\n  users:\r\n  - 'ann@example.com'",
		"groups:\r\n- name: web\r\n  users:\r\n  - 'ann@example.com'\r\n  - 'kim@example.com'"},
	{"a line each, sorted, comments at the end",
		"groups:\n- name: web\n  users:\n    - ann@example.com\n    - zoe@example.com\n      # deep\n  # shallow\n# end\n",
		"groups:\n- name: web\n  users:\n    - ann@example.com\n    - kim@example.com\n    - zoe@example.com\n      # deep\n  # shallow\n# end\n"},
	{"in brackets, a line each",
		"groups:\n  - name: web\n    users: [\n      ann@example.com, # boss\n      bob@example.com,\n    ]\n",
		"groups:\n  - name: web\n    users: [\n      ann@example.com, # boss\n      bob@example.com,\n      kim@example.com,\n    ]\n"},
	{"in braces",
		"groups: [{name: web, users: [ann@example.com], groups: [ops]}]\n",
		"groups: [{name: web, users: [ann@example.com, kim@example.com], groups: [ops]}]\n"},
	{"JSON",
		"{\"groups\": [{\"name\": \"web\", \"users\": [\"ann@example.com\"]}]}",
		"{\"groups\": [{\"name\": \"web\", \"users\": [\"ann@example.com\", \"kim@example.com\"]}]}"},
	{"an empty list",
		"groups:\n- name: web\n  users: []  # none yet\n  groups: [ops]\n",
		"groups:\n- name: web\n  users: [kim@example.com]  # none yet\n  groups: [ops]\n"},
	{"no list",
		"groups:\n- name: web # us\n  groups: [ops]\n",
		"groups:\n- name: web # us\n  users: [kim@example.com]\n  groups: [ops]\n"},
}

func TestAddingAMemberFollowsTheStyleOfTheListAndRemovingItRestoresIt(t *testing.T) {
	t.Parallel()
	for _, tt := range memberStyles {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := files("infra.yaml", "version: 1\n", webFile, tt.before)
			added, err := schema.AddMembers(before, "web", schema.User, "kim@example.com")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.after, string(added.Files[webFile])); diff != "" || added.Outcome != schema.Changed {
				t.Fatalf("%s: -want +got:\n%s", added.Outcome, diff)
			}
			after := apply(before, added)
			again, err := schema.AddMembers(after, "web", schema.User, "kim@example.com")
			if err != nil || again.Outcome != schema.Unchanged || len(again.Files) > 0 {
				t.Errorf("added again: %+v, %v", again, err)
			}
			removed, err := schema.RemoveMembers(after, "web", schema.User, "kim@example.com")
			if err != nil {
				t.Fatal(err)
			}
			want := tt.before
			if tt.name == "no list" { // the last one removed leaves an empty list
				want = "groups:\n- name: web # us\n  users: []\n  groups: [ops]\n"
			}
			if diff := cmp.Diff(want, string(removed.Files[webFile])); diff != "" {
				t.Errorf("removed: -want +got:\n%s", diff)
			}
		})
	}
}

func TestGroupsComeAndGo(t *testing.T) {
	t.Parallel()
	empty := files("infra.yaml", "version: 1\n")
	g := schema.Group{Name: "web", Destination: "prod", Users: []schema.Member{{Name: "ann@example.com"}, {Name: "ann@example.com"}},
		Groups: []schema.Member{{Name: "ops"}}}
	added, err := schema.AddGroup(empty, g)
	if err != nil {
		t.Fatal(err)
	}
	want := "groups:\n  - name: web\n    users: [ann@example.com]\n    groups: [ops]\n"
	if diff := cmp.Diff(want, string(added.Files["groups/prod/web.yaml"])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	with := apply(empty, added)
	if e, err := schema.AddGroup(with, g); err != nil || e.Outcome != schema.Unchanged || len(e.Files) > 0 {
		t.Errorf("added again: %+v, %v", e, err)
	}
	if _, err := schema.AddGroup(with, schema.Group{Name: "web", Users: g.Users}); err == nil {
		t.Error("the same name for every destination")
	}
	removed, err := schema.RemoveGroup(with, "web")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, apply(with, removed)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := schema.RemoveGroup(empty, "web"); !errors.Is(err, schema.ErrNoSuchGroup) {
		t.Errorf("an unknown group: %v", err)
	}
	if _, err := schema.RemoveMembers(with, "web", schema.GroupKind, "x"); !errors.Is(err, schema.ErrNoSuchMember) {
		t.Errorf("an unknown member: %v", err)
	}
	if _, err := schema.AddMembers(empty, "web", schema.User, "a"); !errors.Is(err, schema.ErrNoSuchGroup) {
		t.Errorf("a member of an unknown group: %v", err)
	}
	var p *schema.ProblemsError
	if _, err := schema.AddGroup(empty, schema.Group{Name: "none"}); !errors.As(err, &p) {
		t.Errorf("a group without members: %v", err)
	}
	if _, err := schema.AddMembers(with, "web", schema.GroupKind, "web"); !errors.As(err, &p) {
		t.Errorf("a group in itself: %v", err)
	}
}

// FuzzEditMember: adding a member to a list that has one changes exactly that, and
// removing it again restores every byte.
func FuzzEditMember(f *testing.F) {
	for _, s := range memberStyles {
		f.Add(s.before, "kim@example.com")
	}
	for _, text := range peopleFiles(f) {
		f.Add(text, "zoe@example.com")
	}
	f.Fuzz(func(t *testing.T, text, user string) {
		before := files("infra.yaml", "version: 1\n", webFile, text)
		was, problems, err := schema.Load(before, nil)
		if err != nil || len(problems.Errors()) > 0 || len(was.Groups) == 0 || len(was.Groups[0].Users) == 0 {
			return
		}
		group := was.Groups[0].Name
		added, err := schema.AddMembers(before, group, schema.User, user)
		if err != nil || added.Outcome != schema.Changed {
			return
		}
		after := apply(before, added)
		is, _, err := schema.Load(after, nil)
		if err != nil {
			t.Fatal(err)
		}
		was.Groups[0].Users = append(was.Groups[0].Users, schema.Member{Name: user})
		order := cmpopts.SortSlices(func(a, b schema.Member) bool { return a.Name < b.Name })
		if diff := cmp.Diff(was.Groups, is.Groups, cmpopts.IgnoreTypes(schema.Pos{}), order, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("adding changed more or less than the member:\n%s\n%q", diff, added.Files[webFile])
		}
		removed, err := schema.RemoveMembers(after, group, schema.User, user)
		if err != nil {
			return
		}
		if got := string(removed.Files[webFile]); got != text {
			t.Errorf("added and removed again:\nbefore %q\nwith   %q\nafter  %q", text, added.Files[webFile], got)
		}
	})
}
