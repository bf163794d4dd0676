package schema_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

func TestAddingAPersonAndRemovingThemRestoresEveryByte(t *testing.T) {
	t.Parallel()
	const path = "users/people.yaml"
	for before, want := range map[string]string{
		"users:\n- name: ann@example.com # boss\n  displayName: Ann\n# end\n": "users:\n- name: ann@example.com # boss\n  displayName: Ann\n- name: kim@example.com\n  displayName: Kim K\n# end\n",
		"users:\n  - name: ann@example.com\n  - name: zoe@example.com":        "users:\n  - name: ann@example.com\n  - name: kim@example.com\n    displayName: Kim K\n  - name: zoe@example.com",
		"users: [{name: \"ann@example.com\"}]\r\n":                            "users: [{name: \"ann@example.com\"}, {name: \"kim@example.com\", displayName: Kim K}]\r\n",
	} {
		with := files("infra.yaml", "version: 1\n", path, before)
		added, err := schema.AddUser(with, schema.DeclaredUser{Name: "kim@example.com", DisplayName: "Kim K"})
		if err != nil {
			t.Errorf("%q: %v", before, err)
			continue
		}
		if diff := cmp.Diff(want, string(added.Files[path])); diff != "" || added.Outcome != schema.Added {
			t.Errorf("%s: -want +got:\n%s", added.Outcome, diff)
		}
		after := apply(with, added)
		if e, err := schema.AddUser(after, schema.DeclaredUser{Name: "kim@example.com"}); err != nil || e.Outcome != schema.Unchanged || len(e.Files) > 0 {
			t.Errorf("added again: %+v, %v", e, err)
		}
		if e, err := schema.AddUser(after, schema.DeclaredUser{Name: "ann@example.com", DisplayName: "A"}); err != nil || e.Outcome != schema.Changed {
			t.Errorf("another display name: %+v, %v", e, err)
		}
		removed, err := schema.RemoveUser(after, "kim@example.com")
		if err != nil {
			t.Errorf("%q: %v", before, err)
		} else if diff := cmp.Diff(before, string(removed.Files[path])); diff != "" {
			t.Errorf("removed: -want +got:\n%s", diff)
		}
		if _, err := schema.RemoveUser(with, "kim@example.com"); !errors.Is(err, schema.ErrNoSuchUser) {
			t.Errorf("an unknown person: %v", err)
		}
	}
}
