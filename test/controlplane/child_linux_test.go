package controlplane_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func TestItEndsWithTheProcessThatStartedIt(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cp")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	host, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the child said nothing:", err)
	}
	addresses := map[string]string{
		"tcp":  strings.TrimPrefix(strings.TrimSpace(host), "https://"),
		"unix": filepath.Join(dir, "e.sock"),
	}
	for network, address := range addresses {
		conn, err := new(net.Dialer).DialContext(t.Context(), network, address)
		if err != nil {
			t.Fatalf("before: %v", err)
		}
		_ = conn.Close()
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for network, address := range addresses {
		err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				_ = conn.Close()
			}
			return err != nil, nil
		})
		if err != nil {
			t.Errorf("something still listens on %s: %v", address, err)
		}
	}
}
