package access_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// company is a repository of 10,000 grants, 1,000 people and 200 groups that are
// nested three deep: 60 in 100 grants are to people, the rest to groups.
func company(r *rand.Rand) map[string]string {
	out := map[string]string{"infra.yaml": "version: 1\n"}
	person := func(i int) string { return fmt.Sprintf("person-%d@example.com", i) }
	var b strings.Builder
	for g := range 200 {
		if g%20 == 0 {
			b.Reset()
			b.WriteString("groups:\n")
		}
		fmt.Fprintf(&b, "  - name: group-%d\n    users:\n", g)
		// Teams have 10 to 40 people with those of the teams in them.
		size := 10 + r.IntN(31)
		if g < 80 {
			size = 5 + r.IntN(10)
		}
		first := r.IntN(1000)
		for i := range size {
			fmt.Fprintf(&b, "      - %s\n", person((first+i)%1000))
		}
		if g < 80 {
			fmt.Fprintf(&b, "    groups: [group-%d]\n", 80+g/2+r.IntN(3)*40)
		}
		out[fmt.Sprintf("groups/teams-%d.yaml", g/20)] = b.String()
	}
	roles := []string{"view", "edit", "admin", "logs", "exec"}
	for c := range 20 {
		b.Reset()
		b.WriteString("grants:\n")
		seen := map[string]bool{}
		for n := 0; n < 500; {
			subject := "user: " + person(r.IntN(1000))
			if r.IntN(10) < 4 {
				subject = fmt.Sprintf("group: group-%d", r.IntN(200))
			}
			line := fmt.Sprintf("  - %s\n    role: %s\n    resource: cluster-%d.team-%d\n", subject, roles[r.IntN(5)], c, r.IntN(100))
			if seen[line] {
				continue
			}
			seen[line] = true
			n++
			b.WriteString(line)
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, "    expires: 2027-11-%02dT10:00:00Z\n    reason: \"INC-%d: until the migration is over\"\n", 1+r.IntN(28), n)
			}
		}
		out[fmt.Sprintf("grants/cluster-%d.yaml", c)] = b.String()
	}
	return out
}

// edited is a company after a change to a file of grants and to a group.
func edited(files map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range files {
		out[name] = text
	}
	out["grants/cluster-3.yaml"] += "  - user: new@example.com\n    role: edit\n    resource: cluster-3.team-1\n"
	out["grants/cluster-7.yaml"] = strings.Replace(out["grants/cluster-7.yaml"], "role: view", "role: admin", 20)
	out["groups/teams-4.yaml"] = strings.Replace(out["groups/teams-4.yaml"], "    users:\n", "    users:\n      - joins@example.com\n", 3)
	return out
}

func fileSystem(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return fsys
}

// decoded is a file in the eyes of somebody who only decodes it.
type decoded struct {
	Version int
	Grants  []struct {
		User, Group, Role, Resource, Reason string
		Expires                             time.Time
	}
	Groups []struct {
		Name          string
		Users, Groups []string
	}
}

// BenchmarkDiff compares two revisions of a company, from files to changes, with
// the time that yaml.v3 takes for decoding the files of both. The ratio is
// reported.
func BenchmarkDiff(b *testing.B) {
	before := company(rand.New(rand.NewPCG(1, 1)))
	after := edited(before)
	everybody := map[string]string{}
	for name, text := range before {
		everybody[name] = strings.ReplaceAll(text, "role: view", "role: edit")
	}
	for _, test := range []struct {
		name  string
		after map[string]string
	}{{"a change of a few files", after}, {"a change that reaches everybody", everybody}} {
		b.Run(test.name, func(b *testing.B) {
			old, next := fileSystem(before), fileSystem(test.after)
			var diff, yamlOnly time.Duration
			changes := 0
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				cache := &schema.Cache{}
				tables := make([]*access.Table, 2)
				for i, fsys := range []fstest.MapFS{old, next} {
					s, problems, err := schema.Load(fsys, cache)
					if err != nil || len(problems.Errors()) > 0 {
						b.Fatal(problems, err)
					}
					tables[i] = access.Resolve(s, s.Revoked)
				}
				changes = len(access.Compare(tables[0], tables[1], now))
				diff += time.Since(start)

				b.StopTimer()
				start = time.Now()
				for _, files := range []map[string]string{before, test.after} {
					for _, text := range files {
						var d decoded
						if err := yaml.Unmarshal([]byte(text), &d); err != nil {
							b.Fatal(err)
						}
					}
				}
				yamlOnly += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(float64(diff)/float64(yamlOnly), "times-yaml.v3")
			b.ReportMetric(float64(changes), "changes")
		})
	}
}

// BenchmarkResolve expands one revision of a company.
func BenchmarkResolve(b *testing.B) {
	s, problems, err := schema.Load(fileSystem(company(rand.New(rand.NewPCG(1, 1)))), nil)
	if err != nil || len(problems.Errors()) > 0 {
		b.Fatal(problems, err)
	}
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		rows = len(access.Resolve(s, s.Revoked).Rows())
	}
	b.ReportMetric(float64(rows), "rows")
}
