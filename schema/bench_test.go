package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/infrahq/infra/schema"
)

// manyGrants is one list of n grants, as people write them.
func manyGrants(n int) string {
	var b strings.Builder
	b.WriteString("grants:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - user: person-%d@example.com\n    role: edit\n    resource: prod.team-%d\n    expires: 2027-11-23T10:00:00Z\n    reason: \"INC-%d: asked for by the team, and approved by its owner, until the migration of the payments database is over\"\n", i, i%100, i)
	}
	return b.String()
}

func BenchmarkLoad10000Grants(b *testing.B) {
	text := manyGrants(10_000)
	fsys := files("infra.yaml", "version: 1\n", prod, text)
	b.Run("schema", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, problems, err := schema.Load(fsys, nil); err != nil || len(problems) > 0 {
				b.Fatal(problems, err)
			}
		}
	})
	b.Run("yaml.v3 to nodes", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var n yaml.Node
			if err := yaml.Unmarshal([]byte(text), &n); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("yaml.v3 to structs", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var v struct {
				Grants []struct{ User, Role, Resource, Expires, Reason string }
			}
			if err := yaml.Unmarshal([]byte(text), &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLoadCached(b *testing.B) {
	fsys := files("infra.yaml", "version: 1\n")
	for i := range 1000 {
		fsys[fmt.Sprintf("grants/cluster-%d.yaml", i)] = files("x", strings.ReplaceAll(manyGrants(10), "prod.", fmt.Sprintf("cluster-%d.", i)))["x"]
	}
	c := &schema.Cache{}
	for b.Loop() {
		if _, problems, err := schema.Load(fsys, c); err != nil || len(problems) > 0 {
			b.Fatal(problems, err)
		}
	}
}

func BenchmarkAddGrantTo10000(b *testing.B) {
	fsys := files("infra.yaml", "version: 1\n", prod, manyGrants(10_000))
	g := grant(b, "zoe@example.com", "view", "prod.web")
	for b.Loop() {
		if _, err := schema.AddGrant(fsys, g, now); err != nil {
			b.Fatal(err)
		}
	}
}
