package main

import (
	"fmt"
	"time"
)

// busy says on a terminal what is being done, once that has taken a second. The
// caller calls what it returns when it is over, before it writes anything.
func (a *app) busy(format string, args ...any) (over func()) {
	if !a.live || a.quiet {
		return func() {}
	}
	what := harmless(fmt.Sprintf(format, args...))
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-end:
			return
		case <-time.After(time.Second):
		}
		fmt.Fprintf(a.stderr, "%s ...", what)
		<-end
		fmt.Fprint(a.stderr, "\r\x1b[K") // back to the line's begin, and clear it
	}()
	return func() {
		close(end)
		<-ended
	}
}
