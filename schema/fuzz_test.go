package schema_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/infrahq/infra/schema"
)

// FuzzLoad: whatever a file holds, reading ends without a panic, twice with the
// same problems, and with a cache as without.
func FuzzLoad(f *testing.F) {
	for _, s := range styles {
		f.Add(prod, s.before)
	}
	f.Add("groups/a.yaml", "groups: [{name: a, users: [b], groups: [c]}]")
	f.Add("destinations/a.yaml", "destinations: [{name: a, labels: {x: y}, roles: [{name: r, rules: [{verbs: [get]}]}]}]")
	f.Add("revoked.yaml", "revoked: [{user: a}, {key: 0123456789}]")
	f.Add("acknowledgements/a.yaml", "acknowledgements: [{destination: a, removals: 1}]")
	f.Add("infra.yaml", "version: 1\nchanges: push\n")
	f.Add("users/a.yaml", "users: [{name: ann, displayName: Ann}]")
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			f.Add(file.Name, string(file.Data))
		}
	}
	cache := &schema.Cache{}
	f.Fuzz(func(t *testing.T, path, text string) {
		fsys := files("infra.yaml", "version: 1\n", path, text)
		s, problems, err := schema.Load(fsys, nil)
		again, same, _ := schema.Load(fsys, cache)
		if err != nil {
			return
		}
		if diff := cmp.Diff(problems, same); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzEditGrant: adding a grant to a list that has one changes exactly that,
// removing it again restores every byte, and adding what exists changes nothing.
func FuzzEditGrant(f *testing.F) {
	for _, s := range styles {
		f.Add(s.before, "zoe@example.com", "view", "why")
	}
	for _, text := range peopleFiles(f) {
		f.Add(text, "zoe@example.com", "view", "")
	}
	f.Fuzz(func(t *testing.T, text, user, role, reason string) {
		before := files("infra.yaml", "version: 1\n", prod, text)
		was, problems, err := schema.Load(before, nil)
		if err != nil || len(problems.Errors()) > 0 || len(was.Grants) == 0 {
			return
		}
		for _, g := range was.Grants {
			if e, err := schema.AddGrant(before, g, now); err == nil && e.Outcome == schema.Unchanged && len(e.Files) > 0 {
				t.Errorf("adding what exists writes %v", e.Files)
			}
		}
		g := schema.Grant{Subject: schema.Subject{Kind: schema.User, Name: user}, Role: role, Reason: reason,
			Target: schema.Target{Destination: "prod", Namespace: "web"}}
		added, err := schema.AddGrant(before, g, now)
		if err != nil || added.Outcome != schema.Added {
			return
		}
		after := apply(before, added)
		is, _, err := schema.Load(after, nil)
		if err != nil {
			t.Fatal(err)
		}
		order := cmpopts.SortSlices(func(a, b schema.Grant) bool { return a.String() < b.String() })
		if diff := cmp.Diff(append(was.Grants, g), is.Grants, cmpopts.IgnoreTypes(schema.Pos{}), order); diff != "" {
			t.Errorf("adding changed more or less than the grant:\n%s\n%q", diff, added.Files[prod])
		}
		removed, err := schema.RemoveGrant(after, g.Subject, g.Role, g.Target)
		if err != nil {
			return
		}
		if got := string(removed.Files[prod]); got != text {
			t.Errorf("added and removed again:\nbefore %q\nwith   %q\nafter  %q", text, added.Files[prod], got)
		}
	})
}

// FuzzAcknowledge: what is acknowledged reads back as it was meant, and cannot be
// acknowledged twice.
func FuzzAcknowledge(f *testing.F) {
	f.Add("dev", 39, "dev is being rebuilt")
	f.Add("prod-1", 1, `"INC-1: 'it' # \ is", yes`)
	f.Fuzz(func(t *testing.T, destination string, removals int, reason string) {
		a := schema.Acknowledgement{Destination: destination, Removals: removals, Reason: reason}
		before := files("infra.yaml", "version: 1\n")
		e, err := schema.Acknowledge(before, a, now)
		if err != nil {
			return
		}
		after := apply(before, e)
		s, problems, err := schema.Load(after, nil)
		if err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
		if diff := cmp.Diff([]schema.Acknowledgement{a}, s.Acknowledgements, cmpopts.IgnoreTypes(schema.Pos{})); diff != "" {
			t.Error(diff)
		}
		if _, err := schema.Acknowledge(after, a, now); !errors.Is(err, schema.ErrAcknowledged) {
			t.Errorf("acknowledged twice: %v", err)
		}
	})
}
