package policy

import (
	"fmt"
	"regexp"
	"time"

	"github.com/infrahq/infra/schema"
)

// newRequire judges `require`. Each grant that gives somebody the picked access
// is asked, those that have expired too: they are what somebody wrote.
//
// What is asked for is asked again when access is to last longer: whoever extends
// a grant from before the rule brings it in order. A grant on more than what is
// picked is asked too, since it reaches into it.
func newRequire(r schema.Require) judge {
	picked, except := newExactPicker(r.Selector), newException(r.Unless)
	var reason *regexp.Regexp
	if r.Reason != "" {
		var err error
		if reason, err = regexp.Compile(r.Reason); err != nil {
			reason = regexp.MustCompile(`\A\z.`) // schema refuses it before: no reason is good enough
		}
	}
	return accessJudge(func(w *world) []breach {
		var out []breach
		for row, why := range picked.picks(w, true) {
			g := why.Grant
			missing := func(demand, tail, way string) {
				out = append(out, breach{demand: demand, row: row, reason: why, until: g.Expires, tail: tail, way: way})
			}
			tooLate := r.Expiry > 0 && longer(g.Expires, w.at.Add(r.Expiry))
			noReason := reason != nil && !reason.MatchString(g.Reason)
			own := r.Group && g.Subject.Kind == schema.User
			if !tooLate && !noReason && !own || except.excepts(w, row, why) {
				continue
			}
			if tooLate {
				missing("expiry", lasting(g.Expires, r.Expiry), fmt.Sprintf("let it expire within %s, by %s", span(r.Expiry), stamp(w.at.Add(r.Expiry))))
			}
			if noReason {
				tail := " without a reason"
				if g.Reason != "" {
					tail = fmt.Sprintf(", and the reason %q does not match %s", g.Reason, r.Reason)
				}
				missing("reason", tail, fmt.Sprintf("give the grant a reason that matches %s", r.Reason))
			}
			if own {
				missing("group", " by a grant of their own", "grant it to a group that they are in")
			}
		}
		return out
	})
}

// lasting says how long access lasts that lasts too long.
func lasting(expires time.Time, most time.Duration) string {
	if expires.IsZero() {
		return fmt.Sprintf(" without an expiry, and at most %s are allowed", span(most))
	}
	return fmt.Sprintf(" until %s, and at most %s are allowed", stamp(expires), span(most))
}
