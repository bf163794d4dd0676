package way_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

func TestABadCommitChangesNothingButWhatIsRevokedOnTopOfIt(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	at := func(name string) string { return name + "@" + w.Name + ".example.com" }
	may := func(name string) controlplane.Question {
		return controlplane.Question{User: at(name), Verb: "list", Resource: "configmaps"}
	}
	file := "grants/" + w.Name + ".yaml"
	grants := func(names ...string) string {
		text := "grants:\n"
		for _, name := range names {
			text += fmt.Sprintf("  - user: %s\n    role: view\n    resource: %s\n", at(name), w.Name)
		}
		return text
	}
	why := func(revision string) []api.Refused {
		return []api.Refused{
			{Revision: revision, Kind: "invalid", Rule: "readable", Position: file + ":2:5", Message: `a grant without "role"`},
			{Revision: revision, Kind: "invalid", Rule: "readable", Position: file + ":3:5", Message: `unknown field "rolle" in a grant: did you mean "role"?`},
		}
	}
	refused := func(accepted, bad, tip string) {
		t.Helper()
		w.Until("/readyz to say what is refused and why", func() error {
			r, err := w.Revision()
			if err != nil {
				return err
			}
			want := why(bad)
			if tip != bad {
				want = append(want, why(tip)...) // the bad line is still in it
			}
			if diff := cmp.Diff(want, r.Refused); diff != "" || r.Accepted != accepted || r.Tip != tip {
				return fmt.Errorf("accepted %s, tip %s, refused (-want +got):\n%s", r.Accepted, r.Tip, diff)
			}
			return nil
		})
	}

	good := w.Commit("grants: fisher and mallory", map[string]string{file: grants("fisher", "mallory")})
	w.InForce()
	w.Eventually(t, may("fisher"), true)
	w.Eventually(t, may("mallory"), true)

	mark := w.Mark()
	bad := w.Commit("grants: eve, and a word that is misspelt", map[string]string{
		file: "grants:\n  - user: " + at("eve") + "\n    rolle: view\n    resource: " + w.Name + "\n",
	})
	refused(good, bad, bad)
	w.Connector.Restart() // it asks anew, and is told what was accepted
	w.Until("the connector to be ready again", w.ConnectorReady)
	if diff := cmp.Diff([]string{}, w.Writes(mark)); diff != "" {
		t.Errorf("writes after the bad commit (-want +got):\n%s", diff)
	}
	w.Eventually(t, may("fisher"), true)
	w.Eventually(t, may("mallory"), true)
	w.Eventually(t, may("eve"), false)

	revoking := w.Commit("revoke mallory", map[string]string{"revoked.yaml": "revoked:\n  - user: " + at("mallory") + "\n"})
	refused(good, bad, revoking)
	w.Eventually(t, may("mallory"), false)
	w.Eventually(t, may("fisher"), true)

	w.Commit("grants: repaired", map[string]string{file: grants("fisher", "mallory", "dora")})
	w.InForce()
	if r, err := w.Revision(); err != nil || len(r.Refused) > 0 {
		t.Errorf("after a good commit /readyz still says that something is refused: %+v, %v", r, err)
	}
	w.Eventually(t, may("dora"), true)
	w.Eventually(t, may("fisher"), true)
	w.Eventually(t, may("mallory"), false)
}

func TestAGrantEndsOnTimeEvenWithTheServerKilled(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	ops, dev := "ops@"+w.Name+".example.com", "dev@"+w.Name+".example.com"
	may := func(user string) controlplane.Question {
		return controlplane.Question{User: user, Verb: "delete", Resource: "pods"}
	}
	w.Infra("grants", "add", dev, w.Name, "--role", "edit")
	expires := time.Now().Add(20 * time.Second).UTC().Truncate(time.Second)
	w.Infra("grants", "add", ops, w.Name, "--role", "edit", "--expires", expires.Format(time.RFC3339))
	w.InForce()
	w.Eventually(t, may(ops), true)
	w.Server.Kill()

	w.Eventually(t, may(ops), false)
	if early := time.Until(expires); early > 0 {
		t.Errorf("it ended %s before its time", early)
	}
	w.Eventually(t, may(dev), true)

	// It is still in the file: nobody revives it.
	w.Server.Start()
	w.Connector.Restart()
	w.Until("the connector to be ready again", w.ConnectorReady)
	w.InForce()
	w.Eventually(t, may(ops), false)
}
