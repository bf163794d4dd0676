package access_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

func TestCompareEqualsTwoFullEvaluationsOfANaiveModel(t *testing.T) {
	kinds := map[access.Kind]int{}
	for seed := range uint64(1000) {
		for _, c := range compareWithModel(t, seed) {
			kinds[c.Kind]++
		}
	}
	for _, k := range []access.Kind{access.Gained, access.Lost, access.Extended, access.Shortened} {
		if kinds[k] < 50 {
			t.Errorf("only %d of %q: the dice try too little", kinds[k], k)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(uint64(1_000_000))
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithModel(t, seed) })
}

// compareWithModel compares the two worlds of a seed, and what the changes say
// with what the model says. It gives the changes.
func compareWithModel(t *testing.T, seed uint64) []access.Change {
	t.Helper()
	old, next := dice{rand.New(rand.NewPCG(seed, 1))}.pair()
	a, b := old.snapshot(), next.snapshot()
	u := newUniverse(a, b)
	had := u.points(a, func(cluster string) []string { return u.clusters[cluster] })
	has := u.points(b, func(cluster string) []string { return []string{cluster} })
	gained, lost := without(has, had), without(had, has)

	namedGained, namedLost := map[point]bool{}, map[point]bool{}
	changes := ofAccess(access.Compare(access.Resolve(a, a.Revoked), access.Resolve(b, b.Revoked), now))
	for _, c := range changes {
		named, all := u.named(c), namedGained
		if c.Kind == access.Lost || c.Kind == access.Shortened {
			all = namedLost
		}
		if len(named) == 0 {
			t.Errorf("seed %d: nothing changes by %q", seed, said(c))
		}
		for _, name := range c.Destinations {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(named)), func(p point) bool { return p.cluster == name }) {
				t.Errorf("seed %d: nothing changes on %s by %q", seed, name, said(c))
			}
		}
		maps.Copy(all, named)
	}
	if d := cmp.Diff(gained, namedGained); d != "" {
		t.Errorf("seed %d: gained (-by the model +as the changes say):\n%s", seed, d)
	}
	if d := cmp.Diff(lost, namedLost); d != "" {
		t.Errorf("seed %d: lost (-by the model +as the changes say):\n%s", seed, d)
	}
	if t.Failed() {
		t.Fatalf("seed %d:\nfrom %v\n     %v %v\nto   %v\n     %v %v\nchanges:\n%s", seed, a.Grants, a.Groups, a.Revoked,
			b.Grants, b.Groups, b.Revoked, strings.Join(saidAll(changes), "\n"))
	}
	return changes
}

func TestComparingATableWithItselfSaysNothing(t *testing.T) {
	for seed := range uint64(300) {
		_, w := dice{rand.New(rand.NewPCG(seed, 2))}.pair()
		table := w.table()
		if changes := access.Compare(table, table, now); len(changes) > 0 {
			t.Fatalf("seed %d: %q", seed, saidAll(changes))
		}
	}
}

func TestMovingLinesAndRenamingGroupsIsNoChangeOfAccess(t *testing.T) {
	for seed := range uint64(300) {
		d := dice{rand.New(rand.NewPCG(seed, 3))}
		old, _ := d.pair()
		s := old.snapshot()
		slices.Reverse(s.Grants)
		slices.Reverse(s.Groups)
		declared := map[string]string{}
		for i := range s.Groups {
			g := &s.Groups[i]
			slices.Reverse(g.Users)
			slices.Reverse(g.Groups)
			declared[g.Name] = "renamed-" + g.Name
		}
		rename := func(name *string) {
			if now, ok := declared[*name]; ok {
				*name = now
			}
		}
		for i := range s.Groups {
			rename(&s.Groups[i].Name)
			for j := range s.Groups[i].Groups {
				rename(&s.Groups[i].Groups[j].Name)
			}
		}
		for i := range s.Grants {
			s.Grants[i].Pos = schema.Pos{File: "elsewhere", Line: i + 100}
			s.Grants[i].Reason = "said anew"
			if s.Grants[i].Subject.Kind == schema.GroupKind {
				rename(&s.Grants[i].Subject.Name)
			}
		}
		revoked := slices.Clone(s.Revoked.Revocations)
		for i := range revoked {
			rename(&revoked[i].Group)
		}
		s.Revoked.Revocations = revoked
		if changes := ofAccess(access.Compare(old.table(), access.Resolve(s, s.Revoked), now)); len(changes) > 0 {
			t.Fatalf("seed %d: %q", seed, saidAll(changes))
		}
	}
}

func TestWhatIsGainedOneWayIsLostTheOther(t *testing.T) {
	mirror := map[access.Kind]access.Kind{access.Gained: access.Lost, access.Lost: access.Gained, access.Extended: access.Shortened, access.Shortened: access.Extended}
	for seed := range uint64(500) {
		d := dice{rand.New(rand.NewPCG(seed, 4))}
		old := d.world()
		next := d.changed(old)
		u := newUniverse(old.snapshot(), next.snapshot())
		points := map[access.Kind]map[point]bool{}
		for _, way := range []struct {
			changes []access.Change
			kind    func(access.Kind) access.Kind
			sign    string
		}{
			{access.Compare(old.table(), next.table(), now), func(k access.Kind) access.Kind { return k }, ""},
			{access.Compare(next.table(), old.table(), now), func(k access.Kind) access.Kind { return mirror[k] }, "back "},
		} {
			for _, c := range ofAccess(way.changes) {
				kind := access.Kind(way.sign) + way.kind(c.Kind)
				if points[kind] == nil {
					points[kind] = map[point]bool{}
				}
				maps.Copy(points[kind], u.named(c))
			}
		}
		for k := range mirror {
			if diff := cmp.Diff(points[k], points["back "+k]); diff != "" {
				t.Fatalf("seed %d: %s (-there +and back):\n%s", seed, k, diff)
			}
		}
	}
}

func TestTheOrderOfChangesIsThatOfNoMap(t *testing.T) {
	for seed := range uint64(100) {
		old, next := dice{rand.New(rand.NewPCG(seed, 5))}.pair()
		first := access.Compare(old.table(), next.table(), now)
		for range 5 {
			if diff := cmp.Diff(first, access.Compare(old.table(), next.table(), now)); diff != "" {
				t.Fatalf("seed %d:\n%s", seed, diff)
			}
		}
	}
}
