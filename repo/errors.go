package repo

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrRewritten: the accepted commit is not an ancestor of the branch's tip:
	// force-push, unrelated history, or an older tip pushed again.
	ErrRewritten = errors.New("history was rewritten")

	// ErrShallow: a local clone was made with a limited depth and ends before
	// the commit in question, so that nobody can say how the two are related.
	ErrShallow = errors.New("the clone is shallow and its history ends too early")

	// ErrUnrelated: two commits have no ancestor in common.
	ErrUnrelated = errors.New("they have no history in common")

	// ErrNotFound: the repository has no such branch, commit or revision.
	ErrNotFound = errors.New("not found")

	// ErrNoRemote: the checkout has no remote of that name.
	ErrNoRemote = errors.New("there is no such remote")

	// ErrNotRepository: the folder is in no Git repository.
	ErrNotRepository = errors.New("not a git repository")

	// ErrNoGit: the git program is not installed.
	ErrNoGit = errors.New("git is not installed, or not in PATH")

	// ErrUnchanged: the edit would change nothing.
	ErrUnchanged = errors.New("nothing to commit")

	// ErrDirty: a file that is to be edited has changes that are not committed.
	ErrDirty = errors.New("has uncommitted changes")

	// ErrInProgress: a merge, rebase, cherry-pick or revert is not finished.
	ErrInProgress = errors.New("in progress")

	// ErrMoved: HEAD is no longer at the commit that an edit was made of.
	ErrMoved = errors.New("has moved while the edit was made")

	// ErrLocked: another process edits in the same work tree.
	ErrLocked = errors.New("another infra is at work in this checkout")

	// ErrRefused: a push was declined, and the branch is where it was.
	ErrRefused = errors.New("the push was refused")

	// ErrExists: a branch that was to be new is there already.
	ErrExists = errors.New("is there already")

	// ErrUnknownOutcome: a push was cut off, and the remote cannot be asked whether
	// it arrived.
	ErrUnknownOutcome = errors.New("nobody can say what became of the push")

	// ErrNeedsGit: the git program would do something that infra does not do
	// itself, such as run a hook or sign.
	ErrNeedsGit = errors.New("takes a git program")

	// ErrNoIdentity: nothing says who commits.
	ErrNoIdentity = errors.New("is not known")

	// ErrPath: a file name leaves the repository, or leads through a symbolic link.
	ErrPath = errors.New("cannot be written")
)

// A Refusal is an edit that was not begun, because it would have mixed with
// what the user is doing, or would not have been what git makes of it. Nothing was
// changed. It wraps one of [ErrDirty], [ErrInProgress], [ErrMoved], [ErrPath],
// [ErrNeedsGit] and [ErrNoIdentity].
type Refusal struct {
	Err    error
	What   string // what is refused: a file's path, or the operation that is in progress
	Detail string // more about it; may be empty
	Hint   string // what the user can do, as a sentence without a full stop; may be empty
}

func (r *Refusal) Error() string {
	s := r.What + " " + r.Err.Error()
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	return s
}

func (r *Refusal) Unwrap() error { return r.Err }

// A GitError is a git command that ended with an error.
type GitError struct {
	Command string // such as "git commit"
	Words   string // what git and its hooks wrote, trimmed; may be empty
	Err     error  // how it ended: an *exec.ExitError, or the context's error
}

func (e *GitError) Error() string {
	if e.Words == "" {
		return fmt.Sprintf("%s: %v", e.Command, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Command, strings.TrimPrefix(e.Words, "fatal: "))
}

func (e *GitError) Unwrap() error { return e.Err }
