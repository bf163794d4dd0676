package api

import "time"

// A RevisionReport is what a server says of the revisions of its repository.
type RevisionReport struct {
	Repository string    `json:"repository"`           // without credentials
	Trusted    string    `json:"trusted,omitempty"`    // the commit from which on it judges; empty: none yet
	Accepted   string    `json:"accepted,omitempty"`   // the commit that is in force; empty: none yet
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`  // since when, by the server's clock
	Tip        string    `json:"tip,omitempty"`        // of the branch, as last seen
	Refused    []Refused `json:"refused,omitempty"`    // commits after the accepted one, oldest first
	Held       string    `json:"held,omitempty"`       // why nothing newer can be accepted at all
	Hint       string    `json:"hint,omitempty"`       // what to do about that
	FetchError string    `json:"fetchError,omitempty"` // why the repository could not be read the last time
	SaveError  string    `json:"saveError,omitempty"`  // why a restart would not find what is in force; saving is tried again
}

// A Refused is one reason against one commit.
type Refused struct {
	Revision string `json:"revision"`
	Kind     string `json:"kind"` // what it takes: invalid (mend it), policy (another change), brake (acknowledge it)
	Rule     string `json:"rule"`
	Position string `json:"position,omitempty"` // path:line:column
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// Destinations is what a server knows of all destinations, sorted by name.
type Destinations struct {
	Revision     string              `json:"revision"` // that is in force
	Destinations []DestinationReport `json:"destinations"`
}

// A DestinationReport sets what a destination should have against what its
// connector last reported.
type DestinationReport struct {
	Name          string    `json:"name"`
	Desired       string    `json:"desired"`                // digest
	Enforced      string    `json:"enforced,omitempty"`     // digest; empty: nothing was reported
	EnforcedSince time.Time `json:"enforcedSince,omitzero"` // when it was first reported
	Revision      string    `json:"revision,omitempty"`     // the newest commit that the enforced digest satisfies, where known
	LastSeen      time.Time `json:"lastSeen,omitzero"`      // when a status last came
	Status        *Status   `json:"status,omitempty"`       // that one; nil: none yet
}
