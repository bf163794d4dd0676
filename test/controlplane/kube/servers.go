//go:build !controllersonly

package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func serverParts() map[string]part {
	return map[string]part{
		"etcd": func() int {
			etcdmain.Main(os.Args)
			return 0
		},
		"kube-apiserver": func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	}
}
