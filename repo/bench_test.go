package repo_test

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

// BenchmarkFilesOfAWideFolder reads every file of a folder of a commit: ten times the
// files take ten times as long.
func BenchmarkFilesOfAWideFolder(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := gittest.New(b)
			files := map[string]string{}
			for i := range n {
				files[fmt.Sprintf("grants/cluster-%d.yaml", i)] = fmt.Sprintf("# %d\n", i)
			}
			tip := r.Commit(files)
			s, err := repo.Open(r.Dir, repo.Options{})
			if err != nil {
				b.Fatal(err)
			}
			h, err := s.Fetch(b.Context(), "", "")
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tree, err := h.Files(tip)
				if err != nil {
					b.Fatal(err)
				}
				for name := range files {
					if _, err := fs.ReadFile(tree, name); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
