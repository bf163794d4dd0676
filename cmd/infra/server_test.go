package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestServerServesAFolderUntilASignal runs the program as it is installed: on a
// folder of a checkout, until it is interrupted, which is a good end.
func TestServerServesAFolderUntilASignal(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	env := append(os.Environ(), "HOME="+home, "GIT_CONFIG_NOSYSTEM=1", "INFRA_REPO=",
		"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com")
	dir := filepath.Join(home, "access", "team")
	for _, args := range [][]string{
		{"git", "init", "-q", "-b", "main", filepath.Join(home, "access")},
		{"infra", "init", "-q", dir},
	} {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}

	cmd := exec.CommandContext(t.Context(), "infra", "server", "-C", dir, "--listen", "127.0.0.1:0",
		"--data-dir", filepath.Join(home, "data"), "--log-format", "json")
	cmd.Env = env
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	lines := bufio.NewScanner(stderr)
	for address == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("a line of the log that is not JSON: %s", lines.Bytes())
		}
		if line.Msg == "serving" {
			address = line.Address
		}
	}
	if address == "" {
		t.Fatalf("it ended before it served: %v", cmd.Wait())
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // it made its certificate a moment ago
		DisableKeepAlives: true,
	}}
	response, err := client.Get("https://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %s", response.Status)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to its end, so that it can write what it wants to
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after a signal: %v", err)
	}
}
