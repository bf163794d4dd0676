package repo

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// httpSettings are ways of git's to reach a host over http that infra does not
// know, by the last part of their names.
var httpSettings = []string{
	"proxy", "proxysslcert", "proxysslkey", "proxysslcainfo", "sslverify", "sslcapath", "sslcert", "sslkey",
	"sslbackend", "sslversion", "sslcipherlist", "pinnedpubkey", "extraheader", "cookiefile", "curloptresolve", "delegation",
}

// httpVariables are the same in the environment.
var httpVariables = []string{"GIT_SSL_NO_VERIFY", "GIT_SSL_CAPATH", "GIT_SSL_CERT", "GIT_PROXY_SSL_CERT", "GIT_PROXY_SSL_CAINFO"}

// farAway is for a deadline of its own, where the caller's is shorter in any case.
const farAway = 24 * time.Hour

// reach prepares the way to a remote, and refuses one that takes git: a folder,
// git's own protocol, and settings that say how the host is reached. No
// message has the address, which may hold a password.
func (b *builtin) reach(config gitConfig, name, address string) (*remote, error) {
	what := "the remote " + name
	scheme, _, found := strings.Cut(address, "://")
	switch {
	case !found && scpForm.MatchString(address) || strings.HasSuffix(scheme, "ssh"):
		return b.reachSSH(config, what, address)
	case !found || scheme == "file":
		return nil, b.needsGit(what, "it is a folder")
	case scheme != "http" && scheme != "https":
		return nil, b.needsGit(what, "it is reached over "+scheme)
	}
	for setting := range config {
		section, key, _ := strings.Cut(setting, ".")
		key = key[strings.LastIndexByte(key, '.')+1:]
		if section == "http" && (slices.Contains(httpSettings, key) || key == "sslcainfo" && setting != "http.sslcainfo") {
			return nil, b.needsGit(setting, "it says how the Git host is reached")
		}
	}
	for _, variable := range httpVariables {
		if b.getenv(variable) != "" {
			return nil, b.needsGit(variable, "it says how the Git host is reached")
		}
	}
	loc, err := parseLocation(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	o := Options{Timeout: farAway, MaxBytes: 1 << 30, bundleAlone: true}
	if o.CABundle, err = b.authorities(config); err != nil {
		return nil, err
	}
	if loc.password == "" {
		o.Username, o.Password = b.getenv("INFRA_GIT_USERNAME"), b.getenv("INFRA_GIT_PASSWORD")
		if o.Password == "" {
			o.Username, o.Password = b.netrc(loc.url.Hostname())
			if loc.user != "" && loc.user != o.Username {
				o.Password = "" // somebody else's
			}
		}
		o.Username = cmp.Or(loc.user, o.Username)
		if loc.user = ""; o.Password == "" {
			o.Username = "" // a name alone is none: once the host asks, so is asked for the password
		}
	}
	return newRemote(loc, o)
}

// authorities are the certificates that are trusted in the place of the system's;
// nil: there are none.
func (b *builtin) authorities(config gitConfig) ([]byte, error) {
	path := cmp.Or(b.getenv("GIT_SSL_CAINFO"), config.last("http.sslcainfo"))
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(b.expand(path))
	if err != nil {
		return nil, fmt.Errorf("reading http.sslCAInfo: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("reading http.sslCAInfo: %s has no certificate in PEM form", path)
	}
	return text, nil
}

// netrc finds a host in the file for user names and passwords that git's transport
// reads, too: ~/.netrc.
func (b *builtin) netrc(host string) (user, password string) {
	name := ".netrc"
	if filepath.Separator == '\\' {
		name = "_netrc"
	}
	text, err := os.ReadFile(filepath.Join(b.home(), name))
	if err != nil {
		return "", ""
	}
	words := bufio.NewScanner(bytes.NewReader(text))
	words.Split(bufio.ScanWords)
	next := func() string { words.Scan(); return words.Text() }
	ours := false
	for words.Scan() {
		switch words.Text() {
		case "machine":
			if user+password != "" {
				return user, password
			}
			ours = next() == host
		case "default":
			if user+password != "" {
				return user, password
			}
			ours = true
		case "login":
			if v := next(); ours {
				user = v
			}
		case "password":
			if v := next(); ours {
				password = v
			}
		case "macdef":
			return user, password // what follows is no more of this form
		}
	}
	return user, password
}

// ask asks the program that git asks, for a host that wants a user name and a
// password. Those of a credential helper are behind git.
func (b *builtin) ask(ctx context.Context, config gitConfig, address string) (transport.AuthMethod, error) {
	program := cmp.Or(b.getenv("GIT_ASKPASS"), config.last("core.askpass"), b.getenv("SSH_ASKPASS"))
	if program == "" {
		for _, name := range append(config.names("credential.", ".helper"), "credential.helper") {
			if config.last(name) != "" {
				return nil, b.needsGit(name, "the Git host asks for a user name and a password, which git has there")
			}
		}
		return nil, &Refusal{Err: ErrNoIdentity, What: "the password for the Git host",
			Hint: "put it into ~/.netrc, or into INFRA_GIT_USERNAME and INFRA_GIT_PASSWORD (a token counts as a password)"}
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("reading the remote's address: it is malformed")
	}
	place := url.URL{Scheme: u.Scheme, Host: u.Host}
	auth := &githttp.BasicAuth{Username: u.User.Username()}
	if auth.Username == "" {
		if auth.Username, err = b.answer(ctx, program, fmt.Sprintf("Username for '%s': ", &place)); err != nil {
			return nil, err
		}
	}
	place.User = url.User(auth.Username)
	auth.Password, err = b.answer(ctx, program, fmt.Sprintf("Password for '%s': ", &place))
	return auth, err
}

// answer is what the program says to one question (gitcredentials(7)).
func (b *builtin) answer(ctx context.Context, program, question string) (string, error) {
	cmd := exec.CommandContext(ctx, b.expandProgram(program), question)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for the password: %w", program, err)
	}
	return strings.TrimRight(string(out), "\r\n"), nil
}

func (b *builtin) expandProgram(program string) string {
	if strings.HasPrefix(program, "~/") {
		return b.expand(program)
	}
	return program
}
