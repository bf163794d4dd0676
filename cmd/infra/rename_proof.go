package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/review"
	"github.com/infrahq/infra/schema"
)

// errAccessChanges is for a rename by which somebody would gain or lose.
var errAccessChanges = errors.New("access would change: nothing was changed")

// prove holds the files after a rename against what it is to mean: the same access
// for everybody, under the other name. What cannot be loaded is for the judge.
func (r *renaming) prove(files fs.FS, before *schema.Snapshot, edit schema.Renaming) error {
	after, problems, err := schema.Load(overlay(files, edit.Files), nil)
	if err != nil {
		return fmt.Errorf("reading what the edit would give: %w", err)
	}
	if len(problems.Errors()) > 0 {
		return nil
	}
	want := before
	if _, declared := declaredGroup(before, r.Old); r.What == schema.AUser || r.What == schema.AGroup && !declared {
		want = r.Of(before)
	}
	changes := access.Compare(access.Resolve(want, want.Revoked), access.Resolve(after, after.Revoked), r.now)
	changes = slices.DeleteFunc(changes, func(c access.Change) bool { return !c.Kind.OfAccess() })
	if len(changes) == 0 {
		return nil
	}
	words := changeWords(changes)
	if r.force {
		for _, w := range words {
			r.notes = append(r.notes, w.String())
		}
		return nil
	}
	refused := error(&problemsError{err: errAccessChanges, problems: words})
	if r.What == schema.ADestination {
		return hint(refused, "a pattern fits only one of the two names: take one that fits the same, or --force if this is meant")
	}
	return refused
}

// mostWords is how many changes of access are named before the rest is counted.
const mostWords = 10

// changeWords are changes of access as problems.
func changeWords(changes []access.Change) schema.Problems {
	var out schema.Problems
	for i, c := range changes {
		if i == mostWords {
			out = append(out, schema.Problem{Severity: schema.Error, Message: fmt.Sprintf("and %d more", len(changes)-i)})
			break
		}
		verb := string(c.Kind)
		if c.Kind == access.Extended || c.Kind == access.Shortened {
			verb = "has, " + verb + ","
		}
		out = append(out, schema.Problem{Pos: c.Pos, Severity: schema.Error, Message: fmt.Sprintf("%s %s %s on %s", c.Subject, verb, c.Role, where(c))})
	}
	return out
}

// where are the places of a change: of a pattern those that are known.
func where(c access.Change) string {
	if !schema.IsPattern(c.Target.Destination) || len(c.Destinations) == 0 {
		return c.Target.String()
	}
	return fmt.Sprintf("%s (%s)", c.Target, strings.Join(c.Destinations, ", "))
}

// moveOwners carries the files that move through CODEOWNERS, and notes which of them
// get other owners all the same.
func (r *renaming) moveOwners(files fs.FS, edit schema.Renaming) error {
	if len(edit.Moved) == 0 {
		return nil
	}
	if r.prefix != "." {
		r.notes = append(r.notes, fmt.Sprintf("CODEOWNERS is not below %s and was left alone: look whether it names what moves", r.prefix))
		return nil
	}
	at, text, err := review.OwnersAt(files)
	if err != nil || at == "" {
		return err
	}
	after := text
	for _, from := range slices.Sorted(maps.Keys(edit.Moved)) {
		after = review.MoveOwners(after, from, edit.Moved[from])
	}
	if r.What == schema.ADestination {
		for _, folder := range []string{"grants", "groups"} {
			after = review.MoveOwners(after, path.Join(folder, r.Old), path.Join(folder, r.New))
		}
	}
	if string(after) != string(text) {
		edit.Files[at] = after
	}
	owned, _ := review.ParseOwners(text) // what is wrong with the file was wrong before
	owns, _ := review.ParseOwners(after)
	for _, from := range slices.Sorted(maps.Keys(edit.Moved)) {
		to := edit.Moved[from]
		if had, has := owned(from), owns(to); !slices.Equal(had, has) {
			r.notes = append(r.notes, fmt.Sprintf("%s gives %s other owners: %s, before %s", at, to, ownersText(has), ownersText(had)))
		}
	}
	return nil
}

func ownersText(owners []string) string {
	if len(owners) == 0 {
		return "nobody"
	}
	return strings.Join(owners, ", ")
}
