// Package way holds the acceptance tests of the whole way of a grant: from a
// command or a commit, through `infra server` and `infra connector`, to what a
// real API server answers.
//
// Nothing in it is a stand-in. Begin builds the program from this checkout, makes
// an access repository with it and the system's git, starts a server that follows
// it, installs the chart with Helm and runs a connector as the chart's
// ServiceAccount, with its rights and no others:
//
//	w := way.Begin(t)
//	w.Infra("grants", "add", "fisher@example.com", w.Name, "--role", "edit")
//	w.InForce()
//	w.Eventually(t, controlplane.Question{User: "fisher@example.com", Verb: "delete", Resource: "pods"}, true)
//
// Both programs are processes that a test may kill at any moment. What they log
// is printed where a test fails.
package way

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// A Way is one destination and everything between its files and its bindings.
// It belongs to one test, and to the goroutine that runs it.
type Way struct {
	*controlplane.ControlPlane
	Name      string               // of the destination
	Dir       string               // of the access repository
	Kube      kubernetes.Interface // as the cluster's administrator
	Chart     *chart.Connector     // the release, whose ServiceAccount the connector is
	Server    *Process
	Connector *Process

	t       testing.TB
	env     []string
	address string // of the server
	person  string // the key of someone with role admin on infra
}

// Begin makes a destination of its own on the shared control plane, with a server
// and a connector that run until the test ends. The connector has enforced the
// first revision, which grants nothing there.
func Begin(t testing.TB) *Way {
	t.Helper()
	return BeginOn(t, controlplane.Shared(t))
}

// BeginOn is Begin on a control plane of the test's own, for what looks at all that a
// cluster has.
func BeginOn(t testing.TB, cp *controlplane.ControlPlane) *Way {
	t.Helper()
	kube, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	port, err := controlplane.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	w := &Way{
		ControlPlane: cp,
		Name:         controlplane.Name(t),
		Dir:          filepath.Join(home, "access"),
		Kube:         kube,
		t:            t,
		env: []string{
			"HOME=" + home, "PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com",
			"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com",
		},
		address: fmt.Sprintf("127.0.0.1:%d", port),
	}
	t.Cleanup(w.removeBindings)
	w.run(Program(t), "init", w.Dir)
	key := strings.TrimSpace(w.Infra("keys", "add", w.Name+"-connector", "connector", "--destination", w.Name, "-q"))
	w.person = strings.TrimSpace(w.Infra("keys", "add", "ann", "ann@example.com", "-q"))
	w.Infra("grants", "add", "ann@example.com", "infra", "--role", "admin")

	w.Server = startProcess(t, "server", w.env, Program(t), "server", "-C", w.Dir, "--listen", w.address,
		"--data-dir", filepath.Join(home, "server"), "--log-format", "json")
	w.Chart = chart.Install(t, cp, chart.Values{Name: w.Name, Server: w.address, AccessKey: key})
	w.Connector = startProcess(t, "connector", w.env, Program(t), "connector", "-f", w.Chart.File,
		"--kubeconfig", w.Chart.Kubeconfig, "--log-format", "json")
	w.InForce()
	return w
}

// Infra runs a command in the access repository, which must succeed, and gives
// what it writes to stdout.
func (w *Way) Infra(args ...string) string {
	w.t.Helper()
	return w.run(Program(w.t), append([]string{"-C", w.Dir}, args...)...)
}

// Git runs git in the access repository.
func (w *Way) Git(args ...string) string {
	w.t.Helper()
	return w.run("git", append([]string{"-C", w.Dir}, args...)...)
}

func (w *Way) run(program string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), program, args...)
	cmd.Env = w.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// Head is the commit that the branch points to.
func (w *Way) Head() string { return strings.TrimSpace(w.Git("rev-parse", "HEAD")) }

// Commit writes files by hand, as an editor would, and commits them. An empty
// text removes a file. It gives the commit.
func (w *Way) Commit(message string, files map[string]string) string {
	w.t.Helper()
	for name, text := range files {
		path := filepath.Join(w.Dir, filepath.FromSlash(name))
		if text == "" {
			if err := os.Remove(path); err != nil {
				w.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Git("add", "-A")
	w.Git("commit", "-q", "-m", message)
	return w.Head()
}

// Read is what a file of the access repository says.
func (w *Way) Read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.Dir, filepath.FromSlash(name)))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// Until tries something until it is as wanted, which is when the error is nil. It
// fails the test after a minute, and at once when the server or the connector
// has ended by itself.
func (w *Way) Until(what string, try func() error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		for _, p := range []*Process{w.Server, w.Connector} {
			if p.EndedByItself() {
				w.t.Fatalf("waiting for %s: the %s has ended by itself", what, p.name)
			}
		}
		select {
		case <-ctx.Done():
			w.t.Fatalf("waiting for %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// removeBindings removes what the destination leaves behind on the whole cluster;
// what it has in namespaces goes with them.
func (w *Way) removeBindings() {
	bindings := w.Kube.RbacV1().ClusterRoleBindings()
	list, err := bindings.List(context.Background(), metav1.ListOptions{})
	if err != nil {
		w.t.Error(err)
		return
	}
	for _, b := range list.Items {
		if strings.HasPrefix(b.Name, "infra:"+w.Name+":") {
			if err := bindings.Delete(context.Background(), b.Name, metav1.DeleteOptions{}); err != nil {
				w.t.Error(err)
			}
		}
	}
}

// program is the infra that the tests of this process run; Main removes it.
var program struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Program is the path of infra, built from this checkout when it is first asked
// for.
func Program(t testing.TB) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "infra"); program.err != nil {
			return
		}
		program.path = filepath.Join(program.dir, "infra")
		_, file, _, _ := runtime.Caller(0)
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program.path, "./cmd/infra")
		cmd.Dir = filepath.Join(filepath.Dir(file), "..", "..")
		if out, err := cmd.CombinedOutput(); err != nil {
			program.err = fmt.Errorf("building infra: %w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// Main is the TestMain of a package whose tests call Begin.
func Main(m *testing.M) {
	code := controlplane.Run(m)
	if program.dir != "" {
		_ = os.RemoveAll(program.dir) // the system empties its folder of temporary files too
	}
	os.Exit(code)
}
