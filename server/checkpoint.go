package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

const (
	checkpointFile = "checkpoint.json"
	statusesFile   = "statuses.json"
	lockFile       = "lock"

	maxClusters = 10_000 // destinations that clusters may take: a stolen key must not fill the disk
	maxDigests  = 32     // of a destination, whose newest revision is remembered
)

// A checkpoint is what must outlive a restart, lest access be widened by one.
type checkpoint struct {
	Version    int               `json:"version"`
	Repository string            `json:"repository"`
	Trusted    string            `json:"trusted,omitempty"`
	Accepted   string            `json:"accepted,omitempty"`
	Path       string            `json:"path,omitempty"`      // of the folder of infra.yaml
	Files      string            `json:"files,omitempty"`     // digest of what is kept of the accepted revision; empty: nothing is
	At         time.Time         `json:"at,omitzero"`         // of the accepted revision, as policy counts it
	AcceptedAt time.Time         `json:"acceptedAt,omitzero"` // by the server's clock
	Revoked    []revocation      `json:"revoked,omitempty"`   // by the newest tip that could be read
	Clusters   map[string]string `json:"clusters,omitempty"`  // destination -> UID of the cluster that has the name
}

type revocation struct {
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
	Key   string `json:"key,omitempty"`
}

func (c checkpoint) revocations() schema.Revoked {
	var r schema.Revoked
	for _, v := range c.Revoked {
		r.Revocations = append(r.Revocations, schema.Revocation{User: v.User, Group: v.Group, Key: v.Key})
	}
	return r
}

// A reported is what a connector said, and when.
type reported struct {
	Status        api.Status        `json:"status"`
	LastSeen      time.Time         `json:"lastSeen"`
	EnforcedSince time.Time         `json:"enforcedSince,omitzero"`
	Satisfied     []digestSatisfied `json:"satisfied,omitempty"` // oldest first
}

// A digestSatisfied is an earlier digest with the newest revision that it fits.
type digestSatisfied struct {
	Digest   string `json:"digest"`
	Revision string `json:"revision"`
}

// records are what the server keeps in its data directory. They are safe for
// concurrent use.
type records struct {
	dir string

	mu    sync.Mutex // also held while the checkpoint is written: it is small
	kept  checkpoint
	seen  map[string]reported // by destination
	dirty bool                // seen is newer than its file
}

// openRecords reads the data directory, and locks it until release is called.
func openRecords(dir, repository string) (r *records, release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the data directory: %w", err)
	}
	lock, err := lockExclusively(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, nil, fmt.Errorf("locking the data directory %s, which another server may be using: %w", dir, err)
	}
	release = func() { _ = unlock(lock) } // the end of the process does it too
	r = &records{dir: dir, seen: map[string]reported{}}
	err = errors.Join(readJSON(filepath.Join(dir, checkpointFile), &r.kept), readJSON(filepath.Join(dir, statusesFile), &r.seen))
	switch {
	case err != nil:
	case r.kept.Version > 1:
		err = fmt.Errorf("the data directory %s is of a newer infra", dir)
	case r.kept.Repository != "" && r.kept.Repository != repository:
		err = fmt.Errorf("the data directory %s is of the repository %s, not %s: give each its own", dir, r.kept.Repository, repository)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	r.kept.Version, r.kept.Repository = 1, repository
	if r.kept.Clusters == nil {
		r.kept.Clusters = map[string]string{}
	}
	if r.seen == nil {
		r.seen = map[string]reported{}
	}
	return r, release, nil
}

func (r *records) checkpoint() checkpoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

// An acceptance is what is kept of the revision that is in force.
type acceptance struct {
	trusted  string
	accepted policy.Revision
	since    time.Time
	path     string
	packed   []byte         // its files; nil: they could not be had
	revoked  schema.Revoked // in addition
}

// accept keeps which revision is in force, and what is revoked in addition. After
// an error the files say what they said before.
func (r *records) accept(a acceptance) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, err := r.keep(a.accepted.ID, a.packed)
	if err != nil {
		return err
	}
	r.kept.Trusted, r.kept.Accepted, r.kept.At, r.kept.AcceptedAt = a.trusted, a.accepted.ID, a.accepted.At, a.since
	r.kept.Path, r.kept.Files = a.path, files
	r.kept.Revoked = nil
	for _, v := range a.revoked.Revocations {
		r.kept.Revoked = append(r.kept.Revoked, revocation{User: v.User, Group: v.Group, Key: v.Key})
	}
	if err := r.save(); err != nil {
		return err
	}
	r.forget(a.accepted.ID)
	return nil
}

// claim gives a destination to the first cluster that uses it, for good.
func (r *records) claim(destination, uid string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch has, ok := r.kept.Clusters[destination]; {
	case ok && has == uid:
		return nil
	case ok:
		return hinted(api.ErrConflict, "destination %s belongs to the cluster with the UID %s",
			"give this cluster another name; if it replaces that one, someone with role admin on infra releases the name with DELETE /v1/destinations/%[1]s/cluster",
			destination, has)
	case len(r.kept.Clusters) >= maxClusters:
		return fmt.Errorf("%w: the server already knows %d clusters", api.ErrForbidden, maxClusters)
	}
	r.kept.Clusters[destination] = uid
	if err := r.save(); err != nil {
		delete(r.kept.Clusters, destination)
		return err
	}
	return nil
}

// release forgets which cluster has a destination, and what it reported.
func (r *records) release(destination string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	uid, ok := r.kept.Clusters[destination]
	if !ok {
		return fmt.Errorf("%w: no cluster has used destination %s", api.ErrNotFound, destination)
	}
	delete(r.kept.Clusters, destination)
	if err := r.save(); err != nil {
		r.kept.Clusters[destination] = uid
		return err
	}
	delete(r.seen, destination)
	r.dirty = true
	return nil
}

// report keeps a status.
func (r *records) report(s api.Status, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.seen[s.Destination]
	next := reported{Status: s, LastSeen: now, EnforcedSince: was.EnforcedSince, Satisfied: was.Satisfied}
	if s.Enforced != was.Status.Enforced {
		next.EnforcedSince = now
	}
	r.seen[s.Destination] = next
	r.dirty = true
}

// satisfied notes the newest revision that each destination's digest fits, where
// a connector has ever reported.
func (r *records) satisfied(revision string, digests map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, digest := range digests {
		was, ok := r.seen[name]
		if !ok {
			continue
		}
		list := slices.DeleteFunc(slices.Clone(was.Satisfied), func(d digestSatisfied) bool { return d.Digest == digest })
		list = append(list, digestSatisfied{digest, revision})
		was.Satisfied = list[max(0, len(list)-maxDigests):]
		r.seen[name] = was
		r.dirty = true
	}
}

// statuses are what was reported, by destination.
func (r *records) statuses() map[string]reported {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.seen)
}

// clusters are the names that clusters have taken.
func (r *records) clusters() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.kept.Clusters))
}

func (r *records) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dirty {
		return nil
	}
	if err := writeJSON(filepath.Join(r.dir, statusesFile), r.seen); err != nil {
		return err
	}
	r.dirty = false
	return nil
}

func (r *records) save() error { return writeJSON(filepath.Join(r.dir, checkpointFile), r.kept) }

// readJSON leaves v as it is where there is no such file.
func readJSON(name string, v any) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading what the server remembers: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("reading what the server remembers, %s: %w", name, err)
	}
	return nil
}

// writeJSON replaces a file in one step: a crash leaves the old one or the new.
func writeJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = writeFile(name, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping what the server must remember: %w", err)
	}
	return nil
}

func writeFile(name string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync())
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name()) // what matters is err
		return err
	}
	return syncDir(filepath.Dir(name))
}
