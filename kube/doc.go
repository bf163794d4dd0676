// Package kube is what Kubernetes itself says, as far as it can be said without
// a cluster: which resources it has, what its own roles allow, and whether the
// rules of a role allow a request.
//
// The tables are those of a real API server of [Version] on which the chart is
// installed: kube.json is written by a test of test/kube, which compares it every
// time. What a cluster has beside that is not in them: resources of its own, and
// what other roles add to admin, edit and view by aggregation.
//
// Nothing here does I/O; all values are immutable and may be shared.
package kube

import (
	_ "embed"
	"encoding/json"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Version is the Kubernetes of the tables.
const Version = "1.37"

// Tables are what kube.json holds.
type Tables struct {
	Version   string                         `json:"version"`
	Roles     map[string][]rbacv1.PolicyRule `json:"roles"`     // by the names that grants use
	Everyone  map[string][]rbacv1.PolicyRule `json:"everyone"`  // roles that every authenticated user has
	Resources []Resource                     `json:"resources"` // by group and name
}

// A Resource is one that the API server has.
type Resource struct {
	Group      string   `json:"group,omitempty"`
	Name       string   `json:"name"` // with the subresource: pods, pods/log
	Singular   string   `json:"singular,omitempty"`
	Short      []string `json:"short,omitempty"`
	Namespaced bool     `json:"namespaced,omitempty"`
}

//go:embed kube.json
var embedded []byte

// tables are read when they are first asked for: most commands never do.
var tables = sync.OnceValue(func() Tables {
	var t Tables
	if err := json.Unmarshal(embedded, &t); err != nil {
		panic("kube.json: " + err.Error()) // it is part of the program
	}
	return t
})

// Embedded are the tables, for the test that compares them with an API server.
func Embedded() Tables { return tables() }
