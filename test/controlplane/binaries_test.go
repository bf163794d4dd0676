package controlplane_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/test/controlplane"
)

func TestAProgramIsBuiltOnceHoweverManyAsk(t *testing.T) {
	t.Parallel()
	type answer struct {
		path string
		err  error
	}
	answers := make(chan answer)
	var told [4]strings.Builder
	for i := range told {
		go func() {
			path, err := controlplane.Binary(t.Context(), controlplane.Kube, &told[i])
			answers <- answer{path, err}
		}()
	}
	var paths []string
	for range told {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		paths = append(paths, a.path)
	}
	if diff := cmp.Diff([]string{paths[0], paths[0], paths[0], paths[0]}, paths); diff != "" {
		t.Errorf("they got different programs:\n%s", diff)
	}
	builds := 0
	for i := range told {
		builds += strings.Count(told[i].String(), "done in")
	}
	if builds > 1 {
		t.Errorf("it was built %d times", builds)
	}
}

func TestAnUnknownProgramIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := controlplane.Binary(t.Context(), "tetris", nil); err == nil || !strings.Contains(err.Error(), "making tetris ready") {
		t.Errorf("got %v", err)
	}
}
