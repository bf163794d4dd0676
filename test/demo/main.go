// Command demo shows the main job of infra for real, as a story in the terminal:
// a control plane, an access repository, a server, the chart installed with
// Helm, a connector with the chart's rights, and the commands of the guide one
// after another. Behind each it asks the API server who may do what now, and
// says how long it took from the commit until then.
//
//	go run ./demo                    # on a control plane of its own
//	go run ./demo --keep             # and leave everything running until Ctrl-C
//	go run ./demo --kubeconfig FILE  # on that cluster; cleans up behind itself
//
// It never looks at the KUBECONFIG of the environment: on somebody's laptop that
// is production.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	keep := flag.Bool("keep", false, "leave everything running until Ctrl-C, and say how to use it")
	kubeconfig := flag.String("kubeconfig", "", "use the cluster of this file instead of a control plane of the demo's own")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig string, keep bool) (err error) {
	stage, err := build(ctx, kubeconfig)
	defer func() { err = errors.Join(err, stage.strike(context.WithoutCancel(ctx))) }()
	if err != nil {
		return err
	}
	if err := tell(ctx, stage); err != nil {
		return errors.Join(err, stage.logs())
	}
	if keep && ctx.Err() == nil {
		stage.explain()
		<-ctx.Done()
		fmt.Println()
	}
	return nil
}
