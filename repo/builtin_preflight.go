package repo

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The hooks that git runs for a commit, and those that a push and the fast-forward
// after it have in addition (githooks(5)).
var (
	commitHooks = []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "reference-transaction", "post-index-change"}
	pushHooks   = slices.Concat(commitHooks, []string{"pre-push", "post-merge"})
)

// needsGit is the refusal of what takes the program.
func (b *builtin) needsGit(what, detail string) error {
	hint := "install git, which infra then uses"
	if gitInPath() {
		hint = "leave " + WayVariable + " away, so that infra uses git"
	}
	return &Refusal{Err: ErrNeedsGit, What: what, Detail: detail, Hint: hint}
}

// settings are those that change what a commit or its storage is, and that infra
// does not follow. on says for which values.
var settings = []struct {
	name, detail string
	on           func(c gitConfig, name string) bool
}{
	{"commit.gpgSign", "commits are to be signed", gitConfig.true},
	{"core.sparseCheckout", "only some files are checked out", gitConfig.true},
	{"core.splitIndex", "the index is kept in two files", gitConfig.true},
	{"core.sharedRepository", "others are to be able to write what is written", func(c gitConfig, name string) bool {
		return c.true(name) && c.last(name) != "umask"
	}},
	{"i18n.commitEncoding", "messages are to have another encoding than UTF-8", func(c gitConfig, name string) bool {
		return !slices.Contains([]string{"", "utf-8", "utf8"}, strings.ToLower(c.last(name)))
	}},
}

// extensions are those of a repository's format that mean nothing for a commit, or
// that are followed; each with the values that are (gitrepository-layout(5)).
var extensions = map[string][]string{
	"noop": nil, "preciousobjects": nil, "worktreeconfig": nil, "relativeworktrees": nil,
	"objectformat": {"", "sha1"}, "refstorage": {"", "files"},
}

// preflight refuses, by name, what git would do with a commit and infra would
// not: hooks, signatures, formats of the repository. It returns the configuration.
func (b *builtin) preflight(hooks []string) (gitConfig, error) {
	if b.getenv("GIT_CONFIG_PARAMETERS") != "" {
		return nil, b.needsGit("GIT_CONFIG_PARAMETERS", "it holds settings in git's own form")
	}
	config, err := b.config()
	if err != nil {
		return nil, err
	}
	if names := slices.Concat(config.names("include.", "path"), config.names("includeif.", ".path")); len(names) > 0 {
		return nil, b.needsGit(names[0], "settings are in another file, and when they count is git's to say")
	}
	if err := b.checkExtensions(config); err != nil {
		return nil, err
	}
	for _, s := range settings {
		if s.on(config, strings.ToLower(s.name)) {
			return nil, b.needsGit(s.name, s.detail)
		}
	}
	if refs, err := b.refs("refs/replace"); err != nil || len(refs) > 0 {
		return nil, cmp.Or(err, b.needsGit("refs/replace", "git reads other objects in the place of some"))
	}
	return config, b.checkHooks(config, hooks)
}

func (b *builtin) checkExtensions(config gitConfig) error {
	switch config.last("core.repositoryformatversion") {
	case "", "0", "1":
	default:
		return b.needsGit("core.repositoryFormatVersion", "it is "+config.last("core.repositoryformatversion")+", which is unknown")
	}
	for _, name := range config.names("extensions.", "") {
		values, known := extensions[strings.TrimPrefix(name, "extensions.")]
		if !known || values != nil && !slices.Contains(values, strings.ToLower(config.last(name))) {
			return b.needsGit(name, "it is "+config.last(name))
		}
	}
	if names := config.names("remote.", ".promisor"); len(names) > 0 {
		return b.needsGit(names[0], "git fetches files when it needs them")
	}
	return nil
}

// checkHooks refuses hooks that git would run: the files that may be executed.
func (b *builtin) checkHooks(config gitConfig, hooks []string) error {
	if names := config.names("hook.", ".command"); len(names) > 0 {
		return b.needsGit(names[0], "it is a hook, which git runs")
	}
	folder := filepath.Join(b.local.commonDir, "hooks")
	if at := config.last("core.hookspath"); at != "" {
		folder = b.expand(at)
	}
	for _, name := range hooks {
		for _, file := range []string{name, name + ".exe"} {
			info, err := os.Stat(filepath.Join(folder, file))
			if errors.Is(err, fs.ErrNotExist) || err == nil && (info.IsDir() || filepath.Separator == '/' && info.Mode()&0o111 == 0) {
				continue
			}
			return b.needsGit("the hook "+name, filepath.Join(folder, file)+" is to be run")
		}
	}
	return nil
}

// expand reads a path of the configuration: ~ is the home, what is relative begins
// at the top of the work tree.
func (b *builtin) expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(b.home(), filepath.FromSlash(rest))
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(b.root, filepath.FromSlash(path))
	}
	return path
}
