package forge

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Repository is one on a host of a known kind. Two are the same where they are
// equal, however their addresses were written.
type Repository struct {
	Kind Kind
	Host string // and port: "github.com"
	Path string // as the host calls it: "acme/access"
	Web  string // its page, without a slash at the end: "https://github.com/acme/access"
}

// Parse reads the address of a repository as git takes it: a URL, or the short
// form of ssh, [user@]host:path. Kind says what the host runs where its name does
// not; empty: the name tells. It returns false where nobody knows the host, and
// where the address is no repository of such a host.
func Parse(address string, kind Kind) (Repository, bool) {
	p, ok := split(address)
	if !ok {
		return Repository{}, false
	}
	if kind == "" {
		kind = p.guess()
	}
	switch kind {
	case Azure:
		return p.azure()
	case Bitbucket:
		return p.bitbucket()
	case GitHub, GitLab, Gitea:
		least := 2 // an owner and a name; GitLab knows groups of groups
		if len(p.path) < least {
			return Repository{}, false
		}
		r := Repository{Kind: kind, Host: p.host, Path: strings.Join(p.path, "/"), Web: p.page(p.path...)}
		if kind != GitLab { // what is before them is where the host lies on its server
			r.Path = strings.Join(p.path[len(p.path)-least:], "/")
		}
		return r, true
	}
	return Repository{}, false
}

// place is an address taken apart.
type place struct {
	scheme string // of its pages: http or https
	host   string // as people see it in a browser, with the port of http
	server string // as the address has it
	port   string // of ssh
	path   []string
}

var (
	schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	shortForm  = regexp.MustCompile(`^(?:[^/\\@:]+@)?([^/\\:@]{2,}):(.+)$`)
)

// names are the servers that hosts have for ssh alone, and those of their pages.
var names = map[string]string{
	"ssh.github.com":       "github.com",
	"altssh.gitlab.com":    "gitlab.com",
	"altssh.bitbucket.org": "bitbucket.org",
}

func split(address string) (place, bool) {
	p := place{scheme: "https"}
	var path string
	if schemeForm.MatchString(address) {
		u, err := url.Parse(address)
		if err != nil {
			return p, false
		}
		path, p.server = u.Path, u.Hostname()
		switch strings.ToLower(u.Scheme) {
		case "http", "https":
			p.scheme, p.host = strings.ToLower(u.Scheme), u.Host
		case "ssh", "git", "git+ssh", "ssh+git":
			p.host, p.port = u.Hostname(), u.Port()
		default:
			return p, false
		}
	} else {
		m := shortForm.FindStringSubmatch(address)
		if m == nil {
			return p, false
		}
		p.server, p.host, path = m[1], m[1], m[2]
	}
	p.server, p.host = strings.ToLower(p.server), strings.ToLower(p.host)
	if name, ok := names[p.server]; ok {
		p.host = name
	}
	p.path = strings.Split(strings.TrimSuffix(strings.Trim(path, "/"), ".git"), "/")
	strange := func(part string) bool { return part == "" || part == "." || part == ".." }
	return p, p.server != "" && !slices.ContainsFunc(p.path, strange)
}

// guess is the kind of the host, from its name or from how it calls repositories.
func (p place) guess() Kind {
	switch kind := Of(p.server); {
	case kind != "":
		return kind
	case slices.Contains(p.path, "_git"):
		return Azure // DevOps Server, on a server of one's own
	case p.port == "7999":
		return Bitbucket // Data Center listens there for ssh
	}
	return ""
}

// page is an address on the host.
func (p place) page(path ...string) string {
	u := url.URL{Scheme: p.scheme, Host: p.host, Path: "/" + strings.Join(path, "/")}
	return u.String()
}

// azure reads what Azure DevOps calls a repository: ORGANISATION/PROJECT/_git/NAME,
// and for ssh v3/ORGANISATION/PROJECT/NAME.
func (p place) azure() (Repository, bool) {
	if len(p.path) == 4 && p.path[0] == "v3" {
		p.path = []string{p.path[1], p.path[2], "_git", p.path[3]}
		p.host = "dev.azure.com" // also for those whose pages were on visualstudio.com
	}
	i := slices.Index(p.path, "_git")
	if i < 1 || len(p.path) != i+2 {
		return Repository{}, false
	}
	return Repository{Kind: Azure, Host: p.host, Path: strings.Join(p.path, "/"), Web: p.page(p.path...)}, true
}

// bitbucket reads what Bitbucket Cloud calls a repository, WORKSPACE/NAME, and
// what Data Center does: [.../scm/]PROJECT/NAME, where ~ann is a person's project.
func (p place) bitbucket() (Repository, bool) {
	n := len(p.path)
	if n < 2 {
		return Repository{}, false
	}
	owner, name := p.path[n-2], p.path[n-1]
	r := Repository{Kind: Bitbucket, Host: p.host, Path: owner + "/" + name}
	if p.host == cloud {
		r.Web = p.page(owner, name)
		return r, n == 2
	}
	var beside []string // where Bitbucket lies on its server
	if i := slices.Index(p.path, "scm"); i >= 0 {
		beside = p.path[:i]
	}
	if person, ok := strings.CutPrefix(owner, "~"); ok {
		r.Web = p.page(slices.Concat(beside, []string{"users", person, "repos", name})...)
	} else {
		r.Web = p.page(slices.Concat(beside, []string{"projects", owner, "repos", name})...)
	}
	return r, true
}

// cloud is where Bitbucket is Bitbucket Cloud.
const cloud = "bitbucket.org"

// is says whether two are one repository: hosts do not mind the case of names.
func (r Repository) is(other Repository) bool { return strings.EqualFold(r.Web, other.Web) }

// owner is who has the repository, on hosts where that is one name.
func (r Repository) owner() string {
	owner, _, _ := strings.Cut(r.Path, "/")
	return owner
}

func (r Repository) name() string { return r.Path[strings.LastIndex(r.Path, "/")+1:] }
