//go:build !unix

package repo

import "os"

// terminate ends git; there is no way to ask.
func terminate(p *os.Process) error { return p.Kill() }

// running says whether there is such a process.
func running(pid int) bool {
	p, err := os.FindProcess(pid) // which opens it here
	if err != nil {
		return false
	}
	return p.Release() == nil
}
