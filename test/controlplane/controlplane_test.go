package controlplane_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/infrahq/infra/test/controlplane"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	controlplane.Main(m)
}

func TestViewReadsPodsAndNotSecrets(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	namespace := cp.Namespace(t)
	user := controlplane.Name(t) + "@example.com"
	bind(t, cp, namespace, "view", rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user})
	cp.Eventually(t, controlplane.Question{User: user, Verb: "get", Resource: "pods", Namespace: namespace}, true)

	for _, test := range []struct {
		question controlplane.Question
		want     bool
	}{
		{controlplane.Question{User: user, Verb: "list", Resource: "pods", Namespace: namespace}, true},
		{controlplane.Question{User: user, Verb: "get", Resource: "pods/log", Namespace: namespace}, true},
		{controlplane.Question{User: user, Verb: "get", Resource: "deployments.apps/scale", Namespace: namespace}, true},
		{controlplane.Question{User: user, Verb: "delete", Resource: "pods", Namespace: namespace}, false},
		{controlplane.Question{User: user, Verb: "get", Resource: "secrets", Namespace: namespace}, false},
		{controlplane.Question{User: user, Verb: "list", Resource: "pods", Namespace: "default"}, false},
		{controlplane.Question{User: user, Verb: "list", Resource: "pods"}, false},
		{controlplane.Question{User: "somebody", Groups: []string{"system:masters"}, Verb: "delete", Resource: "nodes", Name: "a"}, true},
	} {
		t.Run(test.question.String(), func(t *testing.T) {
			got, err := cp.Can(t.Context(), test.question)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestConfigForActsAsTheUser(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	namespace := cp.Namespace(t)
	group := controlplane.Name(t)
	bind(t, cp, namespace, "edit", rbacv1.Subject{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: group})
	cp.Eventually(t, controlplane.Question{User: "a", Groups: []string{group}, Verb: "get", Resource: "pods", Namespace: namespace}, true)

	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := cp.WriteKubeconfig(kubeconfig, "fisher@example.com", group); err != nil {
		t.Fatal(err)
	}
	fromFile, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config *rest.Config
		want   bool
	}{
		"in the group":           {cp.ConfigFor("fisher@example.com", group), true},
		"through the kubeconfig": {fromFile, true},
		"in no group":            {cp.ConfigFor("fisher@example.com"), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client(t, test.config).CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
			if (err == nil) != test.want {
				t.Errorf("listing secrets: %v, want it to succeed: %t", err, test.want)
			}
		})
	}
}

func TestServiceAccountsActWithATokenAndEveryWriteIsCounted(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	namespace := cp.Namespace(t)
	accounts := client(t, cp.AdminConfig()).CoreV1().ServiceAccounts(namespace)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "writer"}}
	if _, err := accounts.Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	bind(t, cp, namespace, "edit", rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "writer"})
	cp.Eventually(t, controlplane.Question{User: "system:serviceaccount:" + namespace + ":writer", Verb: "create", Resource: "configmaps", Namespace: namespace}, true)
	config, err := cp.ServiceAccountConfig(t.Context(), namespace, "writer")
	if err != nil {
		t.Fatal(err)
	}

	mark, err := cp.AuditMark()
	if err != nil {
		t.Fatal(err)
	}
	maps := client(t, config).CoreV1().ConfigMaps(namespace)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}}
	if _, err := maps.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.Update(t.Context(), object, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := maps.Create(t.Context(), object, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		t.Fatalf("creating it twice: %v", err)
	}
	if _, err := client(t, config).CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Fatalf("listing elsewhere: %v", err)
	}

	user := "system:serviceaccount:" + namespace + ":writer"
	events, err := cp.AuditEvents(t.Context(), mark, func(e auditv1.Event) bool { return e.User.Username == user })
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Verb, Namespace string
		Code            int32
	}
	var got []line
	for _, e := range events {
		got = append(got, line{e.Verb, e.ObjectRef.Namespace, e.ResponseStatus.Code})
	}
	want := []line{{"create", namespace, 201}, {"update", namespace, 200}, {"create", namespace, 409}, {"list", "default", 403}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}

func TestNamespacesEnd(t *testing.T) {
	t.Parallel()
	cp := controlplane.Shared(t)
	c := client(t, cp.AdminConfig())
	name := controlplane.Name(t)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	namespace, err := c.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CoreV1().ConfigMaps(name).Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	watch, err := c.CoreV1().Namespaces().Watch(t.Context(), metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", name).String(),
		ResourceVersion: namespace.ResourceVersion,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	if err := c.CoreV1().Namespaces().Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for event := range watch.ResultChan() {
		if event.Type == "DELETED" {
			return
		}
	}
	t.Error("the watch ended before the namespace did")
}

func TestTwoRunAtOnceAndOneSurvivesTheLossOfItsAPIServer(t *testing.T) {
	t.Parallel()
	shared := controlplane.Shared(t)
	cp := controlplane.New(t, controlplane.Options{Audit: true, APIServerFlags: []string{"--v=2"}})
	if cp.AdminConfig().Host == shared.AdminConfig().Host {
		t.Fatalf("both are at %s", cp.AdminConfig().Host)
	}
	namespace := cp.Namespace(t)
	if _, err := client(t, shared.AdminConfig()).CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a namespace of one is in the other: %v", err)
	}
	cp.KillAPIServer()
	if _, err := client(t, cp.AdminConfig()).CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err == nil {
		t.Error("a killed API server answers")
	}
	if err := cp.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, cp.AdminConfig()).CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := cp.AuditEvents(t.Context(), 0, nil); err != nil {
		t.Error(err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cp")
	cp, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if err := cp.Stop(); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
}

func TestAFlagThatIsWrongIsToldFromTheLog(t *testing.T) {
	t.Parallel()
	cp, err := controlplane.Start(t.Context(), controlplane.Options{APIServerFlags: []string{"--no-such-flag"}})
	if err == nil {
		_ = cp.Stop()
		t.Fatal("it started")
	}
	if want := "unknown flag: --no-such-flag"; !contains(err, want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if cp, err := controlplane.Start(ctx, controlplane.Options{}); err == nil {
		_ = cp.Stop()
		t.Error("it started")
	}
}
