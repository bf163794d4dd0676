package schema_test

import (
	"testing"

	"github.com/infrahq/infra/schema"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"dev", "dev", true},
		{"dev", "dev2", false},
		{"*", "dev", true},
		{"*", "", true},
		{"pay-*", "pay-eu", true},
		{"pay-*", "pay-", true},
		{"pay-*", "pay", false},
		{"*-prod", "eu-prod", true},
		{"*-prod", "prod", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"**", "x", true},
		{"a.c", "abc", false},
	} {
		if got := schema.Match(test.pattern, test.name); got != test.want {
			t.Errorf("Match(%q, %q) = %t, want %t", test.pattern, test.name, got, test.want)
		}
	}
}
