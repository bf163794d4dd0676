package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/adopt"
	"github.com/infrahq/infra/reconciler"
	"github.com/infrahq/infra/schema"
)

// An importedBinding is what became of one, as -o json has it.
type importedBinding struct {
	Kind       string            `json:"kind"`
	Namespace  string            `json:"namespace,omitempty"`
	Name       string            `json:"name"`
	Role       string            `json:"role"`
	Granted    string            `json:"granted,omitempty"`
	Superseded bool              `json:"superseded"`
	Enforced   bool              `json:"enforced,omitempty"`
	Owner      *importOwner      `json:"owner,omitempty"`
	Subjects   []importedSubject `json:"subjects"`
}

type importOwner struct {
	Tool string `json:"tool"`
	Name string `json:"name,omitempty"`
}

type importedSubject struct {
	Kind      string     `json:"kind"`
	Namespace string     `json:"namespace,omitempty"`
	Name      string     `json:"name"`
	Became    adopt.Fate `json:"became"`
	User      string     `json:"user,omitempty"`
	Group     string     `json:"group,omitempty"`
	Resource  string     `json:"resource,omitempty"`
	File      string     `json:"file,omitempty"`
	Line      int        `json:"line,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

// importList says what became of each subject of each binding. live: it is known what
// infra enforces.
func importList(i *importer, all, live bool) list {
	l := list{columns: []column{{name: "Kind"}, {name: "Namespace"}, {name: "Name"}, {name: "Subject"}, {name: "Role"},
		{name: "Became"}, {name: "Owner"}, {name: "Enforced", wide: true}}}
	values := []importedBinding{}
	for _, item := range i.plan.Items {
		b := item.Binding
		if i.plan.Expected(b) && !all {
			continue
		}
		v := importedBinding{Kind: b.Kind, Namespace: b.Namespace, Name: b.Name, Role: b.Role.String(), Granted: item.Granted,
			Superseded: item.Superseded(), Enforced: item.Enforced, Subjects: []importedSubject{}}
		if b.Owner != (adopt.Owner{}) {
			v.Owner = &importOwner{b.Owner.Tool, b.Owner.Name}
		}
		row := func(subject, became string) {
			enforced := ""
			if live && v.Superseded {
				enforced = fmt.Sprint(v.Enforced)
			}
			l.rows = append(l.rows, []any{b.Kind, b.Namespace, b.Name, subject, cmp.Or(item.Granted, b.Role.String()), became, b.Owner.String(), enforced})
			l.of = append(l.of, len(values))
		}
		for _, s := range item.Subjects {
			v.Subjects = append(v.Subjects, i.subject(s))
			row(s.Subject.String(), v.Subjects[len(v.Subjects)-1].text())
		}
		if len(item.Subjects) == 0 {
			row("", "left: it names nobody")
		}
		if deletable(item, live) {
			l.names = append(l.names, kubectlName(b))
		}
		values = append(values, v)
	}
	l.values = values
	return l
}

func (i *importer) subject(a adopt.Adoption) importedSubject {
	v := importedSubject{Kind: a.Subject.Kind, Namespace: a.Subject.Namespace, Name: a.Subject.Name, Became: a.Fate, Reason: a.Reason}
	if a.Fate == adopt.Left {
		return v
	}
	g := a.Grant
	if at, ok := i.at[keyOfGrant(g)]; ok {
		g.Pos = at.Pos
	}
	v.Resource, v.File, v.Line = g.Target.String(), g.Pos.File, g.Pos.Line
	if g.Subject.Kind == schema.GroupKind {
		v.Group = g.Subject.Name
	} else {
		v.User = g.Subject.Name
	}
	return v
}

// text is what became of a subject, for a table.
func (s importedSubject) text() string {
	at := fmt.Sprintf("%s:%d", s.File, s.Line)
	if s.Group != "" && s.Kind == "User" {
		at += " through group " + s.Group
	}
	switch s.Became {
	case adopt.Left:
		return "left: " + s.Reason
	case adopt.Had:
		return "unchanged: " + at
	}
	return at
}

// deletable says whether a binding can be deleted now, for good: that nobody is known
// to make it anew, and, where it is known, that infra gives the same already.
func deletable(i adopt.Item, live bool) bool {
	return i.Superseded() && i.Binding.Owner == (adopt.Owner{}) && (i.Enforced || !live)
}

// kubectlName is a binding as the arguments of kubectl delete. The name stands behind a
// slash: it may be anything, "--all" too.
func kubectlName(b adopt.Binding) string {
	if b.Namespace == "" {
		return shell("clusterrolebinding/" + b.Name)
	}
	return "-n " + shell(b.Namespace, "rolebinding/"+b.Name)
}

// adviseImport says what there is to do beside the commit.
func (a *app) adviseImport(i *importer, source *rbacSource, written string) {
	a.say("proved: nobody gains or loses anything on %s (%s compared)", i.destination, count(i.proof.Subjects, "subject"))
	if i.mode != schema.ModeEnforce {
		a.say("%s is in mode %s, so infra enforces nothing there: delete no binding yet", i.destination, i.mode)
	}
	if labels := i.plan.Steps.Label; len(labels) > 0 {
		a.advise("kubectl%s label %s %s=true, without which infra cannot bind %s", source.flags(), shell(prefixed("clusterrole/", labels)...), reconciler.IncludeRoleLabel, verb(len(labels), "it", "them"))
	}
	if made := i.plan.Steps.Make; len(made) > 0 {
		if written == "" {
			a.advise("repeat this with --write-roles FILE, and kubectl create -f FILE: infra binds ClusterRoles, and %s to be made of %s", verb(len(made), "one is", "%d are"), verb(len(made), "a Role", "Roles"))
		} else {
			a.advise("kubectl%s create -f %s, without which infra cannot bind %s", source.flags(), shell(written), verb(len(made), "it", "them"))
		}
	}
	free, waiting, stay := 0, 0, 0
	owners := map[adopt.Owner]int{}
	for _, item := range i.plan.Items {
		switch {
		case i.plan.Expected(item.Binding):
		case !item.Superseded():
			stay++
		case item.Binding.Owner != (adopt.Owner{}):
			owners[item.Binding.Owner]++
		case deletable(item, source.live()):
			free++
		default:
			waiting++
		}
	}
	switch {
	case free > 0 && source.live():
		a.say("%s can be deleted, as infra gives the same: -o name lists them", count(free, "binding"))
	case free > 0:
		a.say("%s can be deleted once %s enforces the grants: -o name lists them", count(free, "binding"), i.destination)
	}
	if stay > 0 {
		a.say("%s, for what the list says is left", verb(stay, "1 binding stays", "%d bindings stay"))
	}
	if waiting > 0 {
		a.say("%s can be deleted once %s enforces the grants: -o name lists them then", count(waiting, "binding"), i.destination)
	}
	for _, o := range sortedOwners(owners) {
		a.say("%s of %s would come back: take %s out there", count(owners[o], "superseded binding"), o, verb(owners[o], "it", "them"))
	}
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = prefix + n
	}
	return out
}

func sortedOwners(owners map[adopt.Owner]int) []adopt.Owner {
	var out []adopt.Owner
	for o := range owners {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b adopt.Owner) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// verb is one of two phrases, by number.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	if strings.Contains(many, "%d") {
		return fmt.Sprintf(many, n)
	}
	return many
}
