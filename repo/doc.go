// Package repo reads and writes Git repositories. It knows commits, files and
// branches; what the files mean is other packages' business.
//
// There are two sides, because a server and a person need different things.
//
// A [Source] is read: the server and reviews follow a branch of a repository
// that may be a folder or behind an https URL. No git program is needed and
// nothing is checked out:
//
//	src, err := repo.Open("https://git.example.com/access", repo.Options{})
//	history, err := src.Fetch(ctx, "main", accepted)
//	path, err := history.Since(accepted, history.Tip().Hash)
//	for _, c := range path.Commits {
//		files, err := history.Files(c.Hash) // an fs.FS
//	}
//
// Every fetch of a remote repository is a fresh and shallow one into memory.
// That is as quick as keeping a clone (a few hundred milliseconds for ten
// thousand files), and a clone that is kept can go stale without a word, grow
// with each fetch, or stay broken after a crash.
//
// A [Checkout] is where a person works. Edits are committed there with the
// system's git, so that their identity, signing key, hooks and line endings
// count, and never with anything of theirs that is staged or half done.
// [Checkout.Push] makes an edit on the tip of a remote branch instead, and again
// where somebody else was quicker, since the same edit means the same there, while
// a merge of two texts may mean neither.
//
// # Rewritten history
//
// A branch is trusted to grow. [History.Since] says which commits came after
// one that was accepted, and returns [ErrRewritten] where the branch no longer
// contains it, as after a force-push. What to do then is for a person to decide.
package repo
