package api_test

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
)

var noon = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)

func sample() api.DesiredState {
	return api.Seal(api.DesiredState{Destination: "prod", Entries: []api.Entry{
		{Kind: api.User, Name: "bob", Role: "view", Expires: noon},
		{Kind: api.Group, Name: "ops", Role: "admin", Namespace: "pay-*"},
		{Kind: api.User, Name: "ann", Role: "view"},
	}})
}

func encode(t *testing.T, d api.DesiredState) string {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSealIsTheSameForTheSameAccess(t *testing.T) {
	want := sample()
	for seed := range uint64(50) {
		d := sample()
		d.Entries = append(d.Entries, api.Entry{Kind: api.User, Name: "bob", Role: "view", Expires: noon.Add(-time.Hour)})
		d.Entries[0].Expires = d.Entries[0].Expires.In(time.FixedZone("", 3600))
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(d.Entries), func(i, j int) { d.Entries[i], d.Entries[j] = d.Entries[j], d.Entries[i] })
		if diff := cmp.Diff(want, api.Seal(d)); diff != "" {
			t.Fatalf("seed %d:\n%s", seed, diff)
		}
	}
}

func TestNeverIsTheLatestExpiry(t *testing.T) {
	never := api.Entry{Kind: api.User, Name: "ann", Role: "view"}
	until := never
	until.Expires = noon
	for _, entries := range [][]api.Entry{{never, until}, {until, never}} {
		d := api.Seal(api.DesiredState{Destination: "prod", Entries: entries})
		if len(d.Entries) != 1 || !d.Entries[0].Expires.IsZero() {
			t.Errorf("%v became %v", entries, d.Entries)
		}
	}
}

func TestEveryFieldCountsForTheDigest(t *testing.T) {
	seen := map[string]string{sample().Digest: "nothing"}
	for name, change := range map[string]func(*api.DesiredState){
		"destination": func(d *api.DesiredState) { d.Destination = "dev" },
		"former name": func(d *api.DesiredState) { d.Formerly = []string{"old"} },
		"mode":        func(d *api.DesiredState) { d.Mode = api.Observe },
		"kind":        func(d *api.DesiredState) { d.Entries[0].Kind = api.Group },
		"name":        func(d *api.DesiredState) { d.Entries[0].Name += "x" },
		"role":        func(d *api.DesiredState) { d.Entries[0].Role += "x" },
		"namespace":   func(d *api.DesiredState) { d.Entries[0].Namespace += "x" },
		"expiry":      func(d *api.DesiredState) { d.Entries[1].Expires = noon.Add(time.Second) },
		"entry":       func(d *api.DesiredState) { d.Entries = d.Entries[1:] },
		"emptiness":   func(d *api.DesiredState) { d.Entries = nil },
	} {
		d := sample()
		change(&d)
		digest := api.Seal(d).Digest
		if other, ok := seen[digest]; ok {
			t.Errorf("a change of %s gives the same digest as one of %s", name, other)
		}
		seen[digest] = name
	}
}

func TestDecodeState(t *testing.T) {
	good := encode(t, sample())
	empty := encode(t, api.Seal(api.DesiredState{Destination: "prod"}))
	for _, test := range []struct {
		name, text string
		ok         bool
	}{
		{"what was sealed", good, true},
		{"what says that it is empty", empty, true},
		{"an answer that says nothing", "", false},
		{"an empty object", "{}", false},
		{"null", "null", false},
		{"an answer that is cut off", good[:len(good)/2], false},
		{"an answer that is cut off before its last brace", good[:len(good)-1], false},
		{"two answers", good + good, false},
		{"text after the end", good + "]", false},
		{"HTML", "<!doctype html><title>502 Bad Gateway</title>", false},
		{"a field that this version does not know", strings.Replace(good, `"mode"`, `"frobnicate":1,"mode"`, 1), false},
		{"another version", strings.Replace(good, `"version":1`, `"version":2`, 1), false},
		{"another destination", strings.Replace(good, `"prod"`, `"dev"`, 1), false},
		{"an entry changed on the way", strings.Replace(good, `"bob"`, `"eve"`, 1), false},
		{"emptiness that is not said", strings.Replace(empty, `"empty":true,`, ``, 1), false},
		{"a digest that is missing", good[:strings.Index(good, `,"digest"`)] + "}", false},
	} {
		d, err := api.DecodeState(strings.NewReader(test.text), "prod")
		if test.ok && err != nil || !test.ok && !errors.Is(err, api.ErrBadState) {
			t.Errorf("%s: the error is %v", test.name, err)
		}
		if test.ok && encode(t, d) != test.text {
			t.Errorf("%s: read as %s", test.name, encode(t, d))
		}
	}
	if _, err := api.DecodeState(iotest.ErrReader(io.ErrUnexpectedEOF), "prod"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken connection gives %v", err)
	}
}

func TestCheckRefusesWhatSealWouldNotMake(t *testing.T) {
	for name, change := range map[string]func(*api.DesiredState){
		"an entry twice":              func(d *api.DesiredState) { d.Entries = append(d.Entries, d.Entries[len(d.Entries)-1]) },
		"an entry of a service kind":  func(d *api.DesiredState) { d.Entries[0].Kind = "ServiceAccount" },
		"an entry without a name":     func(d *api.DesiredState) { d.Entries[0].Name = "" },
		"an entry without a role":     func(d *api.DesiredState) { d.Entries[0].Role = "" },
		"a mode that is not known":    func(d *api.DesiredState) { d.Mode = "destroy" },
		"emptiness beside an entry":   func(d *api.DesiredState) { d.Empty = true },
		"a digest of something else":  func(d *api.DesiredState) { d.Digest = api.Seal(api.DesiredState{}).Digest },
		"another destination's state": func(d *api.DesiredState) { d.Destination = "dev" },
	} {
		d := sample()
		change(&d)
		if err := d.Check("prod"); !errors.Is(err, api.ErrBadState) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestErrorsHaveStatusesAndBack(t *testing.T) {
	for _, err := range []error{api.ErrBadRequest, api.ErrUnauthorized, api.ErrForbidden, api.ErrNotFound,
		api.ErrConflict, api.ErrTooLarge, api.ErrNotReady} {
		if got := api.StatusError(api.ErrorStatus(err)); !errors.Is(got, err) {
			t.Errorf("%v came back as %v", err, got)
		}
	}
	if got := api.ErrorStatus(io.EOF); got != 500 {
		t.Errorf("an error of no kind has status %d", got)
	}
	if got := api.StatusError(200); got != nil {
		t.Errorf("success is %v", got)
	}
}

func FuzzDecodeState(f *testing.F) {
	text, err := json.Marshal(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"version":1,"destination":"prod","mode":"enforce","empty":true,"digest":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := api.DecodeState(strings.NewReader(text), "prod")
		if err != nil {
			return
		}
		if diff := cmp.Diff(api.Seal(d), d); diff != "" {
			t.Errorf("a state was accepted that Seal would not make:\n%s", diff)
		}
	})
}
