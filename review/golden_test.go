package review_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/review"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestEverySampleReadsAsItDidInEveryFormat(t *testing.T) {
	for name, r := range samples {
		for _, f := range review.Formats {
			check(t, name+"."+string(f), render(t, f, r, review.Options{Version: "1.2.3"}))
		}
		check(t, name+".narrow.text", render(t, review.Text, r, review.Options{Width: 60}))
	}
	check(t, "groups.people.text", render(t, review.Text, groups(), review.Options{People: true}))
	check(t, "refused.color.text", render(t, review.Text, refused(), review.Options{Color: true}))
	check(t, "refused.prefix.sarif", render(t, review.SARIF, refused(), review.Options{Prefix: "teams/a b", Version: "1.2.3"}))
}

func render(t testing.TB, f review.Format, r review.Review, o review.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := review.Render(&b, f, r, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func check(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
