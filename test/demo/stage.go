package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/infrahq/infra/test/chart"
	"github.com/infrahq/infra/test/controlplane"
)

// What the story is about, on the cluster.
const (
	destination = "example"
	home        = "infra-demo" // the namespace of the connector
	customRole  = "example"
)

// namespaces are made for the story and removed behind it.
var namespaces = []string{home, "payments"}

// sharedRoles are what the chart leaves behind on purpose.
var sharedRoles = []string{"infra:logs", "infra:exec", "infra:port-forward"}

// A stage is everything that runs while the story is told.
type stage struct {
	dir        string // a folder of the demo's own
	repo       string // the access repository
	kubeconfig string // of the cluster's administrator
	address    string // of the server

	own       *controlplane.ControlPlane // nil: the cluster is somebody else's
	cluster   *controlplane.Cluster
	client    *kubernetes.Clientset
	clean     bool     // there was nothing of the story in the cluster before
	found     []string // of the shared roles, those that were there before
	release   *chart.Connector
	processes []*process
	returned  time.Time // when the last command did
}

// A process is a part of infra that runs beside the story.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	end  chan struct{} // closed when it has ended
}

// build makes the stage as far as it can be made before the story begins; the
// rest is part of the story. The stage has to be struck also where it fails.
func build(ctx context.Context, kubeconfig string) (*stage, error) {
	s := &stage{}
	var err error
	if s.dir, err = os.MkdirTemp("", "infra-demo"); err != nil {
		return s, err
	}
	s.repo = filepath.Join(s.dir, "access")
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	if err := s.begin(ctx, kubeconfig); err != nil {
		return s, err
	}
	if err := s.cluster.WriteKubeconfig(s.kubeconfig, ""); err != nil {
		return s, err
	}
	if s.client, err = kubernetes.NewForConfig(s.cluster.AdminConfig()); err != nil {
		return s, err
	}
	if err := s.look(ctx); err != nil {
		return s, err
	}
	for _, name := range namespaces {
		_, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil {
			return s, fmt.Errorf("making namespace %s: %w", name, err)
		}
	}
	port, err := controlplane.FreePort(ctx)
	if err != nil {
		return s, err
	}
	s.address = fmt.Sprintf("127.0.0.1:%d", port)
	return s, nil
}

// look refuses a cluster that has what the story would make: it would be removed
// at the end, whoever made it.
func (s *stage) look(ctx context.Context) error {
	rbac := s.client.RbacV1()
	taken := func(what string, err error) error {
		if err == nil {
			return fmt.Errorf("the cluster already has %s, which the demo would make and remove", what)
		}
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}
	for _, name := range namespaces {
		_, err := s.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if err := taken("namespace "+name, err); err != nil {
			return err
		}
	}
	_, err := rbac.ClusterRoles().Get(ctx, customRole, metav1.GetOptions{})
	if err := taken("ClusterRole "+customRole, err); err != nil {
		return err
	}
	if names, err := s.bindings(ctx); err != nil || len(names) > 0 {
		return errors.Join(err, taken("bindings of a destination "+destination, err))
	}
	for _, name := range sharedRoles {
		if _, err := rbac.ClusterRoles().Get(ctx, name, metav1.GetOptions{}); err == nil {
			s.found = append(s.found, name)
		}
	}
	s.clean = true
	return nil
}

// bindings are the names of the story's ClusterRoleBindings.
func (s *stage) bindings(ctx context.Context) ([]string, error) {
	list, err := s.client.RbacV1().ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, b := range list.Items {
		if strings.HasPrefix(b.Name, "infra:"+destination+":") {
			names = append(names, b.Name)
		}
	}
	return names, nil
}

// begin gets the programs and the cluster.
func (s *stage) begin(ctx context.Context, kubeconfig string) error {
	err := timed("building infra", func() error {
		out, err := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(chart.Dir(), "..", ".."), "-o", s.program("infra"), "./cmd/infra").CombinedOutput()
		if err != nil {
			return fmt.Errorf("building infra: %w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, program := range []controlplane.Program{controlplane.Helm, controlplane.Kubectl} {
		path, err := controlplane.Binary(ctx, program, os.Stdout)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, s.program(string(program))); err != nil {
			return err
		}
	}
	if kubeconfig != "" {
		s.cluster, err = controlplane.Existing(kubeconfig)
		return err
	}
	if _, err := controlplane.Binary(ctx, controlplane.Needed(), os.Stdout); err != nil {
		return err
	}
	return timed("starting a control plane (etcd, kube-apiserver, controllers)", func() error {
		s.own, err = controlplane.Start(ctx, controlplane.Options{})
		if err == nil {
			s.cluster = s.own.Cluster
		}
		return err
	})
}

// program is the path of a program that the story uses: infra, helm or kubectl.
func (s *stage) program(name string) string { return filepath.Join(s.dir, "bin", name) }

// environ is that of somebody who works in the access repository: themselves,
// with nothing of the real user's set-up.
func (s *stage) environ() []string {
	return []string{
		"HOME=" + s.dir,
		"PATH=" + s.program("") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"KUBECONFIG=" + s.kubeconfig,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Demo", "GIT_AUTHOR_EMAIL=demo@example.com",
		"GIT_COMMITTER_NAME=Demo", "GIT_COMMITTER_EMAIL=demo@example.com",
		"NO_COLOR=1",
	}
}

// start runs a part of infra until the stage is struck.
func (s *stage) start(name string, args ...string) error {
	p := &process{name: name, log: filepath.Join(s.dir, name+".log"), end: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return err
	}
	p.cmd = exec.Command(s.program("infra"), args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = s.environ(), log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the demo, which ends its parts in order
	if err := p.cmd.Start(); err != nil {
		return errors.Join(err, log.Close())
	}
	go func() {
		defer close(p.end)
		_, _ = p.cmd.Wait(), log.Close() // it was asked to end, so it did not end with success
	}()
	s.processes = append(s.processes, p)
	return nil
}

// stop asks the process to end, and waits; also where it has ended.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.end:
		return nil
	case <-time.After(20 * time.Second):
		return errors.Join(fmt.Errorf("%s did not end when asked", p.name), p.cmd.Process.Kill())
	}
}

// strike ends and removes everything that the demo made.
func (s *stage) strike(ctx context.Context) error {
	var errs []error
	for _, p := range s.processes { // first, or the connector would repair what is removed
		errs = append(errs, p.stop())
	}
	if s.own == nil && s.clean { // the cluster stays: leave nothing in it
		errs = append(errs, s.leaveNothing(ctx))
	}
	if s.own != nil {
		errs = append(errs, s.own.Stop())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

func (s *stage) leaveNothing(ctx context.Context) error {
	var errs []error
	gone := func(err error) {
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	rbac, all := s.client.RbacV1(), metav1.DeleteOptions{}
	names, err := s.bindings(ctx)
	gone(err)
	for _, name := range names {
		gone(rbac.ClusterRoleBindings().Delete(ctx, name, all))
	}
	if s.release != nil {
		gone(s.release.Uninstall(ctx))
	}
	for _, name := range sharedRoles {
		if !slices.Contains(s.found, name) {
			gone(rbac.ClusterRoles().Delete(ctx, name, all))
		}
	}
	gone(rbac.ClusterRoles().Delete(ctx, customRole, all))
	for _, name := range namespaces { // their bindings end with them
		gone(s.client.CoreV1().Namespaces().Delete(ctx, name, all))
	}
	return errors.Join(errs...)
}

// logs are the ends of the parts' logs, as an error.
func (s *stage) logs() error {
	var errs []error
	for _, p := range s.processes {
		text, err := os.ReadFile(p.log)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		errs = append(errs, fmt.Errorf("the log of the %s ends with:\n%s", p.name, strings.Join(lines[max(0, len(lines)-15):], "\n")))
	}
	return errors.Join(errs...)
}
