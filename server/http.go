package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/infrahq/infra/api"
	"github.com/infrahq/infra/auth"
	"github.com/infrahq/infra/schema"
)

// An audience is who may use a route.
type audience string

const (
	connectors audience = "connectors" // with a key of theirs, for the destination that is named
	viewers    audience = "viewers"    // people with admin or view on infra
	admins     audience = "admins"     // people with admin on infra
)

// A call is a request that was let in.
type call struct {
	*http.Request
	at          *published
	key         *liveKey
	destination string // that the path names; empty: none
	cluster     string // the UID that a connector gave
}

// A route is one of the API.
type route struct {
	pattern string
	who     audience
	body    bool
	do      func(http.ResponseWriter, *call) error
}

func (s *server) routes() []route {
	return []route{
		{"GET /v1/destinations/{name}/state", connectors, false, s.getState},
		{"PUT /v1/destinations/{name}/status", connectors, true, s.putStatus},
		{"DELETE /v1/destinations/{name}/cluster", admins, false, s.deleteCluster},
		{"GET /v1/destinations", viewers, false, s.getDestinations},
		{"GET /v1/revision", viewers, false, s.getRevision},
	}
}

// openRoutes tell nothing that an access key would be needed for.
func (s *server) openRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /healthz": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]string{"status": "ok"})
		},
		"GET /readyz": s.ready,
		"GET /version": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]any{"version": s.version, "wire": api.Version})
		},
		"GET /metrics": promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP,
	}
}

// handler is all routes. Those of the API go through s.door.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.door(r.pattern, r.who, r.body, r.do))
	}
	for pattern, do := range s.openRoutes() {
		mux.Handle(pattern, s.open(pattern, do))
	}
	mux.Handle("/", s.open("other", func(w http.ResponseWriter, _ *http.Request) {
		fail(w, hinted(api.ErrNotFound, "there is nothing at this path", ""))
	}))
	return mux
}

// ready says whether a revision is in force, and how it stands with newer ones.
func (s *server) ready(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	if s.current.Load() == nil {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, s.report.Load())
}

// open counts requests to a route that anyone may use.
func (s *server) open(route string, do http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &codeWriter{ResponseWriter: w}
		if s.deadlines(c, r, false) {
			do(c, r)
		}
		s.metrics.requests.WithLabelValues(route, strconv.Itoa(c.code)).Inc()
	})
}

// door is the one way into the API: it decides who may, and writes down who
// asked and what became of it.
func (s *server) door(route string, who audience, body bool, do func(http.ResponseWriter, *call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := s.now()
		c := &codeWriter{ResponseWriter: w}
		w.Header().Set(api.VersionHeader, strconv.Itoa(api.Version))
		w.Header().Set("Cache-Control", "no-store")
		var in *call
		var err error
		if s.deadlines(c, r, body) {
			if in, err = s.admit(r, who); err == nil {
				err = do(c, in)
			}
			if err != nil {
				fail(c, err)
			}
		}
		s.metrics.requests.WithLabelValues(route, strconv.Itoa(c.code)).Inc()
		s.audit(r, route, in, c.code, err, s.now().Sub(begin))
	})
}

func (s *server) audit(r *http.Request, route string, in *call, code int, err error, took time.Duration) {
	level := slog.LevelInfo
	switch {
	case code >= 400:
		level = slog.LevelWarn
	case r.Method == http.MethodPut || code == http.StatusNotModified:
		level = slog.LevelDebug // every minute from every cluster
	}
	attrs := []slog.Attr{slog.String("route", route), slog.Int("code", code), slog.String("remote", r.RemoteAddr), slog.Duration("took", took)}
	if name := r.PathValue("name"); name != "" {
		attrs = append(attrs, slog.String("destination", redact(name)))
	}
	if in != nil {
		attrs = append(attrs, slog.String("key", in.key.ID), slog.String("user", in.key.User), slog.String("revision", in.at.revision))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", redact(err.Error())))
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// deadlines keep a client that writes or reads slowly from holding a goroutine
// for ever. A body where none is meant is refused before it is waited for.
func (s *server) deadlines(w http.ResponseWriter, r *http.Request, body bool) bool {
	c := http.NewResponseController(w)
	c.SetWriteDeadline(s.now().Add(s.times.write)) // both kinds of connection that there are can do it
	if r.ContentLength == 0 {
		return true
	}
	c.SetReadDeadline(s.now().Add(s.times.read))
	if !body {
		w.Header().Set("Connection", "close")
		fail(w, hinted(api.ErrBadRequest, "this request has a body", ""))
	}
	return body
}

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) // RFC 1123, as Kubernetes reads it

// admit decides whether a request may do what it asks for.
func (s *server) admit(r *http.Request, who audience) (*call, error) {
	in := &call{Request: r, at: s.current.Load(), destination: r.PathValue("name")}
	if in.at == nil {
		return nil, hinted(api.ErrNotReady, "no revision of the repository is accepted yet", "see /readyz")
	}
	var err error
	if in.key, err = s.recognise(r, in.at); err != nil {
		return nil, err
	}
	if who == connectors {
		return in, s.admitConnector(in)
	}
	return in, s.admitPerson(in, who)
}

// recognise finds the key of a request. Who presents an unknown id, a wrong
// secret or a removed key gets the same answer after the same work.
func (s *server) recognise(r *http.Request, at *published) (*liveKey, error) {
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	presented, err := auth.Parse(text)
	if err != nil {
		return nil, hinted(api.ErrUnauthorized, "no access key that could be valid came with the request", "send `Authorization: Bearer <access key>`")
	}
	key, hash := at.keys[presented.ID], ""
	if key != nil {
		hash = key.Hash
	}
	if !auth.Verify(presented, hash) {
		return nil, api.ErrUnauthorized
	}
	if s.expired(key) {
		return nil, hinted(api.ErrUnauthorized, "the access key %q has expired", "make a new one: infra keys add", key.Name)
	}
	return key, nil
}

func (s *server) expired(k *liveKey) bool { return !k.Expires.IsZero() && !s.now().Before(k.Expires) }

func (s *server) admitConnector(in *call) error {
	switch {
	case in.key.User != schema.ConnectorUser:
		return hinted(api.ErrForbidden, "the access key %q is a person's, not a connector's", "make one for it: infra keys add NAME connector", in.key.Name)
	case in.destination == schema.InfraDestination:
		return hinted(api.ErrNotFound, "%q is no cluster but the server itself", "give the cluster another name", in.destination)
	case !label.MatchString(in.destination):
		return hinted(api.ErrNotFound, "no destination can have this name: it is not lower-case letters, digits and dashes", "")
	}
	if now, renamed := in.at.table.Renamed(in.destination); renamed { // nothing is granted there, and all of it would go
		return hinted(api.ErrNotFound, "destination %[2]s is called %[1]s now", "give the connector the name %[1]s", now, in.destination)
	}
	switch {
	case in.key.Destination != "" && in.key.Destination != in.destination:
		return hinted(api.ErrForbidden, "the access key %q is for destination %s", "", in.key.Name, in.key.Destination)
	}
	if v := in.Header.Get(api.VersionHeader); v != strconv.Itoa(api.Version) {
		return hinted(api.ErrBadRequest, "the request speaks version %.20q of the API, the server version %d", "run a connector and a server of the same release", v, api.Version)
	}
	in.cluster = in.Header.Get(api.ClusterHeader)
	if len(in.cluster) > 100 || in.cluster == "" {
		return hinted(api.ErrBadRequest, "the request does not say which cluster it comes from, in the header %s", "", api.ClusterHeader)
	}
	return s.records.claim(in.destination, in.cluster)
}

func (s *server) admitPerson(in *call, who audience) error {
	subject := schema.Subject{Kind: schema.User, Name: in.key.User}
	at := schema.Target{Destination: schema.InfraDestination}
	if in.key.User != schema.ConnectorUser && in.key.Destination == "" {
		for _, role := range []string{"admin", "view"} {
			if (role == "admin" || who == viewers) && in.at.table.Holds(subject, role, at, s.now()) {
				return nil
			}
		}
	}
	role := map[audience]string{viewers: "view", admins: "admin"}[who]
	return hinted(api.ErrForbidden, "the access key %q does not give role %s on infra", "infra grants add USER infra --role "+role, in.key.Name, role)
}

// A hintedError is an error of package api with a sentence of its own.
type hintedError struct {
	kind    error
	message string
	hint    string
}

func (e *hintedError) Error() string { return e.message }
func (e *hintedError) Unwrap() error { return e.kind }

// hinted makes one; message and hint are formats with the same arguments.
func hinted(kind error, message, hint string, args ...any) error {
	if len(args) > 0 {
		message = fmt.Sprintf(message, args...)
	}
	if strings.Contains(hint, "%") {
		hint = fmt.Sprintf(hint, args[0])
	}
	return &hintedError{kind, message, hint}
}

// fail answers with an error. What is none of package api is the server's own
// trouble, which the log has and the answer does not.
func fail(w http.ResponseWriter, err error) {
	status := api.ErrorStatus(err)
	f := api.Failure{Error: redact(err.Error())}
	if e, ok := errors.AsType[*hintedError](err); ok {
		f.Hint = e.hint
	}
	switch status {
	case http.StatusInternalServerError:
		f = api.Failure{Error: "the server could not do it; its log says why"}
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	answer(w, status, f)
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.MarshalIndent(v, "", "  ") // for a person with curl
	if err != nil {
		panic(err) // only types of ours are answered with, and they marshal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // who went away misses nothing
}

// A codeWriter remembers the status.
type codeWriter struct {
	http.ResponseWriter
	code int
}

func (w *codeWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (w *codeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *codeWriter) Write(p []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}
