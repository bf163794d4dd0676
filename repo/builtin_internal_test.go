package repo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheDocumentationNamesWhatIsRefused: who reads docs/without-git.md finds
// every name that an error may have.
func TestTheDocumentationNamesWhatIsRefused(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/without-git.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ToLower(string(text))
	names := slices.Concat(pushHooks, httpVariables)
	for _, s := range settings {
		names = append(names, s.name)
	}
	for _, s := range httpSettings {
		names = append(names, "http."+s)
	}
	for name := range converting {
		names = append(names, name)
	}
	for name, values := range extensions {
		if values != nil {
			name += "=" + values[1]
		}
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+strings.ToLower(name)+"`") {
			t.Errorf("docs/without-git.md says nothing of %s", name)
		}
	}
}

// FuzzIndex holds two laws: reading never panics, whatever a file has, and what
// git wrote is written again byte for byte, where it has no caches.
func FuzzIndex(f *testing.F) {
	for _, version := range []string{"2", "3", "4"} {
		f.Add(gitsIndex(f, version))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := parseIndex(text)
		if err != nil {
			return
		}
		again, err := parseIndex(x.encode())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if d := cmp.Diff(x, again, cmp.AllowUnexported(index{}, indexEntry{})); d != "" {
			t.Errorf("(-read +written and read):\n%s", d)
		}
	})
}

// gitsIndex is an index that git wrote, of many files with flags.
func gitsIndex(t testing.TB, version string) []byte {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "index.version=" + version}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	git("init", "--quiet")
	for _, name := range []string{"a", "grants/prod.yaml", "grants/prod-web.yaml", "grants/ü.yaml", "groups/" + strings.Repeat("long/", 60) + "name"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git("add", ".")
	git("update-index", "--assume-unchanged", "a")
	if version != "2" {
		git("update-index", "--skip-worktree", "grants/prod.yaml")
	}
	text, err := os.ReadFile(filepath.Join(dir, ".git", "index"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAnIndexKeepsEveryByteThatNobodyMeansToChange(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2", "3", "4"} {
		text := gitsIndex(t, version)
		x, err := parseIndex(text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.encode(), text) {
			t.Errorf("version %s: another index", version)
		}
		for i := range text {
			if _, err := parseIndex(text[:i]); err == nil {
				t.Errorf("version %s: cut off after %d bytes, and read", version, i)
			}
		}
	}
}

// TestAttributesThatConvert is the table of what counts as converting a file.
func TestAttributesThatConvert(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line string
		want bool
	}{
		{"*.yaml filter=lfs", true},
		{"*.YAML filter=lfs", true},
		{"*.yml filter=lfs", false},
		{"/grants/*.yaml filter=lfs", true},
		{"grants/* filter=lfs", true},
		{"/*.yaml filter=lfs", false},
		{"grants/**/*.yaml filter=lfs", true}, // in doubt
		{"*.yam[kl] filter=lfs", true},
		{`"*.ya\155l" filter=lfs`, true},
		{"* -filter", false},
		{"* !filter", false},
		{"* filter=", false},
		{"# * filter=lfs", false},
		{"* merge=infra diff=yaml linguist-generated", false},
		{"* text=auto eol=crlf", false}, // there is no carriage return
		{"* ident", true},
		{"* working-tree-encoding=UTF-16", true},
		{"[attr]lfs filter=lfs\n*.yaml lfs", true},
		{"*.yaml lfs\n[attr]lfs filter=lfs", true},
		{"[attr]lfs filter=lfs\n*.yaml -lfs", false},
		{"*.yaml binary", false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte(tt.line+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		b := &builtin{root: dir, local: &local{gitDir: dir, commonDir: dir}, getenv: func(string) string { return "" }}
		err := b.checkConversion(gitConfig{}, os.DirFS(dir), "grants/a.yaml", []byte("grants:\n"))
		if (err != nil) != tt.want {
			t.Errorf("%q: error %v, want one: %v", tt.line, err, tt.want)
		}
	}
}

func TestNetrc(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	text := "machine other.example.com\n\tlogin eve password wrong\nmachine git.example.com login ann\n password secret account x\nmacdef init\n machine never.example.com login no password no\n"
	if err := os.WriteFile(filepath.Join(home, ".netrc"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &builtin{getenv: func(name string) string { return map[string]string{"HOME": home}[name] }}
	for host, want := range map[string]string{"git.example.com": "ann secret", "other.example.com": "eve wrong", "never.example.com": " ", "": " "} {
		if user, password := b.netrc(host); user+" "+password != want {
			t.Errorf("%q: %q and %q, want %q", host, user, password, want)
		}
	}
}
