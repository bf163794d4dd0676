// Package api is what crosses the wire between a server and its connectors:
// the desired state of one destination, the status that comes back, their
// version, digest and errors. Server and connector meet nowhere else, and no
// YAML reaches a cluster.
//
// A desired state says everything that one cluster needs and nothing more. It
// is flat, sorted, and sealed with a digest over all of it, so that an answer
// that was cut off, emptied or meant for another cluster is never mistaken for
// a smaller one. It names no revision and no position: it changes only when
// access does.
package api

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Version is the version of the wire format that this package speaks.
const Version = 1

// A DesiredState is the access that one destination is to give. Make one with
// Seal and read one with DecodeState; both leave a value that Check accepts.
type DesiredState struct {
	Version     int      `json:"version"`
	Destination string   `json:"destination"`
	Formerly    []string `json:"formerly,omitempty"` // former names, whose bindings are adopted; sorted
	Mode        Mode     `json:"mode"`
	Empty       bool     `json:"empty,omitempty"` // said, never inferred: there is no entry, and that is meant
	Entries     []Entry  `json:"entries,omitempty"`
	Digest      string   `json:"digest"` // "sha256:" and hex, over all of the above
}

// Mode is what a connector does with a desired state.
type Mode string

// The modes.
const (
	Enforce Mode = "enforce" // keep the cluster equal to it
	Observe Mode = "observe" // report what would change, change nothing
	Suspend Mode = "suspend" // touch nothing and compare nothing
)

// An Entry gives one RBAC subject one role at one place.
type Entry struct {
	Kind      Kind      `json:"kind"`
	Name      string    `json:"name"`                // as the cluster's authenticator says it: prefixes are applied
	Role      string    `json:"role"`                // as granted: one of the seven, or a labelled ClusterRole's name
	Namespace string    `json:"namespace,omitempty"` // empty: the whole cluster; may be a pattern with *
	Expires   time.Time `json:"expires,omitzero"`    // UTC; zero: never. What has expired is still listed
}

// Kind is the kind of an RBAC subject: rbac.authorization.k8s.io/v1 Subject.
type Kind string

// The kinds that infra binds.
const (
	User  Kind = "User"
	Group Kind = "Group"
)

// Compare orders entries by place, role, kind and name; the expiry does not count.
func (e Entry) Compare(o Entry) int {
	return cmp.Or(cmp.Compare(e.Namespace, o.Namespace), cmp.Compare(e.Role, o.Role),
		cmp.Compare(e.Kind, o.Kind), cmp.Compare(e.Name, o.Name))
}

// Expired says whether the entry has ended at the given instant.
func (e Entry) Expired(now time.Time) bool {
	return !e.Expires.IsZero() && !now.Before(e.Expires)
}

// Seal sorts d, joins entries that differ in nothing but their expiry (the
// later one counts), and sets version, mode where it is not set, Empty and the
// digest.
func Seal(d DesiredState) DesiredState {
	d.Version = Version
	d.Mode = cmp.Or(d.Mode, Enforce)
	d.Formerly = slices.Compact(slices.Sorted(slices.Values(d.Formerly)))
	entries := slices.Clone(d.Entries)
	for i := range entries {
		entries[i].Expires = entries[i].Expires.UTC()
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.Compare(b), compareExpiry(b.Expires, a.Expires)) // the latest first, which Compact keeps
	})
	d.Entries = slices.CompactFunc(entries, func(a, b Entry) bool { return a.Compare(b) == 0 })
	d.Empty = len(d.Entries) == 0
	d.Digest = d.digest()
	return d
}

// compareExpiry orders instants, with zero, which is never, as the last.
func compareExpiry(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

func (d DesiredState) digest() string {
	d.Digest = ""
	text, err := json.Marshal(d)
	if err != nil { // a year past 9999: schema refuses it, Check catches it
		return ""
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ErrBadState is what every refusal of a desired state is.
var ErrBadState = errors.New("the answer is not a desired state that can be trusted")

// Check refuses a desired state of another version or destination, one whose
// digest does not fit, and one that is out of order or empty without saying so.
func (d DesiredState) Check(destination string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrBadState, fmt.Sprintf(format, args...))
	}
	switch {
	case d.Version != Version:
		return bad("it has version %d, this connector knows %d", d.Version, Version)
	case d.Destination != destination:
		return bad("it is for destination %q, not %q", d.Destination, destination)
	case d.Mode != Enforce && d.Mode != Observe && d.Mode != Suspend:
		return bad("mode %q is not known", d.Mode)
	case d.Empty != (len(d.Entries) == 0):
		return bad("it has %d entries and says empty: %t", len(d.Entries), d.Empty)
	case d.Digest == "" || d.Digest != d.digest():
		return bad("its digest does not fit what it says")
	}
	for i, e := range d.Entries {
		switch {
		case e.Kind != User && e.Kind != Group || e.Name == "" || e.Role == "":
			return bad("entry %d is not complete", i)
		case i > 0 && d.Entries[i-1].Compare(e) >= 0:
			return bad("entry %d is out of order", i)
		}
	}
	return nil
}

// DecodeState reads a desired state for a destination and checks it. An unknown
// field, text after the end, or anything that Check refuses is ErrBadState; an
// error of the reader is returned as it is.
func DecodeState(r io.Reader, destination string) (DesiredState, error) {
	d, err := decode[DesiredState](r, "the desired state", ErrBadState)
	if err != nil {
		return DesiredState{}, err
	}
	return d, d.Check(destination)
}
