package controlplane

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/util/cert"
)

// The users of the token file. Each has the rights of system:masters, and a name
// of its own for the audit log.
const (
	adminUser       = "admin"
	controllersUser = "system:kube-controller-manager"
)

// issuer is the issuer of ServiceAccounts' tokens.
const issuer = "https://kubernetes.default.svc"

func (cp *ControlPlane) path(elem ...string) string {
	return filepath.Join(append([]string{cp.dir}, elem...)...)
}

func (cp *ControlPlane) auditLog() string { return cp.path("audit.log") }

// tokenOf is the bearer token of a user of the token file.
func (cp *ControlPlane) tokenOf(user string) string { return cp.token + "-" + user }

// writeFiles makes what the API server reads: a certificate that is its own
// authority, whose key also signs ServiceAccounts' tokens, the token file and
// the audit policy.
func (cp *ControlPlane) writeFiles() error {
	cp.token = rand.Text()
	var tokens strings.Builder
	for _, user := range []string{adminUser, controllersUser} {
		fmt.Fprintf(&tokens, "%s,%s,%s,system:masters\n", cp.tokenOf(user), user, user)
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)},
		[]string{"localhost", "kubernetes.default.svc"})
	if err != nil {
		return fmt.Errorf("making a certificate: %w", err)
	}
	cp.ca = certificate
	if err := os.MkdirAll(cp.path("pki"), 0o700); err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"pki/apiserver.crt": certificate,
		"pki/apiserver.key": key,
		"pki/tokens.csv":    []byte(tokens.String()),
		"audit-policy.yaml": []byte(auditPolicy),
	} {
		if err := os.WriteFile(cp.path(filepath.FromSlash(name)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (cp *ControlPlane) etcdSocket() string { return "unix://" + cp.path("e.sock") }

// etcdFlags let etcd listen on Unix sockets alone, which need no free port and
// nobody else can reach, and never wait for the disk.
func (cp *ControlPlane) etcdFlags() []string {
	peer := "unix://" + cp.path("p.sock")
	return []string{
		"--name=etcd",
		"--data-dir=" + cp.path("etcd"),
		"--unsafe-no-fsync",
		"--log-level=warn",
		"--listen-client-urls=" + cp.etcdSocket(),
		"--advertise-client-urls=" + cp.etcdSocket(),
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=etcd=" + peer,
	}
}

func (cp *ControlPlane) apiServerFlags() []string {
	flags := []string{
		"--etcd-servers=" + cp.etcdSocket(),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", cp.port),
		"--cert-dir=" + cp.path("pki"),
		"--tls-cert-file=" + cp.path("pki", "apiserver.crt"),
		"--tls-private-key-file=" + cp.path("pki", "apiserver.key"),
		"--token-auth-file=" + cp.path("pki", "tokens.csv"),
		"--service-account-issuer=" + issuer,
		"--service-account-key-file=" + cp.path("pki", "apiserver.crt"),
		"--service-account-signing-key-file=" + cp.path("pki", "apiserver.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount", // it would want tokens mounted into Pods that never run
		"--endpoint-reconciler-type=none",
		"--profiling=false",
	}
	if cp.options.Audit {
		flags = append(flags,
			"--audit-policy-file="+cp.path("audit-policy.yaml"),
			"--audit-log-path="+cp.auditLog(),
			"--audit-log-maxsize=4096", // megabytes; AuditEvents reads one file
		)
	}
	return slices.Concat(flags, cp.options.APIServerFlags)
}
