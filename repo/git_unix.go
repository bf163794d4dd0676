//go:build unix

package repo

import (
	"os"
	"syscall"
)

// terminate asks git to end, so that it removes its lock files.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
