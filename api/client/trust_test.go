package client

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/api"
)

func pemOf(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// quiet is a TLS server that keeps handshake errors to itself.
func quiet(h http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	return s
}

// selfSigned is a certificate for a name.
func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// memory is a Pin.
type memory struct {
	text  []byte
	fail  error
	saves int
}

func (m *memory) Load(context.Context) ([]byte, error) { return m.text, m.fail }
func (m *memory) Save(_ context.Context, text []byte) error {
	m.text, m.saves = text, m.saves+1
	return nil
}

func TestTrustOnFirstUse(t *testing.T) {
	t.Parallel()
	asked := 0
	s := quiet(func(w http.ResponseWriter, r *http.Request) { asked++; answer(w, aState()) })
	s.Config.SetKeepAlivesEnabled(false) // a handshake for every request
	defer s.Close()
	original := s.TLS.Certificates[0]
	pin := &memory{}
	var logged bytes.Buffer
	ask := func(trusted []byte) error {
		c, err := New(Options{URL: s.URL, Key: keyOf(testKey), SkipTLSVerify: true, Pin: pin, TrustedCertificate: trusted,
			Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.State(t.Context(), StateRequest{Destination: "example"})
		return err
	}

	if err := ask(nil); err != nil {
		t.Fatalf("the first certificate: %v", err)
	}
	if !bytes.Equal(pin.text, pemOf(s)) || !strings.Contains(logged.String(), api.Fingerprint(original.Certificate[0])) {
		t.Errorf("it was not remembered and said: %s", logged.String())
	}
	if err := ask(nil); err != nil || pin.saves != 1 {
		t.Errorf("the same one again: %v, saved %d times", err, pin.saves)
	}

	// Bad input: a server whose certificate changed.
	changed := selfSigned(t, "elsewhere.example.com")
	s.TLS.Certificates[0] = changed
	before := asked
	err := ask(nil)
	if !errors.Is(err, ErrCertificateChanged) || asked != before {
		t.Fatalf("another certificate: %v, and %d requests arrived", err, asked-before)
	}
	for _, want := range []string{api.Fingerprint(original.Certificate[0]), api.Fingerprint(changed.Certificate[0]), "compare its fingerprint"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}

	// One that verifies is good, whatever is remembered.
	verifying := selfSigned(t, "127.0.0.1")
	s.TLS.Certificates[0] = original
	pin.text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: verifying.Certificate[0]})
	if err := ask(pemOf(s)); err != nil {
		t.Errorf("a certificate that verifies: %v", err)
	}
	if strings.Contains(logged.String(), testKey) {
		t.Error("the key is in the log")
	}
}

func TestTrustOnFirstUseNeedsAMemoryThatWorks(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{URL: "x", Key: keyOf(testKey), SkipTLSVerify: true}); err == nil {
		t.Error("a client was made that remembers nothing")
	}
	s := quiet(func(w http.ResponseWriter, r *http.Request) { t.Error("the request arrived") })
	defer s.Close()
	for name, pin := range map[string]*memory{
		"it cannot be loaded":           {fail: errors.New("forbidden")},
		"what it has is no certificate": {text: []byte("garbage")},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := New(Options{URL: s.URL, Key: keyOf(testKey), SkipTLSVerify: true, Pin: pin})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.State(t.Context(), StateRequest{Destination: "example"}); err == nil || pin.saves > 0 {
				t.Errorf("the error is %v, saved %d times", err, pin.saves)
			}
		})
	}
}

func TestATrustedCertificateMustBeOne(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{URL: "x", Key: keyOf(testKey), TrustedCertificate: []byte("hello")}); err == nil {
		t.Error("it was taken")
	}
}
