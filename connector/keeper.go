package connector

import (
	"cmp"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/reconciler"
)

// A keeper remembers from one round to the next what failed, and tells drift
// from what had to change anyway. It belongs to the worker.
//
// Drift is a binding that was repaired though nothing had asked for a change:
// neither the desired state nor what of it has expired nor the namespaces and
// roles of the cluster are other than in a round before, and the binding was not
// still owed from then. So somebody else changed it.
type keeper struct {
	drift int64

	cause cause
	fresh bool // this is the first round with this cause
	owed  map[reconciler.Key]bool

	backoff workqueue.TypedRateLimiter[reconciler.Key]
	trouble map[reconciler.Key]trouble
}

// A cause is all that a plan follows from but for the bindings themselves.
type cause struct {
	digest     string
	expired    int
	namespaces []reconciler.Namespace
	roles      []reconciler.Role
}

func (a cause) equal(b cause) bool {
	return a.digest == b.digest && a.expired == b.expired &&
		slices.Equal(a.namespaces, b.namespaces) && slices.Equal(a.roles, b.roles)
}

// trouble is why a binding could not be changed, and when to try again.
type trouble struct {
	err   error
	again time.Time
}

func newKeeper() keeper {
	return keeper{
		backoff: workqueue.NewTypedItemExponentialFailureRateLimiter[reconciler.Key](200*time.Millisecond, tick),
		owed:    map[reconciler.Key]bool{},
		trouble: map[reconciler.Key]trouble{},
	}
}

// consider begins a round.
func (k *keeper) consider(d api.DesiredState, c reconciler.Cluster, now time.Time) {
	next := cause{digest: d.Digest, namespaces: c.Namespaces, roles: c.Roles}
	for _, e := range d.Entries {
		if e.Expired(now) {
			next.expired++
		}
	}
	k.fresh = !next.equal(k.cause)
	k.cause = next
	if k.fresh {
		clear(k.owed)
	}
}

// due says whether a binding may be tried, or has failed too short a while ago.
func (k *keeper) due(key reconciler.Key) bool {
	t, ok := k.trouble[key]
	return !ok || !time.Now().Before(t.again)
}

// made notes a change that was made, and says whether it repaired drift.
func (k *keeper) made(key reconciler.Key) bool {
	k.backoff.Forget(key)
	delete(k.trouble, key)
	if k.fresh || k.owed[key] {
		return false
	}
	k.drift++
	return true
}

func (k *keeper) failed(key reconciler.Key, err error) {
	k.trouble[key] = trouble{err, time.Now().Add(k.backoff.When(key))}
}

// tried ends a round with what is left to be done.
func (k *keeper) tried(left reconciler.Plan) {
	pending := map[reconciler.Key]bool{}
	for _, c := range left.Changes {
		pending[c.Object.Key()] = true
	}
	for key := range k.owed {
		if !pending[key] {
			delete(k.owed, key)
		}
	}
	if k.fresh {
		k.owed = pending
	}
	for key := range k.trouble {
		if !pending[key] {
			k.backoff.Forget(key)
			delete(k.trouble, key)
		}
	}
}

// retryIn is how long until the first of what is left may be tried again.
func (k *keeper) retryIn(left reconciler.Plan) time.Duration {
	wait := tick
	for _, c := range left.Changes {
		t, ok := k.trouble[c.Object.Key()]
		if ok {
			wait = min(wait, max(time.Until(t.again), 0))
		} else if c.After == nil {
			wait = min(wait, 200*time.Millisecond)
		}
	}
	return wait
}

// failures are the bindings that could not be changed, in words of access. A
// conflict is none: the picture was old, and the next one is not.
func (k *keeper) failures(left reconciler.Plan) []api.Held {
	var out []api.Held
	said := map[reconciler.Key]bool{}
	for _, c := range left.Changes {
		key := c.Object.Key()
		t, ok := k.trouble[key]
		if !ok || said[key] || apierrors.IsConflict(t.err) {
			continue
		}
		said[key] = true
		out = append(out, api.Held{
			Role: c.Role, Namespace: key.Namespace, Subjects: len(c.Gains) + len(c.Loses), Reason: t.err.Error(),
		})
	}
	return out
}

func sortHeld(held []api.Held) {
	slices.SortFunc(held, func(a, b api.Held) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Reason, b.Reason))
	})
}
