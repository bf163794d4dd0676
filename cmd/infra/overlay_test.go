package main

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestOverlayIsAFileSystem(t *testing.T) {
	t.Parallel()
	below := fstest.MapFS{
		"infra.yaml":       {Data: []byte("version: 1\n")},
		"grants/dev.yaml":  {Data: []byte("old")},
		"keys/gone.yaml":   {Data: []byte("gone")},
		"groups/same.yaml": {Data: []byte("same")},
	}
	over := overlay(below, map[string][]byte{
		"grants/dev.yaml":    []byte("new"),
		"grants/a/deep.yaml": []byte("deep"),
		"fresh/one.yaml":     []byte("one"),
		"revoked.yaml":       {},
		"keys/gone.yaml":     nil,
	})
	got := map[string]string{}
	err := fs.WalkDir(over, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(over, name)
		got[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"infra.yaml": "version: 1\n", "grants/dev.yaml": "new", "grants/a/deep.yaml": "deep",
		"groups/same.yaml": "same", "fresh/one.yaml": "one", "revoked.yaml": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"keys/gone.yaml", "no/such.yaml", "../x"} {
		if _, err := fs.ReadFile(over, name); err == nil {
			t.Errorf("%s can be read", name)
		}
	}
	for name, want := range map[string]int64{"grants/dev.yaml": 3, "infra.yaml": 11} {
		info, err := fs.Stat(over, name)
		if err != nil || info.Size() != want || !info.Mode().IsRegular() {
			t.Errorf("stat of %s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"fresh", "grants/a", "grants"} {
		if info, err := fs.Stat(over, name); err != nil || !info.IsDir() {
			t.Errorf("stat of %s: %v, %v", name, info, err)
		}
	}
}
