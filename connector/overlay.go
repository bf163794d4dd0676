package connector

import (
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	kubecache "k8s.io/client-go/tools/cache"

	"github.com/infrahq/infra/reconciler"
)

// wrote notes an object as an own create or update left it.
func (c *cache) wrote(object *rbacv1.RoleBinding) {
	c.note(keyOf(object), write{object: object})
}

// removed notes an own delete.
func (c *cache) removed(key reconciler.Key, uid types.UID) {
	c.note(key, write{uid: uid})
}

func (c *cache) note(key reconciler.Key, w write) {
	w.until = time.Now().Add(overlayFor)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes[key] = w
}

// deleted is told of every delete that the watch shows. What was deleted after
// an own write is not to be shown by that write any more.
func (c *cache) deleted(o any) {
	if unknown, ok := o.(kubecache.DeletedFinalStateUnknown); ok {
		o = unknown.Obj
	}
	m, ok := o.(metav1.Object)
	if !ok {
		return
	}
	switch o.(type) {
	case *rbacv1.ClusterRoleBinding, *rbacv1.RoleBinding:
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.writes[keyOf(m)]; w.object != nil && w.object.UID == m.GetUID() && !older(m, w.object) {
		delete(c.writes, keyOf(m))
	}
}

// overlay lays own writes over what the watch has seen and forgets those that it
// has seen too. It says whether there are some that it has not.
func (c *cache) overlay(objects map[reconciler.Key]*rbacv1.RoleBinding) (waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, w := range c.writes {
		seen, exists := objects[key]
		if w.seenIn(seen, exists) || time.Now().After(w.until) {
			delete(c.writes, key)
			continue
		}
		waiting = true
		if w.object != nil {
			objects[key] = w.object
		} else {
			delete(objects, key)
		}
	}
	return waiting
}

// seenIn says whether what the watch shows is the write or came after it.
func (w write) seenIn(object *rbacv1.RoleBinding, exists bool) bool {
	if w.object == nil {
		// A deletion timestamp means that finalizers keep it, and what it gives.
		return !exists || object.UID != w.uid || object.DeletionTimestamp != nil
	}
	return exists && !older(object, w.object)
}

// older says whether a comes before b. Resource versions of one resource can be
// compared since Kubernetes 1.35 (KEP-5504), and were numbers before.
func older(a, b metav1.Object) bool {
	order, err := resourceversion.CompareResourceVersion(a.GetResourceVersion(), b.GetResourceVersion())
	return err == nil && order < 0
}
