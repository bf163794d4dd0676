package chart_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/test/chart"
)

var update = flag.Bool("update", false, "write the table of values into the chart's README.md")

func TestTheReadmeListsTheValues(t *testing.T) {
	path := filepath.Join(chart.Dir(), "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table, err := chart.ValuesTable()
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- values: made of values.yaml by `go test ./chart -update` in test/ -->\n", "<!-- end of values -->\n"
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no lines %q and %q", path, begin, end)
	}
	want := before + begin + "\n" + table + "\n" + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("README.md is stale, run go test ./chart -update (-want +got):\n%s", diff)
	}
}
