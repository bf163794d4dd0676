package schema_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

var wantForm = regexp.MustCompile("# want(-\\d+)? `([^`]*)`")

// TestProblems loads repositories whose offending lines say what is wrong with
// them: # want `regexp`, with an offset in lines where the line itself cannot.
func TestProblems(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			fsys := fstest.MapFS{}
			want := map[string][]*regexp.Regexp{}
			for _, f := range a.Files {
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
				for i, line := range strings.Split(string(f.Data), "\n") {
					for _, m := range wantForm.FindAllStringSubmatch(line, -1) {
						offset, _ := strconv.Atoi(m[1])
						at := fmt.Sprintf("%s:%d", f.Name, i+1+offset)
						want[at] = append(want[at], regexp.MustCompile(m[2]))
					}
				}
			}
			_, problems, err := schema.Load(fsys, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				at := fmt.Sprintf("%s:%d", p.Pos.File, p.Pos.Line)
				found := false
				for i, re := range want[at] {
					if re.MatchString(p.String()) && (p.Severity == schema.Warning) == strings.HasPrefix(re.String(), "warning: ") {
						want[at] = append(want[at][:i:i], want[at][i+1:]...)
						found = true
						break
					}
				}
				if !found {
					t.Errorf("not expected: %s", p)
				}
			}
			for at, res := range want {
				for _, re := range res {
					t.Errorf("%s: nothing says %q", at, re)
				}
			}
		})
	}
}

// one says that the only problem of a repository matches.
func one(t *testing.T, fsys fs.FS, re string) {
	t.Helper()
	_, problems, err := schema.Load(fsys, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || !regexp.MustCompile(re).MatchString(problems[0].String()) {
		t.Errorf("want one that matches %q, got %v", re, problems)
	}
}

func TestLinksSubmodulesCaseTwinsAndStrangePlaces(t *testing.T) {
	t.Parallel()
	const none = "grants: []\n"
	with := func(p string, f *fstest.MapFile) fstest.MapFS {
		m := files("infra.yaml", "version: 1\n")
		m[p] = f
		return m
	}
	one(t, with("grants/a.yaml", &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("b")}), "grants/a.yaml: a symbolic link")
	one(t, with("grants", &fstest.MapFile{Mode: fs.ModeIrregular}), "grants: a submodule")
	one(t, with("grants/sub", &fstest.MapFile{Mode: fs.ModeIrregular}), "grants/sub: a submodule")
	one(t, with("Grants/a.yaml", &fstest.MapFile{Data: []byte(none)}), "Grants: not read: did you mean grants")
	one(t, with("grants/a.yml", &fstest.MapFile{Data: []byte(none)}), `name it "a.yaml"`)
	one(t, with("grants/A.yaml", &fstest.MapFile{Data: []byte(none)}), "which destination")
	one(t, with("revoked.yml", &fstest.MapFile{Data: []byte("revoked: []")}), "did you mean revoked.yaml")
	one(t, with("users/a/b.yaml", &fstest.MapFile{Data: []byte("users: []")}), "not read there")
	one(t, with("Users/a.yaml", &fstest.MapFile{Data: []byte("users: []")}), "Users: not read: did you mean users")
	one(t, with("keys/a/b.yaml", &fstest.MapFile{Data: []byte("keys: []")}), "not read there")
	twins := files("infra.yaml", "version: 1\n", "groups/a.yaml", "groups: []", "groups/A.yaml", "groups: []")
	one(t, twins, "groups/a.yaml: differs from \"A.yaml\" only by case")
}

func TestHostileBytes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, want string }{
		{"a file over 8 MiB", strings.Repeat("#", 8<<20+1), "at most 8 MiB"},
		{"an alias bomb", "grants: [&a [x], &b [*a, *a], [*b, *b]]", "an anchor"},
		{"nesting 10,000 deep", "grants: " + strings.Repeat("[", 20_000), "exceeded max depth"},
		{"invalid UTF-8", "grants: []\n# \xff", ":2:3: not valid UTF-8"},
		{"NUL", "grants: []\n\x00", ":2:1: a NUL"},
		{"BOM", "\ufeffgrants: []", ":1:1: a byte order mark"},
		{"a line separator", "grants: [] # \u2028", "a line end"},
		{"a lone carriage return", "grants: [] # \rx", "carriage return"},
		{"right-to-left in a comment", "grants: [] # \u202e", "direction of text"},
		{"an empty file", "", "empty"},
		{"a merge that was left half-done", "grants:\n<<<<<<< ours\n  - user: a\n=======\n>>>>>>> theirs\n", ":2: two sides of a merge contradict each other from here on: decide between the marks"},
		{"marks that are no merge", "<<<<<<< ours\na: b", "not YAML"},
		{"an unknown anchor", "# a\ngrants: [*a]", ":2: not YAML: unknown anchor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, problems, err := schema.Load(files("infra.yaml", "version: 1\n", prod, tt.data), nil)
			if err != nil || len(problems) == 0 || !strings.Contains(problems[0].String(), tt.want) {
				t.Errorf("want %q, got %v %v", tt.want, problems, err)
			}
		})
	}
}

func TestAMillionGrantsAreRefusedInBoundedTime(t *testing.T) {
	t.Parallel()
	text := "grants: [" + strings.Repeat("a,", 1_000_000) + "]"
	one(t, files("infra.yaml", "version: 1\n", prod, text), "more than 1000000 values")
}

func TestAPlainSecretIsRefusedAndNeverShown(t *testing.T) {
	t.Parallel()
	k, err := auth.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	escaped := strings.Replace(k.Text(), "infra1_", `\x69nfra1_`, 1)
	for _, data := range []string{
		"keys: [{name: a, user: connector, id: " + k.Text() + "}]",
		"keys: [{name: a, user: \"" + escaped + "\"}]",
		"keys: [{\"" + escaped + "\": a}]",
		"keys: []\n# " + k.Text(),
	} {
		_, problems, err := schema.Load(files("infra.yaml", "version: 1\n", "keys/a.yaml", data), nil)
		if err != nil || len(problems) == 0 {
			t.Fatal(problems, err)
		}
		text := fmt.Sprint(problems)
		if !strings.Contains(text, "an access key with its secret") || strings.Contains(text, k.Text()[20:]) {
			t.Errorf("%s", text)
		}
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	s, _, err := schema.Load(files("infra.yaml", "version: 1\n", prod,
		"grants: [{user: ann, role: view, resource: prod, expires: 2026-11-24T12:00:00Z}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(schema.Expired(s, now)); !strings.Contains(got, "warning: expired, so it gives nothing: ann view on prod") {
		t.Error(got)
	}
}

func TestAFileThatCannotBeReadIsAnErrorAndNoInfraYAMLAProblem(t *testing.T) {
	t.Parallel()
	one(t, fstest.MapFS{}, "infra.yaml: missing")
	if err := schema.IsRepository(fstest.MapFS{}); !errors.Is(err, schema.ErrNoInfraYAML) {
		t.Error(err)
	}
	if _, _, err := schema.Load(unreadable{files("infra.yaml", "version: 1\n", prod, "grants: []")}, nil); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	one(t, files("infra.yaml", "version: 2\npolicy: x\n"), "infra.yaml:1:10: version \"2\" needs a newer infra")
}

// unreadable is a file system in which grants/prod.yaml cannot be opened.
type unreadable struct{ fs.FS }

func (u unreadable) Open(name string) (fs.File, error) {
	if name == prod {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.FS.Open(name)
}

func TestALongChainOfGroupsIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{11, 105, 5_000} {
		var b strings.Builder
		b.WriteString("groups:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {name: g%d, users: [ann], groups: [g%d]}\n", i, i+1)
		}
		_, problems, err := schema.Load(files("infra.yaml", "version: 1\n", "groups/a.yaml", b.String()), nil)
		if err != nil || len(problems.Errors()) == 0 || !strings.Contains(problems.Errors()[0].String(), "more than 10 deep") {
			t.Errorf("%d: %v %v", n, problems, err)
		}
	}
}

func TestRevocationsAreReadAlone(t *testing.T) {
	t.Parallel()
	r, problems, err := schema.LoadRevoked(fstest.MapFS{})
	if err != nil || len(problems) > 0 || len(r.Revocations) > 0 {
		t.Errorf("no file: %v %v %v", r, problems, err)
	}
	r, problems, err = schema.LoadRevoked(files("infra.yaml", "{", "revoked.yaml", "revoked: [{user: ann}, {usr: bob}]"))
	if err != nil || len(problems) == 0 || !r.Subject(schema.Subject{Kind: schema.User, Name: "ann"}) {
		t.Errorf("beside a bad file: %v %v %v", r, problems, err)
	}
	link := fstest.MapFS{"revoked.yaml": &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("other")}, "other": &fstest.MapFile{Data: []byte("revoked: []")}}
	if _, problems, err := schema.LoadRevoked(link); err != nil || len(problems) != 1 {
		t.Errorf("a link: %v %v", problems, err)
	}
}

func TestKnows(t *testing.T) {
	t.Parallel()
	s, _, err := schema.Load(files("infra.yaml", "version: 1\n", "groups/a.yaml", "groups: [{name: eng, users: [ann], groups: [ops]}]",
		"users/a.yaml", "users: [{name: zoe}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		kind schema.SubjectKind
		name string
		want bool
	}{{schema.User, "ann", true}, {schema.GroupKind, "eng", true}, {schema.GroupKind, "ops", true}, {schema.User, "eng", false}, {schema.GroupKind, "ann", false},
		{schema.User, "zoe", true}, {schema.GroupKind, "zoe", false}} {
		if got := s.Knows(schema.Subject{Kind: tt.kind, Name: tt.name}); got != tt.want {
			t.Errorf("%s %s: %v", tt.kind, tt.name, got)
		}
	}
}
