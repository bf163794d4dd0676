package connector

import (
	"errors"
	"net"
	"net/url"
	"sync"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/api/client"
)

// A complaint is what is wrong, now, with something that is tried again and
// again. The log has it once, /readyz for as long as it lasts.
type complaint struct {
	mu   sync.Mutex
	text string // empty: nothing is wrong
	hint string // what to do about it; may be empty
}

// lodge notes what is wrong, and says whether that is news.
func (c *complaint) lodge(err error, hint string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.text != err.Error()
	c.text, c.hint = err.Error(), hint
	return news
}

// settle notes that nothing is wrong, and says whether that is news.
func (c *complaint) settle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.text != ""
	c.text, c.hint = "", ""
	return news
}

func (c *complaint) read() (text, hint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text, c.hint
}

// hint is what to do about an error of the client.
func (c *connector) hint(err error) string {
	switch {
	case errors.Is(err, api.ErrUnauthorized):
		return "make another key with `infra keys add NAME connector` and put it where server.accessKey says; it is read anew for each request"
	case errors.Is(err, client.ErrCertificateChanged):
		return "to have the new one trusted: kubectl patch secret " + c.config.StateSecret + " --namespace " + c.namespace +
			` --type json --patch '[{"op":"remove","path":"/data/` + certificateKey + `"}]'`
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Hint
	}
	return ""
}

// plain takes out of a network's error what differs from one try to the next:
// the address of the request, and the port that it came from. What is reported
// would never come to rest with them.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return &net.OpError{Op: e.Op, Net: e.Net, Addr: e.Addr, Err: e.Err}
	}
	return err
}
