package schema

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/infrahq/infra/auth"
)

// Limits on what is read, so that no push can exhaust a server. They are far
// above what people write: 10,000 grants take about 3 MiB.
const (
	maxFileSize  = 8 << 20   // bytes of one file
	maxTokens    = 1_000_000 // places in one file where a value can begin
	maxTotalSize = 64 << 20  // bytes of all files
	maxEntries   = 500_000   // grants, members, keys and so on in all files
)

// A fileKind is what a file may hold, which follows from where it lies.
type fileKind string

const (
	settingsFile         fileKind = "settings"
	grantsFile           fileKind = "grants"
	groupsFile           fileKind = "groups"
	usersFile            fileKind = "users"
	keysFile             fileKind = "keys"
	destinationsFile     fileKind = "destinations"
	acknowledgementsFile fileKind = "acknowledgements"
	revokedFile          fileKind = "revoked"
)

const (
	settingsPath = "infra.yaml"
	revokedPath  = "revoked.yaml"
	sharedPath   = "grants/_shared.yaml"
)

// folders are the folders that infra reads, by the one list that a file in each holds.
var folders = []fileKind{grantsFile, groupsFile, usersFile, keysFile, destinationsFile, acknowledgementsFile}

// Folders are the folders below infra.yaml that Load reads.
func Folders() []string {
	names := make([]string, len(folders))
	for i, f := range folders {
		names[i] = string(f)
	}
	return names
}

// A parsedFile is what one file says, judged by itself. It is immutable, so
// that a cache may share it.
type parsedFile struct {
	path             string
	kind             fileKind
	settings         Settings
	grants           []placedGrant
	groups           []Group
	users            []DeclaredUser
	keys             []Key
	destinations     []Destination
	acknowledgements []Acknowledgement
	revocations      []Revocation
	problems         Problems
	size             int // bytes
	entries          int
	revoked          map[Revocation]bool // what revocations name, without reason and place
	named            []namedThing        // what the policy and the brakes name
	caseCount        int                 // of all rules
	patternCount     int                 // of all rules
}

// A placedGrant is a grant and the places of its parts.
type placedGrant struct {
	Grant
	subjectPos, rolePos, targetPos Pos
}

func kindOfPath(p string) fileKind {
	switch p {
	case settingsPath:
		return settingsFile
	case revokedPath:
		return revokedFile
	}
	folder, _, _ := strings.Cut(p, "/")
	return fileKind(folder)
}

// parseFile reads one file, whatever the others say.
func parseFile(p string, data []byte) *parsedFile {
	f := &parsedFile{path: p, kind: kindOfPath(p), size: len(data)}
	r := &reader{file: p}
	if root := r.root(data); root != nil {
		f.read(r, root)
	}
	f.problems = r.problems
	return f
}

// root is the document of a file, nil where there is none that can be read.
func (r *reader) root(data []byte) *node {
	if p, message := hostile(data); message != "" {
		p.File = r.file
		r.errorf(p, "%s", message)
		return nil
	}
	root, err := parseYAML(data)
	switch {
	case err != nil:
		r.errorf(Pos{File: r.file, Line: err.line}, "%s", err.message)
	case root == nil:
		r.errorf(Pos{File: r.file}, "the file is empty")
	}
	return root
}

// hostile looks for what must not reach the YAML library: what no editor writes,
// or what different readers take for different things.
func hostile(data []byte) (Pos, string) {
	if len(data) > maxFileSize {
		return Pos{}, fmt.Sprintf("the file has %d bytes: at most %d MiB", len(data), maxFileSize>>20)
	}
	if start, _, found := auth.Find(data); found {
		return place(data, start), secretMessage
	}
	tokens := 0
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '\n' || c == ',' || c == '[' || c == '{':
				tokens++
			case (c == ':' || c == '-' || c == '?') && i+1 < len(data) && (data[i+1] == ' ' || data[i+1] == '\t'):
				tokens++
			case c == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
				return place(data, i), "a carriage return without a line feed, which editors show in different ways"
			case c == 0:
				return place(data, i), "a NUL character: this is no text"
			case c < ' ' && c != '\t' && c != '\r' || c == 0x7f:
				return place(data, i), fmt.Sprintf("a control character (%U)", c)
			}
			i++
			continue
		}
		c32, size := utf8.DecodeRune(data[i:])
		switch {
		case c32 == utf8.RuneError && size == 1:
			return place(data, i), "not valid UTF-8"
		case c32 == '\ufeff' && i == 0:
			return place(data, i), "a byte order mark (BOM): save the file as UTF-8 without it"
		case c32 == '\u0085' || c32 == '\u2028' || c32 == '\u2029':
			return place(data, i), fmt.Sprintf("a line end (%U) that editors do not show", c32)
		case unicode.Is(unicode.Bidi_Control, c32):
			return place(data, i), charName(c32)
		}
		i += size
	}
	if tokens > maxTokens {
		return Pos{}, fmt.Sprintf("the file has more than %d values: split it", maxTokens)
	}
	return Pos{}, ""
}

// place is the line and column of an offset.
func place(data []byte, at int) Pos {
	line := bytes.LastIndexByte(data[:at], '\n') + 1
	return Pos{Line: 1 + bytes.Count(data[:at], []byte("\n")), Column: 1 + utf8.RuneCount(data[line:at])}
}

// later are keys that files of a newer infra have.
var later = []string{"signatures"}

// read reads the document of a file as what its place makes it.
func (f *parsedFile) read(r *reader, root *node) {
	if f.kind == settingsFile {
		f.readSettings(r, root)
		return
	}
	list := string(f.kind)
	if _, all := f.withoutStrangers(r, root, list); !all {
		return
	}
	found := false
	r.mapping(root, "this file", []string{list}, func(_ string, _, v *node) {
		found = true
		r.each(v, list, func(item *node) {
			if f.entries++; f.entries <= maxEntries {
				f.readItem(r, item)
			}
		})
	})
	if !found && len(r.problems) == 0 {
		r.errorf(r.pos(root), "%q is missing: write %s: [] for an empty list", list, list)
	}
}

// withoutStrangers is a document without the known lists and settings that belong
// in other files, which are noted: they deserve better than "unknown field".
func (f *parsedFile) withoutStrangers(r *reader, root *node, own string) (rest *node, all bool) {
	copied := *root
	rest = &copied
	if root.Kind != mappingNode {
		return rest, true
	}
	rest.Content = nil
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		home := homeOf(k.Value)
		switch {
		case k.Kind == scalarNode && k.Value != own && home != "" && home != f.path:
			r.errorf(r.pos(k), "%q belongs in %s, not in this file", k.Value, home)
		case k.Kind == scalarNode && indexOf(later, k.Value) >= 0:
			r.errorf(r.pos(k), "%q needs a newer infra", k.Value)
		default:
			rest.Content = append(rest.Content, k, root.Content[i+1])
		}
	}
	return rest, len(rest.Content) == len(root.Content)
}

func (f *parsedFile) readItem(r *reader, item *node) {
	switch f.kind {
	case grantsFile:
		f.readGrant(r, item)
	case groupsFile:
		f.readGroup(r, item)
	case usersFile:
		f.readUser(r, item)
	case keysFile:
		f.readKey(r, item)
	case destinationsFile:
		f.readDestination(r, item)
	case acknowledgementsFile:
		f.readAcknowledgement(r, item)
	case revokedFile:
		f.readRevocation(r, item)
	}
}

// homeOf is where a list belongs, "" where no file has it.
func homeOf(list string) string {
	switch list {
	case string(revokedFile):
		return revokedPath
	case "policy", "brakes":
		return settingsPath
	}
	for _, k := range folders {
		if string(k) == list {
			return list + "/"
		}
	}
	return ""
}

// stem is the name of a file without its folder and extension.
func stem(p string) string { return strings.TrimSuffix(path.Base(p), ".yaml") }

func (f *parsedFile) readSettings(r *reader, root *node) {
	f.settings = Settings{Changes: ChangeCommit, Pos: Pos{File: r.file}}
	keys := []string{"version", "changes", "policy", "brakes"}
	seen, wrong := false, len(r.problems)
	// A newer version may mean anything by the other keys: it is all that is said.
	if root.Kind == mappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			k, v := root.Content[i], root.Content[i+1]
			if k.Value == "version" && v.Kind == scalarNode && v.Tag == intTag && v.Value != "1" {
				r.errorf(r.pos(v), "version %s needs a newer infra: this one reads version 1", quoted(v.Value))
				return
			}
		}
	}
	root, _ = f.withoutStrangers(r, root, "")
	ok := r.mapping(root, settingsPath, keys, func(key string, _, v *node) {
		switch key {
		case "version":
			seen = true
			if f.settings.Version = r.count(v, "version"); f.settings.Version > 1 {
				r.errorf(r.pos(v), "version %d needs a newer infra: this one reads version 1", f.settings.Version)
			}
		case "changes":
			modes := []string{string(ChangeCommit), string(ChangePush), string(ChangePullRequest)}
			if m := r.oneOf(v, "changes", modes); m != "" {
				f.settings.Changes = ChangeMode(m)
			}
		case "policy":
			f.readPolicy(r, v)
		case "brakes":
			f.readBrakes(r, v)
		}
	})
	if ok && !seen && len(r.problems) == wrong {
		r.errorf(r.pos(root), "%q is missing: write version: 1", "version")
	}
}

// oneOf reads a string out of a few.
func (r *reader) oneOf(n *node, what string, values []string) string {
	s, ok := r.text(n, what)
	if !ok {
		return ""
	}
	if indexOf(values, s) >= 0 {
		return s
	}
	hint := "it is one of " + strings.Join(values, ", ")
	if near := Nearest(s, values); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	r.errorf(r.pos(n), "%s is %s: %s", what, quoted(s), hint)
	return ""
}

// missing notes required fields that an entry does not have.
func (r *reader) missing(n *node, what string, fields ...string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if at := indexOf(fields, n.Content[i].Value); at >= 0 {
			fields = append(append([]string(nil), fields[:at]...), fields[at+1:]...)
		}
	}
	for _, field := range fields {
		r.errorf(r.pos(n), "%s without %q", what, field)
	}
}
