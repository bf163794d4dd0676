package connector

import (
	"github.com/prometheus/client_golang/prometheus"

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
