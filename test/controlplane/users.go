package controlplane

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// config reaches the API server as a user of the token file.
func (cp *ControlPlane) config(user string) *rest.Config {
	return &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", cp.port),
		BearerToken:     cp.tokenOf(user),
		TLSClientConfig: rest.TLSClientConfig{CAData: slices.Clone(cp.ca)},
		QPS:             -1,
	}
}

// ConfigFor reaches the control plane as a user in some groups, and in
// system:authenticated as everyone is: the administrator impersonates them.
func (cp *ControlPlane) ConfigFor(user string, groups ...string) *rest.Config {
	config := cp.AdminConfig()
	config.Impersonate = rest.ImpersonationConfig{
		UserName: user,
		Groups:   append(slices.Clone(groups), "system:authenticated"),
	}
	return config
}

// ServiceAccountConfig reaches the control plane as a ServiceAccount, which must
// exist, with a token of its own that is good for a day: a program that runs with
// it has exactly the rights that it would have in a Pod.
func (cp *ControlPlane) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	config := cp.AdminConfig()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	day := int64(24 * 60 * 60)
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("requesting a token of ServiceAccount %s/%s: %w", namespace, name, err)
	}
	config.BearerToken = token.Status.Token
	return config, nil
}

// WriteKubeconfig writes a kubeconfig for kubectl and Helm. They act as the user,
// or as the administrator where user is empty.
func (cp *ControlPlane) WriteKubeconfig(path, user string, groups ...string) error {
	if user == "" {
		return cp.writeKubeconfig(path, cp.AdminConfig())
	}
	return cp.writeKubeconfig(path, cp.ConfigFor(user, groups...))
}

// WriteKubeconfigOf writes a kubeconfig for a config of this control plane, such
// as one that ServiceAccountConfig gave.
func (cp *ControlPlane) WriteKubeconfigOf(path string, config *rest.Config) error {
	return cp.writeKubeconfig(path, config)
}

func (cp *ControlPlane) writeKubeconfig(path string, config *rest.Config) error {
	const name = "infra-test"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{
		Token:             config.BearerToken,
		Impersonate:       config.Impersonate.UserName,
		ImpersonateGroups: config.Impersonate.Groups,
	}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		return fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return nil
}

// A Question is what Can asks: whether someone may do something.
type Question struct {
	User      string
	Groups    []string // beside system:authenticated
	Verb      string
	Resource  string // as RBAC spells it, with its API group behind a dot: pods, pods/exec, deployments.apps/scale
	Namespace string // empty: in all namespaces, or a resource that has none
	Name      string // empty: any
}

// String is the question as a person asks it.
func (q Question) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "may %s %s %s", q.User, q.Verb, q.Resource)
	if q.Name != "" {
		fmt.Fprintf(&b, " %q", q.Name)
	}
	if q.Namespace != "" {
		fmt.Fprintf(&b, " in namespace %s", q.Namespace)
	}
	if len(q.Groups) > 0 {
		fmt.Fprintf(&b, ", being in %s", strings.Join(q.Groups, " and "))
	}
	return b.String()
}

// Can asks the API server's authorizer, by a SubjectAccessReview.
func (cp *ControlPlane) Can(ctx context.Context, q Question) (bool, error) {
	client, err := kubernetes.NewForConfig(cp.AdminConfig())
	if err != nil {
		return false, err
	}
	resource, subresource, _ := strings.Cut(q.Resource, "/")
	resource, group, _ := strings.Cut(resource, ".")
	review, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:   q.User,
			Groups: append(slices.Clone(q.Groups), "system:authenticated"),
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: q.Namespace, Verb: q.Verb, Group: group, Resource: resource, Subresource: subresource, Name: q.Name,
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking %s: %w", q, err)
	}
	return review.Status.Allowed, nil
}
