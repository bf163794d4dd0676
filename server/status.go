package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/infrahq/infra/api"
)

// maxStatus bounds a status: some ten thousand foreign bindings.
const maxStatus = 2 << 20

// putStatus keeps what a connector reports of its cluster.
func (s *server) putStatus(w http.ResponseWriter, in *call) error {
	status, err := api.DecodeStatus(http.MaxBytesReader(w, in.Body, maxStatus), in.destination)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return hinted(api.ErrTooLarge, "the status is larger than %d MiB", "", maxStatus>>20)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", api.ErrBadRequest, err)
	}
	if status.ClusterUID != in.cluster {
		return hinted(api.ErrBadRequest, "the status is about another cluster than the one that sends it", "")
	}
	s.records.report(status, s.now().UTC())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteCluster lets another cluster take over the name of a destination.
func (s *server) deleteCluster(w http.ResponseWriter, in *call) error {
	if err := s.records.release(in.destination); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) getRevision(w http.ResponseWriter, _ *call) error {
	answer(w, http.StatusOK, s.report.Load())
	return nil
}

func (s *server) getDestinations(w http.ResponseWriter, in *call) error {
	answer(w, http.StatusOK, api.Destinations{Revision: in.at.revision, Destinations: s.destinations(in.at)})
	return nil
}

// destinations sets what each should have against what it last reported: those
// that the revision names, and those that a cluster uses.
func (s *server) destinations(at *published) []api.DestinationReport {
	names := append(at.table.Destinations(), s.records.clusters()...)
	slices.Sort(names)
	seen := s.records.statuses()
	reports := []api.DestinationReport{}
	for _, name := range slices.Compact(names) {
		d := api.DestinationReport{Name: name, Desired: at.state(name).state.Digest}
		if r, ok := seen[name]; ok {
			d.Enforced, d.EnforcedSince, d.LastSeen, d.Status = r.Status.Enforced, r.EnforcedSince, r.LastSeen, &r.Status
			d.Revision = satisfies(r, d.Desired, at.revision)
		}
		reports = append(reports, d)
	}
	return reports
}

// satisfies is the newest revision that the enforced digest fits: where a
// commit changes nothing for a destination, that commit, though nobody there
// was told of it.
func satisfies(r reported, desired, accepted string) string {
	if r.Status.Enforced == "" {
		return ""
	}
	if r.Status.Enforced == desired {
		return accepted
	}
	for _, d := range slices.Backward(r.Satisfied) {
		if d.Digest == r.Status.Enforced {
			return d.Revision
		}
	}
	return ""
}
