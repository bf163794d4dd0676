package api

import "errors"

// What a server may answer, as errors. ErrorStatus and StatusError turn them
// into HTTP statuses and back.
var (
	ErrBadRequest   = errors.New("the server does not understand the request")
	ErrUnauthorized = errors.New("the access key is not accepted") // unknown, wrong, expired or removed
	ErrForbidden    = errors.New("the access key does not allow this")
	ErrNotFound     = errors.New("the server knows nothing of that name")
	ErrConflict     = errors.New("another cluster already uses this destination")
	ErrTooLarge     = errors.New("the request is too large")
	ErrNotReady     = errors.New("the server has no accepted revision to serve")
)

// Statuses are those of RFC 9110, section 15; package net/http is not of the core.
var statuses = []struct {
	err    error
	status int
}{
	{ErrBadRequest, 400},
	{ErrUnauthorized, 401},
	{ErrForbidden, 403},
	{ErrNotFound, 404},
	{ErrConflict, 409},
	{ErrTooLarge, 413},
	{ErrNotReady, 503},
}

// ErrorStatus is the HTTP status for an error; 500 for one that is not of this package.
func ErrorStatus(err error) int {
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return 500
}

// StatusError is the error for an HTTP status; nil for one that is not of this package.
func StatusError(status int) error {
	for _, s := range statuses {
		if s.status == status {
			return s.err
		}
	}
	return nil
}

// A Failure is the body of every answer that is not a success.
type Failure struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}
