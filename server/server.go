// Package server follows the access repository and serves what is in force.
//
// It joins the pure parts and decides nothing itself. A follower asks Git for
// the branch's tip and walks the commits since the accepted one through
// policy.Fold. What comes out is published: one immutable value with the keys
// and the desired state of each destination, swapped in one step. Requests read
// that value and nothing else, so every answer is of one revision.
//
//	follow.go      a tip -> the accepted revision
//	load.go        a commit, or what is kept of it -> what it says
//	published.go   the accepted revision -> what requests read
//	http.go        the one door: who asks, may they, what became of it
//	state.go       the desired state, held until it changes
//	status.go      what connectors and people report and read
//	checkpoint.go  what must outlive a restart
//	kept.go        the accepted revision's files, for a start without the Git host
//
// A bad revision, an unreachable Git host or a full disk changes nothing in what
// is served, with one exception: what revoked.yaml of the newest tip takes away
// is gone at once, whatever else is wrong with that tip.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/repo"
)

// Options say what is served and where. Repo and DataDir are needed.
type Options struct {
	Repo         string        // a folder or a URL
	RepoOptions  repo.Options  // how it is reached
	Branch       string        // empty: the one that HEAD names
	Path         string        // of the folder of infra.yaml within the repository; empty: its root
	Listen       string        // host:port; empty: ":8443"
	DataDir      string        // kept between starts; one server at a time
	Trust        string        // the full hash of the commit to start from; empty: the checkpoint's, or the first seen
	TLSCert      string        // files in PEM; both empty: a self-signed certificate is made and kept
	TLSKey       string        //
	TLSHosts     []string      // more names and addresses for the self-signed one
	PlainHTTP    bool          // no TLS: for a proxy on the same machine that speaks it
	PollInterval time.Duration // zero: 30 seconds
	Logger       *slog.Logger  // nil: nothing is logged
	Version      string        // of the program
	Ready        func(addr string)

	times times
}

// times bound what a client may take. Zero is the usual one: tests have less patience.
type times struct {
	header time.Duration // for the head of a request
	read   time.Duration // for its body
	write  time.Duration // for an answer, once it is known
}

func (t times) orUsual() times {
	return times{header: cmp.Or(t.header, 10*time.Second), read: cmp.Or(t.read, 15*time.Second), write: cmp.Or(t.write, time.Minute)}
}

var fullHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

const (
	shutdownTime = 10 * time.Second
	flushEvery   = 10 * time.Second // how much of what connectors reported a crash may lose
)

// A server is one run of Run.
type server struct {
	log      *slog.Logger
	version  string
	metrics  *metrics
	records  *records
	current  atomic.Pointer[published] // nil until a revision is accepted
	report   atomic.Pointer[api.RevisionReport]
	stopping chan struct{} // closed when held requests are to end
	times    times
	now      func() time.Time
}

// Run serves until ctx ends, and then lets requests end; the error is nil after
// that. It owns every goroutine that it starts.
func Run(ctx context.Context, o Options) error {
	log := cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	switch {
	case o.DataDir == "":
		return errors.New("the server needs a data directory to remember what it accepted")
	case o.Trust != "" && !fullHash.MatchString(o.Trust):
		return fmt.Errorf("the commit to trust must be a full hash of 40 digits, %q is not", o.Trust)
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("a certificate and its key are given together")
	case o.PlainHTTP && o.TLSCert != "":
		return errors.New("a certificate is given, and TLS is switched off")
	}
	source, err := repo.Open(o.Repo, o.RepoOptions)
	if err != nil {
		return err
	}
	records, unlock, err := openRecords(o.DataDir, source.String())
	if err != nil {
		return err
	}
	defer unlock()

	s := &server{log: log, version: o.Version, records: records, stopping: make(chan struct{}), times: o.times.orUsual(), now: time.Now}
	s.report.Store(&api.RevisionReport{Repository: source.String()})
	s.metrics = newMetrics(s)
	f, err := newFollower(s, source, o)
	if err != nil {
		return err
	}
	var config *tls.Config
	if !o.PlainHTTP {
		if config, err = tlsConfig(o, log); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", cmp.Or(o.Listen, ":8443"))
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return s.run(ctx, f, listener, config, o)
}

func (s *server) run(ctx context.Context, f *follower, listener net.Listener, config *tls.Config, o Options) error {
	web := &http.Server{
		Handler:           s.handler(),
		TLSConfig:         config,
		ReadHeaderTimeout: s.times.header,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // handshakes that fail, mostly
		// Reading a body and writing an answer have deadlines too: a handler sets
		// them, because a held request needs longer ones.
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		var err error
		if config == nil {
			s.log.Warn("serving without TLS: access keys can be read on the way to this address", "address", listener.Addr().String())
			err = web.Serve(listener)
		} else {
			err = web.ServeTLS(listener, "", "")
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serving: %w", err)
	})
	group.Go(func() error {
		<-ctx.Done()
		close(s.stopping)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if err := web.Shutdown(end); err != nil {
			return web.Close() // who is still reading slowly is cut off
		}
		return nil
	})
	group.Go(func() error { return f.run(ctx, o) })
	group.Go(func() error { return s.flush(ctx) })
	s.log.Info("serving", "address", listener.Addr().String(), "repository", f.source.String(), "version", o.Version)
	if o.Ready != nil {
		o.Ready(listener.Addr().String())
	}
	return group.Wait()
}

// flush writes what connectors reported, now and then and at the end.
func (s *server) flush(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.records.flush()
		case <-tick.C:
			if err := s.records.flush(); err != nil {
				s.log.Error("what connectors reported is not kept", "error", err)
			}
		}
	}
}
