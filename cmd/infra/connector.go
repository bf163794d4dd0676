package main

import (
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/infrahq/infra/connector"
)

func (a *app) connectorCommand() *cobra.Command {
	var (
		l                logFlags
		file, kubeconfig string
	)
	cmd := &cobra.Command{
		Use:   "connector",
		Short: "Keep a cluster's role bindings equal to what the server says",
		Long: `Keep the role bindings of one cluster equal to what the server says, and nothing
else in it. The chart runs this in the cluster; outside of it --kubeconfig says
which cluster.

The configuration file:

    name: example                     # the destination, as grants say it
    server:
      url: https://infra.example.com
      accessKey: file:/run/key        # or env:NAME, or the key itself
      skipTLSVerify: true             # trust the certificate seen first, and only that one
      trustedCertificate: file:ca.pem # or the certificate itself, in PEM

Further keys: namespace and stateSecret (where the server's certificate is
remembered), listen (of /healthz, /readyz and /metrics; ":8080").

The first signal ends it in good order.`,
		Example: `  infra connector -f /etc/infra/connector.yaml
  infra connector -f connector.yaml --kubeconfig ~/.kube/example`,
		Args: arguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usage(cmd, "-f is missing: the connector's configuration")
			}
			config, err := connector.LoadConfig(file)
			if err != nil {
				return err
			}
			kube, err := connector.KubeConfig(kubeconfig)
			if err != nil {
				return err
			}
			log := l.logger(a.stderr)
			klog.SetSlogLogger(log) // what the Kubernetes libraries have to say
			return connector.Run(cmd.Context(), config, connector.Options{
				Logger: log, Kube: kube, Version: thisBuild().Version, Now: a.now,
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the configuration `file`")
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "`file` that says how to reach the cluster (default: the pod's own)")
	check(cmd.MarkFlagFilename("file", "yaml", "yml"))
	check(cmd.MarkFlagFilename("kubeconfig"))
	l.register(cmd)
	return cmd
}
