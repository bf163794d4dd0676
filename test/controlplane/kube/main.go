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
// quick to build.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kube etcd|kube-apiserver|controllers [flags]")
		os.Exit(2)
	}
	part := os.Args[1]
	os.Args = append([]string{part}, os.Args[2:]...)
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "controllers":
		os.Exit(cli.Run(newControllersCommand()))
	default:
		fmt.Fprintf(os.Stderr, "kube: no part is called %q\n", part)
		os.Exit(2)
	}
}
