package schema_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// Whoever leaves has nothing, is mentioned nowhere but in rules and revocations, and
// nobody else gains or loses anything.
func FuzzOffboard(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		t.Parallel()
		before := aRepository(rand.New(rand.NewPCG(seed, 2)))
		old, _, err := schema.Load(before, nil)
		if err != nil {
			t.Fatal(err)
		}
		edit, err := schema.Offboard(before, "ann@example.com")
		if err != nil {
			t.Fatal(err)
		}
		after := apply(before, edit)
		now, problems, err := schema.Load(after, nil)
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		left, err := schema.Mentions(after, schema.AUser, "ann@example.com")
		if err != nil || slices.ContainsFunc(left, func(m schema.Mention) bool { return !m.IsRule() && m.Pos.File != "revoked.yaml" }) {
			t.Errorf("left: %v, %v", left, err)
		}
		for _, c := range access.Compare(access.Resolve(old, old.Revoked), access.Resolve(now, now.Revoked), time.Unix(0, 0)) {
			if c.Kind.OfAccess() && (c.Kind != access.Lost || c.Subject.Name != "ann@example.com") {
				t.Errorf("seed %d: %s %s %s on %s", seed, c.Subject, c.Kind, c.Role, c.Target)
			}
		}
		for _, k := range edit.Keys {
			if !now.Revoked.Key(k.ID) {
				t.Errorf("key %s is not revoked", k.Name)
			}
		}
		again, err := schema.Offboard(after, "ann@example.com")
		if err != nil || again.Outcome != schema.Unchanged || len(again.Files) > 0 {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}

func TestAGroupOfNobodyGoesWithAllThatItHas(t *testing.T) {
	t.Parallel()
	before := files("infra.yaml", "version: 1\n",
		"groups/solo.yaml", "groups: [{name: solo, users: [ann]}]\n",
		"groups/all.yaml", "groups:\n- name: all\n  groups: [solo] # one\n- name: some\n  groups: [all, idp]\n- name: two\n  users: [ann, bob]\n  groups: [solo]\n",
		"grants/a.yaml", "grants:\n- {group: solo, role: view, resource: a}\n- {group: all, role: view, resource: a}\n- {group: some, role: view, resource: a}\n- {group: two, role: view, resource: a}\n")
	edit, err := schema.Offboard(before, "ann")
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	for _, g := range edit.Groups {
		gone = append(gone, g.Name)
	}
	if diff := cmp.Diff([]string{"all", "solo"}, gone); diff != "" {
		t.Error(diff)
	}
	if content, deleted := edit.Files["groups/solo.yaml"]; !deleted || content != nil {
		t.Error("the group's own file stays")
	}
	for p, want := range map[string]string{
		"groups/all.yaml": "groups:\n- name: some\n  groups: [idp]\n- name: two\n  users: [bob]\n  groups: []\n",
		"grants/a.yaml":   "grants:\n- {group: some, role: view, resource: a}\n- {group: two, role: view, resource: a}\n",
	} {
		if diff := cmp.Diff(want, string(edit.Files[p])); diff != "" {
			t.Errorf("%s: -want +got:\n%s", p, diff)
		}
	}
}

func TestTidyTakesWhatHasEndedAndNothingElse(t *testing.T) {
	t.Parallel()
	hash := "hash: 'sha256:" + strings.Repeat("a", 64) + "'"
	before := files("infra.yaml", "version: 1\n",
		"grants/a.yaml", "grants:\n- {user: ann, role: view, resource: a, expires: 2026-01-02T00:00:00Z}\n- {user: ann, role: view, resource: a}\n- {user: bob, role: view, resource: a, expires: 2026-01-02T00:00:00.5Z}\n",
		"keys/k.yaml", "keys: [{name: k, user: ann, id: 7Zk2mQ9xWd, "+hash+", expires: 2026-01-01T00:00:00Z}]\n",
		"keys/l.yaml", "keys: [{name: l, user: ann, id: 7Zk2mQ9xWe, "+hash+", expires: 2026-01-01T00:00:00Z}]\n",
		"revoked.yaml", "revoked: [{key: 7Zk2mQ9xWd, reason: lost}]\n")
	edit, err := schema.Tidy(before, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"grants/a.yaml": "grants:\n- {user: ann, role: view, resource: a}\n- {user: bob, role: view, resource: a, expires: 2026-01-02T00:00:00.5Z}\n",
		"keys/k.yaml":   "", "keys/l.yaml": "",
		"revoked.yaml": "revoked: [{key: 7Zk2mQ9xWd, reason: lost}, {key: 7Zk2mQ9xWe, reason: key l removed}]\n",
	}
	got := map[string]string{}
	for p, content := range edit.Files {
		got[p] = string(content)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if again, err := schema.Tidy(apply(before, edit), time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)); err != nil || again.Outcome != schema.Unchanged {
		t.Errorf("again: %+v, %v", again, err)
	}
}
