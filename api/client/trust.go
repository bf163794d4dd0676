package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/infrahq/infra/api"
)

// A Pin remembers the server's certificate for trust on first use. Load gives
// the one remembered, in PEM, or nothing where there is none; Save remembers
// one. Neither is called by two goroutines of a client at once.
type Pin interface {
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, certificate []byte) error
}

// ErrCertificateChanged is the error where the server shows a certificate that
// does not verify and is not the one that is remembered.
var ErrCertificateChanged = errors.New("the server's certificate is not the one that is remembered")

// pinTimeout bounds Load and Save together: a TLS handshake waits for them, and
// it hands no context on.
const pinTimeout = 10 * time.Second

func tlsConfig(o Options, host string, log *slog.Logger) (*tls.Config, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a container without a store; what is given still counts
	}
	if len(bytes.TrimSpace(o.TrustedCertificate)) > 0 && !roots.AppendCertsFromPEM(o.TrustedCertificate) {
		return nil, errors.New("reading the trusted certificate: there is no certificate in PEM in it")
	}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if !o.SkipTLSVerify {
		return config, nil
	}
	if o.Pin == nil {
		return nil, errors.New("the server's certificate is to be trusted on first use, and nothing is there to remember it")
	}
	t := &firstUse{host: host, roots: roots, pin: o.Pin, log: log}
	config.InsecureSkipVerify = true // verify does it
	config.VerifyConnection = t.verify
	return config, nil
}

// firstUse verifies certificates, and where that fails compares them with the
// one remembered.
type firstUse struct {
	host  string
	roots *x509.CertPool
	log   *slog.Logger

	mu  sync.Mutex
	pin Pin
}

func (t *firstUse) verify(cs tls.ConnectionState) error {
	host := t.host
	if cs.ServerName != "" {
		host = cs.ServerName
	}
	leaf := cs.PeerCertificates[0] // a server always sends one
	verified := verifies(cs, host, t.roots)
	if verified == nil || host != t.host { // a proxy on the way is no server, and never remembered
		return verified
	}

	ctx, cancel := context.WithTimeout(context.Background(), pinTimeout)
	defer cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	text, err := t.pin.Load(ctx)
	if err != nil {
		return fmt.Errorf("loading the server's certificate that is remembered: %w", err)
	}
	shown := api.Fingerprint(leaf.Raw)
	if len(bytes.TrimSpace(text)) == 0 {
		if err := t.pin.Save(ctx, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})); err != nil {
			return fmt.Errorf("remembering the server's certificate: %w", err)
		}
		t.log.Warn("the server's certificate does not verify; it is trusted from now on: compare the fingerprint with the one in the server's log",
			"server", t.host, "fingerprint", shown)
		return nil
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return errors.New("loading the server's certificate that is remembered: it is not a certificate in PEM")
	}
	if !bytes.Equal(block.Bytes, leaf.Raw) {
		return fmt.Errorf("%w: it has the fingerprint %s, remembered is %s, and it does not verify either (%w); "+
			"if the server was given a new one, compare its fingerprint with the server's log, and then forget the one "+
			"that is remembered or name the new one as trusted", ErrCertificateChanged, shown, api.Fingerprint(block.Bytes), verified)
	}
	return nil
}

func verifies(cs tls.ConnectionState, host string, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between})
	return err
}
