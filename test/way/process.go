package way

import (
	"bytes"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/infrahq/infra/test/controlplane"
)

// A Process is a program that runs beside a test and may be killed and started
// again. Its log goes on through that.
type Process struct {
	t       testing.TB
	name    string
	command []string
	env     []string
	log     *journal

	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
	meant bool          // that it has ended
}

// startProcess starts a program that is killed when the test ends, and whose log
// is printed where it fails.
func startProcess(t testing.TB, name string, env []string, command ...string) *Process {
	t.Helper()
	p := &Process{t: t, name: name, command: command, env: env, log: newJournal()}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log of the %s:\n%s", name, p.log.end())
		}
	})
	p.Start()
	return p
}

// Name is server or connector.
func (p *Process) Name() string { return p.name }

// Start starts it, again.
func (p *Process) Start() {
	p.t.Helper()
	p.cmd = exec.CommandContext(p.t.Context(), p.command[0], p.command[1:]...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, p.log, p.log
	p.cmd.SysProcAttr = controlplane.OwnGroup()
	cmd, ended := p.cmd, make(chan struct{})
	p.ended, p.meant = ended, false
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("starting the %s: %v", p.name, err)
	}
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is of no interest: it is killed, or its log says why it ended
	}()
}

// Kill ends it without warning, as kill -9 does, and waits for that.
func (p *Process) Kill() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	p.meant = true
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// Restart kills it and starts it again.
func (p *Process) Restart() {
	p.t.Helper()
	p.Kill()
	p.Start()
}

// EndedByItself says whether it has ended without having been killed.
func (p *Process) EndedByItself() bool {
	if p == nil || p.meant {
		return false
	}
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Mark is the present end of its log, for AwaitLog.
func (p *Process) Mark() int { return p.log.length() }

// AwaitLog waits until something is logged after a mark, and fails the test after
// a minute without it.
func (p *Process) AwaitLog(mark int, text string) {
	p.t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	for {
		found, more := p.log.find(mark, text)
		if found {
			return
		}
		select {
		case <-more:
		case <-late.C:
			p.t.Fatalf("the %s has not logged %s", p.name, text)
		}
	}
}

// A journal keeps what is written to it, and tells when there is more.
type journal struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // closed at the next write
}

func newJournal() *journal { return &journal{more: make(chan struct{})} }

// Write implements io.Writer.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text = append(j.text, b...)
	close(j.more)
	j.more = make(chan struct{})
	return len(b), nil
}

func (j *journal) length() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.text)
}

func (j *journal) find(since int, text string) (bool, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Contains(j.text[since:], []byte(text)), j.more
}

// end is as much of it as a person may want to read.
func (j *journal) end() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	const enough = 64 << 10
	return bytes.Clone(j.text[max(0, len(j.text)-enough):])
}
