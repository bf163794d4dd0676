package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/infrahq/infra/api"
)

// An Error is an answer of the server that is not a success. errors.Is finds
// the error of package api for its status: api.ErrUnauthorized and the like.
type Error struct {
	Status     int           // of HTTP
	Message    string        // what the server says, on one line; never empty
	Hint       string        // what to do about it; may be empty
	RetryAfter time.Duration // how long the server asks to be left alone; zero: it does not say
}

// Error is the server's sentence with the status.
func (e *Error) Error() string {
	return fmt.Sprintf("the server answered %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}

// Unwrap is the error of package api for the status, or nil.
func (e *Error) Unwrap() error { return api.StatusError(e.Status) }

// readError makes an Error of an answer. The key is taken out of whatever the
// other side says: it may be no infra server, and echo what it was sent.
func readError(resp *http.Response, key string) *Error {
	e := &Error{Status: resp.StatusCode}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	clean := func(text string) string { return oneLine(strings.ReplaceAll(text, key, "infra1_...")) }
	if resp.StatusCode/100 == 3 {
		e.Message = fmt.Sprintf("it redirects to %q, and redirects are not followed with an access key", clean(resp.Header.Get("Location")))
		e.Hint = "give the address at which the server itself answers"
		return e
	}
	if err := wantJSON(resp); err != nil {
		e.Message = clean(err.Error())
		e.Hint = "check the server's address, and any proxy on the way"
		return e
	}
	var f api.Failure
	// A body that cannot be read takes nothing from what the status says.
	if text, err := io.ReadAll(io.LimitReader(resp.Body, maxFailure)); err == nil && json.Unmarshal(text, &f) == nil {
		e.Message, e.Hint = clean(f.Error), clean(f.Hint)
	}
	if e.Message == "" {
		e.Message = "it does not say why"
	}
	return e
}

// oneLine makes what another program said fit for a log line or a terminal.
func oneLine(text string) string {
	const most = 1000
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	return strings.TrimSpace(text)
}
