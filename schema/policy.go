package schema

import "time"

// A PolicyRule is one rule of `policy:` in infra.yaml: what no change may bring
// in. Exactly one of Deny, Require, Protect, Limit, Separate, Declared, Local and
// Keys is set, and says of what kind it is.
type PolicyRule struct {
	Name    string // a DNS-1123 label, unique in the file
	Message string // the sentence that a refusal shows, on one line

	Deny     *Deny
	Require  *Require
	Protect  *Protect
	Limit    *Limit
	Separate []Selector     // at least two: nobody is in more than one of them
	Declared []DeclaredKind // what must be declared before it is used
	Local    []string       // patterns of destinations on which only groups of groups/<destination>/ are granted
	Keys     *KeyRule

	Cases []Case // tests of this rule, in order
	Pos   Pos
}

// A Selector picks access. What it does not say is not asked for, and all that it
// says is: the zero value picks all access to clusters. Patterns have `*` and
// nothing else; unlike in a grant they mean kube-* namespaces too, but in an
// exception they do not.
//
// Access to the server itself, InfraDestination, is picked only where
// Destinations has that very name.
type Selector struct {
	Roles        []string // patterns
	Destinations []string // patterns
	Namespaces   []string // patterns
	Scope        Scope
	Users        []string // patterns of people; not of those in a group that groups/ does not declare
	Groups       []string // patterns of groups: granted something, or on the way to a person
	Undeclared   bool     // only groups that groups/ does not declare
}

// Scope tells grants on a whole destination from those on namespaces of it.
type Scope string

// The values of `scope:` in a policy. The zero value asks for neither.
const (
	ScopeCluster   Scope = "cluster"
	ScopeNamespace Scope = "namespace"
)

// Deny refuses access that Selector picks and Unless does not.
//
// A role stands for every role that contains it, and a namespace for every grant
// that reaches it: to deny edit in payments is to deny admin on the whole
// destination too. Unless is the other way round: it excepts only what lies in it
// as a whole, by the very name of the role.
type Deny struct {
	Selector
	Unless *Selector // nil: no exception
}

// Require asks something of all access that Selector picks by the very names of
// roles, and Unless does not.
type Require struct {
	Selector
	Unless *Selector
	Expiry time.Duration // it ends, and not later than so long after the commit; zero: not asked
	Reason string        // a regular expression (RE2) that is found in the reason; empty: not asked
	Group  bool          // it is a group's, not a person's own
}

// Protect says that a grant stays: somebody must hold it, and where it is a
// group's, through that group.
type Protect struct {
	Subject Subject
	Role    string
	Target  Target
}

// Limit bounds how many people hold what Selector picks, on each destination. A
// role stands for every role that contains it. A group whose members nobody here
// knows cannot be counted, and is refused where AtMost is set.
type Limit struct {
	Selector
	AtMost  *int // nil: not asked
	AtLeast int  // zero: not asked
}

// DeclaredKind is a kind of name that a policy wants declared.
type DeclaredKind string

// The values of `declared:` in a policy.
const (
	DeclaredUsers        DeclaredKind = "users"        // in users/
	DeclaredGroups       DeclaredKind = "groups"       // in groups/
	DeclaredDestinations DeclaredKind = "destinations" // in destinations/
	DeclaredRoles        DeclaredKind = "roles"        // in the roles of the destination, unless built in
)

// KeyRule is asked of every access key.
type KeyRule struct {
	Bound    bool          // a connector's key is bound to a destination
	Lifetime time.Duration // it ends, and not later than so long after it was created; zero: not asked
}

// A Case is a test of a rule: what would become of a change that does this, to
// the repository as it is. Exactly one of Grant, Remove and Key is set.
type Case struct {
	Grant   *Grant        // is added
	Remove  *Grant        // is taken away: subject, role and target
	Key     *Key          // is added
	Expires time.Duration // of what is added, from now; zero: never
	Refused bool          // what is wanted
	Pos     Pos
}

// Brakes say when a change that takes access from many people is held until it
// is acknowledged. The zero value is DefaultBrake everywhere.
type Brakes struct {
	Default      *Brake             // nil: DefaultBrake
	Destinations []DestinationBrake // the first that matches counts
	Pos          Pos
}

// A Brake holds a change where at least People people lose access to a
// destination and they are more than Percent per cent of those who had any. A
// Percent of 100 holds nothing.
type Brake struct {
	People  int
	Percent int
}

// DefaultBrake holds where infra.yaml says nothing.
var DefaultBrake = Brake{People: 10, Percent: 25}

// A DestinationBrake is the brake of the destinations that a pattern matches.
type DestinationBrake struct {
	Name string // a destination, or a pattern
	Brake
	Pos Pos
}

// Of is the brake of a destination.
func (b Brakes) Of(destination string) Brake {
	for _, d := range b.Destinations {
		if MatchDestination(d.Name, destination) {
			return d.Brake
		}
	}
	if b.Default != nil {
		return *b.Default
	}
	return DefaultBrake
}

// A DeclaredUser is a person in users/*.yaml.
type DeclaredUser struct {
	Name        string
	DisplayName string // may be empty
	Pos         Pos
}
