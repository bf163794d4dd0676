package connector

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/infrahq/infra/api"
)

// reports hands the newest status from the worker to who sends it.
type reports struct {
	mu     sync.Mutex
	newest *api.Status
	resend bool
	signal chan struct{}
}

func newReports() *reports { return &reports{signal: make(chan struct{}, 1)} }

func (r *reports) put(s api.Status) {
	r.mu.Lock()
	r.newest = &s
	r.mu.Unlock()
	r.ring()
}

// again has the newest sent once more, even if nothing changed.
func (r *reports) again() {
	r.mu.Lock()
	r.resend = true
	r.mu.Unlock()
	r.ring()
}

func (r *reports) ring() {
	select {
	case r.signal <- struct{}{}:
	default:
	}
}

func (r *reports) take() (s *api.Status, resend bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, resend = r.newest, r.resend
	r.resend = false
	return s, resend
}

// report sends each status that differs from the last one that arrived.
func (c *connector) report(ctx context.Context) error {
	var sent *api.Status
	backoff := c.retries()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.reports.signal:
		}
		s, resend := c.reports.take()
		if s == nil || !resend && sent != nil && same(*s, *sent) {
			continue
		}
		if err := c.client.PutStatus(ctx, *s); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			c.wrong(&c.reporting, "the status could not be reported", err)
			sleep(ctx, max(backoff.Step(), asksFor(err)))
			c.reports.again()
			continue
		}
		c.reporting.settle()
		sent, backoff = s, c.retries()
	}
}

// same says whether two statuses differ in nothing but when they were true.
func same(a, b api.Status) bool {
	a.ObservedAt, b.ObservedAt = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}
