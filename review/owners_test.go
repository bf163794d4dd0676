package review_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/review"
)

func TestOwnersAreThoseThatTheHostWouldAsk(t *testing.T) {
	tests := []struct {
		name, text, path string
		want             []string
	}{
		{"everything is somebody's", "* @org/platform", "grants/prod.yaml", []string{"@org/platform"}},
		{"the last rule that matches counts", "* @a\n/grants/prod.yaml @sre sec@example.com # both\n/groups/ @people", "grants/prod.yaml", []string{"@sre", "sec@example.com"}},
		{"a later rule without owners takes them away", "* @a\n/grants/prod.yaml", "grants/prod.yaml", nil},
		{"a folder is all that is in it", "/grants/prod/ @sre", "grants/prod/web/a.yaml", []string{"@sre"}},
		{"a folder may be written without its slash", "/grants/prod @sre", "grants/prod/a.yaml", []string{"@sre"}},
		{"but is not the beginning of a name", "/grants/prod @sre", "grants/prod.yaml", nil},
		{"a star stays within a folder", "/grants/* @sre", "grants/prod/a.yaml", nil},
		{"two stars do not", "/grants/** @sre", "grants/prod/a.yaml", []string{"@sre"}},
		{"two stars in the middle may be nothing", "/grants/**/a.yaml @sre", "grants/a.yaml", []string{"@sre"}},
		{"a name without a slash is found everywhere", "prod.yaml @sre", "grants/prod.yaml", []string{"@sre"}},
		{"a path without a slash in front begins at the root", "grants/prod.yaml @sre", "teams/grants/prod.yaml", nil},
		{"a star in a name", "/grants/prod-*.yaml @sre", "grants/prod-eu.yaml", []string{"@sre"}},
		{"a question mark is one character", "/grants/prod-?.yaml @sre", "grants/prod-1.yaml", []string{"@sre"}},
		{"a dot is a dot", "/grants/prod.yaml @sre", "grants/prodxyaml", nil},
		{"a blank behind a backslash", `/grants/a\ b.yaml @sre`, "grants/a b.yaml", []string{"@sre"}},
		{"comments, blank lines and Windows' line ends", "# * @x\r\n\r\n* @a\r\n", "infra.yaml", []string{"@a"}},
		{"case counts", "/Grants/ @sre", "grants/prod.yaml", nil},

		{"sections of GitLab each have their owners", "[Access]\n/grants/ @sre\n^[Security]\n/grants/prod.yaml @sec", "grants/prod.yaml", []string{"@sre", "@sec"}},
		{"within a section the last match counts", "[Access]\n/grants/ @sre\n/grants/prod.yaml @ops", "grants/prod.yaml", []string{"@ops"}},
		{"a rule without owners has the section's", "[Access][2] @group/sub @sre\n/grants/", "grants/prod.yaml", []string{"@group/sub", "@sre"}},
		{"sections of one name are one", "[Access]\n/grants/ @sre\n[Other]\n[access]\n/grants/prod.yaml @ops", "grants/prod.yaml", []string{"@ops"}},
		{"rules before any section stand for themselves", "* @all\n[Access]\n/grants/ @sre", "grants/prod.yaml", []string{"@all", "@sre"}},
		{"an exclusion counts whatever comes later", "[Access]\n/grants/ @sre\n!/grants/dev.yaml\n/grants/*.yaml @ops", "grants/dev.yaml", nil},
		{"a role owns too", "[Access]\n/grants/ @@maintainer", "grants/dev.yaml", []string{"@@maintainer"}},
		{"a path without a slash in front is found everywhere on GitLab", "[Access]\ngrants/dev.yaml @sre", "teams/grants/dev.yaml", []string{"@sre"}},

		{"regular expressions of Gitea", `grants/(prod|dev)\\.yaml @org/sre`, "grants/dev.yaml", []string{"@org/sre"}},
		{"of which all count that match", "grants/.* @all\ngrants/prod.* @sre", "grants/prod.yaml", []string{"@all", "@sre"}},
		{"and may be turned round", "!groups/.* @all", "grants/prod.yaml", []string{"@all"}},
		{"and are of the whole path", `prod.*\\.yaml @sre`, "grants/prod.yaml", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			owners, err := review.ParseOwners([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, owners(test.path)); diff != "" {
				t.Errorf("owners (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALineThatCannotBeReadIsSaidAndPassedOver(t *testing.T) {
	owners, err := review.ParseOwners([]byte("* @all\n/grants/***.yaml @x\n/grants/ sre @ops\x1b[31m @web\n"))
	if err == nil {
		t.Fatal("no error")
	}
	want := "line 2: \"/grants/***.yaml\" is no pattern of files\n" +
		"line 3: \"sre\" is no owner: it is @name, @team/name or an e-mail address\n" +
		"line 3: \"@ops\\u001b[31m\" is no owner: it is @name, @team/name or an e-mail address"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"@web"}, owners("grants/prod.yaml")); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
}

func TestOwnersFileIsFoundWhereTheHostsLook(t *testing.T) {
	files := fstest.MapFS{"docs/CODEOWNERS": {Data: []byte("docs")}, "infra.yaml": {}}
	for _, test := range []struct{ add, want string }{{"", "docs"}, {"CODEOWNERS", "root"}, {".gitea/CODEOWNERS", "gitea"}, {".gitlab/CODEOWNERS", "gitlab"}, {".github/CODEOWNERS", "github"}} {
		if test.add != "" {
			files[test.add] = &fstest.MapFile{Data: []byte(test.want)}
		}
		text, found, err := review.OwnersFile(files)
		if err != nil || !found || string(text) != test.want {
			t.Errorf("with %s: %q, %t, %v", test.add, text, found, err)
		}
	}
	if _, found, err := review.OwnersFile(fstest.MapFS{}); found || err != nil {
		t.Errorf("in an empty folder: %t, %v", found, err)
	}
	if _, _, err := review.OwnersFile(fstest.MapFS{"CODEOWNERS/x": {}}); err == nil {
		t.Error("a folder in its place is no error")
	}
}

func FuzzParseOwners(f *testing.F) {
	f.Add("* @a\n[S] @b\n!x\n^[T][2]\n/a/**/b?\\ c @d", "a/b/b1 c")
	f.Add(`a\\.b|c @x`, "a.b")
	f.Fuzz(func(t *testing.T, text, path string) {
		owners, _ := review.ParseOwners([]byte(text))
		owners(path)
	})
}
