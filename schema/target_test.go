package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/infrahq/infra/schema"
)

func TestCoversAndOverlaps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		a, b             string
		covers, overlaps bool // overlaps is the same both ways
	}{
		{"a target and itself", "prod.web", "prod.web", true, true},
		{"a destination and a namespace of it", "prod", "prod.web", true, true},
		{"a namespace and its destination", "prod.web", "prod", false, true},
		{"two namespaces", "prod.web", "prod.db", false, false},
		{"two destinations", "prod", "dev", false, false},
		{"a pattern and what it matches", "prod.pay-*", "prod.pay-eu", true, true},
		{"a pattern and what it does not match", "prod.pay-*", "prod.web", false, false},
		{"a pattern and a narrower one", "prod.pay-*", "prod.pay-eu-*", true, true},
		{"a pattern and a wider one", "prod.pay-eu-*", "prod.pay-*", false, true},
		{"two patterns that meet", "prod.pay-*", "prod.*-eu", false, true},
		{"two patterns that begin otherwise", "prod.pay-*", "prod.web-*", false, false},
		{"two patterns that end otherwise", "prod.*-eu", "prod.*-us", false, false},
		{"a pattern of destinations and one of them", "prod-*", "prod-eu.web", true, true},
		{"no pattern means the server itself", "*", "infra", false, false},
		{"no pattern means a kube- namespace", "prod.*", "prod.kube-system", false, false},
		{"a whole destination has its kube- namespaces", "prod", "prod.kube-system", true, true},
		{"every namespace that a pattern means is less than the destination", "prod.*", "prod", false, true},
		{"a pattern that fits no name, and the destination", "prod.-*", "prod", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := target(tt.a), target(tt.b)
			if got := a.Covers(b); got != tt.covers {
				t.Errorf("%s covers %s: %v", a, b, got)
			}
			if a.Overlaps(b) != tt.overlaps || b.Overlaps(a) != tt.overlaps {
				t.Errorf("%s overlaps %s: %v, and the other way round %v", a, b, a.Overlaps(b), b.Overlaps(a))
			}
		})
	}
}

func target(text string) schema.Target {
	destination, namespace, _ := strings.Cut(text, ".")
	return schema.Target{Destination: destination, Namespace: namespace}
}

// words are all texts of up to so many characters of an alphabet.
func words(alphabet string, longest int) []string {
	all := []string{""}
	for from := 0; longest > 0; longest-- {
		to := len(all)
		for _, w := range all[from:to] {
			for _, c := range alphabet {
				all = append(all, w+string(c))
			}
		}
		from = to
	}
	return all[1:]
}

// TestCoversAndOverlapsAreWhatTryingAllNamesSays compares them, for all pairs of
// short names and patterns, with what they match among all names that are long
// enough to tell.
func TestCoversAndOverlapsAreWhatTryingAllNamesSays(t *testing.T) {
	t.Parallel()
	isName := func(w string) bool { return !strings.Contains(w, "*") && schema.ValidateDestination(w) == nil }
	tried := func(t *testing.T, kind string, names, patterns []string, matches func(pattern, name string) bool, at func(string) schema.Target) {
		t.Helper()
		fits := map[string][]uint64{} // a bit for each name
		for _, p := range patterns {
			fits[p] = make([]uint64, len(names)/64+1)
			for i, n := range names {
				if matches(p, n) {
					fits[p][i/64] |= 1 << (i % 64)
				}
			}
		}
		for _, a := range patterns {
			for _, b := range patterns {
				both, onlyB := false, false
				for i, bits := range fits[b] {
					both = both || fits[a][i]&bits != 0
					onlyB = onlyB || bits&^fits[a][i] != 0
				}
				if got := at(a).Overlaps(at(b)); got != both {
					t.Errorf("%s %q overlaps %q: %v, but there is a name that both match: %v", kind, a, b, got, both)
				}
				if at(a).Covers(at(b)) && onlyB {
					t.Errorf("%s %q covers %q, but there is a name that only the second matches", kind, a, b)
				}
			}
		}
	}
	names := slices.DeleteFunc(words("ab-", 8), func(w string) bool { return !isName(w) })
	patterns := slices.DeleteFunc(words("ab-*", 4), func(w string) bool {
		return strings.Contains(w, "**") || !strings.Contains(w, "*") && !isName(w)
	})
	tried(t, "destination", names, patterns, schema.MatchDestination, target)
	tried(t, "namespace", names, patterns, schema.MatchNamespace, func(n string) schema.Target { return schema.Target{Destination: "x", Namespace: n} })

	// The names that no pattern means, and what is near to them.
	near := []string{"*", "infra", "infra*", "*infra", "inf*ra", "kube*", "kube-*", "kube-a*", "kube-a", "kube-b", "kub*", "*-b", "*e-a", "kube*b", "k*-b", "kubea", "b"}
	parts := []string{"", "x", "k", "kube", "kube-", "kubex", "infra", "inf", "ra", "a", "b", "-b", "e-a"}
	all := slices.Clone(names)
	for _, begin := range parts {
		for _, middle := range parts {
			for _, end := range parts {
				all = append(all, begin+middle+end)
			}
		}
	}
	all = slices.DeleteFunc(all, func(w string) bool { return !isName(w) })
	tried(t, "destination", all, near, schema.MatchDestination, target)
	tried(t, "namespace", all, near, schema.MatchNamespace, func(n string) schema.Target { return schema.Target{Destination: "x", Namespace: n} })

	// A whole destination reaches every namespace, the reserved ones too.
	for _, p := range append(near, patterns...) {
		whole, part := schema.Target{Destination: "x"}, schema.Target{Destination: "x", Namespace: p}
		some := slices.ContainsFunc(all, func(n string) bool { return schema.MatchNamespace(p, n) })
		if !whole.Covers(part) || part.Covers(whole) || whole.Overlaps(part) != some || part.Overlaps(whole) != some {
			t.Errorf("namespace %q of a destination: overlaps %v, and has names: %v", p, whole.Overlaps(part), some)
		}
	}
}
