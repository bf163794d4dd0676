package repo_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestFetchGoesBackAsFarAsNeeded(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	a := r.Commits(1)
	b := r.Commits(400)
	c := r.Commits(100)
	tip := r.Commits(20)
	s := open(t, gittest.Serve(t, r, gittest.HostOptions{}).URL, repo.Options{})
	for _, tt := range []struct {
		name, have string
		between    int
		all        bool // down to the first
	}{{"20 behind", c, 20, false}, {"120 behind", b, 120, false}, {"520 behind", a, 520, true}} {
		h := fetch(t, s, tt.have)
		p, err := h.Since(tt.have, tip)
		if err != nil || len(p.Commits) != tt.between || p.Relation != repo.Linear {
			t.Errorf("%s: %d commits, %s, %v", tt.name, len(p.Commits), p.Relation, err)
		}
		if _, err := h.Commit(a); errors.Is(err, repo.ErrNotFound) == tt.all {
			t.Errorf("%s: the first commit: %v", tt.name, err)
		}
	}
	if _, err := fetch(t, s, strings.Repeat("1", 40)).Since(strings.Repeat("1", 40), tip); !errors.Is(err, repo.ErrRewritten) {
		t.Errorf("an unknown commit: %v", err)
	}
}

func TestTroublesomeGitHosts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		host gittest.HostOptions
		o    repo.Options
		want string // in the error
		is   error
	}{
		{"hangs at once", gittest.HostOptions{Wrap: gittest.Hang("")}, repo.Options{Timeout: 100 * time.Millisecond}, "no complete answer within 100ms", context.DeadlineExceeded},
		{"hangs before the pack", gittest.HostOptions{Wrap: gittest.Hang("git-upload-pack")}, repo.Options{Timeout: 2 * time.Second}, "no complete answer within 2s", context.DeadlineExceeded},
		{"cuts off its refs", gittest.HostOptions{Wrap: gittest.CutOff("info/refs", 40)}, repo.Options{}, "cut off", nil},
		{"cuts off the pack", gittest.HostOptions{Wrap: gittest.CutOff("git-upload-pack", 60)}, repo.Options{}, "cut off", nil},
		{"answers with HTML", gittest.HostOptions{Wrap: gittest.Answer(200, "text/html; charset=utf-8", "<html>sign in</html>")}, repo.Options{}, "it answers with text/html", nil},
		{"answers with an error page", gittest.HostOptions{Wrap: gittest.Answer(502, "text/html", "<html>secret</html>")}, repo.Options{}, "502 Bad Gateway", nil},
		{"answers with nothing", gittest.HostOptions{Wrap: gittest.Answer(200, "application/x-git-upload-pack-advertisement", "")}, repo.Options{}, "cut off", nil},
		{"answers with nonsense", gittest.HostOptions{Wrap: gittest.Answer(200, "application/x-git-upload-pack-advertisement", "zzzzzzzz")}, repo.Options{}, "", nil},
		{"asks for a password", gittest.HostOptions{User: "u", Password: "p"}, repo.Options{}, "asks for a user name and a password", nil},
		{"does not take the password", gittest.HostOptions{User: "u", Password: "p"}, repo.Options{Username: "u", Password: "hunter2"}, "does not accept", nil},
		{"has no such repository", gittest.HostOptions{Wrap: gittest.Answer(404, "text/plain", "")}, repo.Options{}, "no such repository", repo.ErrNotFound},
		{"has a certificate of its own authority", gittest.HostOptions{TLS: true}, repo.Options{}, "certificate is not trusted", nil},
		{"has a certificate that ran out", gittest.HostOptions{TLS: true, Expired: true}, repo.Options{}, "certificate is not trusted", nil},
		{"sends more than fits", gittest.HostOptions{}, repo.Options{MaxBytes: 100}, "larger than the limit of 100 bytes", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t)
			r.Commit(map[string]string{"a": strings.Repeat("text ", 100)})
			s := open(t, gittest.Serve(t, r, tt.host).URL, tt.o)
			_, err := s.Fetch(t.Context(), "main", "")
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want one with %q, %v", err, tt.want, tt.is)
			}
			for _, secret := range []string{"hunter2", "<html>"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error tells too much: %v", err)
				}
			}
		})
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	asked := make(chan struct{}, 10)
	host := gittest.Serve(t, r, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			asked <- struct{}{}
			gittest.Hang("")(git).ServeHTTP(w, req)
		})
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := open(t, host.URL, repo.Options{}).Fetch(ctx, "main", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestCredentialsAndCABundleOpenAHost(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	tip := r.Commit(nil)
	host := gittest.Serve(t, r, gittest.HostOptions{TLS: true, User: "u", Password: "hunter2"})
	withURL := strings.Replace(host.URL, "https://", "https://u:hunter2@", 1)
	for name, s := range map[string]*repo.Source{
		"in the URL":     open(t, withURL, repo.Options{CABundle: host.CA}),
		"in the options": open(t, host.URL, repo.Options{CABundle: host.CA, Username: "u", Password: "hunter2"}),
	} {
		if got, err := s.Tip(t.Context(), "main"); err != nil || got != tip {
			t.Errorf("credentials %s: %s, %v", name, got, err)
		}
		if s.String() != host.URL {
			t.Errorf("credentials %s: shown as %s", name, s)
		}
	}
	if _, err := repo.Open(host.URL, repo.Options{CABundle: []byte("nonsense")}); err == nil {
		t.Error("a CA bundle without a certificate was taken")
	}
}

func TestRedirectToAnotherHostGetsNoCredentials(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	r.Commit(nil)
	seen := make(chan string, 10)
	target := gittest.Serve(t, r, gittest.HostOptions{Wrap: func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			seen <- req.Header.Get("Authorization")
			git.ServeHTTP(w, req)
		})
	}})
	first := gittest.Serve(t, r, gittest.HostOptions{User: "u", Password: "p", Wrap: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, target.URL+strings.TrimPrefix(req.URL.String(), "/repo"), http.StatusFound)
		})
	}})
	if _, err := open(t, first.URL, repo.Options{Username: "u", Password: "p"}).Fetch(t.Context(), "main", ""); err != nil {
		t.Fatal(err)
	}
	close(seen)
	for a := range seen {
		if a != "" {
			t.Errorf("the other host saw %q", a)
		}
	}
}
