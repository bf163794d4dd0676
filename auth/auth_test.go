package auth_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/infrahq/infra/auth"
)

func mint(t testing.TB) auth.Key {
	t.Helper()
	k, err := auth.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAKeyIsReadBackAndVerified(t *testing.T) {
	for range 200 {
		k := mint(t)
		if got := k.Text(); len(got) != 67 || !strings.HasPrefix(got, "infra1_"+k.ID+"_") {
			t.Fatalf("a key has %d characters and reads %s...", len(got), got[:18])
		}
		read, err := auth.Parse("  " + k.Text() + "\n")
		if err != nil {
			t.Fatal(err)
		}
		if read != k || !auth.Verify(read, k.Hash()) || !auth.ValidHash(k.Hash()) || !auth.ValidID(k.ID) {
			t.Fatalf("key %s is not the same after it was read", k)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	k, other := mint(t), mint(t)
	for name, hash := range map[string]string{
		"another key's hash":                                 other.Hash(),
		"no hash, as for an unknown id":                      "",
		"the hash that unknown ids are compared with":        "sha256:" + strings.Repeat("0", 64),
		"its own hash, cut off":                              k.Hash()[:70],
		"its own hash in capitals":                           strings.ToUpper(k.Hash()),
		"the bare SHA-256 without the domain of the product": "sha256:",
	} {
		if auth.Verify(k, hash) {
			t.Errorf("%s verifies", name)
		}
	}
}

func TestParseRefusesATypoWithoutAskingAnybody(t *testing.T) {
	text := mint(t).Text()
	for i := len("infra1_"); i < len(text); i++ {
		wrong := []byte(text)
		wrong[i] = '0' + ('1'-'0')*boolByte(wrong[i] == '0')
		if _, err := auth.Parse(string(wrong)); !errors.Is(err, auth.ErrNotAKey) {
			t.Fatalf("character %d changed, and the error is %v", i, err)
		}
	}
	for _, wrong := range []string{"", "infra1_", text[:66], text + "a", "infra2_" + text[7:], text + "\n" + text} {
		if _, err := auth.Parse(wrong); !errors.Is(err, auth.ErrNotAKey) {
			t.Errorf("%q: the error is %v", wrong, err)
		}
	}
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func TestASecretIsNotPrinted(t *testing.T) {
	k := mint(t)
	secret := strings.TrimPrefix(k.Text(), "infra1_"+k.ID+"_")[:43]
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if out := fmt.Sprintf(verb, k); strings.Contains(out, secret) {
			t.Errorf("%s prints the secret", verb)
		}
	}
}

func TestFind(t *testing.T) {
	k := mint(t)
	text := []byte("key: \"" + k.Text() + "\" # the secret")
	start, end, found := auth.Find(text)
	if !found || string(text[start:end]) != k.Text() {
		t.Errorf("found %t at %d to %d", found, start, end)
	}
	typo := bytes.ReplaceAll(text, []byte(k.ID), []byte("0000000000"))
	if _, _, found := auth.Find(typo); !found {
		t.Error("a key with a typo is not found")
	}
	if _, _, found := auth.Find([]byte("the key infra1_" + k.ID + " and its hash " + k.Hash())); found {
		t.Error("an id and a hash are taken for a key")
	}
}

func TestMintWithoutRandomnessFails(t *testing.T) {
	for _, n := range []int{0, 5, 40} {
		if _, err := auth.Mint(bytes.NewReader(make([]byte, n))); err == nil {
			t.Errorf("a key was made of %d bytes", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(mint(f).Text())
	f.Add("infra1_aaaaaaaaaa_" + strings.Repeat("z", 49))
	f.Fuzz(func(t *testing.T, text string) {
		k, err := auth.Parse(text)
		if err == nil && k.Text() != strings.TrimSpace(text) {
			t.Errorf("%q was read as %q", text, k.Text())
		}
	})
}
