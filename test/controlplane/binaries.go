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
}{
	Kube: {pkg: "./controlplane/kube",
		what: "etcd, kube-apiserver and controllers from source; about 6 minutes on 2 cores, once"},
	Controllers: {pkg: "./controlplane/kube", args: []string{"-tags", "controllersonly"},
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
	args, err := buildArgs(ctx, module, recipe.args)
	if err != nil {
		return "", err
	}
	key, err := buildKey(ctx, module, append(args, recipe.pkg))
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
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", half, recipe.pkg)...)
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

// buildArgs are the arguments of the go command, but for the package and the
// output. Kubernetes learns its own version from the linker, and Helm asks for it.
func buildArgs(ctx context.Context, module string, further []string) ([]string, error) {
	version, err := goCommand(ctx, module, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	if err != nil {
		return nil, err
	}
	numbers := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(numbers) < 3 {
		return nil, fmt.Errorf("the version %q of Kubernetes is not understood", version)
	}
	const to = " -X k8s.io/component-base/version."
	flags := "-s -w" + to + "gitVersion=" + version + to + "gitMajor=" + numbers[0] + to + "gitMinor=" + numbers[1]
	return append([]string{"build", "-v", "-ldflags", flags}, further...), nil
}

// buildKey is a hash of what a program is made of: the compiler, what it is
// told, the versions of all modules, and our own sources where it has some.
func buildKey(ctx context.Context, module string, args []string) (string, error) {
	env, err := goCommand(ctx, module, "env", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q\n", env, args)
	files := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	if pkg := args[len(args)-1]; strings.HasPrefix(pkg, "./") {
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

// goCommand is what the go command answers in a folder.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking go %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
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
	file, err := goCommand(ctx, "", "env", "GOMOD")
	return filepath.Dir(file), err
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
