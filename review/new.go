package review

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// New reviews the change from base to head. A base without a snapshot, or with
// errors, did not load or is not there: everything of head is new. A head with
// errors has no changes: what it would do is not known.
//
// The names of the two are their IDs; the caller may put better ones. As in
// policy.Fold, time never goes back: a head that is dated before its base is
// judged at the base's time.
func New(base, head policy.Revision, owners Owners) Review {
	if head.At.Before(base.At) {
		head.At = base.At
	}
	r := Review{Base: base.ID, Head: head.ID, At: head.At, BaseProblems: base.Problems.Errors()}
	if len(r.BaseProblems) > 0 || base.Snapshot == nil {
		base = policy.Revision{ID: base.ID, At: base.At}
	}
	r.Refusals = policy.Step(base, head).Refusals
	r.Problems = append(head.Problems.Errors(), head.Problems.Warnings().New(base.Problems)...)
	slices.SortStableFunc(r.Problems, func(a, b schema.Problem) int { return a.Pos.Compare(b.Pos) })
	if head.Snapshot == nil || len(head.Problems.Errors()) > 0 {
		return r
	}

	old := base.Snapshot
	if old == nil {
		old = &schema.Snapshot{}
	}
	r.Changes = access.Compare(access.Resolve(old, old.Revoked), access.Resolve(head.Snapshot, head.Snapshot.Revoked), head.At)
	if base.Snapshot == nil || !samePolicy(old.Settings.Policy, head.Snapshot.Settings.Policy) {
		r.Standing = policy.Standing(head.Snapshot.Settings.Policy, head)
	}
	files := filesOf(head.Snapshot)
	r.Gone = gone(r.Changes, files)
	for f := range filesOf(old) {
		files[f] = true
	}
	r.Destinations = touched(r.Changes, files, owners)
	return r
}

// samePolicy compares rules by what they ask; places and tests do not count.
func samePolicy(a, b []schema.PolicyRule) bool {
	return slices.EqualFunc(a, b, func(a, b schema.PolicyRule) bool {
		for _, r := range []*schema.PolicyRule{&a, &b} {
			r.Pos, r.Cases = schema.Pos{}, nil
		}
		return reflect.DeepEqual(a, b)
	})
}

// filesOf are the files that say something in a snapshot.
func filesOf(s *schema.Snapshot) map[string]bool {
	files := map[string]bool{}
	add := func(p schema.Pos) { files[p.File] = true }
	add(s.Settings.Pos)
	for _, x := range s.Users {
		add(x.Pos)
	}
	for _, x := range s.Grants {
		add(x.Pos)
	}
	for _, x := range s.Groups {
		add(x.Pos)
	}
	for _, x := range s.Keys {
		add(x.Pos)
	}
	for _, x := range s.Destinations {
		add(x.Pos)
	}
	for _, x := range s.Acknowledgements {
		add(x.Pos)
	}
	for _, x := range s.Revoked.Revocations {
		add(x.Pos)
	}
	delete(files, "")
	return files
}

// gone are the files of the old revision's lines that say nothing any more.
func gone(changes []access.Change, files map[string]bool) []string {
	var out []string
	for _, c := range changes {
		if c.InOld && c.Pos.File != "" && !files[c.Pos.File] {
			out = append(out, c.Pos.File)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// touched are the destinations whose access changes, each with its owners: a
// change of a group that reaches prod asks the owners of prod.
func touched(changes []access.Change, files map[string]bool, owners Owners) []Destination {
	reached := map[string]bool{}
	for _, c := range changes {
		switch {
		case c.Kind == access.DestinationAdded || c.Kind == access.DestinationRemoved || c.Kind == access.DestinationChanged:
			reached[c.Name] = true
		case len(c.Destinations) > 0:
			for _, d := range c.Destinations {
				reached[d] = true
			}
		case c.Target.Destination != "":
			reached[c.Target.Destination] = true
		}
	}
	var out []Destination
	for d := range reached {
		out = append(out, Destination{Name: d, Owners: ownersOf(d, files, owners)})
	}
	slices.SortFunc(out, func(a, b Destination) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// ownersOf asks who owns the files of a destination, in the order in which they
// are found.
func ownersOf(destination string, files map[string]bool, owners Owners) []string {
	if owners == nil {
		return nil
	}
	paths := []string{"grants/" + destination + ".yaml"}
	if schema.IsPattern(destination) {
		paths = []string{"grants/_shared.yaml"}
	}
	var more []string
	for f := range files {
		if strings.HasPrefix(f, "grants/"+destination+"/") || f == "destinations/"+destination+".yaml" {
			more = append(more, f)
		}
	}
	slices.Sort(more)
	var out []string
	for _, p := range append(paths, more...) {
		for _, o := range owners(p) {
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}
