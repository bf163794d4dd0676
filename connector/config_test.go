package connector

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	const good = "name: example\nserver: {url: infra.example.com, accessKey: 'file:/key'}\n"
	server := ServerConfig{URL: "infra.example.com", AccessKey: "file:/key"}
	for name, test := range map[string]struct {
		text string
		want Config
		err  []string
	}{
		"a short one has defaults": {
			text: good,
			want: Config{Name: "example", Server: server, StateSecret: "infra-connector-state", Listen: ":8080"},
		},
		"health can be switched off": {
			text: good + "listen: ''\nnamespace: access\nstateSecret: mine\n",
			want: Config{Name: "example", Server: server, Namespace: "access", StateSecret: "mine"},
		},
		"an unknown key is refused": {text: good + "sever: x\n", err: []string{`unknown field "sever"`}},
		"a key twice is refused":    {text: good + "name: other\n", err: []string{`"name" already set`}},
		"the server's own name is refused": {
			text: strings.Replace(good, "example\n", "infra\n", 1), err: []string{`name "infra" is the server's own`},
		},
		"all that is wrong is said at once": {
			text: "name: A.b\nnamespace: _\nstateSecret: _\n",
			err:  []string{`name "A.b"`, "server.url is missing", "server.accessKey is missing", `namespace "_"`, `stateSecret "_"`},
		},
		"an empty file has everything missing": {text: "", err: []string{"name is missing", "server.url", "server.accessKey"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "connector.yaml")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := LoadConfig(path)
			for _, want := range test.err {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got the error %v, want one with %q", err, want)
				}
			}
			if test.err == nil {
				if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
					t.Errorf("error %v, (-want +got):\n%s", err, diff)
				}
			}
		})
	}
}

func TestSecretIsReadAnewAndHidden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	for _, text := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Secret("file:" + path).Read(); err != nil || got != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
	t.Setenv("INFRA_TEST_KEY", "third")
	if got, err := Secret("env:INFRA_TEST_KEY").Read(); err != nil || got != "third" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := Secret("env:INFRA_TEST_NONE").Read(); err == nil {
		t.Error("a variable that is not set is a key")
	}
	config := Config{Server: ServerConfig{AccessKey: "infra1_secret"}}
	if text := fmt.Sprintf("%v %+v %#v", config, config, config); strings.Contains(text, "infra1_secret") {
		t.Errorf("the key is shown: %s", text)
	}
}
