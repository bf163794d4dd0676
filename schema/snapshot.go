package schema

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Snapshot is everything that the files of one revision say. It is immutable:
// whoever holds one may share it between goroutines. Lists are in the order of
// file names (bytewise) and of lines within a file.
type Snapshot struct {
	Settings         Settings
	Users            []DeclaredUser
	Grants           []Grant
	Groups           []Group
	Keys             []Key
	Destinations     []Destination
	Acknowledgements []Acknowledgement
	Revoked          Revoked
}

// Knows says whether the snapshot has a person or group of this name: granted
// something, declared, a member, or the user of a key.
func (s *Snapshot) Knows(subject Subject) bool {
	for _, g := range s.Grants {
		if g.Subject == subject {
			return true
		}
	}
	for _, k := range s.Keys {
		if subject.Kind == User && k.User == subject.Name {
			return true
		}
	}
	if subject.Kind == User && slices.ContainsFunc(s.Users, func(u DeclaredUser) bool { return u.Name == subject.Name }) {
		return true
	}
	for _, g := range s.Groups {
		members := g.Users
		if subject.Kind == GroupKind {
			members = g.Groups
			if g.Name == subject.Name {
				return true
			}
		}
		if slices.ContainsFunc(members, func(m Member) bool { return m.Name == subject.Name }) {
			return true
		}
	}
	return false
}

// Settings are what infra.yaml says.
type Settings struct {
	Version int        // of the format; this package reads 1
	Changes ChangeMode // the zero value reads as ChangeCommit
	Policy  []PolicyRule
	Brakes  Brakes
	Pos     Pos // of infra.yaml
}

// ChangeMode is what an edit by the command line does by default.
type ChangeMode string

// The values of `changes:` in infra.yaml.
const (
	ChangeCommit      ChangeMode = "commit"       // commit on the current branch
	ChangePush        ChangeMode = "push"         // and push it
	ChangePullRequest ChangeMode = "pull-request" // commit on a new branch and push that
)

// A Grant gives a subject a role on a target. It is identified by these three;
// the same three with another expiry or reason are a change of the grant.
type Grant struct {
	Subject Subject
	Role    string
	Target  Target
	Expires time.Time // the instant at which it ends, in UTC; zero: never
	Reason  string    // free text on one line; may be empty
	Pos     Pos       // of the list item's first key
}

// SubjectKind tells people from groups.
type SubjectKind string

// The kinds of subject, spelt as the keys of a grant and as RBAC kinds in lower case.
const (
	User      SubjectKind = "user"
	GroupKind SubjectKind = "group"
)

// A Subject is a person, or a group: a declared one, or one that only the
// identity provider knows.
type Subject struct {
	Kind SubjectKind
	Name string
}

// String gives the name of a person, and `group "name"` for a group.
func (s Subject) String() string {
	if s.Kind == GroupKind {
		return fmt.Sprintf("group %q", s.Name)
	}
	return s.Name
}

// Compare orders subjects by kind, groups first, then by name.
func (s Subject) Compare(o Subject) int {
	return cmp.Or(cmp.Compare(s.Kind, o.Kind), cmp.Compare(s.Name, o.Name))
}

// A Target is where a grant holds: a destination, or one namespace of it.
// Either may be a pattern with `*`; ParseTarget makes one from text.
type Target struct {
	Destination string // a DNS-1123 label, or a pattern
	Namespace   string // empty: the whole destination; else a DNS-1123 label, or a pattern
}

// String is the text that ParseTarget reads: `cluster` or `cluster.namespace`.
func (t Target) String() string {
	if t.Namespace == "" {
		return t.Destination
	}
	return t.Destination + "." + t.Namespace
}

// Compare orders targets by destination, the whole destination before its namespaces.
func (t Target) Compare(o Target) int {
	return cmp.Or(cmp.Compare(t.Destination, o.Destination), cmp.Compare(t.Namespace, o.Namespace))
}

// A Group is a declared group: it is its members, and nothing else.
type Group struct {
	Name        string
	Users       []Member
	Groups      []Member // nested; a name that no file declares is the identity provider's group
	Destination string   // where it may be granted, from its folder; empty: everywhere
	Pos         Pos
}

// A Member is a name in a group's list, with the place that says so.
type Member struct {
	Name string
	Pos  Pos
}

// A Key is an access key as the repository knows it: never the secret.
type Key struct {
	Name        string
	User        string // ConnectorUser, or a person
	ID          string // the public part of the key
	Hash        string // "sha256:" and hex, of the secret part; see package auth
	Destination string // empty: not bound to one
	Created     time.Time
	Expires     time.Time // zero: never
	Pos         Pos
}

// ConnectorUser is the user of a key with which a connector reports for duty.
const ConnectorUser = "connector"

// InfraDestination is the reserved destination: grants on it say who may use
// the server's own API.
const InfraDestination = "infra"

// A Destination is what the repository says of one cluster. A destination
// needs no such entry: grants on a name are enough.
type Destination struct {
	Name     string
	Labels   map[string]string
	Mode     Mode
	Formerly []string // former names, whose bindings are adopted
	Subjects SubjectNames
	Roles    []Role // labelled ClusterRoles that may be granted; nil: not listed, any may
	Pos      Pos
}

// Mode is what a connector does with the desired state.
type Mode string

// The modes of a destination; ModeEnforce where nothing is said.
const (
	ModeEnforce Mode = "enforce" // keep the cluster equal to it
	ModeObserve Mode = "observe" // report what would change
	ModeSuspend Mode = "suspend" // touch nothing and compare nothing
)

// SubjectNames turn the repository's names into those that a cluster's
// authenticator says: they are put in front of every name.
type SubjectNames struct {
	UserPrefix  string
	GroupPrefix string
}

// A Role is a ClusterRole of a destination that carries the label
// app.infrahq.com/include-role=true, with its rules where they are known.
type Role struct {
	Name  string
	Rules []Rule // nil: unknown
	Pos   Pos
}

// A Rule is a rule of RBAC: rbac.authorization.k8s.io/v1 PolicyRule.
type Rule struct {
	APIGroups       []string
	Resources       []string
	Verbs           []string
	ResourceNames   []string
	NonResourceURLs []string
}

// An Acknowledgement says that a large removal is meant. It counts once: in the
// commit that brings it in.
type Acknowledgement struct {
	Destination string
	Removals    int // at most so many people lose access
	Reason      string
	Pos         Pos
}

// Revoked is what revoked.yaml says: who and what has nothing, whatever else is
// said. The zero value revokes nothing.
type Revoked struct {
	Revocations []Revocation
}

// A Revocation names a person, a group or a key's id; exactly one of them.
type Revocation struct {
	User   string
	Group  string
	Key    string
	Reason string
	Pos    Pos
}

// Subject says whether a person or group is revoked.
func (r Revoked) Subject(s Subject) bool {
	for _, v := range r.Revocations {
		if s.Kind == User && v.User == s.Name || s.Kind == GroupKind && v.Group == s.Name {
			return true
		}
	}
	return false
}

// Key says whether the key with this id is revoked.
func (r Revoked) Key(id string) bool {
	for _, v := range r.Revocations {
		if v.Key != "" && v.Key == id {
			return true
		}
	}
	return false
}

// Union is everything that either of two revokes.
func (r Revoked) Union(o Revoked) Revoked {
	return Revoked{Revocations: append(append([]Revocation(nil), r.Revocations...), o.Revocations...)}
}
