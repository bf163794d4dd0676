package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// converting are the attributes that make what git keeps another text than what
// is in the work tree (gitattributes(5)): always, or where lines end with CR LF.
var converting = map[string]bool{
	"filter": true, "ident": true, "working-tree-encoding": true,
	"text": false, "eol": false, "crlf": false,
}

// checkConversion refuses a file whose text git would convert: by an attribute, in
// any way; by the settings for line ends, where it has a carriage return. A text
// with none is kept as it is. Doubt counts as yes: an attribute that a later line
// takes back, and a pattern that is not a plain one, are taken to be meant.
//
// files are those that .gitattributes are looked for in.
func (b *builtin) checkConversion(config gitConfig, files fs.FS, name string, contents ...[]byte) error {
	returns := slices.ContainsFunc(contents, func(c []byte) bool { return bytes.IndexByte(c, '\r') >= 0 })
	if v := config.last("core.autocrlf"); returns && (config.true("core.autocrlf") || v == "input") {
		return b.needsGit("core.autocrlf", "it changes the line ends of "+name)
	}
	lines, err := b.attributeLines(config, files, name)
	if err != nil {
		return err
	}
	macros := map[string]bool{}
	for _, l := range lines {
		for _, word := range l.attributes {
			attribute, value, _ := strings.Cut(word, "=")
			always, known := converting[attribute]
			if !known {
				always, known = macros[attribute]
			}
			if !known || attribute == "filter" && value == "" || !always && !returns {
				continue
			}
			if l.macro != "" {
				macros[l.macro] = macros[l.macro] || always
				continue
			}
			if l.matches(name) {
				return b.needsGit("the attribute "+attribute+" of "+name, "git converts its text ("+l.file+")")
			}
		}
	}
	return nil
}

// An attributeLine is one line of a file with attributes.
type attributeLine struct {
	file       string   // for people
	domain     string   // the folder that it is for; empty: all
	macro      string   // that it defines; else empty
	pattern    string   // of the files that it is for
	attributes []string // without those that are unset
}

// attributeLines are all that may be about a file: of the user, of the
// repository, and of the folders from the top down to the file.
func (b *builtin) attributeLines(config gitConfig, files fs.FS, name string) ([]attributeLine, error) {
	user := b.xdg("attributes")
	if at := config.last("core.attributesfile"); at != "" {
		user = b.expand(at)
	}
	var lines []attributeLine
	for _, file := range []string{"/etc/gitattributes", user, filepath.Join(b.local.commonDir, "info", "attributes")} {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && file != "" {
			return nil, fmt.Errorf("reading %s: %w", file, unwrapPath(err))
		}
		lines = append(lines, parseAttributes(text, file, "")...)
	}
	if files == nil {
		return lines, nil
	}
	for folder := path.Dir(name); ; folder = path.Dir(folder) {
		file := path.Join(folder, ".gitattributes")
		text, err := fs.ReadFile(files, file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading %s: %w", file, unwrapPath(err))
		}
		lines = append(lines, parseAttributes(text, file, strings.TrimPrefix(folder, "."))...)
		if folder == "." {
			break
		}
	}
	// Macros come first: of which file they are, and in which order, is no matter here.
	slices.SortStableFunc(lines, func(x, y attributeLine) int { return strings.Compare(y.macro, x.macro) })
	return lines, nil
}

func parseAttributes(text []byte, file, domain string) []attributeLine {
	var out []attributeLine
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		l := attributeLine{file: file, domain: domain}
		rest := ""
		if line[0] == '"' { // a quoted pattern: whatever it says
			l.pattern, rest = "**", line[strings.LastIndexByte(line, '"')+1:]
		} else if at := strings.IndexAny(line, " \t"); at > 0 {
			l.pattern, rest = line[:at], line[at:]
		}
		if name, ok := strings.CutPrefix(l.pattern, "[attr]"); ok {
			l.macro = name
		}
		for _, word := range strings.Fields(rest) {
			if word[0] != '-' && word[0] != '!' {
				l.attributes = append(l.attributes, word)
			}
		}
		out = append(out, l)
	}
	return out
}

// matches says whether a line may be for a file.
func (l attributeLine) matches(name string) bool {
	if l.domain != "" {
		name = strings.TrimPrefix(name, l.domain+"/")
	}
	pattern := strings.ToLower(l.pattern)
	if strings.Contains(pattern, "**") || strings.ContainsAny(pattern, `[\`) {
		return true
	}
	if strings.Contains(pattern, "/") {
		pattern = strings.TrimPrefix(pattern, "/")
	} else {
		name = path.Base(name)
	}
	fits, err := path.Match(pattern, strings.ToLower(name))
	return fits || err != nil
}
