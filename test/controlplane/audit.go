package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// auditPolicy keeps, without bodies, what ServiceAccounts ask and what anyone writes.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metadata
    userGroups: ["system:serviceaccounts"]
  - level: Metadata
    verbs: [create, update, patch, delete, deletecollection]
  - level: None
`

// An AuditMark is a place in the audit log; the zero value is its beginning.
type AuditMark int64

// AuditMark is the present end of the audit log: give it to AuditEvents to see
// what came later.
func (cp *ControlPlane) AuditMark() (AuditMark, error) {
	info, err := os.Stat(cp.auditLog())
	if err != nil {
		return 0, fmt.Errorf("reading the audit log: %w", err)
	}
	return AuditMark(info.Size()), nil
}

// AuditEvents are the requests since a mark that keep says yes to, in the order
// in which they were finished; nil keeps all. Every request whose answer has been
// seen is among them: the API server notes that a request has come before it
// answers, and that it is done a moment after, and AuditEvents waits for the
// second note of each, except of watches and of requests that a killed API server
// never finished; those are left out. Needs Options.Audit.
func (cp *ControlPlane) AuditEvents(ctx context.Context, since AuditMark, keep func(auditv1.Event) bool) ([]auditv1.Event, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		events, pending, err := cp.auditEvents(int64(since))
		if err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		if pending == 0 {
			var kept []auditv1.Event
			for _, event := range events {
				if keep == nil || keep(event) {
					kept = append(kept, event)
				}
			}
			return kept, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %d requests to be finished: %w", pending, ctx.Err())
		case <-tick.C:
		}
	}
}

// auditEvents reads what is finished since an offset, and how much is not.
func (cp *ControlPlane) auditEvents(since int64) (events []auditv1.Event, pending int, err error) {
	text, err := os.ReadFile(cp.auditLog())
	if err != nil {
		return nil, 0, err
	}
	cp.mu.Lock()
	killedAt := cp.killedAt
	cp.mu.Unlock()
	text = text[:bytes.LastIndexByte(text, '\n')+1] // a line may be half written
	offset := min(since, int64(len(text)))
	open := map[string]bool{}
	for line := range bytes.Lines(text[offset:]) {
		offset += int64(len(line))
		var event auditv1.Event
		if err := json.Unmarshal(line, &event); err != nil {
			if offset > killedAt {
				return nil, 0, err
			}
			continue // cut off by the kill
		}
		switch id := string(event.AuditID); {
		case event.Stage == auditv1.StageResponseComplete || event.Stage == auditv1.StagePanic:
			delete(open, id)
			events = append(events, event)
		case event.Stage == auditv1.StageRequestReceived && event.Verb != "watch" && offset > killedAt:
			open[id] = true
		}
	}
	return events, len(open), nil
}
