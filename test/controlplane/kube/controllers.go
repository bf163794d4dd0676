package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
)

// newControllersCommand runs what infra relies on in a cluster, out of the
// forty controllers of kube-controller-manager: the one that fills aggregated
// ClusterRoles (without it view, edit and admin are empty and grant nothing),
// the one that ends namespaces, and the one that makes default ServiceAccounts.
func newControllersCommand() *cobra.Command {
	var kubeconfig string
	cmd := &cobra.Command{
		Use:           "controllers",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			return runControllers(genericapiserver.SetupSignalContext(), kubeconfig)
		},
	}
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server, with the rights of system:masters")
	return cmd
}

func runControllers(ctx context.Context, kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 400, 2000 // namespace deletion lists every resource kind
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	shared := informers.NewSharedInformerFactory(client, 12*time.Hour)
	namespaces, accounts := shared.Core().V1().Namespaces(), shared.Core().V1().ServiceAccounts()

	aggregation := clusterroleaggregation.NewClusterRoleAggregation(shared.Rbac().V1().ClusterRoles(), client.RbacV1())
	namespaceEnd := namespace.NewNamespaceController(ctx, client, metadataClient,
		client.Discovery().ServerPreferredNamespacedResources, namespaces, 5*time.Minute, v1.FinalizerKubernetes)
	defaultAccounts, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), accounts, namespaces,
		client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}

	shared.Start(ctx.Done())
	go aggregation.Run(ctx, 2)
	go namespaceEnd.Run(ctx, 5)
	go defaultAccounts.Run(ctx, 1)
	<-ctx.Done()
	return nil
}
