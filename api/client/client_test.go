package client

import (
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrahq/infra/api"
)

const testKey = "infra1_7Zk2mQ9xWd_0000000000000000000000000000000000000000000000000"

func keyOf(text string) func() (string, error) {
	return func() (string, error) { return text, nil }
}

// serve starts a TLS server and gives a client that trusts it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	c, err := New(Options{URL: s.URL, Key: keyOf(testKey), TrustedCertificate: pemOf(s), UserAgent: "infra-test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c
}

func aState() api.DesiredState {
	return api.Seal(api.DesiredState{Destination: "example", Entries: []api.Entry{
		{Kind: api.User, Name: "fisher@example.com", Role: "admin"},
	}})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func TestTheDesiredStateIsAskedForWithAllThatTheServerMustKnow(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r
		answer(w, aState())
	})
	a, err := c.State(t.Context(), StateRequest{Destination: "example", ClusterUID: "uid-1", Digest: "sha256:old", Wait: 50 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r := <-got
	have := []string{r.Method, r.URL.String(), r.Proto}
	for _, h := range []string{"Authorization", "If-None-Match", "Infra-Wire-Version", "Infra-Cluster-UID", "User-Agent", "Accept-Encoding"} {
		have = append(have, r.Header.Get(h))
	}
	want := []string{"GET", "/v1/destinations/example/state?wait=50s", "HTTP/2.0",
		"Bearer " + testKey, `"sha256:old"`, "1", "uid-1", "infra-test", "gzip"}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error("the request (-want +got):\n" + diff)
	}
	if diff := cmp.Diff(aState(), a.State); diff != "" || !a.Changed {
		t.Errorf("changed %t, the state (-want +got):\n%s", a.Changed, diff)
	}
	if d := time.Since(a.ServerDate); d < -time.Minute || d > time.Minute {
		t.Errorf("the server's date is %s", a.ServerDate)
	}
}

func TestAnAnswerWithoutNewsIsNotAChange(t *testing.T) {
	t.Parallel()
	digest := aState().Digest
	for name, h := range map[string]http.HandlerFunc{
		"not modified":          func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) },
		"the same state in 200": func(w http.ResponseWriter, r *http.Request) { answer(w, aState()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := serve(t, h).State(t.Context(), StateRequest{Destination: "example", Digest: digest})
			if err != nil {
				t.Fatal(err)
			}
			a.ServerDate = time.Time{}
			if diff := cmp.Diff(StateAnswer{}, a); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Bad input, line 21.
func TestAnAnswerThatCannotBeTrustedWholeIsRefused(t *testing.T) {
	t.Parallel()
	text := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, body)
		}
	}
	whole, err := json.Marshal(aState())
	if err != nil {
		t.Fatal(err)
	}
	other := api.Seal(api.DesiredState{Destination: "other"})
	newer := aState()
	newer.Version = 2
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want string // part of the error
	}{
		"no body":             {text("application/json", ""), "EOF"},
		"an empty object":     {text("application/json", "{}"), "version 0"},
		"HTML with status OK": {text("text/html", "<html>Welcome</html>"), "other than an infra server"},
		"no content type":     {func(w http.ResponseWriter, r *http.Request) { w.Header()["Content-Type"] = nil; w.Write(whole) }, "content type"},
		"a field that is not known": {text("application/json", strings.Replace(string(whole), `{`, `{"deny":[],`, 1)),
			`unknown field "deny"`},
		"entries that were taken out": {text("application/json", strings.Replace(string(whole), "fisher", "mallory", 1)), "digest"},
		"another destination":         {func(w http.ResponseWriter, r *http.Request) { answer(w, other) }, `for destination "other"`},
		"another version":             {func(w http.ResponseWriter, r *http.Request) { answer(w, newer) }, "version 2"},
		"two answers in one":          {text("application/json", string(whole)+string(whole)), "after its end"},
		"half of the text":            {text("application/json", string(whole[:len(whole)/2])), "unexpected EOF"},
		"a connection that ends early": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			w.Write(whole[:len(whole)/2])
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, ""},
		"gzip that ends early": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(whole)
			z.Flush() // and no Close: the end is missing
		}, "cut off"},
		"gzip that unpacks to more than anyone needs": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			blanks := make([]byte, 1<<20)
			for range maxState>>20 + 1 {
				z.Write(blanks)
			}
			z.Close()
		}, "larger than"},
		"no content": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, "204"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := serve(t, tt.h).State(t.Context(), StateRequest{Destination: "example"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, it should say %q", err, tt.want)
			}
			if diff := cmp.Diff(StateAnswer{}, a); diff != "" {
				t.Error("something was returned with it:\n" + diff)
			}
		})
	}
}

func TestAnswersAreRefusedAsBadStates(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") })
	if _, err := c.State(t.Context(), StateRequest{Destination: "example"}); !errors.Is(err, api.ErrBadState) {
		t.Errorf("the error is %v", err)
	}
}

func TestEveryRefusalOfTheServerIsItsError(t *testing.T) {
	t.Parallel()
	failure := func(status int, f api.Failure) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			json.NewEncoder(w).Encode(f)
		}
	}
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			io.WriteString(w, "<html>"+r.Header.Get("Authorization")+"</html>")
		}
	}
	for name, tt := range map[string]struct {
		h        http.HandlerFunc
		sentinel error
		says     string
		hint     string
	}{
		"401":                       {failure(401, api.Failure{Error: "no such key"}), api.ErrUnauthorized, "no such key", ""},
		"403":                       {failure(403, api.Failure{Error: "not yours"}), api.ErrForbidden, "not yours", ""},
		"404":                       {failure(404, api.Failure{Error: "reserved"}), api.ErrNotFound, "reserved", ""},
		"409":                       {failure(409, api.Failure{Error: "in use", Hint: "take another name"}), api.ErrConflict, "in use", "take another name"},
		"413":                       {failure(413, api.Failure{Error: "too large"}), api.ErrTooLarge, "too large", ""},
		"503":                       {failure(503, api.Failure{Error: "nothing accepted yet"}), api.ErrNotReady, "nothing accepted yet", ""},
		"503 of a proxy, with HTML": {html(503), api.ErrNotReady, "content type", "check the server's address, and any proxy on the way"},
		"500 with HTML":             {html(500), nil, "500 Internal Server Error", "check the server's address, and any proxy on the way"},
		"an answer without a word":  {failure(401, api.Failure{}), api.ErrUnauthorized, "does not say why", ""},
		"terminal escapes":          {failure(403, api.Failure{Error: "a\x1b[2Jb\nc"}), api.ErrForbidden, "a [2Jb c", ""},
		"an echo of the key":        {failure(403, api.Failure{Error: "you sent " + testKey}), api.ErrForbidden, "you sent infra1_...", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, tt.h)
			_, err := c.State(t.Context(), StateRequest{Destination: "example"})
			put := c.PutStatus(t.Context(), api.Status{Destination: "example"})
			for _, err := range []error{err, put} {
				e, ok := errors.AsType[*Error](err)
				if !ok || tt.sentinel != nil && !errors.Is(err, tt.sentinel) || !strings.Contains(err.Error(), tt.says) {
					t.Fatalf("the error is %v", err)
				}
				if e.Hint != tt.hint {
					t.Errorf("the hint is %q", e.Hint)
				}
				if strings.Contains(err.Error(), testKey) {
					t.Error("the key is in the error")
				}
			}
			if e, _ := errors.AsType[*Error](err); e.Hint == "" && e.RetryAfter != 7*time.Second {
				t.Errorf("retry after %s", e.RetryAfter)
			}
		})
	}
}

func TestARedirectIsNotFollowedWithTheKey(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked for with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/v1", http.StatusTemporaryRedirect)
	})
	_, err := c.State(t.Context(), StateRequest{Destination: "example"})
	if err == nil || !strings.Contains(err.Error(), "it redirects to") {
		t.Errorf("the error is %v", err)
	}
}

func TestAStatusIsPut(t *testing.T) {
	t.Parallel()
	want := api.Status{Version: 1, Destination: "example", ClusterUID: "uid-1", Mode: api.Enforce,
		ObservedAt: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Drift: 2}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, err := api.DecodeStatus(r.Body, "example")
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || r.Method != "PUT" || r.URL.Path != "/v1/destinations/example/status" {
			t.Errorf("%s %s: %s", r.Method, r.URL, diff)
		}
		if uid := r.Header.Get(api.ClusterHeader); uid != "uid-1" {
			t.Errorf("the cluster is %q", uid)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.PutStatus(t.Context(), want); err != nil {
		t.Error(err)
	}
}

func TestTheKeyIsReadForEveryRequest(t *testing.T) {
	t.Parallel()
	var keys []string
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Authorization"))
		answer(w, aState())
	}))
	defer s.Close()
	n := 0
	c, err := New(Options{URL: s.URL, TrustedCertificate: pemOf(s), Key: func() (string, error) {
		n++
		return fmt.Sprintf(" key-%d\n", n), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		if _, err := c.State(t.Context(), StateRequest{Destination: "example"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"Bearer key-1", "Bearer key-2"}, keys); diff != "" {
		t.Error(diff)
	}
}

func TestAKeyThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]func() (string, error){
		"an error":             func() (string, error) { return "", errors.New("no such file") },
		"an empty file":        keyOf("\n"),
		"a key and more of it": keyOf(testKey + "\n" + testKey),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := New(Options{URL: "localhost:1", Key: key})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.State(t.Context(), StateRequest{Destination: "example"})
			if err == nil || !strings.Contains(err.Error(), "reading the access key") || strings.Contains(err.Error(), testKey) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"infra.example.com":            "https://infra.example.com",
		"infra.example.com:8443":       "https://infra.example.com:8443",
		" 10.0.0.1:8443\n":             "https://10.0.0.1:8443",
		"[::1]:8443":                   "https://[::1]:8443",
		"https://example.com/infra":    "https://example.com/infra",
		"http://localhost:8080":        "http://localhost:8080",
		"":                             "error: the server's address is missing",
		"https://":                     "error: reading the server's address: it has no host name",
		"ftp://example.com":            `error: reading the server's address: "ftp" is neither https nor http`,
		"https://user:s3cr3t@x":        "error: reading the server's address: it holds a user name; an access key is given apart from it",
		"https://x?key=s3cr3t":         "error: reading the server's address: it has a query or a fragment",
		"https://user:s3cr3t@x:a/path": `error: reading the server's address: invalid port ":a" after host`,
	} {
		got := ""
		c, err := New(Options{URL: text, Key: keyOf(testKey)})
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = c.base.String()
		}
		if got != want {
			t.Errorf("%q reads as %q, not as %q", text, got, want)
		}
	}
}

func TestACertificateThatDoesNotVerifyEndsTheRequest(t *testing.T) {
	t.Parallel()
	s := quiet(func(w http.ResponseWriter, r *http.Request) { t.Error("the request arrived") })
	defer s.Close()
	c, err := New(Options{URL: s.URL, Key: keyOf(testKey)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.State(t.Context(), StateRequest{Destination: "example"})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("the error is %v", err)
	}
}
