package connector_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/connector"
	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// A site is one destination: its cluster with the chart installed in it, and its
// connector, which runs as the chart's ServiceAccount with the chart's
// configuration. Server and connector log into one journal.
type site struct {
	t       *testing.T
	cp      *controlplane.ControlPlane
	kube    kubernetes.Interface
	name    string
	release *chart.Connector
	ahead   atomic.Int64 // of the connector's clock, and of a bench's, in nanoseconds
	logger  *slog.Logger

	mu      sync.Mutex
	changed chan struct{} // closed and made anew with everything that changes
	journal bytes.Buffer
}

func newSite(t *testing.T, cp *controlplane.ControlPlane) *site {
	t.Helper()
	s := &site{t: t, cp: cp, name: controlplane.Name(t), changed: make(chan struct{})}
	var err error
	if s.kube, err = kubernetes.NewForConfig(cp.AdminConfig()); err != nil {
		t.Fatal(err)
	}
	s.logger = slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), journal{s}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	t.Cleanup(func() {
		bindings := s.kube.RbacV1().ClusterRoleBindings()
		list, err := bindings.List(context.Background(), metav1.ListOptions{})
		if err != nil {
			t.Error(err)
			return
		}
		for _, o := range list.Items {
			if strings.HasPrefix(o.Name, "infra:"+s.name+":") {
				_ = bindings.Delete(context.Background(), o.Name, metav1.DeleteOptions{}) // whatever stays does no harm
			}
		}
	})
	return s
}

// installing keeps releases apart that begin at once: the first of a cluster
// makes the roles that all share.
var installing sync.Mutex

// install installs the chart, for a server at this address.
func (s *site) install(server, key string, set ...string) {
	s.t.Helper()
	installing.Lock()
	defer installing.Unlock()
	s.release = chart.Install(s.t, s.cp, chart.Values{
		Name: s.name, Server: strings.TrimPrefix(server, "https://"), AccessKey: key, Set: set,
	})
}

// start runs the connector and gives a function that ends it.
func (s *site) start() (stop func()) {
	s.t.Helper()
	config, err := connector.LoadConfig(s.release.File)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- connector.Run(ctx, config, connector.Options{
			Kube: s.release.Config, Version: "test", Now: s.now, Logger: s.logger, MaxPause: 20 * time.Millisecond,
		})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error("the connector ended with:", err)
		}
	})
	s.t.Cleanup(stop)
	return stop
}

func (s *site) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// setKey puts another access key where the Pod would find it.
func (s *site) setKey(key string) {
	s.t.Helper()
	path := filepath.Join(s.release.Dir, "var/run/secrets/infra/access-key")
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// await waits until something holds, which is asked with the lock held, whenever
// something has changed.
func (s *site) await(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for {
		s.mu.Lock()
		ok, changed := holds(), s.changed
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.t.Fatalf("waited for %s", what)
		}
	}
}

// A journal is a site's, to be written to.
type journal struct{ *site }

// Write implements io.Writer.
func (j journal) Write(p []byte) (n int, err error) {
	j.change(func() { n, err = j.journal.Write(p) })
	return n, err
}

// mark is the present end of the journal.
func (s *site) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Len()
}

// logged waits for a line behind a mark that has all these texts.
func (s *site) logged(mark int, texts ...string) {
	s.t.Helper()
	s.await("a line with "+strings.Join(texts, " and "), func() bool { return s.count(mark, texts...) > 0 })
}

// count counts the lines behind a mark that have all these texts. The lock has to be held.
func (s *site) count(mark int, texts ...string) (n int) {
lines:
	for line := range bytes.Lines(s.journal.Bytes()[mark:]) {
		for _, text := range texts {
			if !bytes.Contains(line, []byte(text)) {
				continue lines
			}
		}
		n++
	}
	return n
}

func (s *site) binding(role string) (*rbacv1.ClusterRoleBinding, error) {
	return s.kube.RbacV1().ClusterRoleBindings().Get(s.t.Context(), "infra:"+s.name+":"+role, metav1.GetOptions{})
}

// version is the binding's, which is to be there.
func (s *site) version(role string) string {
	s.t.Helper()
	o, err := s.binding(role)
	if err != nil {
		s.t.Fatal(err)
	}
	return o.ResourceVersion
}

// ask asks the connector itself for a page.
func (s *site) ask(path string) (code int, text string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.release.Listen+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
