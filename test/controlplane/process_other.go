//go:build unix && !linux

package controlplane

import (
	"os"
	"syscall"
)

// OwnGroup puts a process into a group of its own. Linux can also end it with the
// process that started it.
func OwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
