package controlplane

import (
	"os"
	"syscall"
)

// OwnGroup puts a process into a group of its own, and has the kernel kill it
// when the thread that started it is gone. Go ends threads only with the process
// or with a goroutine that is locked to one, which is why run starts processes
// from a goroutine that is not.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
