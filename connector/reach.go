package connector

import "net/http"

// A reach is the way to the API server. Watches try again in silence where
// nobody answers, so whether somebody does is noticed here.
type reach struct {
	c    *connector
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r reach) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	switch c := r.c; {
	case !c.checked.Load():
	case err == nil:
		if c.reaching.settle() {
			c.log.Info("the cluster can be reached again")
			c.wake()
		}
	case req.Context().Err() == nil:
		if c.reaching.lodge(plain(err), "") {
			c.log.Warn("the cluster cannot be reached; its access stays as it is", "error", plain(err))
		}
	}
	return resp, err
}

// reached says whether the API server answered last.
func (c *connector) reached() bool {
	text, _ := c.reaching.read()
	return text == ""
}
