package server

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are what /metrics shows, in a registry of their own.
type metrics struct {
	registry    *prometheus.Registry
	fold        prometheus.Histogram
	held        atomic.Int64 // requests that are being held
	requests    *prometheus.CounterVec
	fetchErrors prometheus.Counter
	lastFetch   prometheus.Gauge
}

func newMetrics(s *server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		fold: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "infra_fold_seconds",
			Help: "Time from a new tip to its verdict, fetching included.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 14)}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "infra_requests_total",
			Help: "Requests answered, by route and HTTP status."}, []string{"route", "code"}),
		fetchErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "infra_git_errors_total",
			Help: "Times that the repository could not be read."}),
		lastFetch: prometheus.NewGauge(prometheus.GaugeOpts{Name: "infra_git_last_success_timestamp_seconds",
			Help: "When the repository was last read."}),
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "infra_held_requests",
		Help: "Requests for a desired state that are being held."}, func() float64 { return float64(m.held.Load()) })
	m.registry.MustRegister(m.fold, held, m.requests, m.fetchErrors, m.lastFetch, &standing{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) fetched(at time.Time) { m.lastFetch.Set(float64(at.Unix())) }

// standing collects what is in force and how far clusters are, at the moment
// that somebody looks.
type standing struct{ s *server }

var (
	acceptedInfo  = prometheus.NewDesc("infra_accepted_revision_info", "The commit that is in force.", []string{"revision"}, nil)
	acceptedSince = prometheus.NewDesc("infra_accepted_timestamp_seconds", "When the commit that is in force was accepted.", nil, nil)
	refusedCount  = prometheus.NewDesc("infra_refused_revisions", "Reasons against commits after the accepted one, by rule. /readyz says them.", []string{"rule"}, nil)
	historyHeld   = prometheus.NewDesc("infra_history_held", "1 where nothing newer is accepted until an operator acts.", nil, nil)
	unsaved       = prometheus.NewDesc("infra_unsaved", "1 where a restart would not find what is in force. /readyz says why.", nil, nil)
	inSync        = prometheus.NewDesc("infra_destination_in_sync", "1 where the cluster last reported the desired digest as enforced.", []string{"destination"}, nil)
	behind        = prometheus.NewDesc("infra_destination_behind_seconds", "How long the desired digest has been served without being enforced.", []string{"destination"}, nil)
	lastSeen      = prometheus.NewDesc("infra_destination_last_seen_timestamp_seconds", "When the destination last reported.", []string{"destination"}, nil)
)

// Describe implements prometheus.Collector.
func (c *standing) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *standing) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	report := c.s.report.Load()
	rules := map[string]float64{}
	for _, r := range report.Refused {
		rules[r.Rule]++
	}
	for rule, n := range rules {
		gauge(refusedCount, n, rule)
	}
	gauge(historyHeld, one(report.Held != ""))
	gauge(unsaved, one(report.SaveError != ""))
	at := c.s.current.Load()
	if at == nil {
		return
	}
	gauge(acceptedInfo, 1, at.revision)
	gauge(acceptedSince, float64(at.since.Unix()))
	for _, d := range c.s.destinations(at) {
		synced := d.Enforced == d.Desired
		gauge(inSync, one(synced), d.Name)
		gauge(behind, (1-one(synced))*c.s.now().Sub(at.state(d.Name).since).Seconds(), d.Name)
		if !d.LastSeen.IsZero() {
			gauge(lastSeen, float64(d.LastSeen.Unix()), d.Name)
		}
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
