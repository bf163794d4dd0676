package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

// entry is a grant on prod as a file has it.
func entry(user, role string, more ...string) string {
	return "  - user: " + user + "@example.com\n    role: " + role + "\n    resource: prod\n" + strings.Join(more, "")
}

const (
	ann, bob, cid = "  - user: ann@example.com\n    role: view\n    resource: prod\n",
		"  - user: bob@example.com\n    role: view\n    resource: prod\n",
		"  - user: cid@example.com\n    role: view\n    resource: prod\n"
	june, july = "    expires: 2027-06-01T00:00:00Z\n", "    expires: 2027-07-01T00:00:00Z\n"
)

var merges = []struct {
	name, path               string
	base, ours, theirs, want string
	conflicts                []string // instead of want
}{
	{
		name: "two people add to the end of the same list",
		base: "grants:\n" + bob,
		ours: "grants:\n" + bob + ann, theirs: "grants:\n" + bob + entry("zoe", "view"),
		want: "grants:\n" + bob + ann + entry("zoe", "view"),
	},
	{
		name: "both add the same, once",
		base: "grants:\n" + bob,
		ours: "grants:\n" + bob + ann + cid, theirs: "grants:\n" + bob + ann + entry("zoe", "edit"),
		want: "grants:\n" + bob + ann + cid + entry("zoe", "edit"),
	},
	{
		name: "a list that is sorted stays so",
		base: "grants:\n" + ann + cid,
		ours: "grants:\n" + ann + entry("bea", "view") + cid, theirs: "grants:\n" + ann + cid + "  # a friend\n" + entry("bab", "view"),
		want: "grants:\n" + ann + "  # a friend\n" + entry("bab", "view") + entry("bea", "view") + cid,
	},
	{
		name: "both add to an empty list",
		base: "grants: [] # none yet\n",
		ours: "grants: # none yet\n" + ann, theirs: "grants: # none yet\n" + bob,
		want: "grants: # none yet\n" + ann + bob,
	},
	{
		name: "both remove what the other keeps, until nothing is left",
		base: "# prod\ngrants: # ours\n" + ann + bob + "# end\n",
		ours: "# prod\ngrants: # ours\n" + bob + "# end\n", theirs: "# prod\ngrants: # ours\n" + ann + "# end\n",
		want: "# prod\ngrants: [] # ours\n# end\n",
	},
	{
		name: "one empties the list that the other adds to",
		base: "grants:\n" + ann,
		ours: "grants: []\n", theirs: "grants:\n" + ann + bob,
		want: "grants:\n" + bob,
	},
	{
		name: "both add the file",
		base: "",
		ours: "# by ann\ngrants:\n" + ann, theirs: "# by bob\ngrants:\n" + bob,
		want: "# by ann\n# by bob\ngrants:\n" + ann + bob,
	},
	{
		name: "one extends what the other gives a reason for",
		base: "grants:\n" + ann + june + bob,
		ours: "grants:\n" + ann + july + bob, theirs: "grants:\n" + ann + june + "    reason: INC-1 # really\n" + bob,
		want: "grants:\n" + ann + july + "    reason: INC-1 # really\n" + bob,
	},
	{
		name: "one changes the value, the other the comment behind it",
		base: "grants:\n" + ann + "    expires: 2027-06-01T00:00:00Z\n",
		ours: "grants:\n" + ann + "    expires: 2027-06-01T00:00:00Z # until the audit\n", theirs: "grants:\n" + ann + "    expires: 2027-07-01T00:00:00Z\n",
		want: "grants:\n" + ann + "    expires: 2027-07-01T00:00:00Z # until the audit\n",
	},
	{
		name: "one extends, the other removes a neighbour and adds another",
		base: "grants:\n" + ann + june + bob,
		ours: "grants:\n" + ann + july + bob, theirs: "grants:\n" + ann + june + cid,
		want: "grants:\n" + ann + july + cid,
	},
	{
		name: "comments of entries that one side removes stay where it left them",
		base: "grants:\n  # the boss\n" + bob + "  # a friend\n" + ann,
		ours: "grants:\n  # the boss\n  # a friend\n" + ann, theirs: "grants:\n  # the boss\n" + bob + "  # a friend\n" + ann + "  # new\n" + cid,
		want: "grants:\n  # the boss\n  # a friend\n" + ann + "  # new\n" + cid,
	},
	{
		name: "one removes what the other extends",
		base: "grants:\n" + ann + june + bob,
		ours: "grants:\n" + bob, theirs: "grants:\n" + ann + july + bob,
		conflicts: []string{"ours removes ann@example.com view on prod, theirs extends it to 2027-07-01T00:00:00Z"},
	},
	{
		name: "the other way round",
		base: "grants:\n" + ann + june + bob,
		ours: "grants:\n" + ann + bob, theirs: "grants:\n" + bob,
		conflicts: []string{"ours extends ann@example.com view on prod without end, theirs removes ann@example.com view on prod"},
	},
	{
		name: "both change the expiry",
		base: "grants:\n" + ann + bob,
		ours: "grants:\n" + ann + june + bob, theirs: "grants:\n" + ann + july + bob,
		conflicts: []string{"ours and theirs both change ann@example.com view on prod: ours ends at 2027-06-01T00:00:00Z, theirs at 2027-07-01T00:00:00Z"},
	},
	{
		name: "both add the same with another expiry, in places that do not touch",
		base: "grants:\n" + bob + cid + entry("dan", "view"),
		ours: "grants:\n" + ann + bob + cid + entry("dan", "view"), theirs: "grants:\n" + bob + cid + entry("dan", "view") + ann + june,
		conflicts: []string{"ours and theirs both add ann@example.com view on prod: ours ends never, theirs at 2027-06-01T00:00:00Z"},
	},
	{
		name: "both give a person another role",
		base: "grants:\n" + ann + bob,
		ours: "grants:\n" + entry("ann", "edit") + bob, theirs: "grants:\n" + entry("ann", "admin") + bob,
		conflicts: []string{"ours replaces ann@example.com view on prod by ann@example.com edit on prod, theirs by ann@example.com admin on prod"},
	},
	{
		name: "both move a role, to different namespaces",
		base: "grants:\n" + ann + bob,
		ours: "grants:\n" + strings.ReplaceAll(ann, "prod", "prod.a") + bob, theirs: "grants:\n" + strings.ReplaceAll(ann, "prod", "prod.b") + bob,
		conflicts: []string{"ours replaces ann@example.com view on prod by ann@example.com view on prod.a, theirs by ann@example.com view on prod.b"},
	},
	{
		name: "both remove one person and add another",
		base: "grants:\n" + ann + bob,
		ours: "grants:\n" + bob + cid, theirs: "grants:\n" + bob + entry("dan", "view"),
		want: "grants:\n" + bob + cid + entry("dan", "view"),
	},
	{
		name: "both replace a key", path: "keys/ci.yaml",
		base: "keys:\n  - {name: ci, user: ann@example.com, id: 0aB1cD2eF3, hash: \"sha256:" + strings.Repeat("0", 64) + "\"}\n",
		ours: "keys:\n  - {name: ci, user: ann@example.com, id: 0aB1cD2eF4, hash: \"sha256:" + strings.Repeat("0", 64) + "\"}\n", theirs: "keys:\n  - {name: ci, user: ann@example.com, id: 0aB1cD2eF3, hash: \"sha256:" + strings.Repeat("1", 64) + "\"}\n",
		conflicts: []string{"ours and theirs both replace key ci"},
	},
	{
		name: "a comment in what one removes is not lost",
		base: "grants:\n" + ann + bob,
		ours: "grants:\n" + bob, theirs: "grants:\n" + ann + "    # ask carol first\n" + bob,
	},
	{
		name: "both change the same comment",
		base: "# owner: ann\ngrants:\n" + ann,
		ours: "# owner: bob\ngrants:\n" + ann + bob, theirs: "# owner: cid\ngrants:\n" + ann,
	},
	{
		name: "CRLF without a last line end",
		base: "grants:\r\n- {user: ann@example.com, role: view, resource: prod}",
		ours: "grants:\r\n- {user: ann@example.com, role: view, resource: prod}\r\n- {user: bob@example.com, role: view, resource: prod}", theirs: "grants:\r\n- {user: ann@example.com, role: view, resource: prod} # boss\r\n- {user: cid@example.com, role: view, resource: prod}",
		want: "grants:\r\n- {user: ann@example.com, role: view, resource: prod} # boss\r\n- {user: bob@example.com, role: view, resource: prod}\r\n- {user: cid@example.com, role: view, resource: prod}",
	},
	{
		name: "one turns the line ends, the other adds",
		base: "grants:\n" + ann,
		ours: "grants:\n" + ann + bob, theirs: strings.ReplaceAll("grants:\n"+ann, "\n", "\r\n"),
		want: strings.ReplaceAll("grants:\n"+ann+bob, "\n", "\r\n"),
	},
	{
		name: "one indents the list, the other adds: the layout of ours stays",
		base: "grants:\n- user: ann@example.com\n  role: view\n  resource: prod\n",
		ours: "grants:\n- user: ann@example.com\n  role: view\n  resource: prod\n- user: bob@example.com\n  role: view\n  resource: prod\n  # later\n", theirs: "grants:\n" + ann,
		want: "grants:\n- user: ann@example.com\n  role: view\n  resource: prod\n- user: bob@example.com\n  role: view\n  resource: prod\n  # later\n",
	},
	{
		name: "brackets on one line",
		base: "grants: [{user: ann@example.com, role: view, resource: prod}]\n",
		ours: "grants: [{user: ann@example.com, role: view, resource: prod}, {user: bob@example.com, role: view, resource: prod}]\n", theirs: "grants: [{user: ann@example.com, role: view, resource: prod, reason: x}, {user: cid@example.com, role: view, resource: prod}]\n",
		want: "grants: [{user: ann@example.com, role: view, resource: prod, reason: x}, {user: bob@example.com, role: view, resource: prod}, {user: cid@example.com, role: view, resource: prod}]\n",
	},
	{
		name: "brackets with a line each",
		base: "grants: [\n  {user: ann@example.com, role: view, resource: prod} # ann\n]\n",
		ours: "grants: [\n  {user: ann@example.com, role: view, resource: prod}, # ann\n  {user: bob@example.com, role: view, resource: prod} # bob\n]\n", theirs: "grants: [\n  {user: ann@example.com, role: view, resource: prod}, # ann\n  {user: cid@example.com, role: view, resource: prod} # cid\n]\n",
		want: "grants: [\n  {user: ann@example.com, role: view, resource: prod}, # ann\n  {user: bob@example.com, role: view, resource: prod}, # bob\n  {user: cid@example.com, role: view, resource: prod} # cid\n]\n",
	},
	{
		name: "JSON",
		base: "{\"grants\": []}",
		ours: "{\"grants\": [{\"user\": \"ann@example.com\", \"role\": \"view\", \"resource\": \"prod\"}]}", theirs: "{\"grants\": [{\"user\": \"bob@example.com\", \"role\": \"view\", \"resource\": \"prod\"}]}",
		want: "{\"grants\": [{\"user\": \"ann@example.com\", \"role\": \"view\", \"resource\": \"prod\"}, {\"user\": \"bob@example.com\", \"role\": \"view\", \"resource\": \"prod\"}]}",
	},
	{
		name: "one adds a member, the other takes another one out", path: "groups/eng.yaml",
		base: "groups:\n  - name: eng\n    users: [ann@example.com, bob@example.com] # all\n",
		ours: "groups:\n  - name: eng\n    users: [ann@example.com, bob@example.com, cid@example.com] # all\n", theirs: "groups:\n  - name: eng\n    users: [bob@example.com] # all\n    groups: [ops]\n",
		want: "groups:\n  - name: eng\n    users: [bob@example.com, cid@example.com] # all\n    groups: [ops]\n",
	},
	{
		name: "members with a line each, and comments", path: "groups/eng.yaml",
		base: "groups:\n  - name: eng\n    users:\n      - bob@example.com\n      - ann@example.com # boss\n",
		ours: "groups:\n  - name: eng\n    users:\n      - bob@example.com\n      - ann@example.com # boss\n      # new here\n      - cid@example.com\n", theirs: "groups:\n  - name: eng\n    users:\n      - ann@example.com # the boss\n      - zoe@example.com\n",
		want: "groups:\n  - name: eng\n    users:\n      - ann@example.com # the boss\n      # new here\n      - cid@example.com\n      - zoe@example.com\n",
	},
	{
		name: "one writes the members on lines of their own, the other adds one", path: "groups/eng.yaml",
		base: "groups:\n  - name: eng\n    users: [ann@example.com, bob@example.com] # all\n",
		ours: "groups:\n  - name: eng\n    users: [ann@example.com, bob@example.com, cid@example.com] # all\n", theirs: "groups:\n  - name: eng\n    users: # all\n      - ann@example.com # boss\n",
		want: "groups:\n  - name: eng\n    users: # all\n      - ann@example.com # boss\n      - cid@example.com\n",
	},
	{
		name: "comments of both below one line",
		base: "grants:\n" + ann + june,
		ours: "grants:\n" + ann + july + "      # by ann\n", theirs: "grants:\n" + ann + june + "    reason: x\n      # by bob\n",
		want: "grants:\n" + ann + july + "      # by ann\n" + "    reason: x\n      # by bob\n",
	},
	{
		name: "both take the last members out", path: "groups/eng.yaml",
		base: "groups:\n  - name: eng\n    users: [ann@example.com, bob@example.com]\n",
		ours: "groups:\n  - name: eng\n    users: [ann@example.com]\n", theirs: "groups:\n  - name: eng\n    users: [bob@example.com]\n",
		want: "groups:\n  - name: eng\n    users: []\n",
	},
	{
		name: "one removes the group that the other adds to", path: "groups/eng.yaml",
		base: "groups:\n  - name: eng\n    users: [ann@example.com]\n  - name: ops\n    users: [bob@example.com]\n",
		ours: "groups:\n  - name: ops\n    users: [bob@example.com]\n", theirs: "groups:\n  - name: eng\n    users: [ann@example.com, cid@example.com]\n  - name: ops\n    users: [bob@example.com]\n",
		conflicts: []string{`ours removes group "eng", theirs adds cid@example.com to it`},
	},
	{
		name: "both add a group of one name with other members", path: "groups/eng.yaml",
		base: "groups: []\n",
		ours: "groups:\n  - name: eng\n    users: [ann@example.com]\n", theirs: "groups:\n  - name: eng\n    users: [bob@example.com]\n",
		conflicts: []string{`ours and theirs both add group "eng": their users differ`},
	},
	{
		name: "a destination's labels, mode and rules", path: "destinations/prod.yaml",
		base: "destinations:\n  - name: prod\n    mode: observe # at first\n    labels: {env: prod}\n    roles:\n      - name: bot\n        rules:\n          - apiGroups: [apps]\n            resources: [pods]\n            verbs: [get]\n",
		ours: "destinations:\n  - name: prod\n    mode: enforce # at first\n    labels: {env: prod, team: sre}\n    roles:\n      - name: bot\n        rules:\n          - apiGroups: [apps]\n            resources: [pods]\n            verbs: [get]\n      - name: extra\n", theirs: "destinations:\n  - name: prod\n    mode: observe # at first\n    labels: {env: prod, region: eu}\n    roles:\n      - name: bot\n        rules:\n          - apiGroups: [apps]\n            resources: [pods]\n            verbs: [get]\n      - name: other\n",
		want: "destinations:\n  - name: prod\n    mode: enforce # at first\n    labels: {env: prod, team: sre, region: eu}\n    roles:\n      - name: bot\n        rules:\n          - apiGroups: [apps]\n            resources: [pods]\n            verbs: [get]\n      - name: extra\n      - name: other\n",
	},
	{
		name: "both list the roles of a destination that listed none", path: "destinations/prod.yaml",
		base: "destinations:\n  - name: prod\n",
		ours: "destinations:\n  - name: prod\n    roles: [{name: bot}]\n", theirs: "destinations:\n  - name: prod\n    roles: [{name: dog}]\n",
		conflicts: []string{"ours and theirs both change destination prod: their roles differ"},
	},
	{
		name: "both label a destination that had no labels", path: "destinations/prod.yaml",
		base: "destinations:\n  - name: prod\n",
		ours: "destinations:\n  - name: prod\n    labels: {env: prod}\n", theirs: "destinations:\n  - name: prod\n    labels: {team: sre}\n",
		want: "destinations:\n  - name: prod\n    labels: {env: prod, team: sre}\n",
	},
	{
		name: "both move the same entry: it is where ours has it, once",
		base: "grants:\n" + cid + ann + bob,
		ours: "grants:\n" + ann + cid + bob, theirs: "grants:\n" + ann + bob + june + cid,
		want: "grants:\n" + ann + cid + bob + june,
	},
	{
		name: "both revoke", path: "revoked.yaml",
		base: "revoked:\n  - key: 0aB1cD2eF3\n",
		ours: "revoked:\n  - key: 0aB1cD2eF3\n  - user: mallory@example.com\n    reason: laptop stolen\n", theirs: "revoked:\n  - key: 0aB1cD2eF3\n  - user: mallory@example.com\n  - group: contractors\n",
		want: "revoked:\n  - key: 0aB1cD2eF3\n  - user: mallory@example.com\n    reason: laptop stolen\n  - group: contractors\n",
	},
	{
		name: "empty lines between entries", path: "grants/prod.yaml",
		base: "grants:\n" + bob + "\n" + ann,
		ours: "grants:\n" + ann + "\n" + cid, theirs: "grants:\n" + bob + "\n" + ann + "\n  # why not\n" + entry("dan", "view") + "\n# end\n",
		want: "grants:\n" + ann + "\n" + cid + "\n  # why not\n" + entry("dan", "view") + "\n# end\n",
	},
	{
		name: "one sorts the list, the other adds and changes",
		base: "grants:\n" + cid + "  # boss\n" + ann + bob,
		ours: "grants:\n" + cid + "  # boss\n" + ann + bob + june + entry("dan", "view"), theirs: "grants:\n  # boss\n" + ann + bob + cid,
		want: "grants:\n  # boss\n" + ann + bob + june + cid + entry("dan", "view"),
	},
}

func TestMergingTwoVersions(t *testing.T) {
	t.Parallel()
	for _, tt := range merges {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := tt.path
			if path == "" {
				path = prod
			}
			m, err := schema.Merge(path, []byte(tt.base), []byte(tt.ours), []byte(tt.theirs))
			var style *schema.StyleError
			switch {
			case tt.want == "" && tt.conflicts == nil:
				if !errors.As(err, &style) || m.Text != nil {
					t.Errorf("error %v, text %q", err, m.Text)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.conflicts, m.Conflicts); diff != "" {
				t.Errorf("conflicts: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, string(m.Text)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
