package connector

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	machine := start
	c := newClock(func() time.Time { return machine })
	check := func(what string, want time.Duration) {
		t.Helper()
		if got := c.now().Sub(start); got != want {
			t.Errorf("%s: the time is start%+v, want %+v", what, got, want)
		}
	}
	check("without a server the machine's clock counts", 0)
	machine = start.Add(-time.Hour)
	check("a clock that jumps back revives nothing", 0)
	machine = start.Add(1000 * time.Hour)
	check("a clock that jumps ahead counts while nobody knows better", 1000*time.Hour)
	c.heard(start.Add(time.Minute))
	check("the server's word takes the jump back", time.Minute)
	machine = machine.Add(2 * time.Minute)
	check("the time goes on from the server's word", 3*time.Minute)
	c.heard(start.Add(time.Minute))
	check("a server that jumps back revives nothing", 3*time.Minute)
	c.heard(time.Time{})
	check("no word is no word", 3*time.Minute)
	machine = start
	check("a machine that jumps back after the server's word revives nothing", 3*time.Minute)
	machine = start.Add(time.Hour)
	c.heard(start.Add(time.Hour))
	machine = machine.Add(referenceFor)
	check("an old word gives way to the machine's clock", time.Hour+referenceFor)
}
