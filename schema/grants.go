package schema

import (
	"strings"
)

var grantKeys = []string{"user", "group", "role", "resource", "expires", "reason"}

// readGrant reads an item of a list of grants. What it cannot read does not
// become a grant, and is an error.
func (f *parsedFile) readGrant(r *reader, n *node) {
	before := len(r.problems)
	g := placedGrant{Grant: Grant{Pos: r.pos(n)}}
	ok := r.mapping(n, "a grant", grantKeys, func(key string, k, v *node) {
		switch key {
		case "user", "group":
			if g.Subject.Kind != "" {
				r.errorf(r.pos(k), "a grant is for a user or for a group, not for both")
				return
			}
			g.Subject = Subject{Kind: SubjectKind(key)}
			g.Subject.Name = r.name(v, key, func(s string) error { return Subject{g.Subject.Kind, s}.Validate() })
			g.subjectPos = r.pos(v)
		case "role":
			g.Role, g.rolePos = r.name(v, key, ValidateRole), r.pos(v)
		case "resource":
			g.targetPos = r.pos(v)
			g.Target = r.target(v)
		case "expires":
			g.Expires = r.time(v, key)
		case "reason":
			g.Reason = r.reason(v)
		}
	})
	if !ok {
		return
	}
	if g.Subject.Kind == "" && !hasKey(n, "user") {
		r.errorf(r.pos(n), "a grant without \"user\" or \"group\"")
	}
	r.missing(n, "a grant", "role", "resource")
	if len(r.problems) > before {
		return
	}
	f.checkPlace(r, g)
	if g.Target.Destination == InfraDestination && indexOf(InfraRoles, g.Role) < 0 {
		r.errorf(g.rolePos, "role %s: grants on %q, the server itself, have one of the roles %s",
			quoted(g.Role), InfraDestination, strings.Join(InfraRoles, ", "))
	}
	f.grants = append(f.grants, g)
}

func (r *reader) target(v *node) Target {
	s, ok := r.text(v, "resource")
	if !ok {
		return Target{}
	}
	t, err := ParseTarget(s)
	if err != nil {
		r.errorf(r.pos(v), "%s", err)
	}
	return t
}

// checkPlace refuses a grant in a file whose owners have no say in its
// destination.
func (f *parsedFile) checkPlace(r *reader, g placedGrant) {
	home := homeOfGrant(g.Target)
	shared := f.path == sharedPath
	switch {
	case IsPattern(g.Target.Destination) && !shared:
		r.errorf(g.targetPos, "a grant whose destination is a pattern belongs in %s", sharedPath)
	case shared && !IsPattern(g.Target.Destination):
		r.errorf(g.targetPos, "a grant on one destination belongs in %s", home)
	case !shared && destinationOfPath(f.path) != g.Target.Destination:
		r.errorf(g.targetPos, "a grant on %s in the file of %s: it belongs in %s",
			quoted(g.Target.Destination), quoted(destinationOfPath(f.path)), home)
	}
}

// homeOfGrant is the file that a grant on a target goes into where there is no
// better one.
func homeOfGrant(t Target) string {
	if IsPattern(t.Destination) {
		return sharedPath
	}
	return "grants/" + t.Destination + ".yaml"
}

// destinationOfPath is the one destination that a file below grants/ may grant
// on: grants/<destination>.yaml or grants/<destination>/...
func destinationOfPath(p string) string {
	_, p, _ = strings.Cut(p, "/")
	first, _, below := strings.Cut(p, "/")
	if below {
		return first
	}
	return strings.TrimSuffix(first, ".yaml")
}

func hasKey(n *node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}
