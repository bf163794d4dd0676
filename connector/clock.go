package connector

import (
	"sync"
	"time"
)

// referenceFor is how long the server's last word on the time counts. Then the
// machine's own clock does.
const referenceFor = 5 * time.Minute

// A clock gives the time by which grants expire. While the server says what
// time it is, that counts; else the machine's wall clock does.
//
// The time never runs backwards, so that a clock that jumps back revives
// nothing. The one exception takes nothing away for good: what the machine's
// clock alone has said is given up for the server's word.
type clock struct {
	machine func() time.Time // with a monotonic reading where there is one

	mu       sync.Mutex
	server   time.Time // its last word; zero: none yet
	at       time.Time // the machine's time then
	latest   time.Time // the latest time given while the server's word counted, or heard
	latestBy time.Time // the latest time given while it did not
}

func newClock(machine func() time.Time) *clock { return &clock{machine: machine} }

// now is the time, in UTC.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	machine := c.machine()
	if since := machine.Sub(c.at); !c.server.IsZero() && c.latestBy.IsZero() && since >= 0 && since < referenceFor {
		c.latest = later(c.latest, c.server.Add(since))
		return c.latest
	}
	c.latestBy = later(later(c.latestBy, c.latest), machine.Round(0).UTC())
	return c.latestBy
}

// heard notes what the server said. The zero time is no word.
func (c *clock) heard(date time.Time) {
	if date.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.at = date.UTC(), c.machine()
	c.latest = later(c.latest, c.server)
	c.latestBy = time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
