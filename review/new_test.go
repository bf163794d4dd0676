package review_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// revision loads files, beside an infra.yaml.
func revision(t *testing.T, id string, files map[string]string) policy.Revision {
	t.Helper()
	fsys := fstest.MapFS{"infra.yaml": {Data: []byte("version: 1\n")}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, problems, err := schema.Load(fsys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Revision{ID: id, At: noon, Snapshot: s, Problems: problems}
}

const engineers = "groups:\n  - name: engineering\n    users: [ann@example.com]\n"

func grants(subject, role string) string {
	return "grants:\n  - " + subject + "\n    role: " + role + "\n    resource: prod\n"
}

func TestNewPutsAReviewTogether(t *testing.T) {
	good := func() policy.Revision {
		return revision(t, "good", map[string]string{"groups/engineering.yaml": engineers, "grants/prod.yaml": grants("group: engineering", "view")})
	}
	broken := func() policy.Revision {
		return revision(t, "broken", map[string]string{"grants/prod.yaml": grants("group: engineering", "view") + "    expires: tomorrow\n"})
	}
	untidy := func() policy.Revision {
		return revision(t, "untidy", map[string]string{"groups/engineering.yaml": engineers, "grants/prod.yaml": grants("group: engineering", "veiw")})
	}
	undeclared := func() policy.Revision {
		return revision(t, "undeclared", map[string]string{"grants/prod.yaml": grants("group: engineering", "view")})
	}
	tests := []struct {
		name                 string
		base, head           policy.Revision
		changes              bool // whether there are any
		baseErrors, problems int  // errors of the base, problems of the head
		refusals             []policy.Rule
	}{
		{"the same twice", good(), good(), false, 0, 0, nil},
		{"a head that does not load has its errors, and no changes", good(), broken(), false, 0, 1, []policy.Rule{policy.Readable}},
		{"to a base that does not load, everything is new", broken(), good(), true, 1, 0, nil},
		{"and to none", policy.Revision{}, good(), true, 0, 0, nil},
		{"a base that does not load is no base to be judged by", broken(), undeclared(), true, 1, 0, nil},
		{"a warning that the base does not have", good(), untidy(), true, 0, 1, nil},
		{"one that it has", untidy(), untidy(), false, 0, 0, nil},
		{"what policy.Step refuses", good(), undeclared(), true, 0, 0, []policy.Rule{policy.Declaration}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := review.New(test.base, test.head, nil)
			var rules []policy.Rule
			for _, f := range r.Refusals {
				rules = append(rules, f.Rule)
			}
			if diff := cmp.Diff(test.refusals, rules); diff != "" {
				t.Errorf("refused by (-want +got):\n%s", diff)
			}
			if len(r.BaseProblems) != test.baseErrors || len(r.Problems) != test.problems || len(r.Changes) > 0 && !test.changes {
				t.Errorf("%d problems of the base, %d of the head, %d changes", len(r.BaseProblems), len(r.Problems), len(r.Changes))
			}
			if r.Base != test.base.ID || r.Head != test.head.ID || !r.At.Equal(noon) {
				t.Errorf("it is about %q and %q at %s", r.Base, r.Head, r.At)
			}
		})
	}
}

func TestTimeNeverGoesBackInAReview(t *testing.T) {
	base, head := revision(t, "a", nil), revision(t, "b", nil)
	head.At = noon.Add(-time.Hour)
	if r := review.New(base, head, nil); !r.At.Equal(noon) {
		t.Errorf("the review is at %s, want %s", r.At, noon)
	}
}

func TestTheOwnersOfEveryDestinationThatAChangeReachesAreNamed(t *testing.T) {
	owners, err := review.ParseOwners([]byte("/grants/prod.yaml @sre\n/grants/prod/ @web\n/destinations/ @platform\n/grants/_shared.yaml @all\n/groups/ @people"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{"grants/prod.yaml": true, "grants/prod/web.yaml": true, "grants/prod-eu.yaml": true, "destinations/prod.yaml": true, "groups/engineering.yaml": true}
	group := granted(access.Gained, access.Ordinary, user("ann"), "view", "prod", at("groups/engineering.yaml", 3), "engineering")
	pattern := granted(access.Gained, access.Ordinary, user("ann"), "view", "st-*", at("grants/_shared.yaml", 3))
	pattern.Destinations = []string{"st-1"}
	unknown := pattern
	unknown.Target, unknown.Destinations = target("x-*"), nil
	changes := []access.Change{group, pattern, unknown,
		{Kind: access.DestinationAdded, Name: "edge"}, {Kind: access.KeyAdded, Name: "no-destination"}}
	want := []review.Destination{
		{Name: "edge"},
		{Name: "prod", Owners: []string{"@sre", "@platform", "@web"}},
		{Name: "st-1"},
		{Name: "x-*", Owners: []string{"@all"}},
	}
	if diff := cmp.Diff(want, review.Touched(changes, files, owners)); diff != "" {
		t.Errorf("destinations (-want +got):\n%s", diff)
	}
	if got := review.Touched(changes, files, nil); len(got) != 4 || got[1].Owners != nil {
		t.Errorf("without owners: %v", got)
	}
}

func TestPoliciesAreTheSameWhateverTheirPlacesAndTests(t *testing.T) {
	rule := schema.PolicyRule{Name: "a", Deny: &schema.Deny{Selector: schema.Selector{Roles: []string{"exec"}}}}
	moved := rule
	moved.Pos, moved.Cases = at("infra.yaml", 9), []schema.Case{{Refused: true}}
	wider := rule
	wider.Deny = &schema.Deny{}
	if !review.SamePolicy([]schema.PolicyRule{rule}, []schema.PolicyRule{moved}) {
		t.Error("a rule that moves is another")
	}
	if review.SamePolicy([]schema.PolicyRule{rule}, []schema.PolicyRule{wider}) || review.SamePolicy(nil, []schema.PolicyRule{rule}) {
		t.Error("another policy is the same")
	}
}
