package schema_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/schema"
)

// An act is one edit, whatever the files are that it is made in.
type act func(fstest.MapFS) (schema.Edit, error)

func anAct(r *rand.Rand) act {
	g := aGrant(r)
	if r.IntN(3) == 0 {
		return func(fsys fstest.MapFS) (schema.Edit, error) {
			return schema.RemoveGrant(fsys, g.Subject, g.Role, g.Target)
		}
	}
	return func(fsys fstest.MapFS) (schema.Edit, error) { return schema.AddGrant(fsys, g, now) }
}

func aGrant(r *rand.Rand) schema.Grant {
	g := schema.Grant{
		Subject: schema.Subject{Kind: schema.User, Name: fmt.Sprintf("%c@example.com", 'a'+r.IntN(6))},
		Role:    []string{"view", "edit"}[r.IntN(2)],
		Target:  schema.Target{Destination: "prod", Namespace: []string{"", "web"}[r.IntN(2)]},
		Reason:  []string{"", "", "INC-1", "it's: #2"}[r.IntN(4)],
	}
	if r.IntN(3) == 0 {
		g.Expires = now.Add(time.Duration(1+r.IntN(3)) * time.Hour)
	}
	return g
}

// aList is a list of grants as somebody might write it.
func aList(r *rand.Rand) string {
	var b strings.Builder
	seen := map[string]bool{}
	layout := r.IntN(4)
	open, each, between, end := "grants:\n", "  - user: %s\n    role: %s\n    resource: %s\n", "", ""
	switch layout {
	case 1:
		each = "- {user: %s, role: %s, resource: %s}\n"
	case 2:
		open, each, between, end = "grants: [", "{user: %s, role: %s, resource: %s}", ", ", "]\n"
	case 3:
		between = "\n"
	}
	for range r.IntN(6) {
		g := aGrant(r)
		if seen[g.String()] {
			continue
		}
		if seen[g.String()] = true; len(seen) > 1 {
			b.WriteString(between)
		}
		if layout != 2 && r.IntN(4) == 0 {
			fmt.Fprintf(&b, "  # about %s\n", g.Subject)
		}
		fmt.Fprintf(&b, each, g.Subject.Name, g.Role, g.Target)
	}
	if len(seen) == 0 {
		open, end = "grants: []\n", ""
	}
	text := open + b.String() + end
	if r.IntN(4) == 0 {
		text = "# prod\n" + text + "\n# end\n"
	}
	if r.IntN(4) == 0 {
		text = strings.TrimSuffix(text, "\n")
	}
	if r.IntN(4) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

func did(fsys fstest.MapFS, acts []act) (fstest.MapFS, error) {
	for _, a := range acts {
		e, err := a(fsys)
		if err != nil {
			return nil, err
		}
		fsys = apply(fsys, e)
	}
	return fsys, nil
}

// says is the grants of a list, in an order of their own.
func says(t *testing.T, text []byte) []schema.Grant {
	t.Helper()
	s, problems, err := schema.Load(files("infra.yaml", "version: 1\n", prod, string(text)), nil)
	if err != nil || len(problems.Errors()) > 0 {
		t.Fatalf("%v %v in %q", err, problems, text)
	}
	slices.SortFunc(s.Grants, func(a, b schema.Grant) int { return strings.Compare(a.String(), b.String()) })
	return s.Grants
}

var noPlaces = cmpopts.IgnoreTypes(schema.Pos{})

// FuzzMergeOfEdits: what two people make of one list is, merged, what both do one
// after the other, where it does not matter who is first; whatever else they do,
// the result has nothing that neither of them has, and all that both have.
func FuzzMergeOfEdits(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		base := files("infra.yaml", "version: 1\n", prod, aList(r))
		acts := func() (out []act) {
			for range 1 + r.IntN(3) {
				out = append(out, anAct(r))
			}
			return out
		}
		mine, yours := acts(), acts()
		ours, err := did(base, mine)
		theirs, theirErr := did(base, yours)
		if err != nil || theirErr != nil {
			return
		}
		b, o, u := base[prod].Data, ours[prod].Data, theirs[prod].Data
		m, err := schema.Merge(prod, b, o, u)
		if err != nil {
			t.Fatalf("%v\nbase:\n%s\nours:\n%s\ntheirs:\n%s", err, b, o, u)
		}
		swapped, err := schema.Merge(prod, b, u, o)
		if err != nil || (m.Text == nil) != (swapped.Text == nil) || len(m.Conflicts) != len(swapped.Conflicts) {
			t.Fatalf("swapped: %v, %q, not %q", err, swapped.Conflicts, m.Conflicts)
		}
		if m.Text != nil {
			if diff := cmp.Diff(says(t, m.Text), says(t, swapped.Text), noPlaces); diff != "" {
				t.Errorf("swapped, it says something else:\n%s", diff)
			}
			betweenTwo(t, says(t, b), says(t, o), says(t, u), says(t, m.Text))
		}
		one, err := did(ours, yours)
		other, otherErr := did(theirs, mine)
		if err != nil || otherErr != nil || !cmp.Equal(says(t, one[prod].Data), says(t, other[prod].Data), noPlaces) {
			return
		}
		if len(m.Conflicts) > 0 {
			t.Fatalf("%q\nbase:\n%s\nours:\n%s\ntheirs:\n%s", m.Conflicts, b, o, u)
		}
		if diff := cmp.Diff(says(t, one[prod].Data), says(t, m.Text), noPlaces); diff != "" {
			t.Errorf("-one after the other +merged:\n%s\nbase:\n%s\nours:\n%s\ntheirs:\n%s\nmerged:\n%s", diff, b, o, u, m.Text)
		}
	})
}

// betweenTwo is a merge as a child would check it.
func betweenTwo(t *testing.T, base, ours, theirs, merged []schema.Grant) {
	t.Helper()
	has := func(side []schema.Grant, g schema.Grant) *schema.Grant {
		for _, h := range side {
			if h.String() == g.String() {
				return &h
			}
		}
		return nil
	}
	for _, g := range slices.Concat(ours, theirs, merged) {
		b, o, u, m := has(base, g), has(ours, g), has(theirs, g), has(merged, g)
		if wanted := o != nil && u != nil || b == nil; wanted != (m != nil) {
			t.Errorf("%s: merged %v", g, m)
		}
		if m == nil {
			continue
		}
		known := func(same func(a *schema.Grant) bool) bool { return o != nil && same(o) || u != nil && same(u) }
		if !known(func(a *schema.Grant) bool { return a.Expires.Equal(m.Expires) }) || !known(func(a *schema.Grant) bool { return a.Reason == m.Reason }) {
			t.Errorf("%s is what nobody wrote: %v", g, m)
		}
	}
}

// FuzzMergeKeepsComments: every comment that somebody wrote is in the result, once.
func FuzzMergeKeepsComments(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 2))
		base := files("infra.yaml", "version: 1\n", prod, aList(r))
		var written []string
		side := func() []byte {
			fsys, err := did(base, []act{anAct(r), anAct(r)})
			if err != nil {
				return base[prod].Data
			}
			lines := strings.SplitAfter(string(fsys[prod].Data), "\n")
			end := "\n"
			if strings.Contains(lines[0], "\r") {
				end = "\r\n"
			}
			if len(lines) < 3 {
				return fsys[prod].Data
			}
			for range 1 + r.IntN(3) {
				words := fmt.Sprintf("# comment %d.", len(written))
				written = append(written, words)
				at := r.IntN(len(lines))
				lines = slices.Insert(lines, at, strings.Repeat(" ", r.IntN(7))+words+end)
			}
			return []byte(strings.Join(lines, ""))
		}
		ours, theirs := side(), side()
		m, err := schema.Merge(prod, base[prod].Data, ours, theirs)
		var style *schema.StyleError
		if err != nil && !errors.As(err, &style) {
			t.Fatalf("%v\n%s\n%s", err, ours, theirs)
		}
		if m.Text == nil {
			return
		}
		for _, words := range written {
			if strings.Count(string(m.Text), words) != 1 {
				t.Errorf("%q is %d times in\n%s\nours:\n%s\ntheirs:\n%s", words, strings.Count(string(m.Text), words), m.Text, ours, theirs)
			}
		}
	})
}

// FuzzMerge: whatever the texts are, merging ends; who changed nothing gets what
// the other has, to the byte.
func FuzzMerge(f *testing.F) {
	for _, tt := range merges {
		path := tt.path
		if path == "" {
			path = prod
		}
		f.Add(path, tt.base, tt.ours, tt.theirs)
	}
	f.Fuzz(func(t *testing.T, path, base, ours, theirs string) {
		for _, of := range [][4]string{{base, ours, base, ours}, {base, base, ours, ours}, {base, ours, ours, ours}} {
			m, err := schema.Merge(path, []byte(of[0]), []byte(of[1]), []byte(of[2]))
			if err != nil || string(m.Text) != of[3] {
				t.Errorf("%v, %q", err, m.Text)
			}
		}
		m, err := schema.Merge(path, []byte(base), []byte(ours), []byte(theirs))
		swapped, swappedErr := schema.Merge(path, []byte(base), []byte(theirs), []byte(ours))
		if len(m.Conflicts) != len(swapped.Conflicts) {
			t.Errorf("%q, swapped %q (%v, %v)", m.Conflicts, swapped.Conflicts, err, swappedErr)
		}
		if m.Text != nil && swapped.Text != nil && ours != theirs && base != ours && base != theirs && !(m.Says(swapped.Text) && swapped.Says(m.Text)) {
			t.Errorf("%q, swapped %q", m.Text, swapped.Text)
		}
	})
}

// FuzzMergeOfGroups: members are sets, and merge as sets do. What is removed with
// its members while the other side changes it is a conflict.
func FuzzMergeOfGroups(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 3))
		base := map[string]map[string]bool{}
		for i := range 1 + r.IntN(4) {
			base[fmt.Sprintf("g%d", i)] = members(r)
		}
		change := func() map[string]map[string]bool {
			side := map[string]map[string]bool{}
			for name, m := range base {
				switch r.IntN(5) {
				case 0:
					side[name] = members(r)
				case 1:
					if len(base) > 1 {
						continue
					}
					fallthrough
				default:
					side[name] = m
				}
			}
			if r.IntN(3) == 0 {
				side["h"+fmt.Sprint(r.IntN(2))] = map[string]bool{"h@example.com": true}
			}
			return side
		}
		ours, theirs := change(), change()
		want, conflict := setsMerged(base, ours, theirs)
		layout := r.IntN(3)
		b, o, u := groupsText(base, layout), groupsText(ours, layout), groupsText(theirs, layout)
		m, err := schema.Merge("groups/all.yaml", []byte(b), []byte(o), []byte(u))
		if err != nil || conflict != (m.Text == nil) {
			t.Fatalf("%v, %q, conflict wanted: %v\n%s\n%s\n%s", err, m.Conflicts, conflict, b, o, u)
		}
		if conflict {
			return
		}
		s, problems, err := schema.Load(files("infra.yaml", "version: 1\n", "groups/all.yaml", string(m.Text)), nil)
		if err != nil || len(problems.Errors()) > 0 {
			t.Fatal(err, problems)
		}
		got := map[string]map[string]bool{}
		for _, g := range s.Groups {
			got[g.Name] = map[string]bool{}
			for _, u := range g.Users {
				got[g.Name][u.Name] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s\n%s\n%s\n%s\n%s", diff, b, o, u, m.Text)
		}
	})
}

func members(r *rand.Rand) map[string]bool {
	m := map[string]bool{}
	for range r.IntN(5) {
		m[fmt.Sprintf("%c@example.com", 'a'+r.IntN(5))] = true
	}
	return m
}

func setsMerged(base, ours, theirs map[string]map[string]bool) (merged map[string]map[string]bool, conflict bool) {
	merged = map[string]map[string]bool{}
	for _, side := range []map[string]map[string]bool{base, ours, theirs} {
		for name := range side {
			b, was := base[name]
			o, inOurs := ours[name]
			u, inTheirs := theirs[name]
			switch {
			case was && !inOurs && !inTheirs:
			case was && !inOurs:
				conflict = conflict || !cmp.Equal(b, u)
			case was && !inTheirs:
				conflict = conflict || !cmp.Equal(b, o)
			default:
				merged[name] = map[string]bool{}
				for _, who := range []string{"a", "b", "c", "d", "e", "h"} {
					who += "@example.com"
					if has := o[who] && u[who] || (o[who] || u[who]) && !b[who]; has {
						merged[name][who] = true
					}
				}
			}
		}
	}
	return merged, conflict
}

// groupsText writes groups with their members in brackets, on lines of their own
// or with all in brackets.
func groupsText(groups map[string]map[string]bool, layout int) string {
	names := slices.Sorted(maps.Keys(groups))
	var items []string
	for _, name := range names {
		users := slices.Sorted(maps.Keys(groups[name]))
		switch {
		case layout == 2:
			items = append(items, fmt.Sprintf("  {name: %s, users: [%s]},\n", name, strings.Join(users, ", ")))
		case layout == 1 && len(users) > 0:
			items = append(items, fmt.Sprintf("- name: %s\n  users: # who\n  - %s\n", name, strings.Join(users, "\n  - ")))
		default:
			items = append(items, fmt.Sprintf("- name: %s\n  users: [%s] # who\n", name, strings.Join(users, ", ")))
		}
	}
	switch {
	case len(items) == 0:
		return "groups: []\n"
	case layout == 2:
		return "groups: [\n" + strings.Join(items, "") + "]\n"
	}
	return "groups:\n" + strings.Join(items, "")
}
