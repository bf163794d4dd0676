package connector

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/infrahq/infra/api/client"
)

const (
	hold = 50 * time.Second // how long the server may hold a request, less jitter
	pace = time.Second      // how often it is asked at most where it does not hold it
)

// retries is how long to wait after an error of the server, and after the next.
func (c *connector) retries() wait.Backoff {
	return wait.Backoff{Duration: min(500*time.Millisecond, c.maxPause), Factor: 2, Jitter: 0.5, Steps: 7, Cap: c.maxPause}
}

// follow asks for the desired state for ever. Whatever is wrong with an answer,
// the last good one stands.
func (c *connector) follow(ctx context.Context) error {
	backoff := c.retries()
	for ctx.Err() == nil {
		asked := time.Now()
		answer, err := c.client.State(ctx, client.StateRequest{
			Destination: c.config.Name, ClusterUID: c.uid, Digest: c.state().Digest,
			Wait: hold - rand.N(hold/10),
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			c.wrong(&c.following, "the server cannot be followed; the cluster stays as it is, but for what expires", err)
			sleep(ctx, max(backoff.Step(), asksFor(err)))
			continue
		}
		if c.following.settle() {
			c.log.Info("the server can be followed again")
			c.reports.again() // it may be a new one, that knows nothing yet
		}
		backoff = c.retries()
		c.clock.heard(answer.ServerDate)
		if !answer.Changed {
			sleep(ctx, pace-time.Since(asked))
			continue
		}
		c.log.Info("new desired state", "digest", answer.State.Digest, "entries", len(answer.State.Entries), "mode", answer.State.Mode)
		c.mu.Lock()
		c.desired = answer.State
		c.mu.Unlock()
		c.wake()
	}
	return nil
}

// wrong notes a request to the server that failed, and logs it where that is news.
func (c *connector) wrong(with *complaint, message string, err error) {
	c.metrics.serverErrors.Inc()
	hint := c.hint(err)
	if !with.lodge(err, hint) {
		return
	}
	attrs := []any{"error", err}
	if hint != "" {
		attrs = append(attrs, "hint", hint)
	}
	c.log.Warn(message, attrs...)
}

// asksFor is how long the server asks to be left alone, a minute at most.
func asksFor(err error) time.Duration {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return min(e.RetryAfter, tick)
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
