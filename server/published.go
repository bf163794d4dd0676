package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"sync"
	"time"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/schema"
)

// A published is everything that requests read, of one revision. What it says
// never changes; states are worked out when they are first asked for.
type published struct {
	revision string
	since    time.Time
	table    *access.Table
	keys     map[string]*liveKey // by id; revoked ones are not among them
	records  *records

	mu         sync.Mutex
	states     map[string]*served
	superseded bool
}

// A liveKey is an access key that is in force. The next published value shares
// it where nothing about the key changed.
type liveKey struct {
	schema.Key
	gone chan struct{} // closed when the key is no longer what it says
}

// A served is the desired state of one destination. Published values that
// agree on its digest share it, which is why a new commit wakes only those
// whose access it changes.
type served struct {
	state   api.DesiredState
	since   time.Time     // when this digest was first served
	changed chan struct{} // closed when another one is served
	body    func() encoded
}

// An encoded is an answer as it goes over the wire.
type encoded struct{ plain, zipped []byte }

func newPublished(revision string, since time.Time, table *access.Table, keys []schema.Key, revoked schema.Revoked, r *records) *published {
	p := &published{revision: revision, since: since, table: table, keys: map[string]*liveKey{}, records: r, states: map[string]*served{}}
	for _, k := range keys {
		if !revoked.Key(k.ID) {
			k.Pos = schema.Pos{} // a line that moves is not a key that changes
			p.keys[k.ID] = &liveKey{Key: k, gone: make(chan struct{})}
		}
	}
	return p
}

// replace carries over what is the same in old, calls swap, after which p is
// what requests find, and wakes who waits for what is not.
func (p *published) replace(old *published, swap func()) {
	if old == nil {
		swap()
		return
	}
	var wake []chan struct{}
	for id, k := range old.keys {
		if now, ok := p.keys[id]; ok && now.Key == k.Key {
			p.keys[id] = k
			continue
		}
		wake = append(wake, k.gone)
	}
	old.mu.Lock()
	digests := map[string]string{}
	for name, s := range old.states {
		digests[name] = s.state.Digest
		if next := p.table.DesiredState(name); next.Digest == s.state.Digest {
			p.states[name] = s
		} else {
			p.states[name] = newServed(next, p.since)
			wake = append(wake, s.changed)
		}
	}
	// Whoever still has old in hand and asks it for a state that it has not
	// worked out must not wait for a change that nobody will tell.
	old.superseded = true
	old.mu.Unlock()
	p.records.satisfied(old.revision, digests)
	swap()
	for _, c := range wake {
		close(c)
	}
}

// state is the desired state of a destination; any name has one.
func (p *published) state(destination string) *served {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, ok := p.states[destination]; ok {
		return s
	}
	s := newServed(p.table.DesiredState(destination), p.since)
	if p.superseded {
		close(s.changed)
	}
	p.states[destination] = s
	return s
}

func newServed(state api.DesiredState, since time.Time) *served {
	return &served{state: state, since: since, changed: make(chan struct{}), body: sync.OnceValue(func() encoded {
		plain, err := json.Marshal(state)
		if err != nil {
			panic(err) // a state that was sealed is one that marshals
		}
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = z.Write(plain) // a buffer takes everything
		z.Close()
		return encoded{plain: plain, zipped: zipped.Bytes()}
	})}
}
