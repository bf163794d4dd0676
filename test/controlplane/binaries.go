package controlplane

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// A Program is something that Binary finds or builds.
type Program string

// The programs.
const (
	Kube        Program = "kube"        // etcd, kube-apiserver and the controllers in one
	Controllers Program = "controllers" // the controllers alone, for use beside KUBEBUILDER_ASSETS
	Helm        Program = "helm"
	Kubectl     Program = "kubectl"
)

// recipes say how each program is built: all of them from sources that the
// go.mod of this module pins, so that a machine needs Go and nothing else.
var recipes = map[Program]struct {
	pkg, what string
	args      []string
	own       bool // made of sources of this module, which are then part of the key
}{
	Kube: {pkg: "./controlplane/kube", own: true,
		what: "etcd, kube-apiserver and controllers from source; about 6 minutes on 2 cores, once"},
	Controllers: {pkg: "./controlplane/kube", own: true, args: []string{"-tags", "controllersonly"},
		what: "three Kubernetes controllers from source; about 3 minutes on 2 cores, once"},
	Helm: {pkg: "helm.sh/helm/v4/cmd/helm",
		what: "Helm from source; about 1 minute on 2 cores, once"},
	Kubectl: {pkg: "k8s.io/kubernetes/cmd/kubectl",
		what: "kubectl from source; about 40 seconds on 2 cores, once"},
}

// Binary gives the path of a program. It is built on first use, which takes
// minutes, and kept in infra/test below the user's cache folder under a key of
// everything that it is made of, so that later calls answer at once. Processes
// that ask at the same time build once. What happens is told on progress, which
// may be nil. It needs the go command, and the modules in its cache or a proxy.
func Binary(ctx context.Context, p Program, progress io.Writer) (string, error) {
	path, err := binary(ctx, p, progress)
	if err != nil {
		return "", fmt.Errorf("making %s ready: %w", p, err)
	}
	return path, nil
}

func binary(ctx context.Context, p Program, progress io.Writer) (string, error) {
	recipe, ok := recipes[p]
	if !ok {
		return "", errors.New("nothing is known of it")
	}
	module, err := moduleDir(ctx)
	if err != nil {
		return "", err
	}
	key, err := buildKey(ctx, module, recipe.pkg, recipe.own)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	kept := filepath.Join(cache, "infra", "test")
	path := filepath.Join(kept, string(p)+"-"+key)
	if used(path) {
		return path, nil
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(kept, string(p)+".lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return "", fmt.Errorf("waiting for another process that builds it: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if used(path) { // another process has built it meanwhile
		return path, nil
	}
	half := fmt.Sprintf("%s.%d.part", path, os.Getpid())
	defer func() { _ = os.Remove(half) }()
	cmd := exec.CommandContext(ctx, "go", slices.Concat(
		[]string{"build", "-v", "-ldflags", "-s -w", "-o", half}, recipe.args, []string{recipe.pkg})...)
	cmd.Dir = module
	if err := build(cmd, fmt.Sprintf("building %s (%s)", p, recipe.what), progress); err != nil {
		return "", err
	}
	if err := os.Rename(half, path); err != nil {
		return "", err
	}
	forget(kept, p, path)
	return path, nil
}

// used says whether the file is there, and notes that it was wanted.
func used(path string) bool {
	now := time.Now()
	return os.Chtimes(path, now, now) == nil
}

// forget removes builds of a program that nobody wanted for two weeks.
func forget(kept string, p Program, keep string) {
	old, _ := filepath.Glob(filepath.Join(kept, string(p)+"-*"))
	for _, path := range old {
		info, err := os.Stat(path)
		if err == nil && path != keep && time.Since(info.ModTime()) > 14*24*time.Hour {
			_ = os.Remove(path)
		}
	}
}

// buildKey is a hash of what a program is made of: the compiler, the versions
// of all modules, and our own sources where it has some.
func buildKey(ctx context.Context, module, pkg string, own bool) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED")
	cmd.Dir = module
	env, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking the go command for its version: %w", err)
	}
	sum := sha256.New()
	sum.Write(env)
	files := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	if own {
		sources, err := filepath.Glob(filepath.Join(module, filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			return "", err
		}
		files = append(files, sources...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.Base(file), len(text))
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// moduleDir is the folder of this module: known from where this file was
// compiled, or, where the compiler was told to forget that (-trimpath), from the
// folder that the process runs in.
func moduleDir(ctx context.Context) (string, error) {
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		dir := filepath.Dir(filepath.Dir(file))
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking the go command for its module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// build runs a `go build -v` and tells how it goes: on a terminal in one line
// that changes every second, elsewhere in a line at its start and one at its end.
func build(cmd *exec.Cmd, what string, progress io.Writer) error {
	if progress == nil {
		progress = io.Discard
	}
	start, packages := time.Now(), atomic.Int64{}
	stop := tell(progress, what, func() string {
		return fmt.Sprintf("%s, %d packages compiled", time.Since(start).Round(time.Second), packages.Load())
	})
	messages, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		stop("could not start")
		return err
	}
	var last []string // the end of what the compiler said, in case it is an error
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		packages.Add(1)
		last = append(last, lines.Text())
		last = last[max(0, len(last)-20):]
	}
	if err := cmd.Wait(); err != nil {
		stop("failed")
		return fmt.Errorf("%w: %s", cmp.Or(cmd.Err, err), strings.Join(last, "\n"))
	}
	stop("done in " + time.Since(start).Round(time.Second).String())
	return nil
}
