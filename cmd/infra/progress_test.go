package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestBusySpeaksOfWhatTakesLong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		app   app
		takes time.Duration
		want  string
	}{
		{"quick", app{live: true}, 900 * time.Millisecond, ""},
		{"long", app{live: true}, 3 * time.Second, "reading main\\x1b ...\r\x1b[K"},
		{"long, and quiet", app{live: true, quiet: true}, 3 * time.Second, ""},
		{"long, and no terminal", app{}, 3 * time.Second, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stderr bytes.Buffer
				a := tt.app
				a.stderr = &stderr
				over := a.busy("reading %s", "main\x1b")
				time.Sleep(tt.takes) // of the bubble's clock
				over()
				if stderr.String() != tt.want {
					t.Errorf("%q, want %q", stderr.String(), tt.want)
				}
			})
		})
	}
}
