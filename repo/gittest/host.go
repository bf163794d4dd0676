package gittest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// HostOptions say what kind of Git host is wanted. The zero value is one over
// plain HTTP that everybody may read and write.
type HostOptions struct {
	User, Password string // asked for, where Password is not empty

	// TLS serves https with a certificate of an authority that only this host
	// has: Host.CA.
	TLS bool

	// Expired makes a certificate with TLS that is valid no longer.
	Expired bool

	// Wrap, if set, is asked for every request before git is, and may answer it
	// in its own way: hang, cut off, lie.
	Wrap func(git http.Handler) http.Handler
}

// A Host is a Git host on the loopback interface, until the test ends.
type Host struct {
	URL string // of the repository, without credentials
	CA  []byte // the authority's certificate in PEM, with TLS
}

// Serve serves a repository by git's own http-backend.
func Serve(t testing.TB, r *Repo, o HostOptions) *Host {
	t.Helper()
	var h http.Handler = backend(t, r.Dir)
	if o.Wrap != nil {
		h = o.Wrap(h)
	}
	if o.Password != "" {
		h = basicAuth(o.User, o.Password, h)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(t.Output(), "", 0)
	host := &Host{}
	if o.TLS {
		var cert tls.Certificate
		cert, host.CA = certificate(t, o.Expired)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	host.URL = s.URL + "/repo"
	return host
}

// Hang is for HostOptions.Wrap: a host that takes requests whose path ends so
// and never answers. "" is every request.
func Hang(suffix string) func(http.Handler) http.Handler {
	return func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasSuffix(req.URL.Path, suffix) {
				io.Copy(io.Discard, req.Body) // the server sees a client go only after its body is read
				<-req.Context().Done()
				return
			}
			git.ServeHTTP(w, req)
		})
	}
}

// Answer is for HostOptions.Wrap: a host that answers everything alike.
func Answer(status int, contentType, body string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			w.Write([]byte(body))
		})
	}
}

// CutOff is for HostOptions.Wrap: answers to requests whose path ends so break
// off after n bytes, and the connection with them.
func CutOff(suffix string, n int) func(http.Handler) http.Handler {
	return func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasSuffix(req.URL.Path, suffix) {
				w = &cutWriter{ResponseWriter: w, left: n}
			}
			git.ServeHTTP(w, req)
			if c, ok := w.(*cutWriter); ok && c.left <= 0 {
				panic(http.ErrAbortHandler)
			}
		})
	}
}

type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(p []byte) (int, error) {
	n := min(max(c.left, 0), len(p))
	c.left -= len(p)
	c.ResponseWriter.Write(p[:n])
	if f, ok := c.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	return len(p), nil
}

func backend(t testing.TB, dir string) *cgi.Handler {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatalf("git --exec-path: %v", err)
	}
	return &cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"),
		Root:   "/repo",
		Dir:    dir,
		Stderr: t.Output(),
		Logger: log.New(t.Output(), "", 0),
		Env: append(Env(), "GIT_HTTP_EXPORT_ALL=1", "GIT_PROJECT_ROOT="+filepath.Join(dir, ".git"),
			"GIT_CONFIG_COUNT=4",
			"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
			"GIT_CONFIG_KEY_1=http.receivePack", "GIT_CONFIG_VALUE_1=true",
			"GIT_CONFIG_KEY_2=receive.denyCurrentBranch", "GIT_CONFIG_VALUE_2=ignore",
			"GIT_CONFIG_KEY_3=maintenance.auto", "GIT_CONFIG_VALUE_3=false"),
	}
}

func basicAuth(user, password string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if u, p, ok := req.BasicAuth(); !ok || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// certificate makes an authority and a certificate of its for the loopback address.
func certificate(t testing.TB, expired bool) (tls.Certificate, []byte) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	until := now.Add(time.Hour)
	if expired {
		until = now.Add(-time.Hour)
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"},
		NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "git host"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
}
