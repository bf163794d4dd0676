package server

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/api"
)

func TestARefusedRevisionChangesNothingAndIsSaid(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	good := f.repo.Head()
	f.accepted(good)
	before := f.state("example")
	bad := f.repo.Commit(map[string]string{"grants/example.yaml": "grants:\n  - {user: fisher@example.com, role: admin, resource: example, colour: red}\n"})
	f.until("it is refused", func() bool { r := f.report(); return r.Tip == bad && len(r.Refused) > 0 })
	r := f.report()
	if r.Accepted != good || r.Refused[0].Revision != bad || r.Refused[0].Kind != "invalid" || r.Refused[0].Rule != "readable" || !strings.HasPrefix(r.Refused[0].Position, "grants/example.yaml:2:") {
		t.Errorf("%+v", r)
	}
	if f.state("example").Digest != before.Digest {
		t.Error("it changed what is served")
	}
	if m := f.ask(ask{path: "/metrics"}).body; !strings.Contains(m, `infra_refused_revisions{rule="readable"} 1`) {
		t.Error("the metrics do not show it")
	}
	f.repo.Commit(map[string]string{"README.md": "still bad\n"})
	f.until("the next is refused too", func() bool { return len(f.report().Refused) == 2 })
	if n := strings.Count(f.log.String(), "revision="+bad+" kind=invalid rule="); n != 1 {
		t.Errorf("the log says it %d times", n)
	}
	mended := f.repo.Commit(map[string]string{"grants/example.yaml": "grants: []\n"})
	f.accepted(mended)
	if r := f.report(); len(r.Refused) > 0 || !f.state("example").Empty {
		t.Errorf("after it was mended: %+v", r)
	}
}

// Bad input, line 18: a bad file on main, and a revocation on top of it.
func TestARevocationCountsOnARefusedTip(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	good := f.repo.Head()
	f.accepted(good)
	f.repo.Commit(map[string]string{"grants/example.yaml": "grants: 7\n"})
	held := f.hold("example", "example")
	f.repo.Commit(map[string]string{"revoked.yaml": "revoked:\n  - {user: fisher@example.com, reason: laptop stolen}\n  - {key: " + f.keys["example"].ID + "}\n"})
	if r := <-held; r.code != 401 {
		t.Errorf("the request that the revoked key had held: %d %s", r.code, r.body)
	}
	revoked := func(when string) {
		t.Helper()
		if d := f.state("example"); !d.Empty {
			t.Errorf("%s, the revoked person still has %v", when, d.Entries)
		}
		if r := f.ask(ask{path: api.StatePath("example"), key: "example"}); r.code != 401 {
			t.Errorf("%s, the revoked key gets %d", when, r.code)
		}
	}
	revoked("at once")
	if r := f.report(); r.Accepted != good {
		t.Errorf("%+v", r)
	}
	// A revoked.yaml that cannot be read takes nothing back, a restart in between or not.
	tip := f.repo.Commit(map[string]string{"revoked.yaml": "revoked: [\n"})
	f.until("the tip is seen", func() bool { return f.report().Tip == tip })
	revoked("with a revoked.yaml that cannot be read")
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	f.start()
	f.until("it is served again", func() bool { return f.report().Accepted == good })
	revoked("after a restart")
}

// Bad input, line 18: a stale branch that brings a removed key back.
func TestARemovedKeyThatAStaleBranchBringsBackStaysDead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	text, id := f.repo.Read("keys/example.yaml"), f.keys["example"].ID
	f.start().accepted(f.repo.Head())
	held := f.hold("example", "example")
	f.repo.Git("rm", "--quiet", "keys/example.yaml")
	f.accepted(f.repo.Commit(map[string]string{"revoked.yaml": "revoked:\n  - {key: " + id + "}\n"}))
	if r := <-held; r.code != 401 {
		t.Errorf("the request that was held: %d %s", r.code, r.body)
	}
	f.accepted(f.repo.Commit(map[string]string{"keys/example.yaml": text}))
	if r := f.ask(ask{path: api.StatePath("example"), key: "example"}); r.code != 401 {
		t.Errorf("the key that came back: %d", r.code)
	}
}

func TestACommitWakesOnlyThoseWhoseAccessItChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	f.accepted(f.repo.Head())
	example, other := f.hold("example", "any"), f.hold("other", "any")
	f.accepted(f.repo.Commit(map[string]string{"grants/example.yaml": "grants: []\n"}))
	if r := <-example; r.code != 200 || !strings.Contains(r.body, `"empty":true`) {
		t.Errorf("the destination that changed: %d %s", r.code, r.body)
	}
	select {
	case r := <-other:
		t.Errorf("the other destination was woken: %d %s", r.code, r.body)
	default:
	}
	if n := f.metric("infra_held_requests"); n != 1 {
		t.Errorf("%v requests are held", n)
	}
	if err := f.stop(); err != nil {
		t.Error(err)
	}
	if r := <-other; r.code != 304 {
		t.Errorf("the request that was held when the server ended: %d %v", r.code, r.err)
	}
}

func TestARestartFindsTheSameAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	good := f.repo.Head()
	f.accepted(good)
	want := f.state("example").Digest
	f.repo.Commit(map[string]string{"grants/example.yaml": "grants: 7\n"})
	f.until("it is refused", func() bool { return len(f.report().Refused) == 1 })
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	f.start()
	f.until("the checkpoint's revision is served", func() bool { return f.report().Accepted == good && len(f.report().Refused) == 1 })
	if got := f.state("example").Digest; got != want {
		t.Errorf("the digest is %s, it was %s", got, want)
	}
}

// Bad input, line 10.
func TestHistoryThatWasRewrittenIsHeldUntilAnOperatorSaysOtherwise(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.repo.Head()
	second := f.repo.Commit(map[string]string{"grants/example.yaml": "grants: []\n"})
	f.start().accepted(second)
	f.repo.Rewrite(root) // an older tip pushed again
	f.until("it is held", func() bool { return f.report().Held != "" })
	if r := f.report(); r.Accepted != second || !strings.Contains(r.Hint, "--trust") || !f.state("example").Empty {
		t.Errorf("%+v", r)
	}
	other := f.repo.Commit(map[string]string{"grants/example.yaml": oneGrant + "  - {user: eve@example.com, role: view, resource: example}\n"})
	f.until("the new line is held too", func() bool { r := f.report(); return r.Tip == other && r.Held != "" })
	if !f.state("example").Empty {
		t.Error("the rewritten history is served")
	}
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	f.start(func(o *Options) { o.Trust = other }).accepted(other)
	if d := f.state("example"); len(d.Entries) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestACommitThatIsDatedAheadWaits(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	good := f.repo.Head()
	f.accepted(good)
	date := time.Now().Add(time.Hour).Format(time.RFC3339)
	f.repo.Write(map[string]string{"grants/example.yaml": "grants: []\n"})
	f.repo.Git("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "add", "-A")
	tree := strings.TrimSpace(f.repo.Git("write-tree"))
	commit := "tree " + tree + "\nparent " + good + "\nauthor Ada <ada@example.com> " + unix(date) + "\ncommitter Ada <ada@example.com> " + unix(date) + "\n\nahead\n"
	name := filepath.Join(t.TempDir(), "commit")
	if err := os.WriteFile(name, []byte(commit), 0o600); err != nil {
		t.Fatal(err)
	}
	f.repo.Git("update-ref", "refs/heads/main", strings.TrimSpace(f.repo.Git("hash-object", "-t", "commit", "-w", name)))
	f.until("it waits", func() bool { return strings.Contains(f.report().Held, "ahead") })
	if r := f.report(); r.Accepted != good || f.state("example").Empty {
		t.Errorf("%+v", r)
	}
}

func TestNothingIsServedBeforeARevisionIsAccepted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.repo.Commit(map[string]string{"infra.yaml": "version: 99\n"})
	f.start()
	f.until("the first tip is refused", func() bool { return len(f.report().Refused) > 0 })
	for _, a := range []ask{{path: api.StatePath("example"), key: "any"}, {path: "/v1/destinations", key: "ann"}, {path: "/readyz"}} {
		if r := f.ask(a); r.code != 503 {
			t.Errorf("%s: %d %s", a.path, r.code, r.body)
		}
	}
	f.accepted(f.repo.Commit(map[string]string{"infra.yaml": "version: 1\n"}))
}

func TestTwoServersDoNotShareADataDirectory(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	err := Run(t.Context(), Options{Repo: f.repo.Dir, Listen: "127.0.0.1:0", DataDir: f.dir})
	if err == nil || !strings.Contains(err.Error(), "another server may be using") {
		t.Errorf("the error is %v", err)
	}
}

// Bad input, line 16.
func TestOptionsThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, change := range map[string]func(*Options){
		"a repository that looks like an option": func(o *Options) { o.Repo = "--upload-pack=touch /tmp/x" },
		"a repository that is a command":         func(o *Options) { o.Repo = "ext::sh -c id" },
		"a branch that looks like an option":     func(o *Options) { o.Branch = "--upload-pack=id" },
		"a folder outside the repository":        func(o *Options) { o.Path = "../elsewhere" },
		"half a hash to trust":                   func(o *Options) { o.Trust = "abc123" },
		"a certificate without its key":          func(o *Options) { o.TLSCert = "x" },
		"no data directory":                      func(o *Options) { o.DataDir = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{Repo: f.repo.Dir, Listen: "127.0.0.1:0", DataDir: t.TempDir()}
			change(&o)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := Run(ctx, o); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// Bad input, line 19.
func TestOversizedHeadersAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	if r := f.ask(ask{path: api.StatePath("example"), key: strings.Repeat("x", 64<<10)}); r.code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d %v", r.code, r.err)
	}
}

func unix(date string) string {
	at, err := time.Parse(time.RFC3339, date)
	if err != nil {
		panic(err)
	}
	return strconv.FormatInt(at.Unix(), 10) + " +0000"
}

// A connector that does not know of a rename yet would take an empty state for the
// end of everybody's access.
func TestAFormerNameIsRefusedAndNotEmpty(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start()
	f.accepted(f.repo.Head())
	f.state("example")
	held := f.hold("example", "any")
	f.repo.Commit(map[string]string{
		"grants/example.yaml":    "grants: []\n",
		"keys/example.yaml":      f.key("example", "connector", "destination: prod"),
		"grants/prod.yaml":       strings.ReplaceAll(oneGrant, "resource: example", "resource: prod"),
		"destinations/prod.yaml": "destinations:\n  - name: prod\n    formerly: [example]\n",
	})
	for _, r := range []reply{<-held, f.ask(ask{path: api.StatePath("example"), key: "any"})} {
		if r.code != 404 || !strings.Contains(r.body, "destination example is called prod now") || !strings.Contains(r.body, "give the connector the name prod") {
			t.Errorf("%d %s", r.code, r.body)
		}
	}
	if d := f.state("prod"); len(d.Entries) != 1 || d.Formerly[0] != "example" {
		t.Errorf("under its new name: %+v", d)
	}
}
