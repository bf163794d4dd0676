package controlplane_test

import (
	"context"
	"fmt"
	"os"

	"github.com/infrahq/infra/test/controlplane"
)

// childDir names the environment variable that makes this test binary a process
// which runs a control plane in that folder and waits to be killed.
const childDir = "CONTROLPLANE_TEST_CHILD_DIR"

func child(dir string) {
	cp, err := controlplane.Start(context.Background(), controlplane.Options{Dir: dir, Progress: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(cp.AdminConfig().Host)
	select {}
}
