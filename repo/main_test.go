package repo_test

import (
	"os"
	"strings"
	"testing"

	"github.com/infrahq/infra/repo/gittest"
)

// The tests run git themselves and through the package: both without the
// configuration of whoever runs them.
func TestMain(m *testing.M) {
	for _, kv := range gittest.Env() {
		name, value, _ := strings.Cut(kv, "=")
		os.Setenv(name, value)
	}
	os.Exit(m.Run())
}
