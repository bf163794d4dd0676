package schema

import (
	"crypto/sha256"
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

// A cacheKey is a path too, as the same text means another thing elsewhere.
type cacheKey struct {
	path string
	sum  [sha256.Size]byte
}

// parse is parseFile, remembered. A nil cache remembers nothing.
func (c *Cache) parse(p string, data []byte) *parsedFile {
	if c == nil {
		return parseFile(p, data)
	}
	key := cacheKey{p, sha256.Sum256(data)}
	c.mu.Lock()
	f := c.young[key]
	if f == nil {
		if f = c.old[key]; f != nil {
			c.keep(key, f, len(data))
		}
	}
	c.mu.Unlock()
	if f != nil {
		return f
	}
	f = parseFile(p, data) // without the lock: two may parse the same file, to the same end
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(key, f, len(data))
	return f
}

// keep puts a file into the young generation, which is as large as the largest
// repository that Load reads: one that fits is never parsed twice.
func (c *Cache) keep(key cacheKey, f *parsedFile, size int) {
	if c.youngLen += size; c.young == nil || c.youngLen > maxTotalSize {
		c.young, c.old, c.youngLen = map[cacheKey]*parsedFile{}, c.young, size
	}
	c.young[key] = f
}
