package schema

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"
)

// A Cache keeps what files said, so that a revision in which one file changed
// costs the parsing of one file. The zero value is ready; several Loads may
// share one at the same time. It holds the files of about the last 128 MiB that
// it was asked for.
type Cache struct {
	mu       sync.Mutex
	young    map[cacheKey]*parsedFile
	old      map[cacheKey]*parsedFile // the generation before; dropped when young is full
	youngLen int                      // bytes of the files in young
}

// A cacheKey is a path too, as the same text means another thing elsewhere. The
// hash is Git's, so that what a commit holds is known without being read.
type cacheKey struct {
	path string
	hash string
}

// A ContentHasher is a file system that knows what Git calls the content of a
// regular file without reading it.
type ContentHasher interface {
	fs.FS
	ContentHash(name string) (hash string, ok bool)
}

// ContentHash is what Git calls a content: 40 hexadecimal digits.
func ContentHash(data []byte) string {
	h := sha1.New() //nolint:gosec // Git's names of objects, not ours to choose
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// get is a file that was kept, or nil.
func (c *Cache) get(key cacheKey) *parsedFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.young[key]
	if f == nil {
		if f = c.old[key]; f != nil {
			c.keep(key, f)
		}
	}
	return f
}

// parse is parseFile, remembered. A nil cache remembers nothing.
func (c *Cache) parse(p string, data []byte) *parsedFile {
	if c == nil {
		return parseFile(p, data)
	}
	key := cacheKey{p, ContentHash(data)}
	if f := c.get(key); f != nil {
		return f
	}
	f := parseFile(p, data) // without the lock: two may parse the same file, to the same end
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, f)
	return f
}

// keep puts a file into the young generation, which is as large as the largest
// repository that Load reads: one that fits is never parsed twice.
func (c *Cache) keep(key cacheKey, f *parsedFile) {
	if c.youngLen += f.size; c.young == nil || c.youngLen > maxTotalSize {
		c.young, c.old, c.youngLen = map[cacheKey]*parsedFile{}, c.young, f.size
	}
	c.young[key] = f
}
