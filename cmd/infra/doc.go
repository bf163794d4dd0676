// Command infra keeps Kubernetes access in Git: it edits an access repository,
// checks it, serves it, and keeps clusters equal to it.
//
// This package decides nothing. What the files say is package schema's to know,
// what they mean is access's, whether a change may be is policy's, how it is
// committed is repo's. Here is what a person touches: arguments, output and exit
// codes.
//
// # The rules of the interface
//
// A command is a noun and a verb: `infra grants add`. It has a file of its own
// here, and a script in testdata that runs the real program and the real git.
//
// Where the access repository is: -C or --repo, else the environment's
// INFRA_REPO, else the nearest folder above the current one that has an
// infra.yaml.
//
// Data goes to stdout and words go to stderr, so that a pipe gets what it can
// use. With -q there are no words but errors. Lists come as a table, or as -o
// wide, json, yaml, name, jsonpath= and custom-columns=, sorted, with field names
// that stay (docs/output.md): a new field may come, none changes its meaning. What -o name prints, the command that removes
// the thing takes as its arguments.
//
// An error is a fact on one line, then `hint:` and the remedy; the command in a
// hint can be pasted. Errors in files are `path:line:column: message`, all of
// them at once, with paths as seen from the folder of infra.yaml. Colour is for
// terminals, and never where NO_COLOR is set.
//
// A command that edits does all of it or nothing. It reads the repository and
// refuses one that is invalid; makes the edit in memory; reads what would
// result, and refuses what would bring in an error, a warning, or what the
// policy in force does not allow; and commits that edit alone, with the user's
// own git, on the current branch. What a brake would hold it refuses too, unless
// --acknowledge says in the same commit that it is meant. With --push, --branch or
// `changes: push` the repository that it reads is the remote branch's tip, and all
// of this is done again where somebody else pushes first. --dry-run stops before
// the first byte is written, --no-commit before the commit. To ask for what is so
// already is no error; to remove what is not there is one, unless --force.
//
// Exit codes: 0 done, 1 failed, 2 differences found where --exit-code asks,
// 3 the repository is invalid, 4 a policy refuses, 5 a brake holds the change
// until it is acknowledged.
//
// A secret is printed once, on stdout, and only after the commit that makes it
// good; it is never an argument.
package main
