// Package controlplane runs a real Kubernetes control plane on this machine, for
// tests, the demo and benchmarks: etcd, kube-apiserver and the controllers that
// fill aggregated ClusterRoles, end namespaces and make default ServiceAccounts.
// It has no nodes, so nothing runs in it; but it authenticates, authorises,
// admits, stores and watches as any cluster does, which is all that infra is
// about. It is ready in about four seconds and takes about 400 MB.
//
//	cp, err := controlplane.Start(ctx, controlplane.Options{})
//	defer cp.Stop()
//	client, err := kubernetes.NewForConfig(cp.AdminConfig())
//	yes, err := cp.Can(ctx, controlplane.Question{User: "fisher@example.com", Verb: "delete", Resource: "pods"})
//
// Tests of one package share one with Main and Shared.
//
// The programs are built from source on first use; see Binary. Where
// KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver, those are used.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Options say how a control plane is to be. The zero value is a good one.
type Options struct {
	// Dir takes data, logs, certificates and the audit log. Empty is a new folder
	// below os.TempDir. A Unix socket lies in it, so its path must be short.
	Dir string
	// KeepDir leaves the folder where it is when the control plane stops.
	KeepDir bool
	// Audit keeps a log that AuditEvents reads: what every ServiceAccount asks,
	// and what anyone writes.
	Audit bool
	// APIServerFlags are added to those of kube-apiserver, and win over them.
	APIServerFlags []string
	// Progress is told what is built and how long that takes; nil: nobody is.
	Progress io.Writer
}

// A ControlPlane is one that runs. Its methods may be called from several
// goroutines at once.
type ControlPlane struct {
	*Cluster

	options  Options
	programs programs
	dir      string
	port     int
	token    string // of the administrator
	ca       []byte // PEM

	mu          sync.Mutex // guards what follows
	etcd        *process
	apiserver   *process
	controllers *process
	killedAt    int64 // length of the audit log when an API server was last killed
}

// Start starts a control plane and waits until it is ready: every part answers
// and the aggregated ClusterRoles have their rules. Call Stop when done with it;
// on Linux it also ends when this process does, however that happens.
func Start(ctx context.Context, o Options) (*ControlPlane, error) {
	cp, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("starting a control plane: %w", err)
	}
	return cp, nil
}

func start(ctx context.Context, o Options) (_ *ControlPlane, err error) {
	programs, err := findPrograms(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{options: o, programs: programs, dir: o.Dir}
	if cp.dir == "" {
		if cp.dir, err = os.MkdirTemp("", "kube"); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(cp.dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop())
		}
	}()
	if err := cp.writeFiles(); err != nil {
		return nil, err
	}
	if cp.etcd, err = cp.run("etcd", programs.etcd, cp.etcdFlags()); err != nil {
		return nil, err
	}
	if err := cp.startAPIServer(ctx); err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(cp.dir, "controllers.kubeconfig")
	if err := WriteKubeconfig(kubeconfig, cp.config(controllersUser)); err != nil {
		return nil, err
	}
	if cp.controllers, err = cp.run("controllers", programs.controllers, []string{"--kubeconfig", kubeconfig}); err != nil {
		return nil, err
	}
	return cp, cp.untilUsable(ctx)
}

// Stop ends all parts and removes the folder, unless it is to be kept. A second
// call does nothing.
func (cp *ControlPlane) Stop() error {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	for _, p := range []*process{cp.controllers, cp.apiserver, cp.etcd} {
		p.kill()
	}
	if cp.options.KeepDir {
		return nil
	}
	return os.RemoveAll(cp.dir)
}

// KillAPIServer ends the API server without warning, as kill -9 does. etcd and
// the controllers stay, and so does all that was written.
func (cp *ControlPlane) KillAPIServer() {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.apiserver.kill()
	if info, err := os.Stat(cp.auditLog()); err == nil {
		cp.killedAt = info.Size()
	}
}

// RestartAPIServer kills the API server, if it still runs, starts it again at
// the same address, and waits until it is ready.
func (cp *ControlPlane) RestartAPIServer(ctx context.Context) error {
	cp.KillAPIServer()
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if err := cp.startAPIServerAt(ctx, cp.port); err != nil {
		return fmt.Errorf("restarting the API server: %w", err)
	}
	return nil
}

// Dir is the folder that holds everything: logs/, audit.log, pki/, etcd/.
func (cp *ControlPlane) Dir() string { return cp.dir }

// startAPIServer starts the API server on a port that is free, and on another
// one where somebody else was quicker.
func (cp *ControlPlane) startAPIServer(ctx context.Context) error {
	for {
		port, err := FreePort(ctx)
		if err != nil {
			return err
		}
		err = cp.startAPIServerAt(ctx, port)
		if !errors.Is(err, errPortTaken) {
			return err
		}
	}
}

func (cp *ControlPlane) startAPIServerAt(ctx context.Context, port int) error {
	var err error
	cp.port = port
	cp.Cluster = &Cluster{admin: cp.config(adminUser)}
	cp.apiserver, err = cp.run("kube-apiserver", cp.programs.apiserver, cp.apiServerFlags())
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cp.config(adminUser))
	if err != nil {
		return err
	}
	return cp.until(ctx, "the API server to be ready", func(ctx context.Context) error {
		return client.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// until tries something until it succeeds, gives up when ctx ends or after a
// minute, and at once when a part has ended, with the end of that part's log.
func (cp *ControlPlane) until(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		for _, p := range []*process{cp.etcd, cp.apiserver, cp.controllers} {
			if p.ended() {
				return p.failure()
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w: %w", what, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// programs are the command lines of the three parts, to which flags are added.
type programs struct {
	etcd, apiserver, controllers []string
}

func findPrograms(ctx context.Context, progress io.Writer) (programs, error) {
	path, err := Binary(ctx, Needed(), progress)
	if err != nil {
		return programs{}, err
	}
	found := programs{
		etcd:        []string{path, "etcd"},
		apiserver:   []string{path, "kube-apiserver"},
		controllers: []string{path, "controllers"},
	}
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		found.etcd = []string{filepath.Join(assets, "etcd")}
		found.apiserver = []string{filepath.Join(assets, "kube-apiserver")}
		for _, program := range slices.Concat(found.etcd, found.apiserver) {
			if _, err := exec.LookPath(program); err != nil {
				return programs{}, fmt.Errorf("looking into KUBEBUILDER_ASSETS: %w", err)
			}
		}
	}
	return found, nil
}

// Needed is the program that a control plane needs here: Kube, or
// Controllers where KUBEBUILDER_ASSETS brings the rest.
func Needed() Program {
	if os.Getenv("KUBEBUILDER_ASSETS") != "" {
		return Controllers
	}
	return Kube
}

// config reaches the API server as a user of the token file.
func (cp *ControlPlane) config(user string) *rest.Config {
	return &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", cp.port),
		BearerToken:     cp.tokenOf(user),
		TLSClientConfig: rest.TLSClientConfig{CAData: slices.Clone(cp.ca)},
		QPS:             -1,
	}
}
