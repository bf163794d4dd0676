package repo

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// An index is git's index file (gitformat-index(5)), taken apart no further than
// it takes to change single entries: every other one keeps its bytes, with all the
// flags and dates that go-git's own writer would lose.
type index struct {
	version uint32
	entries []indexEntry // by name, then by stage
	undo    []byte       // the extension REUC, whole; the others are caches, which git makes again
}

// An indexEntry is one file, in one stage of a merge.
type indexEntry struct {
	fixed []byte // what stands before the name: stat, mode, hash and flags
	name  string
}

// Where things are in the fixed part, and what flags mean.
const (
	modeAt, hashAt, flagsAt, moreFlagsAt = 24, 40, 60, 62

	assumeUnchanged = 1 << 15
	hasMoreFlags    = 1 << 14
	nameLength      = 1<<12 - 1
	skipWorktree    = 1 << 14 // of the other flags, as is:
	intentToAdd     = 1 << 13
)

func (e indexEntry) mode() uint32        { return binary.BigEndian.Uint32(e.fixed[modeAt:]) }
func (e indexEntry) hash() plumbing.Hash { return plumbing.Hash(e.fixed[hashAt:flagsAt]) }
func (e indexEntry) flags() uint16       { return binary.BigEndian.Uint16(e.fixed[flagsAt:]) }
func (e indexEntry) stage() int          { return int(e.flags() >> 12 & 3) }

func (e indexEntry) moreFlags() uint16 {
	if e.flags()&hasMoreFlags == 0 {
		return 0
	}
	return binary.BigEndian.Uint16(e.fixed[moreFlagsAt:])
}

// errIndex is for a file that is no index, or a broken one.
var errIndex = errors.New("it is not an index that git writes, or it is damaged")

// readIndex reads an index file; one that is missing is empty.
func readIndex(path string) (*index, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &index{version: 2}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", unwrapPath(err))
	}
	x, err := parseIndex(text)
	if err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	return x, nil
}

func parseIndex(text []byte) (*index, error) {
	if len(text) < 12+sha1.Size || string(text[:4]) != "DIRC" {
		return nil, errIndex
	}
	body, sum := text[:len(text)-sha1.Size], text[len(text)-sha1.Size:]
	if made := sha1.Sum(body); !bytes.Equal(sum, made[:]) && !bytes.Equal(sum, make([]byte, sha1.Size)) { // zeros: index.skipHash
		return nil, errIndex
	}
	x := &index{version: binary.BigEndian.Uint32(body[4:])}
	if x.version < 2 || x.version > 4 {
		return nil, fmt.Errorf("it has version %d, which is unknown", x.version)
	}
	count := binary.BigEndian.Uint32(body[8:])
	rest, name := body[12:], ""
	for range count {
		e, n, err := x.parseEntry(rest, name)
		if err != nil {
			return nil, err
		}
		x.entries = append(x.entries, e)
		rest, name = rest[n:], e.name
	}
	return x, x.parseExtensions(rest)
}

// parseEntry reads one, after one of the given name, and says how long it is.
func (x *index) parseEntry(text []byte, before string) (indexEntry, int, error) {
	size := moreFlagsAt
	if len(text) < size {
		return indexEntry{}, 0, errIndex
	}
	if binary.BigEndian.Uint16(text[flagsAt:])&hasMoreFlags != 0 {
		size += 2
	}
	if len(text) < size {
		return indexEntry{}, 0, errIndex
	}
	e, n := indexEntry{fixed: text[:size]}, size
	keep := 0
	if x.version == 4 {
		cut, length := offsetVarint(text[n:])
		if length == 0 || cut > len(before) {
			return e, 0, errIndex
		}
		keep, n = len(before)-cut, n+length
	}
	end := bytes.IndexByte(text[n:], 0)
	if end < 0 {
		return e, 0, errIndex
	}
	e.name = before[:keep] + string(text[n:n+end])
	n += end + 1
	if x.version < 4 {
		n = size + len(e.name) + padding(size+len(e.name))
	}
	if n > len(text) {
		return e, 0, errIndex
	}
	return e, n, nil
}

// padding is how many zeros follow an entry: at least one, and up to a multiple of eight.
func padding(size int) int { return 8 - size%8 }

// offsetVarint reads the variable-width number of version 4 and says how long it
// is; zero: it is cut off.
func offsetVarint(text []byte) (value, length int) {
	for i, b := range text {
		if i > 4 {
			return 0, 0
		}
		if i > 0 {
			value++
		}
		value = value<<7 | int(b&0x7f)
		if b&0x80 == 0 {
			return value, i + 1
		}
	}
	return 0, 0
}

func appendOffsetVarint(out []byte, value int) []byte {
	text := []byte{byte(value & 0x7f)}
	for value >>= 7; value > 0; value >>= 7 {
		value--
		text = append(text, byte(value&0x7f)|0x80)
	}
	slices.Reverse(text)
	return append(out, text...)
}

// parseExtensions refuses those without which the entries mean something else:
// their names begin with a small letter.
func (x *index) parseExtensions(text []byte) error {
	for len(text) > 0 {
		if len(text) < 8 {
			return errIndex
		}
		name, size := string(text[:4]), int64(binary.BigEndian.Uint32(text[4:]))
		if int64(len(text)) < 8+size {
			return errIndex
		}
		switch {
		case name == "link":
			return &Refusal{Err: ErrNeedsGit, What: "the split index", Detail: "core.splitIndex keeps it in two files"}
		case name == "sdir":
			return &Refusal{Err: ErrNeedsGit, What: "the sparse index", Detail: "index.sparse leaves files out of it"}
		case name[0] < 'A' || name[0] > 'Z':
			return &Refusal{Err: ErrNeedsGit, What: "the index", Detail: fmt.Sprintf("it has the extension %q, which is unknown", name)}
		case name == "REUC":
			x.undo = text[:8+size]
		}
		text = text[8+size:]
	}
	return nil
}

// find is the place of a file's first entry, or where it would be, and how many
// there are: more than one in a conflict.
func (x *index) find(name string) (at, n int) {
	at, _ = slices.BinarySearchFunc(x.entries, name, func(e indexEntry, name string) int { return strings.Compare(e.name, name) })
	for n = 0; at+n < len(x.entries) && x.entries[at+n].name == name; n++ {
	}
	return at, n
}

// entry is what the index says of a file that has no conflict.
func (x *index) entry(name string) (indexEntry, bool) {
	at, n := x.find(name)
	if n == 0 {
		return indexEntry{}, false
	}
	return x.entries[at], true
}

// set gives a file an entry; info is what the file system says of it.
func (x *index) set(name string, mode uint32, hash plumbing.Hash, info fs.FileInfo) {
	fixed := make([]byte, moreFlagsAt)
	putStat(fixed, info)
	binary.BigEndian.PutUint32(fixed[modeAt:], mode)
	copy(fixed[hashAt:], hash[:])
	binary.BigEndian.PutUint16(fixed[flagsAt:], uint16(min(len(name), nameLength)))
	at, n := x.find(name)
	x.entries = slices.Replace(x.entries, at, at+n, indexEntry{fixed, name})
}

func (x *index) remove(name string) {
	at, n := x.find(name)
	x.entries = slices.Delete(x.entries, at, at+n)
}

// putStat fills in what every file system knows: when a file was changed and how
// large it is. The rest comes from statMore.
func putStat(fixed []byte, info fs.FileInfo) {
	when := info.ModTime()
	binary.BigEndian.PutUint32(fixed[8:], uint32(when.Unix()))
	binary.BigEndian.PutUint32(fixed[12:], uint32(when.Nanosecond()))
	binary.BigEndian.PutUint32(fixed[36:], uint32(info.Size()))
	statMore(fixed, info)
}

// encode writes the index as git does.
func (x *index) encode() []byte {
	out := binary.BigEndian.AppendUint32([]byte("DIRC"), x.version)
	out = binary.BigEndian.AppendUint32(out, uint32(len(x.entries)))
	before := ""
	for _, e := range x.entries {
		out = append(out, e.fixed...)
		if x.version == 4 {
			same := 0
			for same < len(before) && same < len(e.name) && before[same] == e.name[same] {
				same++
			}
			out = appendOffsetVarint(out, len(before)-same)
			out = append(append(out, e.name[same:]...), 0)
			before = e.name
			continue
		}
		out = append(out, e.name...)
		out = append(out, make([]byte, padding(len(e.fixed)+len(e.name)))...)
	}
	out = append(out, x.undo...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}
