package controlplane

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// shared is the control plane that the tests of a process share. It is the one
// thing of this package that belongs to the process: go test runs each package
// in one of its own, and Main is its owner.
var shared struct {
	mu      sync.Mutex
	running bool // within Main
	cp      *ControlPlane
	err     error
}

// Main is the TestMain of a package whose tests call Shared:
//
//	func TestMain(m *testing.M) { controlplane.Main(m) }
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is what Main does before it exits, with the code that Run gives: for a
// TestMain that has to clean up something else too.
func Run(m *testing.M) int {
	shared.running = true
	code := m.Run()
	if shared.cp != nil {
		if err := shared.cp.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the shared control plane:", err)
			code = max(code, 1)
		}
	}
	return code
}

// Shared is one control plane, with an audit log, for all tests of a package. It
// starts with the first call and stops after the last test. Tests that share it
// stay apart by Name and Namespace, and do not kill it.
func Shared(t testing.TB) *ControlPlane {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.running {
		t.Fatal("controlplane.Shared needs func TestMain(m *testing.M) { controlplane.Main(m) }")
	}
	if shared.cp == nil && shared.err == nil {
		shared.cp, shared.err = Start(context.Background(), Options{Audit: true, Progress: os.Stderr})
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cp
}

// New is a control plane for one test, which stops when the test ends.
func New(t testing.TB, o Options) *ControlPlane {
	t.Helper()
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	cp, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error("stopping the control plane:", err)
		}
	})
	return cp
}

var names atomic.Int64

// Name is a DNS-1123 label that no other call in this process gave: for the
// namespace, the destination or the Helm release of a test. It reads like the
// test's name.
func Name(t testing.TB) string {
	label := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, strings.TrimPrefix(t.Name(), "Test")), "-")
	return fmt.Sprintf("t%d-%s", names.Add(1), strings.Trim(label[:min(len(label), 20)], "-"))
}

// Namespace makes a namespace for a test and gives its name. It is deleted when
// the test ends.
func (cp *ControlPlane) Namespace(t testing.TB) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	name := Name(t)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal("creating a namespace:", err)
	}
	t.Cleanup(func() {
		if err := client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Error("deleting a namespace:", err)
		}
	})
	return name
}

// Eventually fails the test unless the API server soon gives an answer. It waits
// because the authorizer learns of bindings by a watch: a question right behind a
// write may still get the old answer.
func (cp *ControlPlane) Eventually(t testing.TB, q Question, want bool) {
	t.Helper()
	err := cp.until(t.Context(), "another answer", func(ctx context.Context) error {
		got, err := cp.Can(ctx, q)
		if err == nil && got != want {
			err = fmt.Errorf("%s: %t, want %t", q, got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
