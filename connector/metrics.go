package connector

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/infrahq/infra/api"
)

type metrics struct {
	registry     *prometheus.Registry
	changes      *prometheus.CounterVec
	drift        prometheus.Counter
	serverErrors prometheus.Counter
	held         prometheus.Gauge
	pending      prometheus.Gauge
	bindings     prometheus.Gauge
	success      prometheus.Gauge
	digest       *prometheus.GaugeVec
}

func newMetrics() *metrics {
	const space = "infra_connector_"
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: space + name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: space + name, Help: help})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: space + "changes_total", Help: "Writes to bindings that were made, by verb.",
		}, []string{"verb"}),
		drift:        counter("drift_total", "Changes by others that were repaired."),
		serverErrors: counter("server_errors_total", "Requests to the server that failed."),
		held:         gauge("held", "Parts of the desired state that the cluster does not have."),
		pending:      gauge("pending_changes", "Changes that are planned and not made."),
		bindings:     gauge("bindings", "Bindings that are infra's."),
		success:      gauge("last_success_timestamp_seconds", "When the cluster was last seen equal to the desired state."),
		digest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: space + "digest_info", Help: "Digest of the desired state, and of the one that is enforced.",
		}, []string{"state", "digest"}),
	}
	m.registry.MustRegister(m.changes, m.drift, m.serverErrors, m.held, m.pending, m.bindings, m.success, m.digest)
	return m
}

func (m *metrics) observe(s api.Status) {
	m.held.Set(float64(len(s.Held)))
	m.pending.Set(float64(s.Pending))
	m.bindings.Set(float64(s.Bindings))
	m.digest.Reset()
	m.digest.WithLabelValues("desired", s.Desired).Set(1)
	if s.Enforced != "" {
		m.digest.WithLabelValues("enforced", s.Enforced).Set(1)
		m.success.Set(float64(s.ObservedAt.Unix()))
	}
}

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
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		c.mu.Lock()
		synced := c.synced
		c.mu.Unlock()
		if !synced {
			http.Error(w, "no desired state has been received and compared with the cluster yet", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(c.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}
