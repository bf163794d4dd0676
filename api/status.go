package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// A Status is what a connector reports of its cluster. "Enforced" promises
// exactly this: at ObservedAt, infra's bindings in the cluster were equal to
// the desired state with that digest, but for what is held.
type Status struct {
	Version     int       `json:"version"`
	Destination string    `json:"destination"`
	ClusterUID  string    `json:"clusterUID"` // the UID of the namespace kube-system
	Connector   string    `json:"connector"`  // version of the program
	Mode        Mode      `json:"mode"`
	Desired     string    `json:"desired"`            // digest of the newest desired state that was received
	Enforced    string    `json:"enforced,omitempty"` // digest that the cluster equals; empty: none yet
	ObservedAt  time.Time `json:"observedAt"`
	Bindings    int       `json:"bindings"` // how many objects are infra's
	Pending     int       `json:"pending"`  // changes that are planned and not made: observing, or failing
	Drift       int64     `json:"drift"`    // changes by others that were repaired, since the connector started
	Held        []Held    `json:"held,omitempty"`
	Foreign     []Foreign `json:"foreign,omitempty"`
	Roles       []string  `json:"roles,omitempty"` // labelled ClusterRoles that can be granted
}

// A Held is a part of the desired state that the cluster does not have, and why.
type Held struct {
	Role      string `json:"role"`
	Namespace string `json:"namespace,omitempty"` // empty: the whole cluster
	Subjects  int    `json:"subjects"`            // how many entries it holds up
	Reason    string `json:"reason"`
}

// A Foreign is a binding that somebody else made and that names people to whom
// infra granted something. It is listed, never touched.
type Foreign struct {
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name"`
	Role      string   `json:"role"` // "ClusterRole/admin"
	Subjects  []string `json:"subjects"`
}

// ErrBadStatus is what every refusal of a status is.
var ErrBadStatus = errors.New("this is not a status that can be kept")

// Check refuses a status of another version or destination, and one that lacks
// what every status says.
func (s Status) Check(destination string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrBadStatus, fmt.Sprintf(format, args...))
	}
	switch {
	case s.Version != Version:
		return bad("it has version %d, this server knows %d", s.Version, Version)
	case s.Destination != destination:
		return bad("it is for destination %q, not %q", s.Destination, destination)
	case s.ClusterUID == "":
		return bad("it does not say which cluster it is about")
	case s.Mode != Enforce && s.Mode != Observe && s.Mode != Suspend:
		return bad("mode %q is not known", s.Mode)
	case s.ObservedAt.IsZero():
		return bad("it does not say when it was observed")
	case s.Bindings < 0 || s.Pending < 0 || s.Drift < 0:
		return bad("it counts below zero")
	case !isDigest(s.Desired) && s.Desired != "" || !isDigest(s.Enforced) && s.Enforced != "":
		return bad("a digest in it is none")
	}
	return nil
}

func isDigest(text string) bool {
	sum, ok := strings.CutPrefix(text, "sha256:")
	raw, err := hex.DecodeString(sum)
	return ok && err == nil && len(raw) == sha256.Size
}

// DecodeStatus reads the status of a destination and checks it. An unknown
// field, text after the end, or anything that Check refuses is ErrBadStatus; an
// error of the reader is returned as it is.
func DecodeStatus(r io.Reader, destination string) (Status, error) {
	s, err := decode[Status](r, "the status", ErrBadStatus)
	if err != nil {
		return Status{}, err
	}
	return s, s.Check(destination)
}
