package schema_test

import (
	"cmp"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrahq/infra/schema"
)

var (
	documented = regexp.MustCompile("(?ms)^```yaml\n# (\\S+)\n(.*?)^```$")
	// Parts of infra.yaml, each of which is a rule or more, or the brakes.
	documentedParts = regexp.MustCompile("(?ms)^```yaml\n# in infra.yaml\n(.*?)^```$")
)

func TestTheDocumentedRepositoryIsGood(t *testing.T) {
	page, err := os.ReadFile("../docs/access-repository.md")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, m := range documented.FindAllSubmatch(page, -1) {
		files[string(m[1])] = &fstest.MapFile{Data: m[2]}
	}
	policy, brakes := "policy:\n", ""
	for _, m := range documentedParts.FindAllSubmatch(page, -1) {
		if rules, ok := strings.CutPrefix(string(m[1]), "policy:\n"); ok {
			policy += rules
		} else {
			brakes += string(m[1])
		}
	}
	files["infra.yaml"].Data = append(files["infra.yaml"].Data, policy+brakes...)
	s, problems, err := schema.Load(files, nil)
	if err != nil || len(problems) > 0 {
		t.Fatalf("problems %v, error %v", problems, err)
	}
	if len(s.Grants) != 6 || len(s.Groups) != 3 || len(s.Users) != 4 || len(s.Keys) != 1 || len(s.Destinations) != 1 ||
		len(s.Acknowledgements) != 1 || len(s.Revoked.Revocations) != 3 || len(s.Settings.Brakes.Destinations) != 1 {
		t.Errorf("the page says something that was not read: %+v", s)
	}
	if *s.Settings.Brakes.Default != schema.DefaultBrake {
		t.Errorf("the page says that %+v holds where nothing is said, and it is %+v", *s.Settings.Brakes.Default, schema.DefaultBrake)
	}
	// One rule of each kind at least.
	var kinds schema.PolicyRule
	for _, r := range s.Settings.Policy {
		kinds = schema.PolicyRule{Deny: cmp.Or(r.Deny, kinds.Deny), Require: cmp.Or(r.Require, kinds.Require), Protect: cmp.Or(r.Protect, kinds.Protect),
			Limit: cmp.Or(r.Limit, kinds.Limit), Separate: append(kinds.Separate, r.Separate...), Declared: append(kinds.Declared, r.Declared...),
			Local: append(kinds.Local, r.Local...), Keys: cmp.Or(r.Keys, kinds.Keys)}
	}
	if kinds.Deny == nil || kinds.Require == nil || kinds.Protect == nil || kinds.Limit == nil || kinds.Separate == nil ||
		kinds.Declared == nil || kinds.Local == nil || kinds.Keys == nil {
		t.Errorf("a kind has no example: %+v", kinds)
	}
}
