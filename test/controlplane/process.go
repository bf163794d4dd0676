package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// A process is one part of the control plane, in a process group of its own.
type process struct {
	name string
	log  string // path
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// run starts a part. Its log is appended to logs/<name>.log.
func (cp *ControlPlane) run(name string, command, flags []string) (*process, error) {
	logs := filepath.Join(cp.dir, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(logs, name+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	args := slices.Concat(command[1:], flags)
	p.cmd = exec.Command(command[0], args...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = OwnGroup()
	started := make(chan error)
	go func() {
		defer close(p.done)
		err := p.cmd.Start()
		_ = out.Close()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended stands in its log
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// kill ends the process and its group, and waits for that.
func (p *process) kill() {
	if p == nil {
		return
	}
	if !p.ended() {
		killGroup(p.cmd.Process)
	}
	<-p.done
}

// ended says whether a process that was started has ended.
func (p *process) ended() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// errPortTaken is the failure of a part that found its port in use.
var errPortTaken = errors.New("the port is in use")

// failure is the error for a process that ended by itself.
func (p *process) failure() error {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	end := bytes.Join(lines[max(0, len(lines)-15):], []byte("\n"))
	if bytes.Contains(end, []byte("address already in use")) {
		return fmt.Errorf("%s: %w", p.name, errPortTaken)
	}
	return fmt.Errorf("%s ended by itself (%v), its log's last lines:\n%s", p.name, p.cmd.ProcessState, end)
}

// FreePort finds a TCP port that is free on 127.0.0.1, below those that systems give to outgoing connections,
// so that it is still free when a killed API server comes back.
func FreePort(ctx context.Context) (int, error) {
	for {
		port := 20000 + rand.IntN(10000)
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, listener.Close()
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
}
