package way_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

// It gives ten thousand people a role, in five files: two roles on the cluster and
// three in namespaces.
func TestAmongTenThousandGrantsOneMoreIsOneWrite(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	first, second := w.Namespace(t), w.Namespace(t)
	places := []struct{ role, resource string }{
		{"view", w.Name}, {"edit", w.Name},
		{"admin", w.Name + "." + first}, {"logs", w.Name + "." + first}, {"exec", w.Name + "." + second},
	}
	lines := make([][]string, len(places))
	for i := range 10_000 {
		at := i % len(places)
		lines[at] = append(lines[at], fmt.Sprintf("  - user: u%05d@%s.example.com\n    role: %s\n    resource: %s\n",
			i, w.Name, places[at].role, places[at].resource))
	}
	files := func() map[string]string {
		out := map[string]string{}
		for i, l := range lines {
			out[fmt.Sprintf("grants/%s/%d.yaml", w.Name, i)] = "grants:\n" + strings.Join(l, "")
		}
		return out
	}
	writes := func(since controlplane.AuditMark, want ...string) {
		t.Helper()
		if diff := cmp.Diff(append([]string{}, want...), w.Writes(since)); diff != "" {
			t.Errorf("writes to bindings (-want +got):\n%s", diff)
		}
	}
	w.Commit("grants: ten thousand", files())
	if d := w.InForce(); d.Status.Bindings != 100 || d.Status.Pending != 0 || d.Status.Held != nil {
		t.Fatalf("ten thousand subjects are not in a hundred bindings: %+v", d.Status)
	}
	w.Eventually(t, controlplane.Question{User: "u09999@" + w.Name + ".example.com", Verb: "get", Resource: "pods", Namespace: second}, true)

	// Who goes leaves a seat free, and who comes takes it.
	mark := w.Mark()
	w.Infra("grants", "remove", "u05000@"+w.Name+".example.com", w.Name, "--role", "view")
	before := w.InForce()
	left := w.Writes(mark)
	if len(left) != 1 || !strings.HasPrefix(left[0], "update clusterrolebindings /infra:"+w.Name+":view") {
		t.Errorf("the removal of one grant made these writes: %q", left)
	}
	mark = w.Mark()
	w.Infra("grants", "add", "fisher@"+w.Name+".example.com", w.Name, "--role", "view")
	if after := w.InForce(); after.Desired == before.Desired {
		t.Error("one more grant has the same digest")
	}
	writes(mark, left...)
	w.Eventually(t, controlplane.Question{User: "fisher@" + w.Name + ".example.com", Verb: "list", Resource: "pods"}, true)

	// A restart compares everything and finds nothing to do.
	mark = w.Mark()
	w.Connector.Restart()
	w.Until("the connector to be ready again", w.ConnectorReady)
	writes(mark)

	// Lines that move say the same. What comes after them shows that the connector
	// has not merely not looked yet.
	mark = w.Mark()
	for _, name := range strings.Fields(w.Git("ls-files", "grants/"+w.Name)) {
		moved := blocks(w.Read(name))
		slices.Reverse(moved)
		lines[fileNumber(t, name)] = moved
	}
	lines[0], lines[1] = lines[1], lines[0]
	lines[2] = append(lines[2], lines[3]...)
	lines[3] = lines[3][:0]
	moved := files()
	moved[fmt.Sprintf("grants/%s/3.yaml", w.Name)] = ""
	w.Commit("grants: the same in another order", moved)
	w.InForce()
	writes(mark)
	w.Infra("grants", "remove", "fisher@"+w.Name+".example.com", w.Name, "--role", "view")
	w.InForce()
	writes(mark, left...)
}

// blocks are the entries of a list of grants.
func blocks(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "  - "):
			out = append(out, line)
		case len(out) > 0:
			out[len(out)-1] += line
		}
	}
	return out
}

// fileNumber is N of grants/<destination>/N.yaml.
func fileNumber(t *testing.T, name string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(name[strings.LastIndexByte(name, '/')+1:], "%d.yaml", &n); err != nil {
		t.Fatal(err)
	}
	return n
}
