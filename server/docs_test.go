package server

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
)

// The page names every route, field and metric of the program, and no other.
func TestThePageAboutTheInterfaceIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]string{} // by heading
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		page[heading] = body
	}
	f := newFixture(t).start()
	f.repo.Commit(map[string]string{"grants/infra.yaml": "grants: 7\n"})
	f.until("it is refused", func() bool { return len(f.report().Refused) > 0 })
	f.state("example")
	status := api.Status{Version: 1, Destination: "example", ClusterUID: "uid-1", Mode: api.Enforce, ObservedAt: time.Now().UTC()}
	if r := f.ask(ask{method: "PUT", path: api.StatusPath("example"), key: "any", body: statusText(t, status)}); r.code != 204 {
		t.Fatal(r.body)
	}
	s := &server{}
	s.report.Store(&api.RevisionReport{})
	s.metrics = newMetrics(s)
	var routes, metrics []string
	for _, r := range s.routes() {
		routes = append(routes, r.pattern)
	}
	for pattern := range s.openRoutes() {
		routes = append(routes, pattern)
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (infra_\S+)`).FindAllStringSubmatch(f.ask(ask{path: "/metrics"}).body, -1) {
		metrics = append(metrics, m[1])
	}
	var codes []string
	for status := 400; status < 600; status++ {
		if api.StatusError(status) != nil || status == 500 {
			codes = append(codes, strconv.Itoa(status))
		}
	}
	for _, tt := range []struct {
		heading string
		want    []string
		nested  []string // fields that are named within a row
	}{
		{"Routes", routes, nil},
		{"Metrics", metrics, nil},
		{"When it is not a success", codes, fields(api.Failure{})},
		{"The desired state", fields(api.DesiredState{}), fields(api.Entry{})},
		{"The status of a cluster", fields(api.Status{}), append(fields(api.Held{}), fields(api.Foreign{})...)},
		{"Destinations", fields(api.DestinationReport{}), fields(api.Destinations{})},
		{"The revision", fields(api.RevisionReport{}), fields(api.Refused{})},
	} {
		var got []string
		for _, row := range regexp.MustCompile("(?m)^\\| `?([^`|]+?)`? \\|").FindAllStringSubmatch(page[tt.heading], -1)[2:] {
			got = append(got, row[1])
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, program and page:\n%s", tt.heading, diff)
		}
		for _, name := range tt.nested {
			if !strings.Contains(page[tt.heading], "`"+name+"`") {
				t.Errorf("%s: nothing is said of %s", tt.heading, name)
			}
		}
	}
	for _, header := range []string{"Authorization", api.VersionHeader, api.ClusterHeader, "If-None-Match", "ETag", "Accept-Encoding", "Retry-After", "WWW-Authenticate"} {
		if !strings.Contains(page["Headers"], "| `"+header+"` |") {
			t.Errorf("nothing is said of the header %s", header)
		}
	}
}

// fields are the names of a type's fields in JSON.
func fields(v any) (names []string) {
	for f := range reflect.TypeOf(v).Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
