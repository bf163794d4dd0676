package repo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Clone makes a checkout of what is at an address, in a folder that is empty or
// missing, with all of its history. Each branch of the host is a local branch, too,
// so that it has the name by which people call it. Timeout is how long the host may
// take.
//
// Where the folder is a temporary one, the checkout can be thrown away at any time:
// what [Checkout.Push] pushes is on the host. What works in it, such as a Checkout,
// needs the [Address.Environment]. A password of the address is neither in the
// folder nor in the arguments of a program.
func Clone(ctx context.Context, a Address, dir string, timeout time.Duration) (*Checkout, error) {
	if way, err := wantedWay(); err != nil {
		return nil, err
	} else if way.builtin() {
		return nil, new(builtin).needsGit("a repository that is given by its address", "it is cloned first")
	}
	short, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	g := git{dir: filepath.Dir(dir), env: append(a.Environment(), plainWords)}
	args := []string{"clone", "--quiet", "--origin=origin"}
	for _, setting := range a.settings() {
		args = append(args, "--config="+setting)
	}
	if a.Branch != "" {
		args = append(args, "--branch="+a.Branch)
	}
	_, err := g.run(short, nil, append(args, "--", a.URL, dir)...)
	switch {
	case err != nil && ctx.Err() == nil && short.Err() != nil:
		return nil, fmt.Errorf("%s was not cloned after %v: %w", a, timeout, context.DeadlineExceeded)
	case err != nil:
		return nil, fmt.Errorf("cloning %s: %w", a, err)
	}
	c, err := FindCheckout(ctx, dir)
	if err != nil {
		return nil, err
	}
	if _, err := c.git.run(ctx, nil, "fetch", "--quiet", "--update-head-ok", ".",
		"+refs/remotes/origin/*:refs/heads/*", "^refs/remotes/origin/HEAD"); err != nil {
		return nil, fmt.Errorf("cloning %s: naming its branches: %w", a, err)
	}
	return c, nil
}

// The variables from which git learns the credentials of an address.
const (
	userVariable     = "INFRA_GIT_USERNAME"
	passwordVariable = "INFRA_GIT_PASSWORD"
)

// Environment is what git needs to know to reach the address, as entries NAME=value:
// the password, if there is one, and which protocols are allowed, unless the user
// has said that already.
func (a Address) Environment() []string {
	var env []string
	if os.Getenv("GIT_ALLOW_PROTOCOL") == "" {
		env = append(env, "GIT_ALLOW_PROTOCOL="+strings.Join(Protocols, ":"))
	}
	if a.password != "" {
		env = append(env, userVariable+"="+a.user, passwordVariable+"="+a.password)
	}
	return env
}

// settings are kept in the clone. They make git ask the environment for the
// password, and nobody else: every other way to tell it shows it to whoever lists
// the machine's processes.
func (a Address) settings() []string {
	settings := []string{"submodule.recurse=false", "maintenance.auto=false"}
	if a.password != "" {
		settings = append(settings, "credential.helper=",
			`credential.helper=!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$`+userVariable+`" "$`+passwordVariable+`"; }; f`)
	}
	return settings
}
