package main

import (
	"fmt"
	"slices"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// remaining is an error where a revocation may not take everything: what a person
// has through groups of the identity provider, and what is on destinations that
// nobody keeps equal to the repository. Each is a problem at its place, with the
// command that ends it.
func (a *app) remaining(s *schema.Snapshot, v schema.Revocation) error {
	if v.Key != "" {
		return nil
	}
	who := subjectOf(v.User, false)
	if v.Group != "" {
		who = subjectOf(v.Group, true)
	}
	var left schema.Problems
	remedy := ""
	if who.Kind == schema.User {
		left, remedy = a.throughUnknown(s, who)
	}
	asleep, command := unenforced(s, who)
	left = append(left, asleep...)
	if len(left) == 0 {
		return nil
	}
	if remedy == "" {
		remedy = command
	}
	fact := fmt.Errorf("%s may still have access: RBAC cannot deny, and infra does not know who is in the identity provider's groups", who)
	if len(asleep) == len(left) {
		fact = fmt.Errorf("%s may still have access, where nobody enforces what the repository says", who)
	}
	return hint(&problemsError{err: fact, problems: left}, "%s", remedy)
}

// throughUnknown are the grants by which somebody who is in a group of the
// identity provider has something, whatever is revoked of their own.
func (a *app) throughUnknown(s *schema.Snapshot, who schema.Subject) (left schema.Problems, remedy string) {
	for _, row := range access.Resolve(s, s.Revoked).Rows() {
		if row.Subject.Kind != schema.GroupKind {
			continue
		}
		for _, r := range row.Reasons {
			if expired(r.Grant.Expires, a.now()) {
				continue
			}
			way := "infra grants remove " + grantArguments(r.Grant.Subject, r.Grant.Role, r.Grant.Target)
			if len(r.Via) > 0 { // the grant is that of a group of people who are known
				way = "infra groups removeuser -g " + shell(r.Via[len(r.Via)-1], row.Subject.Name)
			}
			left = append(left, schema.Problem{Pos: r.Grant.Pos, Severity: schema.Error,
				Message: fmt.Sprintf("whoever is in %s of the identity provider has %s on %s: %s", row.Subject, row.Role, row.Target, way)})
			if remedy == "" {
				remedy = fmt.Sprintf("take %s out of these groups in the identity provider; to take everything from everybody in one: infra revoke %s",
					who.Name, subjectArguments(row.Subject))
			}
		}
	}
	slices.SortFunc(left, func(x, y schema.Problem) int { return x.Pos.Compare(y.Pos) })
	return left, remedy
}

// unenforced are the destinations on which somebody has something, and whose
// connector takes nothing away.
func unenforced(s *schema.Snapshot, who schema.Subject) (left schema.Problems, remedy string) {
	others := slices.DeleteFunc(slices.Clone(s.Revoked.Revocations), func(v schema.Revocation) bool {
		return v.User == who.Name || v.Group == who.Name
	})
	has := set{}
	for _, row := range access.Resolve(s, schema.Revoked{Revocations: others}).Rows() {
		if row.Subject == who || slices.ContainsFunc(row.Reasons, func(r access.Reason) bool { return comesBy(r, who) }) {
			has[row.Target.Destination] = true
		}
	}
	for _, d := range s.Destinations {
		if d.Mode == schema.ModeEnforce || !slices.ContainsFunc(has.sorted(), func(t string) bool { return schema.MatchDestination(t, d.Name) }) {
			continue
		}
		way := fmt.Sprintf("infra destinations set %s --mode enforce", d.Name)
		left = append(left, schema.Problem{Pos: d.Pos, Severity: schema.Error,
			Message: fmt.Sprintf("%s is in mode %s, so what %s has there stays: %s", d.Name, d.Mode, who, way)})
		if remedy == "" {
			remedy = way
		}
	}
	return left, remedy
}

// comesBy says whether a reason leads through a group.
func comesBy(r access.Reason, who schema.Subject) bool {
	return r.Grant.Subject == who || who.Kind == schema.GroupKind && slices.Contains(r.Via, who.Name)
}
