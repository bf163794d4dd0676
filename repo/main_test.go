package repo_test

import (
	"fmt"
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
	if text, ok := os.LookupEnv("INFRA_TEST_PUSH"); ok { // see pusher
		if err := pushOne(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
