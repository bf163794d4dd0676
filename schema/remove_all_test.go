package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Several entries at once go as they would one by one.
func FuzzRemoveAll(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		t.Parallel()
		r := rand.New(rand.NewPCG(seed, 3))
		separated, end, indent := r.IntN(2) == 0, []string{"\n", "\r\n"}[r.IntN(2)], strings.Repeat(" ", 2*r.IntN(2))
		text := "# begin\nlist:\n"
		n := 1 + r.IntN(6)
		for i := range n {
			if i > 0 && separated {
				text += "\n"
			}
			if r.IntN(4) == 0 {
				text += indent + "# before\n"
			}
			if text += fmt.Sprintf("%s- {a: %d}\n", indent, i); r.IntN(4) == 0 {
				text += indent + "  # inside\n"
			}
		}
		if r.IntN(3) == 0 {
			text += "# end\n"
		}
		if r.IntN(3) == 0 {
			text = strings.TrimSuffix(text, "\n")
		}
		data := []byte(strings.ReplaceAll(text, "\n", end))
		var at []int
		for i := range n {
			if r.IntN(2) == 0 {
				at = append(at, i)
			}
		}
		list, err := openList("f", data, "list")
		if err != nil {
			t.Fatal(err)
		}
		got, err := list.removeAll(at)
		if err != nil {
			t.Fatal(err)
		}
		want := data
		for i := len(at) - 1; i >= 0; i-- {
			if want, err = reopened(list, want, at[i]); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("seed %d, of %q without %v: -one by one +at once:\n%s", seed, data, at, diff)
		}
	})
}
