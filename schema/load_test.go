package schema_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrahq/infra/schema"
)

func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func TestLoadReadsEveryKindOfFile(t *testing.T) {
	t.Parallel()
	s, problems, err := schema.Load(files(
		"infra.yaml", "version: 1\nchanges: push\n",
		"README.md", "not read",
		"grants/example.yaml", `grants:
  - user: fisher@example.com
    role: admin
    resource: example
  - user: ops@example.com
    role: admin
    resource: example.payments        # namespace payments
    expires: 2026-12-24T18:00:00+01:00
    reason: "INC-1234: payment queue stuck"
`,
		"grants/_shared.yaml", "grants: [{group: engineering, role: view, resource: '*.pay-*'}]\n",
		"groups/engineering.yaml", "groups:\n  - name: engineering\n    users: [fisher@example.com]\n    groups: [oncall]\n",
		"keys/example-connector.yaml", `keys:
  - name: example-connector
    user: connector
    id: 7Zk2mQ9xWd
    hash: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    destination: example
    created: 2026-11-23T10:00:00Z
`,
		"destinations/example.yaml", `destinations:
  - name: example
    labels: {stage: prod}
    mode: observe
    formerly: [old-name]
    subjects: {userPrefix: "oidc:", groupPrefix: "oidc:"}
    roles: [{name: deploy-bot, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}]
`,
		"acknowledgements/2026-11-24-dev.yaml", "acknowledgements:\n  - destination: dev\n    removals: 39\n    reason: dev is being rebuilt\n",
		"revoked.yaml", "revoked:\n  - user: mallory@example.com\n    reason: laptop stolen\n  - key: 7Zk2mQ9xWe\n",
	), nil)
	if err != nil || len(problems) > 0 {
		t.Fatalf("problems %v, error %v", problems, err)
	}
	want := &schema.Snapshot{
		Settings: schema.Settings{Version: 1, Changes: schema.ChangePush},
		Grants: []schema.Grant{
			{Subject: schema.Subject{Kind: schema.GroupKind, Name: "engineering"}, Role: "view", Target: schema.Target{Destination: "*", Namespace: "pay-*"}},
			{Subject: schema.Subject{Kind: schema.User, Name: "fisher@example.com"}, Role: "admin", Target: schema.Target{Destination: "example"}},
			{Subject: schema.Subject{Kind: schema.User, Name: "ops@example.com"}, Role: "admin", Target: schema.Target{Destination: "example", Namespace: "payments"},
				Expires: time.Date(2026, 12, 24, 17, 0, 0, 0, time.UTC), Reason: "INC-1234: payment queue stuck"},
		},
		Groups: []schema.Group{{Name: "engineering", Users: []schema.Member{{Name: "fisher@example.com"}}, Groups: []schema.Member{{Name: "oncall"}}}},
		Keys: []schema.Key{{Name: "example-connector", User: "connector", ID: "7Zk2mQ9xWd", Destination: "example",
			Hash:    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			Created: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}},
		Destinations: []schema.Destination{{
			Name: "example", Labels: map[string]string{"stage": "prod"}, Mode: schema.ModeObserve, Formerly: []string{"old-name"},
			Subjects: schema.SubjectNames{UserPrefix: "oidc:", GroupPrefix: "oidc:"},
			Roles:    []schema.Role{{Name: "deploy-bot", Rules: []schema.Rule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}}}},
		}},
		Acknowledgements: []schema.Acknowledgement{{Destination: "dev", Removals: 39, Reason: "dev is being rebuilt"}},
		Revoked:          schema.Revoked{Revocations: []schema.Revocation{{User: "mallory@example.com", Reason: "laptop stolen"}, {Key: "7Zk2mQ9xWe"}}},
	}
	if diff := cmp.Diff(want, s, cmpopts.IgnoreTypes(schema.Pos{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := s.Grants[2].Pos.String(); got != "grants/example.yaml:5:5" {
		t.Errorf("the second grant is at %s", got)
	}
}
