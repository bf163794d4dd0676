package schema_test

import (
	"io/fs"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

// counted counts how often each file is opened.
type counted struct {
	fs.FS
	mu    sync.Mutex
	opens map[string]int
}

func (c *counted) Open(name string) (fs.File, error) {
	c.mu.Lock()
	c.opens[name]++
	c.mu.Unlock()
	return c.FS.Open(name)
}

// hashed knows the hashes of its files, as the tree of a commit does.
type hashed struct{ *counted }

func (h hashed) ContentHash(name string) (string, bool) {
	data, err := fs.ReadFile(h.FS, name)
	return schema.ContentHash(data), err == nil
}

func TestAFileIsReadOnceByACommand(t *testing.T) {
	t.Parallel()
	below := &counted{FS: files("infra.yaml", "version: 1\n", prod, "grants:\n  - {user: ann@example.com, role: view, resource: prod}\n"), opens: map[string]int{}}
	tree := schema.Remember(below, new(schema.Cache))
	first, problems, err := schema.Load(tree, nil)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	again, _, err := schema.Load(tree, nil)
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("-first +again: %v\n%s", err, diff)
	}
	if _, err := schema.AddGrant(tree, grant(t, "zoe@example.com", "view", "prod.web"), now); err != nil {
		t.Fatal(err)
	}
	if below.opens[prod] != 1 {
		t.Errorf("read %d times", below.opens[prod])
	}
}

func TestWhatACommitHoldsIsNotReadWhereItIsKnown(t *testing.T) {
	t.Parallel()
	cache := new(schema.Cache)
	tree := hashed{&counted{FS: files("infra.yaml", "version: 1\n", prod, "grants: []\n"), opens: map[string]int{}}}
	for range 2 {
		if _, problems, err := schema.Load(tree, cache); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
	}
	if tree.opens[prod] != 1 {
		t.Errorf("read %d times", tree.opens[prod])
	}
	const empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" // git hash-object /dev/null
	if got := schema.ContentHash(nil); got != empty {
		t.Errorf("the hash of nothing is %s", got)
	}
}
