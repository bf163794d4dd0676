// Command kube is a Kubernetes control plane in one binary, for tests, the
// demo and benchmarks: etcd, kube-apiserver and the three controllers without
// which RBAC does not work. It is built from the modules that Kubernetes and
// etcd publish and becomes the part named by its first argument:
//
//	kube etcd --data-dir ...
//	kube kube-apiserver --etcd-servers ...
//	kube controllers --kubeconfig ...
//
// One binary links the code that the parts share once, which is what makes it
// quick to build. With the build tag controllersonly it has the last part alone,
// for those who bring etcd and kube-apiserver along.
package main

import (
	"fmt"
	"os"

	"k8s.io/component-base/cli"
)

// A part runs with the arguments in os.Args and does not come back, or returns
// the exit code.
type part func() int

func main() {
	parts := serverParts()
	parts["controllers"] = func() int { return cli.Run(newControllersCommand()) }
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: kube etcd|kube-apiserver|controllers [flags]")
		os.Exit(2)
	}
	run := parts[os.Args[1]]
	os.Args = os.Args[1:]
	os.Exit(run())
}
