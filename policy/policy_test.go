package policy_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

func snapshot(declared []string, granted ...string) *schema.Snapshot {
	s := &schema.Snapshot{}
	for _, name := range declared {
		s.Groups = append(s.Groups, schema.Group{Name: name, Users: []schema.Member{{Name: "ann"}}})
	}
	for _, name := range granted {
		s.Grants = append(s.Grants, schema.Grant{
			Subject: schema.Subject{Kind: schema.GroupKind, Name: name}, Role: "view", Target: schema.Target{Destination: "dev"},
			Pos: schema.Pos{File: "grants/dev.yaml", Line: 2},
		})
	}
	return s
}

func TestStep(t *testing.T) {
	warning := schema.Problem{Severity: schema.Warning, Message: "untidy"}
	failure := schema.Problem{Severity: schema.Error, Message: "broken", Pos: schema.Pos{File: "infra.yaml", Line: 1, Column: 1}}
	nested := snapshot([]string{"all", "sre"}, "all")
	nested.Groups[0].Groups = []schema.Member{{Name: "sre"}}
	nestedLost := snapshot([]string{"all"}, "all")
	nestedLost.Groups[0].Groups = []schema.Member{{Name: "sre"}}
	revokedLost := snapshot(nil, "sre")
	revokedLost.Revoked = schema.Revoked{Revocations: []schema.Revocation{{Group: "sre"}}}

	tests := []struct {
		name           string
		accepted, next policy.Revision
		refused        policy.Rule // empty: accepted
	}{
		{"the first revision has nothing to be compared with", policy.Revision{}, policy.Revision{Snapshot: snapshot(nil, "sre")}, ""},
		{"errors are refused", policy.Revision{}, policy.Revision{Problems: schema.Problems{warning, failure}}, policy.Readable},
		{"warnings are served", policy.Revision{}, policy.Revision{Snapshot: snapshot(nil), Problems: schema.Problems{warning}}, ""},
		{"a granted group loses its declaration", policy.Revision{Snapshot: snapshot([]string{"sre"}, "sre")},
			policy.Revision{Snapshot: snapshot(nil, "sre")}, policy.Declaration},
		{"a group loses its declaration in the change that grants it", policy.Revision{Snapshot: snapshot([]string{"sre"})},
			policy.Revision{Snapshot: snapshot(nil, "sre")}, policy.Declaration},
		{"a group loses its declaration with its grants", policy.Revision{Snapshot: snapshot([]string{"sre"}, "sre")},
			policy.Revision{Snapshot: snapshot(nil)}, ""},
		{"a group nested in a granted one loses its declaration", policy.Revision{Snapshot: nested},
			policy.Revision{Snapshot: nestedLost}, policy.Declaration},
		{"a revoked group loses its declaration", policy.Revision{Snapshot: snapshot([]string{"sre"}, "sre")},
			policy.Revision{Snapshot: revokedLost}, policy.Declaration},
		{"a group that was never declared is granted", policy.Revision{Snapshot: snapshot([]string{"sre"})},
			policy.Revision{Snapshot: snapshot([]string{"sre"}, "ops")}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := policy.Step(test.accepted, test.next)
			if v.Accepted() != (test.refused == "") {
				t.Fatalf("accepted: %t, refusals %v", v.Accepted(), v.Refusals)
			}
			for _, r := range v.Refusals {
				if r.Rule != test.refused {
					t.Errorf("refused by %s, want %s", r.Rule, test.refused)
				}
				if r.Rule == policy.Declaration && (r.Hint == "" || !strings.HasPrefix(r.String(), "grants/dev.yaml:2: ")) {
					t.Errorf("refusal %q has no place or no way out", r)
				}
			}
			if got, want := len(v.Warnings), len(test.next.Problems.Warnings()); v.Accepted() && got != want {
				t.Errorf("%d warnings, want %d", got, want)
			}
		})
	}
}

// history makes n revisions that are good, broken or lose a declaration.
func history(r *rand.Rand, n int) []policy.Revision {
	out := make([]policy.Revision, n)
	for i := range out {
		out[i] = policy.Revision{ID: fmt.Sprint(i), At: time.Unix(int64(r.IntN(100)), 0), Snapshot: &schema.Snapshot{}}
		switch r.IntN(4) {
		case 0:
			out[i].Problems = schema.Problems{{Severity: schema.Error, Message: "broken"}}
		case 1:
			out[i].Snapshot = snapshot([]string{"sre"}, "sre")
		case 2:
			out[i].Snapshot = snapshot(nil, "sre")
		}
	}
	return out
}

func walk(revisions []policy.Revision) iter.Seq2[policy.Revision, error] {
	return func(yield func(policy.Revision, error) bool) {
		for _, r := range revisions {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestFoldIsTheSameHoweverItIsCut(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		commits := history(r, 30)
		whole, wholeVerdicts, err := policy.Fold(policy.Revision{}, walk(commits))
		if err != nil {
			t.Fatal(err)
		}
		var accepted policy.Revision
		var verdicts []policy.Verdict
		for rest := commits; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			before := accepted
			var some []policy.Verdict
			accepted, some, err = policy.Fold(accepted, walk(rest[:n]))
			if err != nil {
				t.Fatal(err)
			}
			if accepted.At.Before(before.At) {
				t.Fatalf("seed %d: accepted time went back from %s to %s", seed, before.At, accepted.At)
			}
			verdicts, rest = append(verdicts, some...), rest[n:]
		}
		if diff := cmp.Diff(whole, accepted); diff != "" {
			t.Fatalf("seed %d: accepted in one go and in parts differ:\n%s", seed, diff)
		}
		if diff := cmp.Diff(wholeVerdicts, verdicts); diff != "" {
			t.Fatalf("seed %d: verdicts in one go and in parts differ:\n%s", seed, diff)
		}
	}
}

func TestFoldStopsWhereACommitCannotBeRead(t *testing.T) {
	unreadable := errors.New("the disk is gone")
	good := policy.Revision{ID: "1", Snapshot: snapshot(nil)}
	accepted, verdicts, err := policy.Fold(policy.Revision{}, func(yield func(policy.Revision, error) bool) {
		_ = yield(good, nil) && yield(policy.Revision{}, unreadable) && yield(policy.Revision{ID: "2", Snapshot: snapshot(nil)}, nil)
	})
	if !errors.Is(err, unreadable) || accepted.ID != "1" || len(verdicts) != 1 {
		t.Errorf("accepted %q with %d verdicts and error %v", accepted.ID, len(verdicts), err)
	}
}
