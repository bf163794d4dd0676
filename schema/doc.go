// Package schema reads, checks and edits the files of an access repository.
//
// infra.yaml marks the root. Below it, what a file may say follows from where
// it lies, so that whoever owns a path owns what it can give:
//
//	infra.yaml                    version, settings, policy and brakes
//	grants/<destination>.yaml     grants on that destination (or grants/<destination>/**/*.yaml)
//	grants/_shared.yaml           grants whose destination is a pattern
//	groups/*.yaml                 groups with their members
//	groups/<destination>/*.yaml   groups that may be granted on that destination only
//	users/*.yaml                  optional: people who are declared
//	keys/<name>.yaml              one access key: its identifier and a hash
//	destinations/<name>.yaml      optional: labels, roles, subject names, mode, former names
//	acknowledgements/*.yaml       "yes, this large removal is meant"
//	revoked.yaml                  who and what has nothing, whatever else is said
//
// Other files may lie beside these (README.md, CODEOWNERS) and are not read.
// An unknown *.yaml in these folders is an error: nobody should believe that it
// counts.
//
// Load turns the files of one revision into a Snapshot, or into Problems: all of
// them at once, each with its place and the nearest right spelling. It is strict
// where YAML guesses: duplicate keys, aliases, tags, merge keys, a second
// document, a number where a name is meant. LoadRevoked reads revoked.yaml alone,
// which counts even where the rest is refused.
//
// Policy and brakes are read here and judged by package policy: this one only
// sees to it that each rule says one thing, and something.
//
// Edits (AddGrant, AddGrants, RemoveGrant, AddKey, RemoveKey, RotateKey, Revoke, Unrevoke,
// Acknowledge and those of groups, users and destinations) work on the text: every
// byte that they do not mean to change stays, comments, order, quoting and line ends
// too, and what they add looks like its neighbours; testdata/people has examples. An
// Edit says which files change; whoever asked for it writes them. Each is read again
// before it is returned, and refused where it would say anything but what was asked
// for.
//
// JSONSchema gives editors the form of each kind of file, with a sentence for
// every key.
//
// The package takes files as an fs.FS and the time as an argument. Its values
// are safe to share between goroutines.
//
// Merge puts together what two branches made of one file, by what it says.
package schema
