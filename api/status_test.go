package api_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
)

func sampleStatus() api.Status {
	digest := sample().Digest
	return api.Status{Version: 1, Destination: "prod", ClusterUID: "uid-1", Connector: "1.0.0", Mode: api.Enforce,
		Desired: digest, Enforced: digest, ObservedAt: noon, Bindings: 2, Roles: []string{"view"}}
}

func TestStatusCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*api.Status)
		says   string // empty: it is accepted
	}{
		"what a connector says":           {func(*api.Status) {}, ""},
		"nothing desired or enforced yet": {func(s *api.Status) { s.Desired, s.Enforced = "", "" }, ""},
		"a mode that changes nothing":     {func(s *api.Status) { s.Mode = api.Suspend }, ""},
		"no version":                      {func(s *api.Status) { s.Version = 0 }, "version 0"},
		"a newer version":                 {func(s *api.Status) { s.Version = 2 }, "version 2"},
		"another destination":             {func(s *api.Status) { s.Destination = "dev" }, `destination "dev"`},
		"no cluster":                      {func(s *api.Status) { s.ClusterUID = "" }, "which cluster"},
		"no mode":                         {func(s *api.Status) { s.Mode = "" }, "mode"},
		"a mode that is not known":        {func(s *api.Status) { s.Mode = "destroy" }, `mode "destroy"`},
		"no time":                         {func(s *api.Status) { s.ObservedAt = time.Time{} }, "when it was observed"},
		"fewer than no bindings":          {func(s *api.Status) { s.Bindings = -1 }, "below zero"},
		"fewer than no changes":           {func(s *api.Status) { s.Pending = -1 }, "below zero"},
		"fewer than no repairs":           {func(s *api.Status) { s.Drift = -1 }, "below zero"},
		"a desired digest that is none":   {func(s *api.Status) { s.Desired = "sha256:00" }, "digest"},
		"an enforced digest that is none": {func(s *api.Status) { s.Enforced = strings.TrimPrefix(s.Enforced, "sha256:") }, "digest"},
	} {
		s := sampleStatus()
		tt.change(&s)
		err := s.Check("prod")
		if tt.says == "" && err != nil || tt.says != "" && (!errors.Is(err, api.ErrBadStatus) || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: the error is %v, want %q", name, err, tt.says)
		}
	}
}

func TestDecodeStatus(t *testing.T) {
	text, err := json.Marshal(sampleStatus())
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	got, err := api.DecodeStatus(strings.NewReader(good), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleStatus(), got); diff != "" {
		t.Error(diff)
	}
	for name, text := range map[string]string{
		"nothing":            "",
		"half of it":         good[:len(good)/2],
		"twice":              good + good,
		"an unknown field":   strings.Replace(good, `"mode"`, `"more":1,"mode"`, 1),
		"text after its end": good + "]",
	} {
		if _, err := api.DecodeStatus(strings.NewReader(text), "prod"); !errors.Is(err, api.ErrBadStatus) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
