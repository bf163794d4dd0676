package way_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/test/controlplane"
	"github.com/infrahq/infra/test/way"
)

func TestABindingDeletedByHandIsRepairedAndCountedAsDrift(t *testing.T) {
	t.Parallel()
	w := way.Begin(t)
	fisher := "fisher@" + w.Name + ".example.com"
	w.Infra("grants", "add", fisher, w.Name, "--role", "edit")
	if d := w.InForce(); d.Status.Drift != 0 {
		t.Errorf("before anybody did anything by hand, %d drift is counted", d.Status.Drift)
	}
	may := controlplane.Question{User: fisher, Verb: "delete", Resource: "pods"}
	w.Eventually(t, may, true)

	bindings, name := w.Kube.RbacV1().ClusterRoleBindings(), "infra:"+w.Name+":edit"
	if err := bindings.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.UntilReported("the repair to be reported", func(d api.DestinationReport) error {
		if d.Status.Drift != 1 || d.Enforced != d.Desired {
			return fmt.Errorf("status %+v", d.Status)
		}
		return nil
	})
	if b, err := bindings.Get(t.Context(), name, metav1.GetOptions{}); err != nil || len(b.Subjects) != 1 || b.Subjects[0].Name != fisher {
		t.Errorf("the binding is not as it was: %v, %v", b, err)
	}
	w.Eventually(t, may, true)
	metrics, err := w.ConnectorMetrics()
	if err != nil || !strings.Contains(metrics, "\ninfra_connector_drift_total 1\n") {
		t.Errorf("the connector's metrics do not count it: %v\n%s", err, metrics)
	}
}
