package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"
)

// A gitConfig is what git's configuration says, of all its files and the
// environment: the values of each setting in git's order, of which the last
// counts. Names are section.key or section.subsection.key, with section and key in
// lower case (git-config(1)).
type gitConfig map[string][]string

func (c gitConfig) last(name string) string {
	if values := c[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// true reads a boolean; one that is set to nothing counts as true, since git does
// so where there is no equals sign, and the reader does not tell the two apart.
func (c gitConfig) true(name string) bool {
	values := c[name]
	return len(values) > 0 && !slices.Contains([]string{"false", "no", "off", "0"}, strings.ToLower(values[len(values)-1]))
}

// names are the settings whose name begins and ends so, in order.
func (c gitConfig) names(prefix, suffix string) []string {
	var out []string
	for name := range c {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, suffix) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// config reads the configuration that counts in the checkout.
func (b *builtin) config() (gitConfig, error) {
	out := gitConfig{}
	for _, path := range b.configFiles() {
		if err := out.read(path); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	if out.true("extensions.worktreeconfig") {
		path := filepath.Join(b.local.gitDir, "config.worktree")
		if err := out.read(path); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	return out, out.environment(b.getenv)
}

// configFiles are the files of git-config(1), in its order. Of the system's, only
// the usual place is known without a git program, which has its own built in.
func (b *builtin) configFiles() []string {
	var files []string
	if v := b.getenv("GIT_CONFIG_NOSYSTEM"); v == "" || v == "0" || v == "false" {
		if system := b.getenv("GIT_CONFIG_SYSTEM"); system != "" {
			files = append(files, system)
		} else if filepath.Separator == '/' {
			files = append(files, "/etc/gitconfig")
		}
	}
	if global := b.getenv("GIT_CONFIG_GLOBAL"); global != "" {
		files = append(files, global)
	} else {
		files = append(files, b.xdg("config"))
		if home := b.home(); home != "" {
			files = append(files, filepath.Join(home, ".gitconfig"))
		}
	}
	files = append(files, filepath.Join(b.local.commonDir, "config"))
	return slices.DeleteFunc(files, func(f string) bool { return f == "" })
}

func (b *builtin) home() string {
	if home := b.getenv("HOME"); home != "" {
		return home
	}
	home, _ := os.UserHomeDir() // without one there are no files of the user's
	return home
}

// xdg is a file of git's own configuration folder; empty where nobody has one.
func (b *builtin) xdg(name string) string {
	if dir := b.getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "git", name)
	}
	if home := b.home(); home != "" {
		return filepath.Join(home, ".config", "git", name)
	}
	return ""
}

// read adds a file; one that is missing says nothing.
func (c gitConfig) read(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unwrapPath(err)
	}
	defer f.Close()
	raw := config.New()
	if err := config.NewDecoder(f).Decode(raw); err != nil {
		return err
	}
	for _, s := range raw.Sections {
		section := strings.ToLower(s.Name)
		for _, o := range s.Options {
			c.add(section+"."+strings.ToLower(o.Key), o.Value)
		}
		for _, sub := range s.Subsections {
			for _, o := range sub.Options {
				c.add(section+"."+sub.Name+"."+strings.ToLower(o.Key), o.Value)
			}
		}
	}
	return nil
}

func (c gitConfig) add(name, value string) { c[name] = append(c[name], value) }

// environment adds GIT_CONFIG_COUNT and what belongs to it.
func (c gitConfig) environment(getenv func(string) string) error {
	text := getenv("GIT_CONFIG_COUNT")
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1000 {
		return fmt.Errorf("GIT_CONFIG_COUNT is %q: it must be a number", text)
	}
	for i := range n {
		name := getenv(fmt.Sprintf("GIT_CONFIG_KEY_%d", i))
		if strings.Index(name, ".") < 1 {
			return fmt.Errorf("GIT_CONFIG_KEY_%d is %q: it must be section.key", i, name)
		}
		c.add(plainName(name), getenv(fmt.Sprintf("GIT_CONFIG_VALUE_%d", i)))
	}
	return nil
}

// plainName is a setting's name as it is kept here. It has a dot.
func plainName(name string) string {
	first, last := strings.Index(name, "."), strings.LastIndex(name, ".")
	return strings.ToLower(name[:first]) + name[first:last] + strings.ToLower(name[last:])
}
