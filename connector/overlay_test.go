package connector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/infrahq/infra/reconciler"
)

func object(uid, version string) *rbacv1.RoleBinding {
	return &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b", UID: types.UID(uid), ResourceVersion: version}}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	ending := object("u", "12")
	ending.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	for name, test := range map[string]struct {
		do      func(c *cache)
		seen    *rbacv1.RoleBinding // by the watch; nil: nothing
		want    string              // version that counts; empty: no object
		waiting bool
	}{
		"a create that the watch has not seen counts":       {func(c *cache) { c.wrote(object("u", "10")) }, nil, "10", true},
		"an update that the watch has not seen counts":      {func(c *cache) { c.wrote(object("u", "10")) }, object("u", "9"), "10", true},
		"what the watch has seen too is forgotten":          {func(c *cache) { c.wrote(object("u", "10")) }, object("u", "10"), "10", false},
		"what came after it counts":                         {func(c *cache) { c.wrote(object("u", "10")) }, object("v", "11"), "11", false},
		"a delete that the watch has not seen counts":       {func(c *cache) { c.removed(reconciler.Key{Name: "b"}, "u") }, object("u", "9"), "", true},
		"a delete that the watch has seen is forgotten":     {func(c *cache) { c.removed(reconciler.Key{Name: "b"}, "u") }, nil, "", false},
		"what was made anew after a delete counts":          {func(c *cache) { c.removed(reconciler.Key{Name: "b"}, "u") }, object("v", "12"), "12", false},
		"what finalizers keep after a delete still counts":  {func(c *cache) { c.removed(reconciler.Key{Name: "b"}, "u") }, ending, "12", false},
		"a delete by others after an own write counts":      {func(c *cache) { c.wrote(object("u", "10")); c.deleted(object("u", "11")) }, nil, "", false},
		"a delete by others before an own create does not":  {func(c *cache) { c.wrote(object("u", "10")); c.deleted(object("t", "8")) }, nil, "10", true},
		"versions are compared as numbers":                  {func(c *cache) { c.wrote(object("u", "10")) }, object("u", "9"), "10", true},
		"nothing is laid over what was not written by this": {func(*cache) {}, object("u", "9"), "9", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &cache{writes: map[reconciler.Key]write{}}
			test.do(c)
			objects := map[reconciler.Key]*rbacv1.RoleBinding{}
			if test.seen != nil {
				objects[reconciler.Key{Name: "b"}] = test.seen
			}
			waiting := c.overlay(objects)
			got := ""
			if o := objects[reconciler.Key{Name: "b"}]; o != nil {
				got = o.ResourceVersion
			}
			if got != test.want || waiting != test.waiting {
				t.Errorf("version %q, waiting %t; want %q, %t", got, waiting, test.want, test.waiting)
			}
			if !test.waiting && len(c.writes) > 0 {
				t.Error("the write is not forgotten")
			}
		})
	}
}

func TestBindingsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	b := reconciler.Binding{
		Namespace: "n", Name: "infra:example:view", Role: reconciler.RoleRef{Kind: "ClusterRole", Name: "view"},
		Subjects: []reconciler.Subject{{Kind: "User", Name: "ann"}, {Kind: "Group", Name: "ops"}, {Kind: "ServiceAccount", Name: "robot", Namespace: "ci"}},
		Labels:   map[string]string{"a": "b"}, Version: "7", UID: "u",
	}
	has := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{UID: "u", Annotations: map[string]string{"kept": "yes"}}}
	object := wanted(b, has)
	if diff := cmp.Diff(b, observed(fromCluster(toCluster(object)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if object.Annotations["kept"] != "yes" || has.Labels != nil {
		t.Errorf("annotations %v; what was there has labels %v", object.Annotations, has.Labels)
	}
}
