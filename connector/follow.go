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

// retries is how long to wait after an error, and after the next.
func retries() wait.Backoff {
	return wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 7, Cap: 30 * time.Second}
}

// follow asks for the desired state for ever. Whatever is wrong with an answer,
// the last good one stands.
func (c *connector) follow(ctx context.Context) error {
	backoff, said := retries(), ""
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
			c.metrics.serverErrors.Inc()
			delay := backoff.Step()
			e, isAnswer := errors.AsType[*client.Error](err)
			if isAnswer {
				delay = max(delay, min(e.RetryAfter, tick))
			}
			if said != err.Error() {
				said = err.Error()
				attrs := []any{"error", err}
				if isAnswer && e.Hint != "" {
					attrs = append(attrs, "hint", e.Hint)
				}
				c.log.Warn("the server cannot be followed; the cluster stays as it is, but for what expires", attrs...)
			}
			sleep(ctx, delay)
			continue
		}
		if said != "" {
			c.log.Info("the server can be followed again")
			c.reports.again() // it may be a new one, that knows nothing yet
		}
		backoff, said = retries(), ""
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
