package repo

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// patch is Checkout.Patch without git.
func (b *builtin) patch(olds []before, change Change) (string, error) {
	config, err := b.config()
	if err != nil {
		return "", err
	}
	if err := b.checkConversions(config, olds, change); err != nil {
		return "", err
	}
	x, err := b.index()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, old := range olds {
		mode := uint32(regularMode)
		if e, known := x.entry(old.path); known {
			mode = e.mode()
		}
		patchFile(&out, old, change.Files[old.path], mode)
	}
	return out.String(), nil
}

// patchFile writes what one file changes as git shows it (git-diff(1), "Generating
// patch text with -p").
func patchFile(out *strings.Builder, old before, now []byte, mode uint32) {
	if old.exists && now != nil && bytes.Equal(old.content, now) {
		return
	}
	from, to := quotedPath("a/"+old.path), quotedPath("b/"+old.path)
	fmt.Fprintf(out, "diff --git %s %s\n", from, to)
	ids := [2]string{short(old.content, old.exists), short(now, now != nil)}
	switch {
	case !old.exists:
		fmt.Fprintf(out, "new file mode %o\nindex %s..%s\n", mode, ids[0], ids[1])
		from = "/dev/null"
	case now == nil:
		fmt.Fprintf(out, "deleted file mode %o\nindex %s..%s\n", mode, ids[0], ids[1])
		to = "/dev/null"
	default:
		fmt.Fprintf(out, "index %s..%s %o\n", ids[0], ids[1], mode)
	}
	if bytes.IndexByte(old.content, 0) >= 0 || bytes.IndexByte(now, 0) >= 0 {
		fmt.Fprintf(out, "Binary files %s and %s differ\n", from, to)
		return
	}
	a, b := textLines(old.content), textLines(now)
	if edits := compare(a, b); len(edits) > 0 {
		fmt.Fprintf(out, "--- %s\n+++ %s\n", endedName(from), endedName(to))
		for len(edits) > 0 {
			n := 1
			for n < len(edits) && edits[n].oldAt-edits[n-1].oldEnd <= 2*contextLines {
				n++
			}
			patchHunk(out, a, b, edits[:n])
			edits = edits[n:]
		}
	}
}

// endedName is a name with a tab where it has a blank, so that patch(1) sees its end.
func endedName(name string) string {
	if strings.Contains(name, " ") {
		return name + "\t"
	}
	return name
}

// contextLines are shown before and after what changed.
const contextLines = 3

func patchHunk(out *strings.Builder, a, b []string, edits []textEdit) {
	first, last := edits[0], edits[len(edits)-1]
	before := min(contextLines, first.oldAt)
	after := min(contextLines, len(a)-last.oldEnd)
	at, end := first.oldAt-before, last.oldEnd+after
	fmt.Fprintf(out, "@@ -%s +%s @@%s\n", span(at, end), span(first.newAt-before, last.newEnd+after), heading(a[:at]))
	for _, e := range edits {
		writeLines(out, ' ', a[at:e.oldAt])
		writeLines(out, '-', a[e.oldAt:e.oldEnd])
		writeLines(out, '+', b[e.newAt:e.newEnd])
		at = e.oldEnd
	}
	writeLines(out, ' ', a[at:end])
}

// span is where a run of lines is, as the head of a hunk says it.
func span(at, end int) string {
	switch end - at {
	case 0:
		return fmt.Sprintf("%d,0", at)
	case 1:
		return fmt.Sprint(at + 1)
	}
	return fmt.Sprintf("%d,%d", at+1, end-at)
}

// heading is the last line before a hunk that looks like the beginning of
// something, as git finds it where nobody says how.
func heading(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		if c := lines[i][0]; c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			line := lines[i]
			return " " + strings.TrimRight(line[:min(len(line), 80)], " \t\r\n")
		}
	}
	return ""
}

func writeLines(out *strings.Builder, sign byte, lines []string) {
	for _, line := range lines {
		out.WriteByte(sign)
		out.WriteString(line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// short is the beginning of a text's hash, as long as git shows it in a small
// repository; zeros for no file.
func short(content []byte, exists bool) string {
	hash := plumbing.ZeroHash
	if exists {
		hash = plumbing.ComputeHash(plumbing.BlobObject, content)
	}
	return hash.String()[:7]
}

// quotedPath is a name as git writes it where it has other than plain characters
// (core.quotePath).
func quotedPath(name string) string {
	plain := true
	var out strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c == '"' || c == '\\':
			plain = false
			out.WriteString(`\` + string(rune(c)))
		case c == '\t':
			plain = false
			out.WriteString(`\t`)
		case c < ' ' || c >= 0x7f:
			plain = false
			fmt.Fprintf(&out, `\%03o`, c)
		default:
			out.WriteByte(c)
		}
	}
	if plain {
		return name
	}
	return `"` + out.String() + `"`
}
