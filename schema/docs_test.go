package schema_test

import (
	"os"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/infrahq/infra/schema"
)

func TestTheDocumentedRepositoryIsGood(t *testing.T) {
	page, err := os.ReadFile("../docs/access-repository.md")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, m := range regexp.MustCompile("(?ms)^```yaml\n# (\\S+)\n(.*?)^```$").FindAllSubmatch(page, -1) {
		files[string(m[1])] = &fstest.MapFile{Data: m[2]}
	}
	s, problems, err := schema.Load(files, nil)
	if err != nil || len(problems) > 0 {
		t.Fatalf("problems %v, error %v", problems, err)
	}
	if len(s.Grants) != 6 || len(s.Groups) != 3 || len(s.Keys) != 1 || len(s.Destinations) != 1 ||
		len(s.Acknowledgements) != 1 || len(s.Revoked.Revocations) != 3 {
		t.Errorf("the page says something that was not read: %+v", s)
	}
}
