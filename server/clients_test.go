package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infrahq/infra/api"
)

// raw is a connection without TLS on which a test may do as it likes, for as
// long as a server under test could take.
func (f *fixture) raw() *net.TCPConn {
	f.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn.(*net.TCPConn)
}

func (f *fixture) head(method, path, more string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: infra\r\nAuthorization: Bearer " + f.keys["any"].Text() +
		"\r\n" + api.VersionHeader + ": 1\r\n" + api.ClusterHeader + ": uid-1\r\n" + more + "\r\n"
}

func (f *fixture) write(conn net.Conn, text string) {
	f.t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		f.t.Fatal(err)
	}
}

// read is all that comes until the server ends the connection.
func (f *fixture) read(conn net.Conn) string {
	f.t.Helper()
	text, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		f.t.Fatalf("the connection stays open, after %q", text)
	}
	return string(text)
}

func plain(o *Options) { o.PlainHTTP = true }

// Bad input, line 19: slow writers.
func TestWhoWritesSlowlyIsCutOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start(plain, func(o *Options) { o.times = times{header: 100 * time.Millisecond, read: 100 * time.Millisecond} })
	f.accepted(f.repo.Head())
	head := f.raw()
	f.write(head, "GET /readyz HTTP/1.1\r\nHost: in")
	if got := f.read(head); strings.Contains(got, "200 OK") {
		t.Errorf("half a head is answered with %q", got)
	}
	body := f.raw()
	f.write(body, f.head("PUT", api.StatusPath("example"), "Content-Length: 100\r\n")+"{")
	if got := f.read(body); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("half a body is answered with %q", got)
	}
	if r := f.ask(ask{path: api.StatePath("example"), key: "any"}); r.code != 200 {
		t.Errorf("others get %d %s", r.code, r.body)
	}
}

// Bad input, line 19: slow readers.
func TestWhoReadsNothingIsCutOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start(plain, func(o *Options) { o.times = times{write: 200 * time.Millisecond} })
	f.accepted(f.repo.Head())
	conn := f.raw()
	requests := strings.Repeat(f.head("GET", "/metrics", ""), 100)
	var err error
	for err == nil {
		_, err = io.WriteString(conn, requests)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection stays open")
	}
	if r := f.ask(ask{path: api.StatePath("example"), key: "any"}); r.code != 200 {
		t.Errorf("others get %d %s", r.code, r.body)
	}
}

// Bad input, line 19: half-closed connections.
func TestAConnectionThatIsHalfClosedIsNotHeld(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start(plain)
	f.accepted(f.repo.Head())
	conn := f.raw()
	digest := f.state("example").Digest
	f.write(conn, f.head("GET", api.StatePath("example")+"?wait=50s", "If-None-Match: \""+digest+"\"\r\n"))
	f.until("it is held", func() bool { return f.metric("infra_held_requests") == 1 })
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	f.until("it is held no more", func() bool { return f.metric("infra_held_requests") == 0 })
	f.read(conn)
}

// Bad input, line 19: oversized bodies, whose size is said or not.
func TestOversizedBodiesAreRefusedBeforeTheyAreRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start(plain)
	f.accepted(f.repo.Head())
	for name, more := range map[string]string{"said": "Content-Length: 1000000000000\r\n", "not said": "Transfer-Encoding: chunked\r\n"} {
		conn := f.raw()
		f.write(conn, f.head("GET", api.StatePath("example"), more))
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got := f.read(conn); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, "has a body") {
			t.Errorf("a body where none is meant, its size %s: %q", name, got)
		}
	}
	conn := f.raw()
	f.write(conn, f.head("PUT", api.StatusPath("example"), "Content-Length: 1000000000000\r\n"))
	go io.Copy(conn, endless{}) // ends with the connection
	if got := f.read(conn); !strings.HasPrefix(got, "HTTP/1.1 413 ") {
		t.Errorf("a status without end: %q", got)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	copy(p, bytes.Repeat([]byte(" "), len(p)))
	return len(p), nil
}

func TestPlainHTTPIsServedAndWarnedOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t).start(plain)
	f.accepted(f.repo.Head())
	if len(f.state("example").Entries) != 1 {
		t.Error("it is not served")
	}
	if !strings.Contains(f.log.String(), "serving without TLS") {
		t.Error("the log does not warn")
	}
	if _, err := os.Stat(filepath.Join(f.dir, "tls.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a certificate was made: %v", err)
	}
}

func TestACertificateThatIsReplacedIsServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cert, key := filepath.Join(f.dir, "tls.crt"), filepath.Join(f.dir, "tls.key")
	if err := makeCertificate(cert, key, nil); err != nil {
		t.Fatal(err)
	}
	f.start(func(o *Options) { o.TLSCert, o.TLSKey = cert, key })
	shown := func() string {
		t.Helper()
		transport := f.client.Transport.(*http.Transport).Clone()
		transport.TLSClientConfig.InsecureSkipVerify = true // it is looked at below
		defer transport.CloseIdleConnections()
		resp, err := (&http.Client{Transport: transport}).Get(f.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return api.Fingerprint(resp.TLS.PeerCertificates[0].Raw)
	}
	first := shown()
	// While one of the files is new and the other is not, the old pair stays.
	other := t.TempDir()
	if err := makeCertificate(filepath.Join(other, "crt"), filepath.Join(other, "key"), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(other, "crt"), cert); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != first {
		t.Errorf("with half of a new pair, %s is shown, not %s", got, first)
	}
	if err := os.Rename(filepath.Join(other, "key"), key); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got == first {
		t.Error("the old certificate is shown")
	}
}
