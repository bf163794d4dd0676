package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"
)

// ErrAcknowledged says that the same acknowledgement is there already. It
// counted in the commit that brought it in, and does not count again.
var ErrAcknowledged = errors.New("acknowledged before in these words, which counted once: give another reason")

// Acknowledge says that a large removal is meant: it adds
// acknowledgements/<date>-<destination>.yaml, by the UTC date of now, or with -2,
// -3 and so on behind it where there is one. Unlike in a file that is read, a
// reason is required: it is what tells one acknowledgement from another.
//
// The same destination, removals and reason in any file are ErrAcknowledged; the
// other errors are those of AddGrant.
func Acknowledge(fsys fs.FS, a Acknowledgement, now time.Time) (Edit, error) {
	if err := a.Validate(); err != nil {
		return Edit{}, err
	}
	e, err := openEditor(fsys)
	if err != nil {
		return Edit{}, err
	}
	a.Pos = Pos{}
	for _, f := range e.files {
		for _, have := range f.acknowledgements {
			if have.Pos = (Pos{}); have == a {
				return Edit{}, fmt.Errorf("the loss of access by %d on %s: %w", a.Removals, a.Destination, ErrAcknowledged)
			}
		}
	}
	file, err := freeAcknowledgement(fsys, now.UTC().Format(time.DateOnly)+"-"+a.Destination)
	if err != nil {
		return Edit{}, err
	}
	a.Pos, err = e.insert(file, acknowledgementsFile, func(f *parsedFile) int { return len(f.acknowledgements) }, acknowledgementFields(a))
	if err != nil {
		return Edit{}, err
	}
	return e.finish(Edit{Outcome: Added, Acknowledgement: a}, func(want *parsedFile) {
		added := a
		added.Pos = Pos{}
		want.acknowledgements = append(want.acknowledgements, added)
	})
}

// freeAcknowledgement is the path of a file that does not exist.
func freeAcknowledgement(fsys fs.FS, name string) (string, error) {
	for i := 1; ; i++ {
		file := "acknowledgements/" + name + ".yaml"
		if i > 1 {
			file = fmt.Sprintf("acknowledgements/%s-%d.yaml", name, i)
		}
		switch _, err := fs.Lstat(fsys, file); {
		case errors.Is(err, fs.ErrNotExist):
			return file, nil
		case err != nil:
			return "", fmt.Errorf("reading the access repository: %w", err)
		}
	}
}

// Validate says why an acknowledgement cannot be added, or nil.
func (a Acknowledgement) Validate() error {
	switch {
	case a.Removals < 1 || a.Removals > math.MaxInt32:
		return fmt.Errorf("removals is a number from 1 on, not %d", a.Removals)
	case a.Reason == "":
		return errors.New("an acknowledgement without a reason: it says why so many lose access, and tells this one from others")
	}
	return cmpErr(ValidateDestination(a.Destination), ValidateReason(a.Reason))
}
