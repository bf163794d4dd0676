package access

import (
	"time"

	"github.com/infrahq/infra/schema"
)

// A Change is one difference between two tables, in words of access: somebody
// gains, loses or keeps something for longer or shorter; or something else of
// the repository changes that a reviewer should hear of. Every change is
// complete in itself: what is rendered needs nothing but the changes.
//
// Slices may be shared between changes: do not change them.
type Change struct {
	Kind   Kind
	Danger Danger     // of what is gained or lost; what else changes has the danger that it brings
	Pos    schema.Pos // the line that causes it: a grant, a membership or a revocation; of the old files where InOld
	InOld  bool

	// Of Gained, Lost, Extended and Shortened.
	Subject      schema.Subject // a person, or a group of the identity provider
	Role         string
	Target       schema.Target // of a renamed destination under its new name
	Destinations []string      // that Target means and whose access changes by this; with a pattern the known ones, perhaps none
	Expires      time.Time     // of Lost the end that it would have had
	Before       time.Time     // the end before, of Extended and Shortened; zero: never
	Reasons      []Reason      // of the new table, of Lost those of the old; the one that counts comes first
	Others       []Row         // what overlaps with it, most relevant first. Gained, Extended: what they had of it; Lost, Shortened: what they keep
	Powers       []Power       // what makes the role dangerous there, most dangerous first
	Group        string        // whose people that line reaches: it is granted something, or got into another group; empty: the line is about the subject alone
	GroupSize    int           // people in Group
	Outlives     string        // how it can outlive its removal; empty: not known to

	// Of all others. A key has Expires too, RoleChanged has Role, Powers and
	// Outlives, and what is of a destination, or bound to one, has Destinations.
	Name   string  // of the key, destination, role, rule, setting or group
	Fields []Field // what is different about it
	People int     // how many people and groups of the identity provider it reaches, where that is known
}

// A Field is a part of a thing, before and after a change, in words.
type Field struct {
	Name          string
	Before, After string // empty: not there
}

// Kind says what a change is.
type Kind string

// The kinds of change. The first four are of people's access, and are what
// Table.Rows says; the others are of what the files say beside that.
const (
	Gained    Kind = "gains"
	Lost      Kind = "loses"
	Extended  Kind = "extended"  // the same access ends later
	Shortened Kind = "shortened" // the same access ends earlier

	KeyAdded           Kind = "key added"
	KeyRemoved         Kind = "key removed"
	KeyChanged         Kind = "key changed"
	DestinationAdded   Kind = "destination added"
	DestinationRemoved Kind = "destination removed"
	DestinationChanged Kind = "destination changed"
	RoleChanged        Kind = "role changed" // what a custom role of a destination allows
	RevocationAdded    Kind = "revocation added"
	RevocationRemoved  Kind = "revocation removed"
	RuleAdded          Kind = "policy rule added"
	RuleRemoved        Kind = "policy rule removed"
	RuleChanged        Kind = "policy rule changed"
	BrakesChanged      Kind = "brakes changed"
	SettingChanged     Kind = "setting changed"
	Acknowledged       Kind = "acknowledgement"
	UsersChanged       Kind = "declared users changed" // one change for all of them
)

// OfAccess says whether a change of this kind is one of people's access.
func (k Kind) OfAccess() bool {
	return k == Gained || k == Lost || k == Extended || k == Shortened
}

// Danger orders changes: how bad it would be if this were a mistake.
type Danger int

// The dangers, least first.
const (
	Ordinary     Danger = iota
	ReadsSecrets        // reads secrets of a namespace
	Executes            // runs commands in containers of a namespace
	Unknown             // a role of which nobody here knows what it allows: it may be anything
	Administers         // may give access in a namespace, or use the server's API as admin
	EqualsAdmin         // equal to cluster-admin: over the whole cluster, or over a kube-* namespace
	ClusterAdmin        // cluster-admin
)

// Power is something that a role allows and that a reviewer should hear of.
type Power string

// The powers. Of a custom role they follow from its rules, where the repository
// has them.
const (
	PowerEverything   Power = "everything"                // verbs * on resources *
	PowerEscalate     Power = "escalate"                  // roles it does not have itself
	PowerBind         Power = "bind"                      // roles to anybody
	PowerImpersonate  Power = "impersonate"               // other people
	PowerActAs        Power = "acts as service accounts"  // impersonates them
	PowerNodesProxy   Power = "nodes/proxy"               // the kubelet's API, past admission and audit
	PowerBindings     Power = "writes role bindings"      // gives what it has itself to others
	PowerMintTokens   Power = "mints tokens"              // of service accounts
	PowerExec         Power = "runs commands in pods"     // pods/exec, or creating pods
	PowerSecrets      Power = "reads secrets"             //
	PowerAdmission    Power = "changes every request"     // writes what the API server asks before it writes
	PowerCertificates Power = "signs certificates"        // that say who somebody is
	PowerVolumes      Power = "mounts nodes' files"       // makes persistent volumes
	PowerUnknownRules Power = "what it allows is unknown" // a custom role without rules in the repository
)
