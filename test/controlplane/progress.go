package controlplane

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// tell shows that something long has begun: on a terminal in one line whose end
// changes every second, elsewhere in one line. The function that it returns must
// be called once, with how it ended.
func tell(w io.Writer, what string, state func() string) (stop func(end string)) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		fmt.Fprintf(w, "%s ...\n", what)
		return func(end string) { fmt.Fprintf(w, "%s: %s\n", what, end) }
	}
	const clear = "\r\x1b[K"
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			fmt.Fprintf(w, "%s%s ... %s", clear, what, state())
			select {
			case <-tick.C:
			case <-ended:
				return
			}
		}
	}()
	return func(end string) {
		close(ended)
		<-gone
		fmt.Fprintf(w, "%s%s: %s\n", clear, what, end)
	}
}
