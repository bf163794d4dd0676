package schema_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/schema"
)

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	ack := func(reason string) schema.Acknowledgement {
		return schema.Acknowledgement{Destination: "dev", Removals: 39, Reason: reason}
	}
	late := time.Date(2026, 11, 24, 23, 30, 0, 0, time.FixedZone("", -2*60*60)) // the 25th in UTC
	fsys := files("infra.yaml", "version: 1\n", "grants/broken.yaml", "grants: {\n",
		"acknowledgements/old.yaml", "acknowledgements: [{destination: dev, removals: 39, reason: the first}]\n")
	for _, tt := range []struct{ name, reason, file, text string }{
		{"the first of a day", "dev is being rebuilt", "acknowledgements/2026-11-25-dev.yaml",
			"acknowledgements:\n  - destination: dev\n    removals: 39\n    reason: dev is being rebuilt\n"},
		{"the second", "INC-1: it is", "acknowledgements/2026-11-25-dev-2.yaml",
			"acknowledgements:\n  - destination: dev\n    removals: 39\n    reason: \"INC-1: it is\"\n"},
		{"the third", "12", "acknowledgements/2026-11-25-dev-3.yaml",
			"acknowledgements:\n  - destination: dev\n    removals: 39\n    reason: \"12\"\n"},
	} {
		e, err := schema.Acknowledge(fsys, ack(tt.reason), late)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(map[string][]byte{tt.file: []byte(tt.text)}, e.Files); diff != "" || e.Outcome != schema.Added {
			t.Errorf("%s: %s, -want +got:\n%s", tt.name, e.Outcome, diff)
		}
		want := ack(tt.reason)
		want.Pos = schema.Pos{File: tt.file, Line: 2, Column: 5}
		if e.Acknowledgement != want {
			t.Errorf("%s: %+v", tt.name, e.Acknowledgement)
		}
		fsys = apply(fsys, e)
		s, _, err := schema.Load(fsys, nil)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, a := range s.Acknowledgements {
			if a == want {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: read %d times in %v", tt.name, found, s.Acknowledgements)
		}
	}
	for _, reason := range []string{"the first", "INC-1: it is"} {
		if _, err := schema.Acknowledge(fsys, ack(reason), now); !errors.Is(err, schema.ErrAcknowledged) || !strings.Contains(err.Error(), "another reason") {
			t.Errorf("%q again: %v", reason, err)
		}
	}
}

func TestAcknowledgementsThatAreRefused(t *testing.T) {
	t.Parallel()
	fsys := files("infra.yaml", "version: 1\n")
	for _, tt := range []struct {
		ack  schema.Acknowledgement
		want string
	}{
		{schema.Acknowledgement{Destination: "dev", Removals: 1}, "without a reason"},
		{schema.Acknowledgement{Destination: "dev", Reason: "x"}, "removals is a number from 1 on"},
		{schema.Acknowledgement{Destination: "dev-*", Removals: 1, Reason: "x"}, "lower-case letters"},
		{schema.Acknowledgement{Destination: "../dev", Removals: 1, Reason: "x"}, "lower-case letters"},
		{schema.Acknowledgement{Destination: "dev", Removals: 1, Reason: "a\nb"}, "text on one line"},
	} {
		if e, err := schema.Acknowledge(fsys, tt.ack, now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v %v", tt.ack, e.Files, err)
		}
	}
	if _, err := schema.Acknowledge(fstest.MapFS{}, schema.Acknowledgement{Destination: "dev", Removals: 1, Reason: "x"}, now); !errors.Is(err, schema.ErrNoInfraYAML) {
		t.Errorf("no infra.yaml: %v", err)
	}
	link := files("infra.yaml", "version: 1\n")
	link["acknowledgements/2026-11-24-dev.yaml"] = &fstest.MapFile{Mode: fs.ModeSymlink, Data: []byte("../infra.yaml")}
	e, err := schema.Acknowledge(link, schema.Acknowledgement{Destination: "dev", Removals: 1, Reason: "x"}, now)
	if _, second := e.Files["acknowledgements/2026-11-24-dev-2.yaml"]; err != nil || !second {
		t.Errorf("beside a link of that name: %v %v", e.Files, err)
	}
}
