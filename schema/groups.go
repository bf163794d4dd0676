package schema

import "strings"

var groupKeys = []string{"name", "users", "groups"}

func (f *parsedFile) readGroup(r *reader, n *node) {
	before := r.errors
	g := Group{Pos: r.pos(n), Destination: groupScope(f.path)}
	ok := r.mapping(n, "a group", groupKeys, func(key string, _, v *node) {
		switch key {
		case "name":
			g.Name = r.name(v, "name", ValidateGroup)
		case "users":
			g.Users = f.members(r, v, key, ValidateUser)
		case "groups":
			g.Groups = f.members(r, v, key, ValidateGroup)
		}
	})
	if !ok {
		return
	}
	r.missing(n, "a group", "name")
	if r.errors > before {
		return
	}
	if len(g.Users)+len(g.Groups) == 0 {
		r.warnf(g.Pos, "group %s has no members", quoted(g.Name))
	}
	f.groups = append(f.groups, g)
}

func (f *parsedFile) members(r *reader, n *node, what string, check func(string) error) []Member {
	var members []Member
	seen := map[string]bool{}
	r.each(n, what, func(item *node) {
		if f.entries++; f.entries > maxEntries {
			return
		}
		name := r.name(item, "a member", check)
		switch {
		case name == "":
		case seen[name]:
			r.warnf(r.pos(item), "member %s twice in one list", quoted(name))
		default:
			seen[name] = true
			members = append(members, Member{Name: name, Pos: r.pos(item)})
		}
	})
	return members
}

// groupScope is the one destination on which the groups of a file may be
// granted: groups/<destination>/*.yaml; "" for groups/*.yaml.
func groupScope(p string) string {
	_, p, _ = strings.Cut(p, "/")
	if scope, _, below := strings.Cut(p, "/"); below {
		return scope
	}
	return ""
}
