package schema_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

const (
	oldHash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	newHash = "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
	ciFile  = "keys/ci.yaml"
)

// keyStyles are keys as people leave them, and what becomes of the old one where
// another takes over at noon, and where it is replaced at once.
var keyStyles = []struct{ name, before, beside, inPlace string }{
	{"with comments, and an expiry",
		"# of the build\nkeys:\n- name: ci # Jenkins\n  user: connector\n  id: AAAAAAAAAA\n  hash: " + oldHash + "\n  destination: prod\n  created: 2026-01-01T00:00:00Z # then\n  expires: 2027-01-01T00:00:00Z # a year\n",
		"# of the build\nkeys:\n- name: ci # Jenkins\n  user: connector\n  id: AAAAAAAAAA\n  hash: " + oldHash + "\n  destination: prod\n  created: 2026-01-01T00:00:00Z # then\n  expires: 2026-11-24T12:00:00Z # a year\n",
		"# of the build\nkeys:\n- name: ci # Jenkins\n  user: connector\n  id: BBBBBBBBBB\n  hash: " + newHash + "\n  destination: prod\n  created: 2026-11-24T12:00:00Z # then\n  expires: 2027-11-24T12:00:00Z # a year\n"},
	{"CRLF, no expiry, no final newline",
		"keys:\r\n  - name: 'ci'\r\n    user: 'connector'\r\n    id: 'AAAAAAAAAA'\r\n    hash: '" + oldHash + "'",
		"keys:\r\n  - name: 'ci'\r\n    user: 'connector'\r\n    id: 'AAAAAAAAAA'\r\n    hash: '" + oldHash + "'\r\n    expires: '2026-11-24T12:00:00Z'",
		"keys:\r\n  - name: 'ci'\r\n    user: 'connector'\r\n    id: 'BBBBBBBBBB'\r\n    hash: '" + newHash + "'\r\n    created: '2026-11-24T12:00:00Z'\r\n    expires: '2027-11-24T12:00:00Z'"},
	{"in braces",
		"keys: [{name: ci, user: connector, id: AAAAAAAAAA, hash: \"" + oldHash + "\"}]\n",
		"keys: [{name: ci, user: connector, id: AAAAAAAAAA, hash: \"" + oldHash + "\", expires: 2026-11-24T12:00:00Z}]\n",
		"keys: [{name: ci, user: connector, id: BBBBBBBBBB, hash: \"" + newHash + "\", created: 2026-11-24T12:00:00Z, expires: 2027-11-24T12:00:00Z}]\n"},
}

func TestARotatedKeyChangesNothingElse(t *testing.T) {
	t.Parallel()
	for _, tt := range keyStyles {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := files("infra.yaml", "version: 1\n", ciFile, tt.before)
			k := schema.Key{Name: "ci-2", ID: "BBBBBBBBBB", Hash: newHash, Created: now, Expires: now.AddDate(1, 0, 0)}
			beside, err := schema.RotateKey(before, "ci", k, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.beside, string(beside.Files[ciFile])); diff != "" {
				t.Errorf("the old key, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff("connector", beside.Key.User); diff != "" || !strings.Contains(string(beside.Files["keys/ci-2.yaml"]), "id: BBBBBBBBBB") {
				t.Errorf("the new key is %+v, %s", beside.Key, beside.Files["keys/ci-2.yaml"])
			}

			k.Name = "ci"
			inPlace, err := schema.RotateKey(before, "ci", k, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.inPlace, string(inPlace.Files[ciFile])); diff != "" {
				t.Errorf("in its place, -want +got:\n%s", diff)
			}
			revoked, _, err := schema.LoadRevoked(apply(before, inPlace))
			if err != nil || !revoked.Key("AAAAAAAAAA") || revoked.Key("BBBBBBBBBB") {
				t.Errorf("revoked are %v, %v", revoked, err)
			}
		})
	}
}

func TestARotatedKeyEndsNoLaterThanItWasTo(t *testing.T) {
	t.Parallel()
	before := files("infra.yaml", "version: 1\n", ciFile, keyStyles[0].before)
	k := schema.Key{Name: "ci-2", ID: "BBBBBBBBBB", Hash: newHash, Created: now}
	e, err := schema.RotateKey(before, "ci", k, now.AddDate(1, 0, 0))
	if err != nil || e.Files[ciFile] != nil || !e.Replaced.Expires.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := schema.RotateKey(before, "no", k, now); !errors.Is(err, schema.ErrNoSuchKey) {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := schema.RotateKey(apply(before, e), "ci", k, now); !errors.Is(err, schema.ErrKeyNameInUse) {
		t.Errorf("a name in use: %v", err)
	}
	k.Name, k.ID = "ci-3", "AAAAAAAAAA"
	if _, err := schema.RotateKey(before, "ci", k, now); err == nil {
		t.Error("the id of the old key was taken again")
	}
}
