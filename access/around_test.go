package access_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/access"
	"github.com/infrahq/infra/schema"
)

// TestWhatIsAroundSomebodySaysOfThemWhatEverythingSays: a log of one person reads
// no more than that.
func TestWhatIsAroundSomebodySaysOfThemWhatEverythingSays(t *testing.T) {
	t.Parallel()
	whole := func(s *schema.Snapshot) *access.Table { return access.Resolve(s, s.Revoked) }
	found, lapsed := 0, 0
	for seed := range uint64(500) {
		d := dice{rand.New(rand.NewPCG(seed, 2))}
		w := d.world()
		old, next := w.snapshot(), d.changed(w).snapshot()
		for _, who := range []schema.Subject{user("ann"), user("bob"), user("cyd"), group("idp")} {
			near := [2]*schema.Snapshot{access.Around(old, who), access.Around(next, who)}
			want := of(who, access.Compare(whole(old), whole(next), now))
			got := of(who, access.Compare(whole(near[0]), whole(near[1]), now))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d: %s (-everything +around):\n%s", seed, who, diff)
			}
			ended := func(t *access.Table) (out []string) {
				for _, l := range t.Lapses(past.Add(-time.Hour), late) {
					out = append(out, of(who, []access.Change{l.Change})...)
				}
				return out
			}
			lapsed += len(ended(whole(old)))
			if diff := cmp.Diff(ended(whole(old)), ended(whole(near[0]))); diff != "" {
				t.Fatalf("seed %d: what ended of %s (-everything +around):\n%s", seed, who, diff)
			}
			found += len(want)
		}
	}
	if found < 200 || lapsed < 200 {
		t.Errorf("only %d changes and %d that ended: the dice try too little", found, lapsed)
	}
}

// of are the changes of somebody's access, without where a pattern leads.
func of(who schema.Subject, changes []access.Change) []string {
	var out []string
	for _, c := range changes {
		if c.Kind.OfAccess() && c.Subject == who {
			out = append(out, fmt.Sprint(c.Kind, c.Role, c.Target, c.Expires, c.Before, len(c.Reasons)))
		}
	}
	slices.Sort(out)
	return out
}

func TestLapses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what  string
		world world
		want  []string
	}{
		{"a grant ends", world{grants: grants("ann edit dev until 1")}, []string{"1 ann loses edit dev"}},
		{"a grant never ends", world{grants: grants("ann edit dev")}, nil},
		{"it had ended before", world{grants: grants("ann edit dev until past")}, nil},
		{"the same is granted for ever elsewhere", world{grants: grants("ann edit dev.web until 1", "ann edit dev")}, nil},
		{"another role has it", world{grants: grants("ann view dev until 1", "ann edit dev")}, nil},
		{"another role has it until later", world{grants: grants("ann view dev until 1", "ann edit dev until 2")}, []string{"2 ann loses edit dev"}},
		{"both end at once", world{grants: grants("ann view dev until 1", "ann edit dev until 1")}, []string{"1 ann loses edit dev"}},
		{"a weaker one stays", world{grants: grants("ann edit dev until 1", "ann view dev")}, []string{"1 ann loses edit dev"}},
		{"a group's ends", world{grants: grants("g:sre edit dev until 2", "ann edit dev until 1"), groups: []schema.Group{declare("sre: ann bob")}},
			[]string{"2 ann loses edit dev", "2 bob loses edit dev"}},
		{"whoever is revoked had nothing", world{grants: grants("ann edit dev until 1"), revoked: []schema.Revocation{{User: "ann"}}}, nil},
	} {
		s := c.world.snapshot()
		var got []string
		for _, l := range access.Resolve(s, s.Revoked).Lapses(now, late) {
			got = append(got, fmt.Sprint(l.At.Day(), " ", l.Change.Subject, " ", l.Change.Kind, " ", l.Change.Role, " ", l.Change.Target))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}
