package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/infrahq/infra/api"
)

// selfSignedFor is how long a certificate that the server makes is good for.
// Connectors that trust it on first use compare it whole, so that another one
// means a visit to each of them.
const selfSignedFor = 10 * 365 * 24 * time.Hour

// tlsConfig uses the certificate that is given, or makes one and keeps it.
func tlsConfig(o Options, log *slog.Logger) (*tls.Config, error) {
	cert, key := o.TLSCert, o.TLSKey
	if cert == "" {
		cert, key = filepath.Join(o.DataDir, "tls.crt"), filepath.Join(o.DataDir, "tls.key")
		if err := makeCertificate(cert, key, o.TLSHosts); err != nil {
			return nil, fmt.Errorf("making a certificate: %w", err)
		}
	}
	files := &certificateFiles{cert: cert, key: key, log: log}
	now, err := files.load()
	if err != nil {
		return nil, fmt.Errorf("reading the server's certificate: %w", err)
	}
	if o.TLSCert == "" && time.Now().After(now.Leaf.NotAfter) {
		log.Warn("the self-signed certificate has expired; remove it to have another one made", "file", cert)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}

// certificateFiles are read again when they change, as they do where a
// certificate is renewed by a machine.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu   sync.Mutex
	last *tls.Certificate
	read [2]time.Time // modification times of what was read last
}

func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if changed, err := c.times(); err != nil || changed == c.read {
		return c.last, nil
	}
	return c.loadLocked(), nil
}

func (c *certificateFiles) load() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, err
	}
	c.last = &pair
	c.read, err = c.times()
	c.log.Info("the server's certificate", "fingerprint", api.Fingerprint(pair.Certificate[0]), "expires", pair.Leaf.NotAfter)
	return c.last, err
}

// loadLocked keeps the old certificate where the new files do not fit together,
// which they do not while they are being replaced.
func (c *certificateFiles) loadLocked() *tls.Certificate {
	times, err := c.times()
	pair, pairErr := tls.LoadX509KeyPair(c.cert, c.key)
	if err := errors.Join(err, pairErr); err != nil {
		c.log.Warn("the server's new certificate cannot be read; the old one stays", "error", err)
		c.read = times
		return c.last
	}
	c.last, c.read = &pair, times
	c.log.Info("the server's certificate was replaced", "fingerprint", api.Fingerprint(pair.Certificate[0]), "expires", pair.Leaf.NotAfter)
	return c.last
}

func (c *certificateFiles) times() (t [2]time.Time, err error) {
	for i, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return t, err
		}
		t[i] = info.ModTime()
	}
	return t, nil
}

// makeCertificate makes a self-signed certificate unless there is one.
func makeCertificate(certFile, keyFile string, hosts []string) error {
	_, certErr := os.Stat(certFile)
	_, keyErr := os.Stat(keyFile)
	if certErr == nil && keyErr == nil {
		return nil
	}
	for _, err := range []error{certErr, keyErr} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	hosts = append([]string{"localhost", "127.0.0.1", "::1"}, hosts...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "infra server"},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(selfSignedFor),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600),
		writeFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
	)
}
