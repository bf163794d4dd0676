// Package connector keeps one cluster's role bindings equal to what the server
// says its destination is to have.
//
// There is one loop. Whatever changes in the cluster (a binding, a ClusterRole, a
// namespace), a new desired state, an expiry and at least one tick a minute all
// put the same key into a work queue; one worker then takes a picture of the
// cluster from the caches of its watches, lets package reconciler plan on it, and
// makes the changes of the plan, each with the version of what it changes as a
// condition. So a grant that came, a binding that somebody broke by hand and a
// namespace that appeared later are not separate code, and nothing is written
// where nothing differs.
//
// Beside it, one goroutine holds a request at the server until the desired state
// changes, and one reports. An answer that is not whole, not for this destination
// or not understood changes nothing; what has expired goes on time even so.
package connector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/api/client"
	"github.com/infrahq/infra/reconciler"
)

// Options are what a connector needs beside its configuration.
type Options struct {
	Logger  *slog.Logger     // nothing is logged where nil
	Kube    *rest.Config     // how to reach the cluster: see KubeConfig
	Version string           // of the program, as reported
	Now     func() time.Time // the machine's clock; time.Now where nil

	// MaxPause is the longest pause between requests to a server that fail, but
	// for jitter. The first is half a second, and each is twice the one before.
	// 30 seconds where zero.
	MaxPause time.Duration
}

// KubeConfig says how to reach the cluster: by a kubeconfig file, or from inside
// a pod where path is empty.
func KubeConfig(path string) (*rest.Config, error) {
	if path == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("reaching the cluster from inside a pod (outside of one, give a kubeconfig): %w", err)
		}
		return config, nil
	}
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: path}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig %s: %w", path, err)
	}
	return config, nil
}

// A connector is one that runs.
type connector struct {
	config    Config
	namespace string
	version   string
	uid       string
	log       *slog.Logger
	kube      kubernetes.Interface
	client    *client.Client
	clock     *clock
	cache     *cache
	queue     workqueue.TypedDelayingInterface[string]
	metrics   *metrics
	reports   *reports
	keeper    keeper
	maxPause  time.Duration
	following complaint
	reaching  complaint
	checked   atomic.Bool // the rights suffice: before, an error of the cluster ends Run
	reporting complaint

	mu      sync.Mutex
	desired api.DesiredState // the zero value: none yet
	synced  bool
}

// all is the one key of the queue.
const all = "the whole cluster"

// Run keeps the cluster until ctx ends, which is no error. A write that is under
// way then is finished. Rights that are missing are an error at once.
func Run(ctx context.Context, config Config, o Options) error {
	c, err := newConnector(config, o)
	if err != nil {
		return err
	}
	defer c.client.Close()
	if err := c.checkRights(ctx); err != nil {
		return err
	}
	c.checked.Store(true)
	watching, stop := context.WithCancel(ctx)
	defer c.cache.stop()
	defer stop()
	if err := c.cache.start(watching); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if c.uid, err = c.cache.clusterUID(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.serve(ctx) })
	g.Go(func() error { return c.follow(ctx) })
	g.Go(func() error { return c.report(ctx) })
	g.Go(func() error { return c.work(ctx) })
	g.Go(func() error { <-ctx.Done(); c.queue.ShutDown(); return nil })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func newConnector(config Config, o Options) (*connector, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	c := &connector{
		config:  config,
		version: o.Version,
		log:     o.Logger,
		queue:   workqueue.NewTypedDelayingQueue[string](),
		metrics: newMetrics(),
		reports: newReports(),
		keeper:  newKeeper(),

		maxPause: cmp.Or(o.MaxPause, 30*time.Second),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c.clock = newClock(o.Now)
	var err error
	if c.namespace, err = config.namespace(); err != nil {
		return nil, err
	}
	kube := rest.CopyConfig(o.Kube)
	kube.UserAgent = "infra-connector/" + o.Version
	kube.QPS = -1 // the API server shares itself out fairly; a second limit here would only be slower
	kube.Wrap(func(next http.RoundTripper) http.RoundTripper { return reach{c, next} })
	if c.kube, err = kubernetes.NewForConfig(kube); err != nil {
		return nil, fmt.Errorf("reaching the cluster: %w", err)
	}
	trusted, err := config.Server.trusted()
	if err != nil {
		return nil, err
	}
	c.client, err = client.New(client.Options{
		URL:                config.Server.URL,
		Key:                config.Server.AccessKey.Read,
		TrustedCertificate: trusted,
		SkipTLSVerify:      config.Server.SkipTLSVerify,
		Pin:                secretPin{c.kube, c.namespace, config.StateSecret},
		UserAgent:          kube.UserAgent,
		Logger:             c.log,
	})
	if err != nil {
		return nil, err
	}
	c.cache, err = newCache(c.kube, c.wake)
	return c, err
}

func (c *connector) wake() { c.queue.Add(all) }

func (c *connector) state() api.DesiredState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.desired
}

// tick is the longest that the worker sleeps: by then it has compared the clock
// with what expires.
const tick = time.Minute

// work is the worker.
func (c *connector) work(ctx context.Context) error {
	for {
		key, shutdown := c.queue.Get()
		if shutdown {
			return nil
		}
		next := c.sync(ctx)
		c.queue.Done(key)
		c.queue.AddAfter(key, next)
	}
}

// sync brings the cluster to what it is to be, as far as it can, and says when
// to look again if nothing happens before.
func (c *connector) sync(ctx context.Context) time.Duration {
	d := c.state()
	if d.Version == 0 {
		return tick
	}
	s := api.Status{
		Version: api.Version, Destination: c.config.Name, ClusterUID: c.uid, Connector: c.version, Mode: d.Mode, Desired: d.Digest,
	}
	next := tick
	if d.Mode != api.Suspend {
		var err error
		if next, err = c.bring(ctx, d, &s); err != nil {
			c.log.Error("the cluster could not be looked at", "error", err)
			return next
		}
	}
	s.ObservedAt = c.clock.now()
	s.Drift = c.keeper.drift
	c.metrics.observe(s)
	c.reports.put(s)
	c.mu.Lock()
	c.synced = true
	c.mu.Unlock()
	return next
}

// bring plans, applies and plans again, to see whether it is done.
func (c *connector) bring(ctx context.Context, d api.DesiredState, s *api.Status) (time.Duration, error) {
	next := tick
	now := c.clock.now()
	p, err := c.cache.picture(c.namespace)
	if err != nil {
		return next, err
	}
	plan := reconciler.New(d, p.cluster, now)
	c.keeper.consider(d, p.cluster, now)
	if d.Mode == api.Enforce && len(plan.Changes) > 0 {
		c.apply(ctx, d, plan, p)
		if p, err = c.cache.picture(c.namespace); err != nil {
			return next, err
		}
		plan = reconciler.New(d, p.cluster, now)
	}
	c.keeper.tried(plan)
	s.Bindings, s.Pending, s.Foreign, s.Roles = plan.Owned, len(plan.Changes), plan.Foreign, plan.Roles
	s.Held = append(plan.Held, c.keeper.failures(plan)...)
	sortHeld(s.Held)
	if len(plan.Changes) == 0 && c.reached() { // else the picture may be an old one
		s.Enforced = d.Digest
	}
	if len(plan.Changes) > 0 && d.Mode == api.Enforce {
		next = min(next, c.keeper.retryIn(plan))
	}
	if !plan.Until.IsZero() {
		next = min(next, max(plan.Until.Sub(now), 0)+time.Millisecond)
	}
	if p.waiting {
		next = min(next, overlayFor)
	}
	return next, nil
}
