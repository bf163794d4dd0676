//go:build unix

package repo

import (
	"os"
	"syscall"
)

// terminate asks git to end, so that it removes its lock files.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// running says whether there is such a process, be it another user's.
func running(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
