package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/reconciler"
)

const (
	writeTimeout = 35 * time.Second // more than the longest that an admission webhook may take
	writers      = 8                // at once, so that one slow webhook does not hold up the others
)

// errWaits is the error of a change that was not tried, because one that it
// comes after was not made.
var errWaits = errors.New("it waits for another change that was not made")

// apply makes the changes of a plan, stage after stage, those of a stage at once.
// Each stands alone: one that fails is remembered by the keeper, and holds up
// only what has to come after it.
func (c *connector) apply(ctx context.Context, d api.DesiredState, plan reconciler.Plan, p picture) {
	failed := map[reconciler.Key]bool{}
	left := map[reconciler.Key]*rbacv1.RoleBinding{} // as the stages before left it
	for changes := plan.Changes; len(changes) > 0; {
		stage := changes
		if i := slices.IndexFunc(changes, func(x reconciler.Change) bool { return x.Stage != changes[0].Stage }); i > 0 {
			stage = changes[:i]
		}
		changes = changes[len(stage):]

		results := make([]error, len(stage))
		objects := make([]*rbacv1.RoleBinding, len(stage))
		var g errgroup.Group
		g.SetLimit(writers)
		for i, change := range stage {
			key := change.Object.Key()
			has := p.objects[key]
			if o := left[key]; o != nil {
				has = o
				change.Object.Version, change.Object.UID = o.ResourceVersion, string(o.UID)
			}
			switch {
			case ctx.Err() != nil:
				return // what was not tried has not failed
			case slices.ContainsFunc(change.After, func(k reconciler.Key) bool { return failed[k] }):
				results[i] = errWaits
			case !c.keeper.due(key):
				results[i] = errWaits
			default:
				g.Go(func() error {
					objects[i], results[i] = c.change(ctx, d, change, has)
					return nil
				})
			}
		}
		_ = g.Wait() // the errors are in results
		for i, change := range stage {
			key := change.Object.Key()
			failed[key] = results[i] != nil
			if objects[i] != nil {
				left[key] = objects[i]
			}
			if errors.Is(results[i], errWaits) {
				continue
			}
			if results[i] == nil && c.keeper.made(key) {
				c.metrics.drift.Inc()
			}
			if results[i] != nil {
				c.keeper.failed(key, results[i])
				c.log.Warn("a binding could not be changed", "verb", change.Verb, "binding", change.Object.Name,
					"namespace", change.Object.Namespace, "role", change.Role, "error", results[i])
			}
		}
	}
}

// change makes one change, or what stands in for it where a removal is refused.
func (c *connector) change(ctx context.Context, d api.DesiredState, change reconciler.Change, has *rbacv1.RoleBinding) (*rbacv1.RoleBinding, error) {
	object, err := c.write(ctx, d, change, has)
	if !refused(err) {
		return object, err
	}
	p, lookErr := c.cache.picture(c.namespace)
	if lookErr != nil {
		return nil, errors.Join(err, lookErr)
	}
	instead := reconciler.Fallback(change, d.Destination, p.cluster.Objects)
	if len(instead) == 0 {
		return nil, err
	}
	for _, f := range instead {
		if _, instead := c.write(ctx, d, f, p.objects[f.Object.Key()]); instead != nil {
			return nil, fmt.Errorf("%w; and instead: %w", err, instead)
		}
	}
	return nil, nil
}

// write makes one request to the API server, and finishes it whatever ends meanwhile.
func (c *connector) write(ctx context.Context, d api.DesiredState, change reconciler.Change, has *rbacv1.RoleBinding) (*rbacv1.RoleBinding, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	key := change.Object.Key()
	var object *rbacv1.RoleBinding
	var err error
	switch change.Verb {
	case reconciler.Create:
		object, err = c.create(ctx, wanted(change.Object, nil))
	case reconciler.Update:
		object, err = c.update(ctx, wanted(change.Object, has))
	case reconciler.Delete:
		if has != nil && has.DeletionTimestamp != nil {
			return nil, fmt.Errorf("deleting %s: it is being deleted already, and waits for its finalizers %q", key.Name, has.Finalizers)
		}
		err = c.delete(ctx, change.Object)
		if apierrors.IsNotFound(err) {
			err = nil // somebody was quicker
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", change.Verb, key.Name, plain(err))
	}
	if object != nil {
		c.cache.wrote(object)
	} else {
		c.cache.removed(key, types.UID(change.Object.UID))
	}
	c.metrics.changes.WithLabelValues(string(change.Verb)).Inc()
	c.log.Info("binding changed", "verb", change.Verb, "binding", key.Name, "namespace", key.Namespace, "role", change.Role,
		"gained", change.Gains, "lost", change.Loses, "digest", d.Digest)
	return object, nil
}

func (c *connector) create(ctx context.Context, b *rbacv1.RoleBinding) (*rbacv1.RoleBinding, error) {
	if b.Namespace != "" {
		return c.kube.RbacV1().RoleBindings(b.Namespace).Create(ctx, b, metav1.CreateOptions{})
	}
	made, err := c.kube.RbacV1().ClusterRoleBindings().Create(ctx, toCluster(b), metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return fromCluster(made), nil
}

func (c *connector) update(ctx context.Context, b *rbacv1.RoleBinding) (*rbacv1.RoleBinding, error) {
	if b.Namespace != "" {
		return c.kube.RbacV1().RoleBindings(b.Namespace).Update(ctx, b, metav1.UpdateOptions{})
	}
	made, err := c.kube.RbacV1().ClusterRoleBindings().Update(ctx, toCluster(b), metav1.UpdateOptions{})
	if err != nil {
		return nil, err
	}
	return fromCluster(made), nil
}

func (c *connector) delete(ctx context.Context, b reconciler.Binding) error {
	uid := types.UID(b.UID)
	o := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &b.Version}}
	if b.Namespace != "" {
		return c.kube.RbacV1().RoleBindings(b.Namespace).Delete(ctx, b.Name, o)
	}
	return c.kube.RbacV1().ClusterRoleBindings().Delete(ctx, b.Name, o)
}

// refused says whether the API server understood a write and will not make it:
// for want of rights, or by an admission policy or webhook. What may go away by
// itself, like a conflict, too many requests or no answer, is no refusal.
func refused(err error) bool {
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err), apierrors.IsAlreadyExists(err),
		apierrors.IsTooManyRequests(err), apierrors.IsUnauthorized(err), apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		return false
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	// 500 is how the API server says that a webhook could not be called.
	return ok && (status.Status().Code/100 == 4 || apierrors.IsInternalError(err))
}
