package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/infrahq/infra/repo/gittest"
)

// badHosts are Git hosts as people meet them, on real sockets, by what they do.
var badHosts = map[string]gittest.HostOptions{
	"good":           {},
	"asks":           {User: "ann", Password: "hunter2"},
	"hangs":          {Wrap: gittest.Hang("")},
	"hangs-at-push":  {Wrap: gittest.Hang("/git-receive-pack")},
	"cuts-off":       {Wrap: gittest.CutOff("/git-upload-pack", 100)},
	"cuts-off-push":  {Wrap: gittest.CutOff("/git-receive-pack", 0)},
	"answers-html":   {Wrap: gittest.Answer(http.StatusOK, "text/html", "<!DOCTYPE html>\n<html>\n<body>Sign in</body>\n</html>\n")},
	"is-unavailable": {Wrap: gittest.Answer(http.StatusServiceUnavailable, "text/html", "<html>Later</html>")},
	"is-unknown":     {TLS: true},
	"has-expired":    {TLS: true, Expired: true},
	"refuses-pushes": {Wrap: func(git http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.Contains(req.URL.String(), "git-receive-pack") {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			git.ServeHTTP(w, req)
		})
	}},
}

// githost is a command of scripts: "githost VARIABLE KIND FOLDER" serves the
// repository in a folder, and puts the address into a variable. The kind "silent" is
// a socket that takes connections and says nothing.
func githost(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 3 {
			ts.Fatalf("usage: githost VARIABLE KIND FOLDER")
		}
		if args[1] == "silent" {
			ts.Setenv(args[0], "git://"+silent(t)+"/repo")
			return
		}
		options, ok := badHosts[args[1]]
		if !ok {
			ts.Fatalf("there is no host that %s", args[1])
		}
		host := gittest.Serve(t, &gittest.Repo{Dir: ts.MkAbs(args[2])}, options)
		ts.Setenv(args[0], host.URL)
		if len(host.CA) > 0 {
			ca := filepath.Join(ts.MkAbs("."), "ca.pem")
			ts.Check(os.WriteFile(ca, host.CA, 0o600))
		}
	}
}

func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(io.Discard, c) // until the other side goes
			}()
		}
	}()
	return l.Addr().String()
}
