package way

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/test/controlplane"
)

// InForce waits until the commit at the head of the branch is in force: the
// server serves it, and the connector has reported that the cluster equals what it
// says. It gives the report.
func (w *Way) InForce() api.DestinationReport {
	w.t.Helper()
	return w.UntilReported("the head to be in force", func(d api.DestinationReport) error {
		if d.Enforced != d.Desired {
			return fmt.Errorf("the cluster equals %q, and is to equal %q", d.Enforced, d.Desired)
		}
		return nil
	})
}

// UntilReported waits until the server serves the head of the branch and what it
// knows of the destination is as wanted. It gives what it knows.
func (w *Way) UntilReported(what string, wanted func(api.DestinationReport) error) api.DestinationReport {
	w.t.Helper()
	head := w.Head()
	var report api.DestinationReport
	w.Until(what, func() error {
		var all api.Destinations
		if err := w.get("https://"+w.address+"/v1/destinations", &all); err != nil {
			return err
		}
		if all.Revision != head {
			return fmt.Errorf("the server serves %q, the head is %q", all.Revision, head)
		}
		for _, d := range all.Destinations {
			if d.Name == w.Name {
				report = d
				return wanted(d)
			}
		}
		return fmt.Errorf("the server does not know %s", w.Name)
	})
	return report
}

// Revision is what the server says of its revisions on /readyz.
func (w *Way) Revision() (api.RevisionReport, error) {
	var r api.RevisionReport
	err := w.get("https://"+w.address+"/readyz", &r)
	return r, err
}

// UntilConnectorEnforces waits until the connector that runs now says itself, on
// its /metrics, that the cluster equals a digest: what the server knows may be
// older than a restart.
func (w *Way) UntilConnectorEnforces(digest string) {
	w.t.Helper()
	want := fmt.Sprintf("infra_connector_digest_info{digest=%q,state=\"enforced\"} 1", digest)
	w.Until("the connector to have enforced "+digest, func() error {
		text, err := w.ConnectorMetrics()
		if err == nil && !strings.Contains(text, want+"\n") {
			err = fmt.Errorf("its metrics do not say so")
		}
		return err
	})
}

// ConnectorMetrics is what the connector shows on /metrics.
func (w *Way) ConnectorMetrics() (string, error) {
	var text string
	err := w.get("http://"+w.Chart.Listen+"/metrics", &text)
	return text, err
}

// ConnectorReady is nil once the connector that runs now has brought the cluster
// to what the server says, as far as it can.
func (w *Way) ConnectorReady() error {
	var text string
	return w.get("http://"+w.Chart.Listen+"/readyz", &text)
}

// Writes are the requests that the chart's ServiceAccount has made to change
// bindings since a mark.
func (w *Way) Writes(since controlplane.AuditMark) []string {
	w.t.Helper()
	account := "system:serviceaccount:" + w.Chart.Namespace + ":" + w.Chart.ServiceAccount
	events, err := w.AuditEvents(w.t.Context(), since, func(e auditv1.Event) bool {
		if e.User.Username != account || e.ObjectRef == nil {
			return false
		}
		binding := e.ObjectRef.Resource == "rolebindings" || e.ObjectRef.Resource == "clusterrolebindings"
		return binding && e.Verb != "get" && e.Verb != "list" && e.Verb != "watch"
	})
	if err != nil {
		w.t.Fatal(err)
	}
	writes := []string{}
	for _, e := range events {
		writes = append(writes, fmt.Sprintf("%s %s %s/%s", e.Verb, e.ObjectRef.Resource, e.ObjectRef.Namespace, e.ObjectRef.Name))
	}
	return writes
}

// Mark is the present end of the audit log, for Writes.
func (w *Way) Mark() controlplane.AuditMark {
	w.t.Helper()
	mark, err := w.AuditMark()
	if err != nil {
		w.t.Fatal(err)
	}
	return mark
}

// get reads an answer, as JSON or as it is where into is a string. A process that
// is being killed answers with an error, like any other.
func (w *Way) get(url string, into any) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+w.person)
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // the server makes its certificate itself
		DisableKeepAlives: true,
	}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, response.Status, text)
	}
	if plain, ok := into.(*string); ok {
		*plain = string(text)
		return nil
	}
	return json.Unmarshal(text, into)
}
