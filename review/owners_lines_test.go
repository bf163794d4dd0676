package review_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/review"
)

func TestRulesFollowWhatMoves(t *testing.T) {
	t.Parallel()
	const before = "# /grants/prod.yaml\r\n* @all\n/grants/prod.yaml\t@sre # grants/prod.yaml\ngrants/prod/ @web\n" +
		"**/grants/prod/x.yaml @x\n!/grants/prod\n/grants/prod-eu.yaml @eu\n/grants/prod*.yaml @any\n[grants/prod] @s\n  /grants/prod/team.yaml\n/docs/grants/prod @d"
	const after = "# /grants/prod.yaml\r\n* @all\n/grants/live.yaml\t@sre # grants/prod.yaml\ngrants/live/ @web\n" +
		"**/grants/live/x.yaml @x\n!/grants/live\n/grants/prod-eu.yaml @eu\n/grants/prod*.yaml @any\n[grants/prod] @s\n  /grants/live/team.yaml\n/docs/grants/prod @d"
	got := review.MoveOwners(review.MoveOwners([]byte(before), "grants/prod.yaml", "grants/live.yaml"), "grants/prod", "grants/live")
	if diff := cmp.Diff(after, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLinesOfAnOwner(t *testing.T) {
	t.Parallel()
	text := []byte("# ann@example.com\n* @ann ann@example.com\n/ann@example.com @bob\n[S] Ann@Example.com\n/x @anna\n")
	if diff := cmp.Diff([]int{2, 4}, review.LinesOfOwner(text, "ann@example.com")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{2}, review.LinesOfOwner(text, "ann")); diff != "" {
		t.Error(diff)
	}
}
