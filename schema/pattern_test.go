package schema_test

import (
	"testing"

	"github.com/infrahq/infra/schema"
)

func TestPatternsHaveStarsAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name          string
		destination, namespace bool
	}{
		{"pay-*", "pay-eu", true, true},
		{"pay-*", "pay-", true, true},
		{"pay-*", "repay-eu", false, false},
		{"*-eu-*", "pay-eu-1", true, true},
		{"a*a", "a", false, false},
		{"*", "infra", false, true},
		{"*", "kube-system", true, false},
		{"*-system", "kube-system", true, false},
		{"kube-system", "kube-system", true, true},
		{"infra", "infra", true, true},
		{"pay", "pay-eu", false, false},
	} {
		if got := schema.MatchDestination(tt.pattern, tt.name); got != tt.destination {
			t.Errorf("destination %q matches %q: %v", tt.pattern, tt.name, got)
		}
		if got := schema.MatchNamespace(tt.pattern, tt.name); got != tt.namespace {
			t.Errorf("namespace %q matches %q: %v", tt.pattern, tt.name, got)
		}
	}
}
