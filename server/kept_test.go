package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

// A gitHost serves the fixture's repository until it is told to fail.
type gitHost struct {
	url  string
	mood atomic.Value // of type string: "", "away", "hanging"
}

func (f *fixture) host() *gitHost {
	f.t.Helper()
	h := &gitHost{}
	h.mood.Store("")
	h.url = gittest.Serve(f.t, f.repo, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch h.mood.Load() {
			case "away":
				http.Error(w, "gone fishing", http.StatusBadGateway)
			case "hanging":
				io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
			default:
				git.ServeHTTP(w, r)
			}
		})
	}}).URL
	return h
}

func (h *gitHost) options(o *Options) {
	o.Repo, o.Branch, o.PollInterval = h.url, "main", 20*time.Millisecond
	o.RepoOptions = repo.Options{Timeout: 5 * time.Second}
}

// Bad input, line 14: a Git host that is away, and one that hangs.
func TestARestartWhileTheGitHostIsAwayLosesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	host := f.host()
	f.start(host.options)
	good := f.repo.Head()
	f.accepted(good)
	// Refused, but what it revokes counts, then and after the restart.
	f.repo.Commit(map[string]string{"grants/example.yaml": "grants: 7\n", "revoked.yaml": "revoked:\n  - {key: " + f.keys["other"].ID + "}\n"})
	f.until("the revoked key is refused", func() bool { return f.ask(ask{path: api.StatePath("other"), key: "other"}).code == 401 })
	want := f.state("example")
	for _, mood := range []string{"away", "hanging"} {
		host.mood.Store(mood)
		if mood == "away" {
			f.until("the report says that it is away", func() bool { return f.report().FetchError != "" })
		}
		if diff := cmp.Diff(want, f.state("example")); diff != "" {
			t.Errorf("with a Git host that is %s:\n%s", mood, diff)
		}
		if err := f.stop(); err != nil {
			t.Fatal(err)
		}
		f.start(host.options)
		if diff := cmp.Diff(want, f.state("example")); diff != "" {
			t.Errorf("after a restart with a Git host that is %s:\n%s", mood, diff)
		}
		if r := f.ask(ask{path: api.StatePath("other"), key: "other"}); r.code != 401 {
			t.Errorf("after a restart with a Git host that is %s, the revoked key gets %d", mood, r.code)
		}
		if r := f.report(); r.Accepted != good || r.AcceptedAt.IsZero() {
			t.Errorf("%+v", r)
		}
		if mood == "away" {
			f.until("the report says that it is away", func() bool { return strings.Contains(f.report().FetchError, "502") })
		}
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	host.mood.Store("")
	f.start(host.options)
	f.accepted(f.repo.Commit(map[string]string{"grants/example.yaml": "grants: []\n"}))
	if names, err := filepath.Glob(filepath.Join(f.dir, "accepted-*")); err != nil || len(names) != 1 {
		t.Errorf("kept: %v, %v", names, err)
	}
}

func TestWhatIsKeptIsServedOnlyWhereItIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(name string) error{
		"gone":    os.Remove,
		"cut off": func(name string) error { return os.Truncate(name, 100) },
		"of another hand": func(name string) error {
			packed, err := pack(fstest.MapFS{"infra.yaml": {Data: []byte("version: 1\n")}}, nil)
			return errors.Join(err, os.WriteFile(name, packed, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			host := f.host()
			f.start(host.options)
			good := f.repo.Head()
			f.accepted(good)
			if err := f.stop(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(filepath.Join(f.dir, keptName(good))); err != nil {
				t.Fatal(err)
			}
			host.mood.Store("away")
			f.start(host.options)
			if r := f.ask(ask{path: api.StatePath("example"), key: "any"}); r.code != 503 {
				t.Errorf("%d %s", r.code, r.body)
			}
			host.mood.Store("")
			f.accepted(good)
			if _, err := os.Stat(filepath.Join(f.dir, keptName(good))); err != nil {
				t.Errorf("it is not kept again: %v", err)
			}
		})
	}
}

func TestWhatCouldNotBeSavedIsServedAndSavedAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	host := f.host()
	f.start(host.options).accepted(f.repo.Head())
	f.state("example") // a cluster that asks for the first time could not be written down
	away := f.dir + "-away"
	if err := os.Rename(f.dir, away); err != nil {
		t.Fatal(err)
	}
	next := f.repo.Commit(map[string]string{"grants/example.yaml": "grants: []\n"})
	f.accepted(next)
	if r := f.report(); r.SaveError == "" || r.FetchError != "" || f.metric("infra_unsaved") != 1 {
		t.Errorf("%+v", r)
	}
	if !f.state("example").Empty {
		t.Error("it is not served")
	}
	host.mood.Store("away") // what is to be saved is at hand without Git
	if err := os.Rename(away, f.dir); err != nil {
		t.Fatal(err)
	}
	f.until("it is saved again", func() bool { return f.report().SaveError == "" })
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	f.start(host.options)
	if r := f.report(); r.Accepted != next || !f.state("example").Empty {
		t.Errorf("after a restart: %+v", r)
	}
}

func TestARepositoryBelowTheRootIsServedAndKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.repo.Write(map[string]string{"team/grants/.keep": "", "team/keys/.keep": ""})
	f.repo.Git("mv", "infra.yaml", "team/infra.yaml")
	f.repo.Git("mv", "grants/example.yaml", "team/grants/example.yaml")
	f.repo.Git("mv", "keys/any.yaml", "team/keys/any.yaml")
	head := f.repo.Commit(map[string]string{"team/README.md": "not of access\n", "grants/infra.yaml": "grants: 7\n"})
	host := f.host()
	below := func(o *Options) { host.options(o); o.Path = "team/" }
	f.start(below).accepted(head)
	want := f.state("example")
	if len(want.Entries) != 1 {
		t.Errorf("%+v", want)
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	host.mood.Store("away")
	f.start(below)
	if diff := cmp.Diff(want, f.state("example")); diff != "" {
		t.Error(diff)
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	// What is kept of one folder is not served for another.
	f.start(host.options)
	if r := f.ask(ask{path: api.StatePath("example"), key: "any"}); r.code != 503 {
		t.Errorf("%d %s", r.code, r.body)
	}
}
