package schema_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/schema"
)

// peopleFiles are the texts of testdata/people, of one kind of file or another.
func peopleFiles(f *testing.F) []string {
	names, err := filepath.Glob("testdata/people/*/before.yaml")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	var texts []string
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}

// FuzzEditUser: declaring a person changes exactly that, and taking it back restores
// every byte of a list that has others in it.
func FuzzEditUser(f *testing.F) {
	for _, text := range peopleFiles(f) {
		f.Add(text, "zoe@example.com", "Zoe Zett")
		f.Add(text, "ann@example.com", "")
	}
	f.Fuzz(func(t *testing.T, text, name, display string) {
		before := files("infra.yaml", "version: 1\n", "users/users.yaml", text)
		was, problems, err := schema.Load(before, nil)
		if err != nil || len(problems.Errors()) > 0 || len(was.Users) == 0 {
			return
		}
		u := schema.DeclaredUser{Name: name, DisplayName: display}
		added, err := schema.AddUser(before, u)
		if err != nil || added.Outcome != schema.Added {
			return
		}
		after := apply(before, added)
		is, _, err := schema.Load(after, nil)
		if err != nil {
			t.Fatal(err)
		}
		order := cmpopts.SortSlices(func(a, b schema.DeclaredUser) bool { return a.Name < b.Name })
		if diff := cmp.Diff(append(was.Users, u), is.Users, cmpopts.IgnoreTypes(schema.Pos{}), order); diff != "" {
			t.Errorf("adding changed more or less than the person:\n%s\n%q", diff, added.Files["users/users.yaml"])
		}
		removed, err := schema.RemoveUser(after, name)
		if err != nil {
			return
		}
		if got := string(removed.Files["users/users.yaml"]); got != text {
			t.Errorf("added and removed again:\nbefore %q\nwith   %q\nafter  %q", text, added.Files["users/users.yaml"], got)
		}
	})
}
