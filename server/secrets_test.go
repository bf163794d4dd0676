package server

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/repo/gittest"
)

// Nothing that is a secret gets into a log, a metric, an answer, an error or the
// data directory, wherever in a request or a repository it turns up.
func TestNoSecretGetsOut(t *testing.T) {
	t.Parallel()
	const password = "correct-horse-battery-staple"
	f := newFixture(t)
	host := gittest.Serve(t, f.repo, gittest.HostOptions{User: "git", Password: password})
	withPassword := strings.Replace(host.URL, "://", "://git:"+password+"@", 1)
	key := f.keys["any"].Text()
	f.start(func(o *Options) { o.Repo, o.Branch, o.PollInterval = withPassword, "main", 20*time.Millisecond })
	f.accepted(f.repo.Head())
	// A key in a file, which is refused, and in a URL, a query, a header, a body.
	f.repo.Commit(map[string]string{"grants/example.yaml": "grants:\n  - {user: " + key + ", role: view, resource: example}\n"})
	f.until("the commit with a key in it is refused", func() bool { return len(f.report().Refused) > 0 })
	status := statusText(t, api.Status{Version: 1, Destination: key, ClusterUID: "uid-1", Mode: api.Enforce, ObservedAt: time.Now().UTC()})
	var out []string
	for _, a := range []ask{
		{path: "/readyz"}, {path: "/version"}, {path: "/healthz"},
		{path: "/" + key}, {path: api.StatePath(key), key: "any"}, {path: api.StatePath("example") + "?wait=" + key, key: "any"},
		{path: api.StatePath("example"), key: "any", version: key}, {path: api.StatePath("example"), key: "any", cluster: key},
		{path: api.StatePath("example"), key: key + "x"}, {path: api.StatePath("example"), key: "expired"},
		{path: api.StatePath("other"), key: "example"},
		{method: "PUT", path: api.StatusPath("example"), key: "any", body: status},
		{method: "PUT", path: api.StatusPath("example"), key: "any", body: `{"` + key + `":1}`},
		{path: "/v1/destinations", key: "ann"}, {path: "/v1/destinations", key: "any"}, {path: "/v1/revision", key: "ann"},
		{path: "/metrics"},
	} {
		r := f.ask(a)
		if r.err != nil {
			t.Fatal(r.err)
		}
		out = append(out, a.path+": "+r.body)
		for _, values := range r.header {
			out = append(out, values...)
		}
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	out = append(out, f.log.String())
	data := os.DirFS(f.dir)
	err := fs.WalkDir(data, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(data, name)
		out = append(out, name+": "+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range []Options{{Repo: withPassword + "\x7f"}, {Repo: withPassword, Trust: "short"}, {Repo: withPassword, Path: "../x"}} {
		opts.DataDir = t.TempDir()
		if err := Run(t.Context(), opts); err == nil {
			t.Errorf("%+v is run", opts.Path)
		} else {
			out = append(out, err.Error())
		}
	}
	secrets := map[string]string{"the Git host's password": password}
	for name, k := range f.keys {
		secrets["the key "+name] = strings.TrimPrefix(k.Text(), "infra1_"+k.ID+"_")
	}
	for _, text := range out {
		where, _, _ := strings.Cut(text, "\n")
		for name, secret := range secrets {
			// What a request asked for itself is in the name of the answer only.
			if _, answer, _ := strings.Cut(text, ": "); strings.Contains(answer, secret) {
				t.Errorf("%s is in %.200s", name, strings.ReplaceAll(where, secret, "(secret)"))
			}
		}
	}
}
