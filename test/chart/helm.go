// Package chart installs charts/infra into a control plane with a real Helm, so
// that a connector under test runs with exactly the configuration that the chart
// renders and exactly the rights that the chart gives to its ServiceAccount.
//
//	c := chart.Install(t, cp, chart.Values{Server: server, AccessKey: key})
//	cmd := exec.Command("infra", "connector", "-f", c.File, "--kubeconfig", c.Kubeconfig)
package chart

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/infrahq/infra/test/controlplane"
)

// Dir is the folder of the chart in this repository.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "charts", "infra")
}

// Helm runs Helm, which is built first where need be, and gives what it writes to
// stdout. It sees nothing of the user's own set-up: home is a folder for its
// caches, and kubeconfig, which may be empty, is the only cluster that it knows.
func Helm(ctx context.Context, home, kubeconfig string, args ...string) (string, error) {
	path, err := controlplane.Binary(ctx, controlplane.Helm, os.Stderr)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"),
		"HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home,
		"KUBECONFIG=" + kubeconfig,
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("running helm %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}
