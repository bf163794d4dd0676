package schema

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// Load reads the access repository whose infra.yaml is at the root of fsys and
// checks it. It returns all problems at once, sorted by position; where one of
// them is an Error, the revision must not be served, and the snapshot, which then
// holds only what could be read, is for messages alone.
//
// A missing infra.yaml is a problem like any other: the revision is not
// servable. IsRepository tells whether there is one at all.
//
// The error says that something could not be read, which leaves no verdict and no
// snapshot: unknown is never empty.
//
// With a Cache, files that it has seen are not parsed again, nor read where fsys is a
// ContentHasher; nil is for no cache. Files are read a few at a time, so fsys must be
// safe for concurrent use.
func Load(fsys fs.FS, c *Cache) (*Snapshot, Problems, error) {
	files, problems, err := readFiles(fsys, c)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the access repository: %w", err)
	}
	s, more := assemble(files)
	problems = append(problems, more...)
	sortProblems(problems)
	return s, problems, nil
}

// ErrNoInfraYAML says that a folder is no access repository: it has no infra.yaml.
var ErrNoInfraYAML = errors.New("not an access repository: no infra.yaml")

// IsRepository is nil where fsys has an infra.yaml at its root, ErrNoInfraYAML
// where it has none, and another error where that could not be found out.
func IsRepository(fsys fs.FS) error {
	switch _, err := fs.Stat(fsys, settingsPath); {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNoInfraYAML
	case err != nil:
		return fmt.Errorf("reading the access repository: %w", err)
	}
	return nil
}

// readFiles reads and parses all files, in order of their paths.
func readFiles(fsys fs.FS, c *Cache) ([]*parsedFile, Problems, error) {
	if r, ok := fsys.(*remembered); ok && c == nil {
		c = r.cache
	}
	l := &loader{fsys: fsys, cache: c}
	if err := l.all(); err != nil {
		return nil, nil, err
	}
	if err := l.parseAll(); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(l.files, func(a, b *parsedFile) int { return cmp.Compare(a.path, b.path) })
	return l.files, l.problems, nil
}

// A loader finds the files of a repository and parses them.
type loader struct {
	fsys     fs.FS
	cache    *Cache
	paths    []string // of the files to read
	files    []*parsedFile
	problems Problems
	size     int64
	entries  int
}

func (l *loader) errorf(p, format string, args ...any) {
	l.problems = append(l.problems, Problem{Pos: Pos{File: p}, Severity: Error, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) all() error {
	entries, err := fs.ReadDir(l.fsys, ".")
	if err != nil {
		return err
	}
	found := false
	for _, e := range l.sorted(".", entries) {
		name := e.Name()
		switch home := rootName(name); {
		case name == settingsPath || name == revokedPath:
			found = found || name == settingsPath
			if l.regular(name, e) {
				l.paths = append(l.paths, name)
			}
		case name == home:
			if err := l.folder(name, e); err != nil {
				return err
			}
		case home != "":
			l.errorf(name, "not read: did you mean %s?", home)
		}
	}
	if !found {
		l.errorf(settingsPath, "missing: it marks an access repository")
	}
	return nil
}

// rootName is the file or folder at the root that a name is or is written for,
// "" for what is none of ours.
func rootName(name string) string {
	base, ext, _ := strings.Cut(strings.ToLower(name), ".")
	isYAML := ext == "yaml" || ext == "yml"
	switch {
	case isYAML && (base == stem(settingsPath) || base == stem(revokedPath)):
		return base + ".yaml"
	case ext != "" && !isYAML:
		return ""
	case indexOf(folderNames(), base) >= 0:
		return base
	}
	return ""
}

func folderNames() []string {
	names := make([]string, len(folders))
	for i, k := range folders {
		names[i] = string(k)
	}
	return names
}

// folder reads everything below one of our folders.
func (l *loader) folder(root string, e fs.DirEntry) error {
	if !e.IsDir() {
		if l.regular(root, e) {
			l.errorf(root, "a folder, not a file")
		}
		return nil
	}
	return l.walk(root)
}

func (l *loader) walk(dir string) error {
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil {
		return err
	}
	for _, e := range l.sorted(dir, entries) {
		p := path.Join(dir, e.Name())
		switch {
		case e.IsDir() && strings.Count(p, "/") >= maxFolders:
			l.errorf(p, "a folder more than %d deep", maxFolders)
		case e.IsDir():
			if err := l.walk(p); err != nil {
				return err
			}
		case !l.regular(p, e):
		case strings.HasSuffix(strings.ToLower(p), ".yml") || strings.HasSuffix(strings.ToLower(p), ".yaml") && !strings.HasSuffix(p, ".yaml"):
			l.errorf(p, "not read: name it %s", quoted(strings.TrimSuffix(e.Name(), path.Ext(p))+".yaml"))
		case strings.HasSuffix(p, ".yaml"):
			if message := misplaced(p); message != "" {
				l.errorf(p, "%s", message)
				continue
			}
			l.paths = append(l.paths, p)
		}
	}
	return nil
}

// maxFolders is how deep files may lie below grants/<destination>/.
const maxFolders = 16

// misplaced says what is wrong with the place of a file below our folders.
func misplaced(p string) string {
	folder, rest, _ := strings.Cut(p, "/")
	first, _, below := strings.Cut(rest, "/")
	switch fileKind(folder) {
	case grantsFile:
		if p == sharedPath {
			return ""
		}
		if err := ValidateDestination(destinationOfPath(p)); err != nil {
			return fmt.Sprintf("the name says which destination it is for: %s", err)
		}
	case groupsFile:
		if !below {
			return ""
		}
		if strings.Count(rest, "/") > 1 {
			return "deeper than groups/<destination>/: it is not read there"
		}
		if err := validateOwnDestination(first); err != nil {
			return fmt.Sprintf("the folder says on which destination its groups may be granted: %s", err)
		}
	case usersFile, keysFile, destinationsFile, acknowledgementsFile:
		if below {
			return fmt.Sprintf("a file in a folder below %s/: it is not read there", folder)
		}
	}
	return ""
}

// sorted are the entries of a folder in order of their names, without those
// whose name cannot be trusted.
func (l *loader) sorted(dir string, entries []fs.DirEntry) []fs.DirEntry {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	twins := map[string]string{}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		name := e.Name()
		p := path.Join(dir, quoteless(name))
		if dir == "." && rootName(name) == "" {
			return true // none of ours
		}
		if other, ok := twins[twinKey(name)]; ok {
			l.errorf(p, "differs from %s only by case or normalisation: some file systems take them for one", quoted(other))
			return true
		}
		twins[twinKey(name)] = name
		if err := deceptive(name); err != nil || name == ".." || strings.ContainsAny(name, `/\`) || !fs.ValidPath(name) {
			l.errorf(p, "the name of the file: %s", cmpErr(err, errors.New("no name of a file")))
			return true
		}
		return false
	})
}

// regular says whether an entry is a plain file, and what it is where it is not.
func (l *loader) regular(p string, e fs.DirEntry) bool {
	switch t := e.Type(); {
	case t.IsRegular():
		return true
	case t&fs.ModeSymlink != 0:
		l.errorf(p, "a symbolic link: files here are files")
	case t&fs.ModeIrregular != 0:
		l.errorf(p, "a submodule: files here are files")
	case !t.IsDir():
		l.errorf(p, "not a plain file")
	default:
		l.errorf(p, "a file, not a folder")
	}
	return false
}

// inFlight is how many files are read at a time: each of them may be as large as a
// file can be.
const inFlight = 8

// parseAll reads and parses the files that were found, some at a time.
func (l *loader) parseAll() error {
	for batch := range slices.Chunk(l.paths, inFlight) {
		files, errs := make([]*parsedFile, len(batch)), make([]error, len(batch))
		var all sync.WaitGroup
		for i, p := range batch {
			all.Go(func() { files[i], errs[i] = l.parse(p) })
		}
		all.Wait()
		for i, f := range files {
			if errs[i] != nil {
				return errs[i]
			}
			if !l.add(f) {
				return nil
			}
		}
	}
	return nil
}

// parse is what one file says, without reading it where that is known.
func (l *loader) parse(p string) (*parsedFile, error) {
	if h, ok := l.fsys.(ContentHasher); ok && l.cache != nil {
		if hash, ok := h.ContentHash(p); ok {
			if f := l.cache.get(cacheKey{p, hash}); f != nil {
				return f, nil
			}
		}
	}
	data, err := l.read(p)
	if err != nil {
		return nil, err
	}
	return l.cache.parse(p, data), nil
}

// add takes a file, unless it is too much: then nothing more is read.
func (l *loader) add(f *parsedFile) bool {
	if l.size += int64(f.size); l.size > maxTotalSize {
		l.errorf(f.path, "the files have more than %d MiB in all: nothing from here on is read", maxTotalSize>>20)
		return false
	}
	if l.entries += f.entries; l.entries > maxEntries {
		l.errorf(f.path, "the files have more than %d entries in all: nothing from here on is read", maxEntries)
		return false
	}
	l.files = append(l.files, f)
	return true
}

// read is the content of a file, cut off where it is longer than may be.
func (l *loader) read(p string) ([]byte, error) {
	f, err := l.fsys.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readLimited(f, info.Size())
}

// readLimited reads about as many bytes as it is told, and at most as many as show
// that there are too many.
func readLimited(r io.Reader, size int64) ([]byte, error) {
	var data []byte
	if size > 0 && size <= maxFileSize {
		data = make([]byte, 0, size+1)
	}
	return readAll(io.LimitReader(r, maxFileSize+1), data)
}

// readAll is io.ReadAll into a buffer that is most often large enough.
func readAll(r io.Reader, data []byte) ([]byte, error) {
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, max(512, len(data)))
		}
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// assemble joins files into a snapshot and checks what only shows between files.
func assemble(files []*parsedFile) (*Snapshot, Problems) {
	s := &Snapshot{}
	c := &checker{snapshot: s}
	for _, f := range files {
		c.problems = append(c.problems, f.problems...)
		switch f.kind {
		case settingsFile:
			s.Settings = f.settings
			c.named = f.named
		case grantsFile:
			for _, g := range f.grants {
				s.Grants = append(s.Grants, g.Grant)
			}
			c.grants = append(c.grants, f.grants...)
		case groupsFile:
			s.Groups = append(s.Groups, f.groups...)
		case usersFile:
			s.Users = append(s.Users, f.users...)
		case keysFile:
			s.Keys = append(s.Keys, f.keys...)
		case destinationsFile:
			s.Destinations = append(s.Destinations, f.destinations...)
		case acknowledgementsFile:
			s.Acknowledgements = append(s.Acknowledgements, f.acknowledgements...)
		case revokedFile:
			s.Revoked.Revocations = append(s.Revoked.Revocations, f.revocations...)
		}
	}
	c.check()
	return s, c.problems
}

func sortProblems(ps Problems) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Message, b.Message))
	})
}
