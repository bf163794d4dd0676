//go:build !unix

package repo

import "os"

// terminate ends git; there is no way to ask.
func terminate(p *os.Process) error { return p.Kill() }
