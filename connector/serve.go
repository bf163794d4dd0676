package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// serve answers for the connector's health until ctx ends.
func (c *connector) serve(ctx context.Context) error {
	if c.config.Listen == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.config.Listen)
	if err != nil {
		return fmt.Errorf("listening for health and metrics: %w", err)
	}
	server := &http.Server{Handler: c.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(last) // who is still reading after a second is cut off below
		_ = server.Close()
	}()
	err = server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		<-ended
		return nil
	}
	return fmt.Errorf("serving health and metrics: %w", err)
}

func (c *connector) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", c.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(c.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}

// ready says whether the connector has ever had work, and what is wrong now. One
// that has lost its server stays ready: it still repairs, and takes away what
// expires. One that has never reached it is not, so that a rollout with a wrong
// key or address stops there.
func (c *connector) ready(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	synced := c.synced
	c.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if synced {
		fmt.Fprintln(w, "ok")
	} else {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "no desired state has been received and compared with the cluster yet")
	}
	for _, wrong := range []*complaint{&c.following, &c.reaching, &c.reporting} {
		text, hint := wrong.read()
		if text != "" {
			fmt.Fprintln(w, text)
		}
		if hint != "" {
			fmt.Fprintln(w, hint)
		}
	}
}
