package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrahq/infra/policy"
	"github.com/infrahq/infra/schema"
)

// refusal is the error for a verdict that refuses: what cannot be served counts
// before what a rule is against, and that before what a brake holds. The hint is
// the first way out of what counts.
func refusal(reasons []policy.Refusal) error {
	for _, k := range []struct {
		kind policy.Kind
		err  error
	}{{policy.Invalid, errInvalid}, {policy.Denied, errPolicy}, {policy.Braked, errBrake}} {
		i := slices.IndexFunc(reasons, func(r policy.Refusal) bool { return r.Kind == k.kind })
		if i < 0 {
			continue
		}
		for _, r := range reasons[i:] {
			if r.Kind == k.kind && r.Hint != "" {
				return hint(k.err, "%s", r.Hint)
			}
		}
		return k.err
	}
	return errPolicy
}

// refused is the same, with every reason.
func refused(reasons []policy.Refusal) error {
	e := &problemsError{err: refusal(reasons)}
	for _, r := range reasons {
		e.problems = append(e.problems, asProblem(r, schema.Error))
	}
	return e
}

// asProblem is a refusal as it is printed among problems: by the name of its rule.
func asProblem(r policy.Refusal, s schema.Severity) schema.Problem {
	return schema.Problem{Pos: r.Pos, Severity: s, Message: fmt.Sprintf("%s: %s", r.Rule, r.Message)}
}

// line is a problem as it is printed, by its message alone where no one place is
// at fault.
func line(p schema.Problem) string {
	return harmless(strings.TrimPrefix(p.String(), ": "))
}

// held are the refusals of brakes; others says whether there is any other.
func held(reasons []policy.Refusal) (brakes []policy.Refusal, others bool) {
	for _, r := range reasons {
		if r.Kind == policy.Braked {
			brakes = append(brakes, r)
		} else {
			others = true
		}
	}
	return brakes, others
}
