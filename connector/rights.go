package connector

import (
	"context"
	"fmt"
	"strings"

	authv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/reconciler"
)

const rbacGroup = "rbac.authorization.k8s.io"

// A MissingRights is the error where the cluster does not let the connector do
// its work.
type MissingRights struct {
	Rights []string // such as "list rolebindings.rbac.authorization.k8s.io"
}

// Error names every right that is missing, and where they come from.
func (e *MissingRights) Error() string {
	return "the cluster does not give this connector the rights to: " + strings.Join(e.Rights, "; ") +
		" (install or upgrade the chart, which grants them)"
}

// checkRights asks the API server for each right that the connector needs. A role
// that it may not bind is a warning: an installation may leave roles out.
func (c *connector) checkRights(ctx context.Context) error {
	bindings := []string{"clusterrolebindings", "rolebindings"}
	var needed []authv1.ResourceAttributes
	for _, verb := range []string{"list", "watch"} {
		for _, resource := range append(bindings, "clusterroles") {
			needed = append(needed, authv1.ResourceAttributes{Verb: verb, Group: rbacGroup, Resource: resource})
		}
		needed = append(needed, authv1.ResourceAttributes{Verb: verb, Resource: "namespaces"})
	}
	for _, verb := range []string{"create", "update", "delete"} {
		for _, resource := range bindings {
			needed = append(needed, authv1.ResourceAttributes{Verb: verb, Group: rbacGroup, Resource: resource})
		}
	}
	if c.config.Server.SkipTLSVerify {
		for _, verb := range []string{"get", "update"} {
			needed = append(needed, authv1.ResourceAttributes{
				Verb: verb, Resource: "secrets", Namespace: c.namespace, Name: c.config.StateSecret,
			})
		}
	}
	var missing []string
	for _, right := range needed {
		allowed, err := c.may(ctx, right)
		if err != nil {
			return err
		}
		if !allowed {
			missing = append(missing, describe(right))
		}
	}
	if missing != nil {
		return &MissingRights{missing}
	}
	for _, role := range reconciler.BuiltIn() {
		right := authv1.ResourceAttributes{Verb: "bind", Group: rbacGroup, Resource: "clusterroles", Name: role}
		allowed, err := c.may(ctx, right)
		if err != nil {
			return err
		}
		if !allowed {
			c.log.Warn("grants of this role will be held: the connector may not bind it", "clusterRole", role)
		}
	}
	return nil
}

func (c *connector) may(ctx context.Context, right authv1.ResourceAttributes) (bool, error) {
	review := &authv1.SelfSubjectAccessReview{Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right}}
	answer, err := c.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("asking the cluster for the right to %s: %w", describe(right), err)
	}
	return answer.Status.Allowed, nil
}

func describe(r authv1.ResourceAttributes) string {
	text := r.Verb + " " + r.Resource
	if r.Group != "" {
		text += "." + r.Group
	}
	if r.Name != "" {
		text += " " + r.Name
	}
	if r.Namespace != "" {
		text += " in namespace " + r.Namespace
	}
	return text
}
