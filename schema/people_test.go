package schema_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/diff"

	"github.com/infrahq/infra/schema"
)

var update = flag.Bool("update", false, "write testdata/people/*/*.patch anew")

// A peopleEdit is one edit of a file as somebody wrote it.
type peopleEdit struct {
	name string // of the golden file
	on   string // the edit that was made before; empty: none
	do   func(fs.FS) (schema.Edit, error)
	undo func(fs.FS) (schema.Edit, error) // nil: another edit cannot take it back
}

// peopleEdits are the edits that are tried on each file of a kind; an edit that has
// nothing to do in a file has no golden there.
func peopleEdits(t *testing.T, kind string) (path string, edits []peopleEdit) {
	add := func(g schema.Grant) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) { return schema.AddGrant(f, g, now) }
	}
	remove := func(g schema.Grant) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) { return schema.RemoveGrant(f, g.Subject, g.Role, g.Target) }
	}
	// changed is the grant of ann@example.com, wherever it is, made another.
	changed := func(change func(*schema.Grant)) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) {
			s, _, err := schema.Load(f, nil)
			if err != nil {
				return schema.Edit{}, err
			}
			for _, g := range s.Grants {
				if g.Subject.Name == "ann@example.com" {
					change(&g)
					return schema.AddGrant(f, g, now)
				}
			}
			return schema.Edit{}, nil
		}
	}
	zoe, bob := grant(t, "zoe@example.com", "view", "prod.web"), grant(t, "bob@example.com", "edit", "prod.shop")
	sre := grant(t, "sre", "edit", "prod")
	sre.Subject.Kind = schema.GroupKind
	sre.Expires, sre.Reason = time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC), "INC-7: on call until it is over"
	revoked := func(v schema.Revocation) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) { return schema.Revoke(f, v) }
	}
	unrevoked := func(v schema.Revocation) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) { return schema.Unrevoke(f, v) }
	}
	user := func(name, display string) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) {
			return schema.AddUser(f, schema.DeclaredUser{Name: name, DisplayName: display})
		}
	}
	noUser := func(name string) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) { return schema.RemoveUser(f, name) }
	}
	member := func(edit func(fs.FS, string, schema.SubjectKind, ...string) (schema.Edit, error), name string) func(fs.FS) (schema.Edit, error) {
		return func(f fs.FS) (schema.Edit, error) { return edit(f, "platform", schema.User, name) }
	}
	web := schema.Group{Name: "web", Users: []schema.Member{{Name: "zoe@example.com"}, {Name: "kim@example.com"}}, Groups: []schema.Member{{Name: "shop"}}}
	switch kind {
	case "groups":
		return "groups/web.yaml", []peopleEdit{
			{"add", "", member(schema.AddMembers, "bea@example.com"), member(schema.RemoveMembers, "bea@example.com")},
			{"second", "add", func(f fs.FS) (schema.Edit, error) { return schema.AddGroup(f, web) }, func(f fs.FS) (schema.Edit, error) { return schema.RemoveGroup(f, "web") }},
			{"remove", "", member(schema.RemoveMembers, "bob@example.com"), nil},
		}
	case "users":
		return "users/users.yaml", []peopleEdit{
			{"add", "", user("zoe@example.com", "Zoe Zett"), noUser("zoe@example.com")},
			{"second", "add", user("bea@example.com", ""), noUser("bea@example.com")},
			{"renew", "", user("ann@example.com", "Ann Bee"), nil},
			{"reword", "", user("bob@example.com", "Bob Bee"), nil},
			{"remove", "", noUser("bob@example.com"), nil},
		}
	case "revoked":
		mallory, temps := schema.Revocation{User: "mallory@example.com"}, schema.Revocation{Group: "temps", Reason: "INC-9: the agency was breached"}
		return "revoked.yaml", []peopleEdit{
			{"add", "", revoked(mallory), unrevoked(mallory)},
			{"second", "add", revoked(temps), unrevoked(temps)},
			{"reword", "", revoked(schema.Revocation{User: "eve@example.com", Reason: "INC-7, laptop found"}), nil},
			{"remove", "", unrevoked(schema.Revocation{User: "eve@example.com"}), nil},
		}
	}
	return prod, []peopleEdit{
		{"add", "", add(zoe), remove(zoe)},
		{"second", "add", add(sre), remove(sre)},
		{"renew", "", changed(func(g *schema.Grant) { g.Expires = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC) }), nil},
		{"reword", "", changed(func(g *schema.Grant) { g.Reason = "INC-8" }), nil},
		{"forever", "", changed(func(g *schema.Grant) { g.Expires, g.Reason = time.Time{}, "" }), nil},
		{"remove", "", remove(bob), nil},
	}
}

// TestFilesAsPeopleWriteThem edits each testdata/people/*/before.yaml. The patch is
// exactly the golden file beside it, which was read and found to be what a careful
// person would have written; NAME.refused has the words of an edit that is refused.
// An edit that is taken back restores every byte.
func TestFilesAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/people/*")
	if err != nil || len(dirs) < 30 {
		t.Fatal(len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			before, err := os.ReadFile(filepath.Join(dir, "before.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			_, kind, _ := strings.Cut(filepath.Base(dir), "-")
			kind, _, _ = strings.Cut(kind, "-")
			path, edits := peopleEdits(t, kind)
			trees := map[string]fstest.MapFS{"": files("infra.yaml", "version: 1\n", path, string(before))}
			for _, e := range edits {
				was, ok := trees[e.on]
				if !ok {
					continue // it was refused
				}
				edit, err := e.do(was)
				golden := filepath.Join(dir, e.name+".patch")
				switch {
				case err != nil:
					sameAsFile(t, filepath.Join(dir, e.name+".refused"), []byte(err.Error()+"\n"))
					continue
				case len(edit.Files) == 0:
					continue
				}
				is := apply(was, edit)
				trees[e.name] = is
				sameAsFile(t, golden, diff.Diff("a/"+path, was[path].Data, "b/"+path, is[path].Data))
				if e.undo == nil {
					continue
				}
				back, err := e.undo(is)
				if err != nil {
					t.Errorf("%s, taken back: %v", e.name, err)
				} else if got := apply(is, back); !bytes.Equal(got[path].Data, was[path].Data) {
					t.Errorf("%s, taken back: -before +after:\n%s", e.name, cmp.Diff(string(was[path].Data), string(got[path].Data)))
				}
			}
		})
	}
}

// sameAsFile compares with a golden file; with -update it writes it.
func sameAsFile(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-file +now); go test ./schema -run People -update, and read it:\n%s", name, d)
	}
}
