package api

import "time"

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
