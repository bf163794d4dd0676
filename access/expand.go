package access

import (
	"slices"

	"github.com/infrahq/infra/schema"
)

// An expansion knows whom each subject of a grant stands for.
type expansion struct {
	declared map[string]schema.Group
	revoked  map[schema.Subject]bool
	known    map[schema.Subject][]member
	numbers  map[schema.Subject]int // of all that are members, in the order in which they were found
	subjects []schema.Subject       // by number
}

// A member is somebody for whom a subject stands, and the groups on the way.
type member struct {
	subject schema.Subject
	number  int
	via     []string
	way     int // those of one expansion that have the same have the same via
}

func newExpansion(groups []schema.Group, r schema.Revoked) *expansion {
	e := &expansion{
		declared: map[string]schema.Group{},
		revoked:  map[schema.Subject]bool{},
		known:    map[schema.Subject][]member{},
		numbers:  map[schema.Subject]int{},
	}
	for _, g := range groups {
		e.declared[g.Name] = g
	}
	for _, v := range r.Revocations {
		if v.User != "" {
			e.revoked[schema.Subject{Kind: schema.User, Name: v.User}] = true
		}
		if v.Group != "" {
			e.revoked[schema.Subject{Kind: schema.GroupKind, Name: v.Group}] = true
		}
	}
	return e
}

// of expands a subject, nearest members first: breadth first, so that each is
// found by its shortest way, once, and a cycle (an error of the files, which are
// not served) ends.
func (e *expansion) of(s schema.Subject) []member {
	if found, ok := e.known[s]; ok {
		return found
	}
	var found []member
	seen := map[schema.Subject]bool{s: true}
	ways := 0
	for queue := []member{{subject: s}}; len(queue) > 0; queue = queue[1:] {
		m := queue[0]
		if e.revoked[m.subject] {
			continue
		}
		group, declared := e.declared[m.subject.Name]
		if m.subject.Kind == schema.User || !declared {
			m.number = e.number(m.subject)
			found = append(found, m)
			continue
		}
		via := append(slices.Clip(m.via), group.Name)
		ways++
		for _, list := range []struct {
			kind    schema.SubjectKind
			members []schema.Member
		}{{schema.User, group.Users}, {schema.GroupKind, group.Groups}} {
			for _, name := range list.members {
				next := schema.Subject{Kind: list.kind, Name: name.Name}
				if !seen[next] {
					seen[next] = true
					queue = append(queue, member{subject: next, via: via, way: ways})
				}
			}
		}
	}
	e.known[s] = found
	return found
}

func (e *expansion) number(s schema.Subject) int {
	n, ok := e.numbers[s]
	if !ok {
		n = len(e.subjects)
		e.numbers[s] = n
		e.subjects = append(e.subjects, s)
	}
	return n
}

// ranks are the places of the numbered subjects in their order.
func (e *expansion) ranks() []int {
	order := make([]int, len(e.subjects))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return e.subjects[a].Compare(e.subjects[b]) })
	ranks := make([]int, len(order))
	for rank, number := range order {
		ranks[number] = rank
	}
	return ranks
}
