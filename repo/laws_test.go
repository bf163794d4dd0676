package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/google/go-cmp/cmp"
)

// Laws that hold for every input, also for one that no git program would make.

// A location is refused, or it is a folder or a web address and can be taken
// for nothing else: no option, no command, no password in what is shown.
func FuzzLocation(f *testing.F) {
	for _, s := range []string{
		"", ".", "/srv/access", "--upload-pack=touch /tmp/x", "-c", "ext::sh -c touch% /tmp/x", "::x", "a+b::c",
		"https://u:hunter2@example.com:8443/x%2Fy/", "http://[::1]/x", "https://-oProxyCommand=x/y", "file:///srv", "file://h/x",
		"ssh://git@example.com/x", "git@example.com:x/y", `C:\x`, "https://h/x?q#f", "HTTPS://h", "file:///-x", "https:///x", "https://h\x00/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := parseLocation(s)
		if err != nil {
			if u, perr := url.Parse(s); perr == nil && u.User != nil {
				if password, _ := u.User.Password(); len(password) > 8 && strings.Contains(err.Error(), password) {
					t.Errorf("%q: the error tells the password: %v", s, err)
				}
			}
			return
		}
		if strings.HasPrefix(s, "-") || helperForm.MatchString(s) || strings.ContainsAny(s, "\x00\n\r") {
			t.Errorf("%q was taken", s)
		}
		if l.url == nil {
			if !filepath.IsAbs(l.path) || l.user != "" || l.password != "" {
				t.Errorf("%q became the folder %q of %q", s, l.path, l.user)
			}
			return
		}
		shown, err := url.Parse(l.String())
		if err != nil || shown.Scheme != "http" && shown.Scheme != "https" || shown.User != nil ||
			shown.Hostname() == "" || strings.HasPrefix(shown.Hostname(), "-") || shown.RawQuery != "" || shown.Fragment != "" {
			t.Errorf("%q became %q", s, l)
		}
	})
}

// A tree is refused, or all its names stay below it, also where its bytes are
// nonsense.
func FuzzTree(f *testing.F) {
	blob := strings.Repeat("\x01", 20)
	for _, names := range [][]string{{"a", "b"}, {".."}, {"."}, {".git"}, {".GiT "}, {"git~1"}, {"a/b"}, {`..\x`}, {"a", "a"}, {"b", "a"}, {"\xff"}, {""}} {
		var tree strings.Builder
		for _, n := range names {
			fmt.Fprintf(&tree, "100644 %s\x00%s", n, blob)
		}
		f.Add([]byte(tree.String()))
	}
	f.Add([]byte("40000 d\x00" + blob + "120000 l\x00" + blob + "160000 m\x00" + blob + "7 x\x00" + blob + "100644 cut"))
	f.Fuzz(func(t *testing.T, tree []byte) {
		store := memory.NewStorage()
		root := newTreeFS(&objects{store: store}, put(t, store, plumbing.TreeObject, tree), time.Time{})
		var names []string
		err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
			if path == "." {
				return err
			}
			if !filepath.IsLocal(path) || !fs.ValidPath(path) || strings.ContainsAny(d.Name(), "/\\\x00") || strings.EqualFold(strings.Trim(d.Name(), ". "), "git") && d.Name()[0] == '.' {
				t.Errorf("%q is in the tree", path)
			}
			names = append(names, path)
			if d.IsDir() {
				return fs.SkipDir // its tree is not in the store
			}
			return nil
		})
		if err != nil && len(names) > 0 {
			t.Errorf("half of a tree was listed: %q, %v", names, err)
		}
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) < len(names) {
			t.Errorf("names are not sorted, or one is there twice: %q", names)
		}
	})
}

// put stores an object, whatever its bytes are.
func put(t *testing.T, store *memory.Storage, kind plumbing.ObjectType, content []byte) plumbing.Hash {
	t.Helper()
	o := store.NewEncodedObject()
	o.SetType(kind)
	w, err := o.Writer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	hash, err := store.SetEncodedObject(o)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// graph is a random history: commit i has parents below i only. Where one is
// shallow its parents are cut off.
type graph struct {
	parents [][]int
	shallow []bool
}

func randomGraph(r *rand.Rand) graph {
	n := 2 + r.IntN(10)
	g := graph{parents: make([][]int, n), shallow: make([]bool, n)}
	for i := 1; i < n; i++ {
		for range r.IntN(4) { // none, too: several first commits
			if p := max(0, i-1-r.IntN(4)); !slices.Contains(g.parents[i], p) {
				g.parents[i] = append(g.parents[i], p)
			}
		}
		g.shallow[i] = len(g.parents[i]) > 0 && r.IntN(12) == 0
	}
	return g
}

// before says in the simplest way whether a is an ancestor of b, and whether a
// cut hides some of b's.
func (g graph) before(a, b int) (found, cut bool) {
	if g.shallow[b] {
		return false, true
	}
	for _, p := range g.parents[b] {
		f, c := g.before(a, p)
		found, cut = found || p == a || f, cut || c
	}
	return found, cut
}

// line is the first parents of b after a, oldest first, in the simplest way.
func (g graph) line(a, b int) (line []int, found bool) {
	if a == b {
		return nil, true
	}
	if g.shallow[b] || len(g.parents[b]) == 0 {
		return nil, false
	}
	line, found = g.line(a, g.parents[b][0])
	return append(line, b), found
}

func TestSinceAgreesWithANaiveWalkOnRandomHistories(t *testing.T) {
	t.Parallel()
	outcomes := map[string]int{}
	for seed := range uint64(300) {
		g := randomGraph(rand.New(rand.NewPCG(seed, 1)))
		store := memory.NewStorage()
		hashes := make([]string, len(g.parents))
		var shallow []plumbing.Hash
		for i, parents := range g.parents {
			text := fmt.Sprintf("tree %s\n", plumbing.ComputeHash(plumbing.TreeObject, nil))
			for _, p := range parents {
				text += "parent " + hashes[p] + "\n"
			}
			text += fmt.Sprintf("author A <a@example.com> %[1]d +0000\ncommitter A <a@example.com> %[1]d +0000\n\n%[1]d\n", i)
			hash := put(t, store, plumbing.CommitObject, []byte(text))
			hashes[i] = hash.String()
			if g.shallow[i] {
				shallow = append(shallow, hash)
			}
		}
		for tip := range hashes {
			h, err := newHistory(&objects{store: store}, hashes[tip], shallow, nil)
			if err != nil {
				t.Fatal(err)
			}
			for accepted := range hashes {
				want, wantErr := g.since(accepted, tip, hashes)
				got, err := h.Since(hashes[accepted], hashes[tip])
				if !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
					t.Errorf("seed %d, %d..%d: error %v, want %v", seed, accepted, tip, err, wantErr)
				}
				var commits []string
				for _, c := range got.Commits {
					commits = append(commits, c.Hash)
				}
				if d := cmp.Diff(want.commits, commits); d != "" || got.Relation != want.relation {
					t.Errorf("seed %d, %d..%d: %q, want %q (-want +got):\n%s", seed, accepted, tip, got.Relation, want.relation, d)
				}
				outcomes[fmt.Sprint(want.relation, wantErr)]++
			}
		}
	}
	if len(outcomes) != 5 {
		t.Errorf("the histories are too alike: %v", outcomes)
	}
}

type naivePath struct {
	commits  []string
	relation Relation
}

// since is what History.Since promises, word for word.
func (g graph) since(accepted, tip int, hashes []string) (naivePath, error) {
	if accepted == tip {
		return naivePath{relation: Same}, nil
	}
	if line, found := g.line(accepted, tip); found {
		var commits []string
		for _, i := range line {
			commits = append(commits, hashes[i])
		}
		return naivePath{commits, Linear}, nil
	}
	switch found, cut := g.before(accepted, tip); {
	case found:
		return naivePath{[]string{hashes[tip]}, OffLine}, nil
	case cut:
		return naivePath{}, ErrShallow
	}
	return naivePath{}, ErrRewritten
}
