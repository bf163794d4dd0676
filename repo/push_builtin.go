package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/storage/memory"
)

// A builtinCourier pushes without git: what the remote has is read into memory, the
// commit is made there, and its objects alone are sent. The checkout gets them
// once they have arrived.
type builtinCourier struct {
	b       *builtin
	c       *Checkout
	o       PushOptions
	config  gitConfig
	url     string // of the remote; it may hold credentials
	remote  *remote
	fetched map[string]*History // by tip

	commits *memory.Storage          // all that was made
	made    []plumbing.EncodedObject // of the last commit
	parent  *History                 // of the same; nil: none was made
}

func (b *builtin) courier(c *Checkout, o PushOptions) (courier, error) {
	config, err := b.preflight(pushHooks)
	if err != nil {
		return nil, err
	}
	if config.true("push.gpgsign") {
		return nil, b.needsGit("push.gpgSign", "pushes are to be signed")
	}
	if err := b.checkPushRemote(config, o); err != nil {
		return nil, err
	}
	k := &builtinCourier{b: b, c: c, o: o, config: config, fetched: map[string]*History{}, commits: memory.NewStorage()}
	if k.url, err = b.remoteURL(o.Remote, true); err != nil {
		return nil, err
	}
	if k.remote, err = b.reach(config, o.Remote, k.url); err != nil {
		return nil, err
	}
	return k, nil
}

// checkPushRemote refuses a new branch that goes elsewhere than where the edit is
// made: one remote alone is talked to without git.
func (b *builtin) checkPushRemote(config gitConfig, o PushOptions) error {
	switch from, to := config.address(o.Remote, false), config.address(o.Remote, true); {
	case o.NewBranch == "":
		return nil
	case o.remote(target) != o.Remote:
		return b.needsGit("a push to "+o.remote(target), "the edit is made on what "+o.Remote+" has")
	case from != to:
		return b.needsGit("a new branch where "+o.Remote+" is pushed to", "it is fetched from another address")
	}
	return nil
}

func (k *builtinCourier) list(ctx context.Context, s side) (tip string, err error) {
	err = k.known(ctx, func() error {
		tip, err = k.remote.tip(ctx, k.o.branch(s))
		return err
	})
	if errors.Is(err, ErrNotFound) && !errors.Is(err, errNoRepository) {
		return "", nil
	}
	return tip, err
}

// known does something again with a user name and a password where the host asks
// for them.
func (k *builtinCourier) known(ctx context.Context, do func() error) error {
	err := do()
	if !errors.Is(err, errAsksPassword) {
		return err
	}
	if k.remote.auth, err = k.b.ask(ctx, k.config, k.url); err != nil {
		return err
	}
	return do()
}

func (k *builtinCourier) fetch(ctx context.Context, s side) error {
	h, err := k.remote.fetchDepth(ctx, k.o.branch(s), depths[0])
	if err == nil {
		k.fetched[h.Tip().Hash] = h
	}
	return err
}

func (k *builtinCourier) history(_ context.Context, commit string) (*History, error) {
	if h := k.fetched[commit]; h != nil {
		return h, nil
	}
	if k.commits.HasEncodedObject(plumbing.NewHash(commit)) == nil {
		return newHistory(&objects{store: k.commits}, commit, nil, nil)
	}
	if !k.b.local.has(commit) {
		return nil, fmt.Errorf("reading commit %s: %w", commit, ErrNotFound)
	}
	return k.b.local.at(commit)
}

func (k *builtinCourier) commit(ctx context.Context, parent string, change Change) (string, error) {
	if len(change.Files) == 0 {
		return "", ErrUnchanged
	}
	h, err := k.history(ctx, parent)
	if err != nil {
		return "", err
	}
	files, err := h.Files(parent)
	if err != nil {
		return "", err
	}
	for _, path := range change.paths() {
		if err := checkName(path); err != nil {
			return "", err
		}
		if err := k.b.checkConversion(k.config, files, path, change.Files[path]); err != nil {
			return "", err
		}
	}
	author, committer, err := k.b.identity(k.config, time.Now())
	if err != nil {
		return "", err
	}
	on, err := h.commit(parent)
	if err != nil {
		return "", err
	}
	m := maker{objects: h.objects}
	hash, err := m.commit(on, change, author, committer)
	if err != nil {
		return "", err
	}
	k.made, k.parent = m.made, h
	for _, o := range m.made {
		if _, err := k.commits.SetEncodedObject(o); err != nil {
			return "", err
		}
	}
	return hash.String(), nil
}

func (k *builtinCourier) push(ctx context.Context, hash, expected string) error {
	var said bytes.Buffer
	var report *packp.ReportStatus
	err := k.known(ctx, func() (err error) {
		said.Reset()
		report, err = k.transfer(ctx, plumbing.NewHash(hash), "refs/heads/"+k.o.branch(target), expected, &said)
		return err
	})
	words := strings.TrimSpace(said.String())
	if err == nil {
		if words != "" && k.c.Stderr != nil {
			for line := range strings.Lines(words + "\n") {
				_, _ = io.WriteString(k.c.Stderr, "remote: "+line) // words alone: that they are lost undoes nothing
			}
		}
		return nil
	}
	if report != nil {
		for _, s := range report.CommandStatuses {
			words += "\n" + s.Status
		}
		if report.UnpackStatus != "ok" {
			words += "\nunpack: " + report.UnpackStatus
		}
	}
	return &GitError{Command: "pushing", Words: strings.TrimSpace(words), Err: explain(ctx, err)}
}

// errNoAnswer is for a push that was cut off before the remote said what became of it.
var errNoAnswer = errors.New("the remote did not say what became of the push")

// transfer sends the objects of the last commit, and asks for the ref to be moved
// from where it is expected. What the remote says meanwhile goes to said.
func (k *builtinCourier) transfer(ctx context.Context, hash plumbing.Hash, ref, expected string, said io.Writer) (*packp.ReportStatus, error) {
	s, err := k.remote.dialPush(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	adv, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, err
	}
	old := plumbing.NewHash(expected)
	if adv.References[ref] != old { // no need to send anything
		return nil, errors.New("the branch has moved")
	}
	req := packp.NewReferenceUpdateRequestFromCapabilities(adv.Capabilities)
	req.Commands = []*packp.Command{{Name: plumbing.ReferenceName(ref), Old: old, New: hash}}
	if adv.Capabilities.Supports(capability.Sideband64k) {
		if err := req.Capabilities.Set(capability.Sideband64k); err != nil {
			return nil, err
		}
	}
	req.Progress = said
	var pack bytes.Buffer
	hashes := make([]plumbing.Hash, len(k.made))
	for i, o := range k.made {
		hashes[i] = o.Hash()
	}
	if _, err := packfile.NewEncoder(&pack, k.commits, false).Encode(hashes, 0); err != nil {
		return nil, fmt.Errorf("packing the commit: %w", err)
	}
	req.Packfile = io.NopCloser(&pack)
	report, err := s.ReceivePack(ctx, req)
	if err == nil && report == nil {
		err = errNoAnswer
	}
	return report, err
}

// follow brings the commit, and what it was built on, into the checkout.
func (k *builtinCourier) follow(ctx context.Context, hash string) bool {
	up, err := k.b.upstream()
	mine := err == nil && k.o.NewBranch == "" && up.Remote == k.o.Remote && up.Branch == k.o.Branch
	if !k.bring() {
		return !mine
	}
	if k.config.last("remote."+k.o.Remote+".fetch") == "+refs/heads/*:refs/remotes/"+k.o.Remote+"/*" {
		_ = k.b.track(k.o.Remote, k.o.branch(target), hash) // the next fetch of whatever program does it
	}
	if !mine {
		return true
	}
	h, err := k.b.local.at(hash)
	if err != nil {
		return false
	}
	p, err := k.b.position()
	if err != nil || p.commit == "" {
		return false
	}
	if _, before, err := h.ancestor(h.Tip(), p.commit); err != nil || !before {
		return false // the user has commits of their own
	}
	done, err := k.b.fastForward(ctx, k.c, h, hash, k.config)
	return err == nil && done
}

// bring writes what was made, and what it was built on as far as that is not here,
// into the repository. It says false where the history that was read for it is too
// short to reach what is here.
func (k *builtinCourier) bring() bool {
	if k.parent == nil {
		return false
	}
	var missing []plumbing.EncodedObject
	if tip := k.parent.Tip().Hash; !k.b.local.has(tip) {
		var whole bool
		if missing, whole = k.b.missing(k.parent); !whole {
			return false
		}
	}
	return k.b.local.keep(append(missing, k.made...)) == nil
}

func (k *builtinCourier) close(context.Context) {}

// complete has nothing to do: a partial clone is refused.
func (k *builtinCourier) complete(context.Context, string) (bool, error) { return false, nil }
