package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// A setup is a row of docs/checkouts.md: a checkout as somebody has one, and what
// becomes of an edit in it.
type setup struct {
	name   string
	make   func(s *site)
	commit outcomeOf                  // of infra grants add
	push   outcomeOf                  // of the same with --push
	note   string                     // what is seen to, or why
	check  func(s *site, made string) // of a commit

	checkPush func(s *site, made string) // of a push, where that is another; nil: check

	newFile  *outcomeOf // of a commit of a file that was not there, where that may differ
	hookAdds string     // a file that a hook puts into the commit, beside the edit
	rewrites bool       // a hook, not infra, has the last word about the file
}

// An outcomeOf is what becomes of an edit, as the table has it: commits, or refuses
// with words that are to be found in what infra says.
type outcomeOf struct{ refuses []string }

var commits = outcomeOf{}

// refuses takes words, of which each is to be said; "a|b" is one or the other, as
// gits of different age say it.
func refuses(words ...string) outcomeOf { return outcomeOf{refuses: words} }

// refusesNew is refuses for a row's newFile.
func refusesNew(words ...string) *outcomeOf { return &outcomeOf{refuses: words} }

func (o outcomeOf) String() string {
	if o.refuses == nil {
		return "commits"
	}
	var all []string
	for _, w := range o.refuses {
		all = append(all, "`"+strings.ReplaceAll(w, "|", "` or `")+"`")
	}
	return "refuses: " + strings.Join(all, ", ")
}

// An edit in every set-up of the table commits exactly itself, or is refused and
// changes nothing; what the user had staged, changed or half finished is what it was.
func TestCheckouts(t *testing.T) {
	t.Parallel()
	template := siteTemplate(t)
	for _, row := range setups {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.tryCommit(t, template)
			if !testing.Short() {
				row.tryPush(t, template)
			}
		})
	}
}

func (r setup) tryCommit(t *testing.T, template string) {
	s := newSite(t, template)
	r.make(s)
	s.edit(r, r.commit, "prod", false)
	if r.newFile != nil {
		s.edit(r, *r.newFile, "dev", false)
	}
}

func (r setup) tryPush(t *testing.T, template string) {
	s := newSite(t, template)
	r.make(s)
	s.edit(r, r.push, "prod", true)
}

// message is what every edit is committed with.
const message = "grants: view for Zoë"

// edit runs infra once and checks what became of everything.
func (s *site) edit(r setup, want outcomeOf, destination string, push bool) {
	s.t.Helper()
	file := s.prefix + "grants/" + destination + ".yaml"
	args := []string{"grants", "add", "bob@example.com", destination, "--role", "view", "-m", message}
	how := "commit of " + file
	if push {
		args, how = append(args, "--push"), "push of "+file
	}
	before := s.picture()
	out, err := s.infra(args...)
	after := s.picture()
	if want.refuses != nil {
		if err == nil {
			s.t.Fatalf("%s: it succeeded:\n%s", how, out)
		}
		for _, words := range want.refuses {
			if !slices.ContainsFunc(strings.Split(words, "|"), func(w string) bool { return strings.Contains(out, w) }) {
				s.t.Errorf("%s: no word of %q:\n%s", how, words, out)
			}
		}
		if !strings.Contains(out, "error: ") {
			s.t.Errorf("%s: no error:\n%s", how, out)
		}
		if d := gocmp.Diff(before.all, after.all); d != "" {
			s.t.Errorf("%s: it was refused, and changed (-before +after):\n%s", how, d)
		}
		return
	}
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", how, err, out)
	}
	made := s.committed(r, how, file, push, before, after)
	if d := gocmp.Diff(before.others(file, r.hookAdds), after.others(file, r.hookAdds)); d != "" {
		s.t.Errorf("%s: more than the edit changed (-before +after):\n%s", how, d)
	}
	switch {
	case push && r.checkPush != nil:
		r.checkPush(s, made)
	case r.check != nil:
		r.check(s, made)
	}
}

// committed checks that there is one commit more, which is exactly the edit, and
// returns its hash.
func (s *site) committed(r setup, how, file string, push bool, before, after picture) string {
	s.t.Helper()
	parent, made := before.head, after.head
	if push {
		parent, made = before.target, after.target
	}
	if made == "" || parent == made {
		s.t.Fatalf("%s: no commit was made: %s", how, made)
	}
	objects := s.objects(made, cmp.Or(parent, made+"^")+":"+file, made+":"+file)
	commit, was, is := objects[0], cmp.Or(objects[1], "grants:\n"), objects[2]
	header, words, _ := strings.Cut(commit, "\n\n")
	var parents []string
	for line := range strings.Lines(header) {
		if hash, ok := strings.CutPrefix(line, "parent "); ok {
			parents = append(parents, strings.TrimSpace(hash))
		}
	}
	if got := strings.Join(parents, " "); got != parent {
		s.t.Errorf("%s: the commit is on %q, want %q", how, got, parent)
	}
	if !strings.HasPrefix(words, message+"\n") || strings.Contains(header, "\nencoding ") {
		s.t.Errorf("%s: the message is %q of\n%s", how, words, header)
	}
	names := strings.Split(s.gitIn(s.store, "diff-tree", "-r", "--root", "--name-only", "--no-commit-id", made), "\n")
	want := []string{file}
	if r.hookAdds != "" {
		want = append(want, r.hookAdds)
		slices.Sort(want)
	}
	if !slices.Equal(names, want) {
		s.t.Errorf("%s: it has %q, want %q", how, names, want)
	}
	added := fmt.Sprintf("  - user: bob@example.com\n    role: view\n    resource: %s\n", strings.TrimSuffix(strings.TrimPrefix(file, s.prefix+"grants/"), ".yaml"))
	rest, kept := strings.CutPrefix(is, was)
	if !r.rewrites && (!kept || strings.ReplaceAll(rest, "\r", "") != added) {
		s.t.Errorf("%s: the file is\n%q\nwas\n%q", how, is, was)
	}
	return made
}

// TestCheckoutsPage keeps the table of docs/checkouts.md equal to the set-ups of
// the test: go test ./cmd/infra -run TestCheckoutsPage -update.
func TestCheckoutsPage(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../docs/checkouts.md", "<!-- set-ups, written by a test -->\n", "<!-- end of set-ups -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no markers", file)
	}
	table := "| Set-up | A commit here | With `--push` | What is seen to |\n| --- | --- | --- | --- |\n"
	seen := map[string]bool{}
	for _, r := range setups {
		if seen[r.name] {
			t.Errorf("two set-ups are called %q", r.name)
		}
		seen[r.name] = true
		here := r.commit.String()
		if r.newFile != nil && r.newFile.String() != here {
			here += "; a new file: " + r.newFile.String()
		}
		table += fmt.Sprintf("| %s | %s | %s | %s |\n", r.name, here, r.push, r.note)
	}
	sameAsGolden(t, file, head+begin+table+end+tail)
}
