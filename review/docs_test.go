package review_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/review"
)

func TestThePageShowsWhatIsWrittenAndNamesEveryField(t *testing.T) {
	data, err := os.ReadFile("../docs/review.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	if want := "```\n" + string(render(t, review.Text, few(), review.Options{})) + "```\n"; !strings.Contains(page, want) {
		t.Errorf("the page does not show\n%s", want)
	}
	for _, r := range samples {
		var doc any
		if err := json.Unmarshal(render(t, review.JSON, r, review.Options{}), &doc); err != nil {
			t.Fatal(err)
		}
		for _, field := range fieldsOf(doc) {
			if !strings.Contains(page, "`"+field+"`") {
				t.Errorf("the page has no field `%s`", field)
			}
		}
		for _, c := range r.Changes {
			if !strings.Contains(page, "`"+string(c.Kind)+"`") {
				t.Errorf("the page has no kind `%s`", c.Kind)
			}
		}
	}
	for _, f := range review.Formats {
		if !strings.Contains(page, "| `"+string(f)+"` |") {
			t.Errorf("the page has no format `%s`", f)
		}
	}
	if !strings.Contains(page, "`"+string(access.SettingChanged)+"`") {
		t.Error("the page has no kind for settings")
	}
}

// fieldsOf are the names of all fields in a document of JSON.
func fieldsOf(doc any) []string {
	var out []string
	switch doc := doc.(type) {
	case map[string]any:
		for name, value := range doc {
			out = append(append(out, name), fieldsOf(value)...)
		}
	case []any:
		for _, value := range doc {
			out = append(out, fieldsOf(value)...)
		}
	}
	return out
}
