package server

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/infrahq/infra/api"
)

// maxWait is the longest that a request is held: shorter than what proxies
// between here and a cluster usually allow.
const maxWait = 50 * time.Second

// getState answers with the desired state of a destination. Where the caller
// has it already and may wait, it is held until there is another one, until its
// key is no longer valid, or until the time is over.
func (s *server) getState(w http.ResponseWriter, in *call) error {
	wait, err := waitOf(in)
	if err != nil {
		return err
	}
	known := digestOf(in.Header.Get("If-None-Match"))
	now := in.at.state(in.destination)
	if wait > 0 && now.state.Digest == known {
		if err := s.hold(w, in, now, wait); err != nil {
			return err
		}
		// What was allowed before is decided anew, by what is in force now.
		again, err := s.admit(in.Request, connectors)
		if err != nil {
			return err
		}
		*in = *again
		now = in.at.state(in.destination)
	}
	h := w.Header()
	h.Set("ETag", `"`+now.state.Digest+`"`)
	h.Set("Vary", "Accept-Encoding")
	if now.state.Digest == known {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := now.body()
	text := body.plain
	if acceptsGzip(in.Header.Get("Accept-Encoding")) {
		text = body.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(text) // who went away asks again
	return nil
}

// hold waits, as one select over channels that are shared by all who wait for
// the same thing. The error is that of a caller who went away.
func (s *server) hold(w http.ResponseWriter, in *call, now *served, wait time.Duration) error {
	s.metrics.held.Add(1)
	defer s.metrics.held.Add(-1)
	if left := in.key.Expires.Sub(s.now()); !in.key.Expires.IsZero() && left < wait {
		wait = left
	}
	c := http.NewResponseController(w)
	c.SetWriteDeadline(s.now().Add(wait + s.times.write))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-now.changed:
	case <-in.key.gone:
	case <-timer.C:
	case <-s.stopping:
	case <-in.Context().Done():
		return hinted(api.ErrBadRequest, "the caller went away", "")
	}
	return nil
}

// waitOf is how long a request may be held: at most maxWait, and up to a tenth
// less, so that those who came together do not all come back together.
func waitOf(in *call) (time.Duration, error) {
	text := in.URL.Query().Get("wait")
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 {
		return 0, hinted(api.ErrBadRequest, "wait is not a time such as 50s", "")
	}
	wait = min(wait, maxWait)
	return wait - rand.N(wait/10+1), nil
}

// digestOf reads an entity tag (RFC 9110, section 8.8.3), which a proxy that
// compresses may have made weak.
func digestOf(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(quality), "q="), 64)
			return err != nil || q > 0
		}
	}
	return false
}
