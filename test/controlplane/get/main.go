// Command get makes ready what the tests and the demo run: a Kubernetes control
// plane, Helm and kubectl, each built from source on the first call and kept in
// the user's cache folder. Run before `go test`, it keeps the minutes that a
// first build takes out of the tests' own time limit.
//
//	go run ./controlplane/get                # everything
//	go run ./controlplane/get kube kubectl   # these
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/infrahq/infra/test/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := get(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}

func get(ctx context.Context, names []string) error {
	programs := []controlplane.Program{controlplane.Needed(), controlplane.Helm, controlplane.Kubectl}
	if len(names) > 0 {
		programs = nil
		for _, name := range names {
			programs = append(programs, controlplane.Program(name))
		}
	}
	for _, program := range programs {
		path, err := controlplane.Binary(ctx, program, os.Stderr)
		if err != nil {
			return err
		}
		fmt.Printf("%s\t%s\n", program, path)
	}
	return nil
}
