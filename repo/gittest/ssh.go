package gittest

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// An SSHHost is a Git host that is reached over ssh, until the test ends, and all
// that one who may push there has on their machine.
type SSHHost struct {
	URL        string // of the repository
	KnownHosts string // a file with the host's key
	Agent      string // the socket of an agent with the key of one who may
}

// ServeSSH serves a repository by git's own programs.
func ServeSSH(t testing.TB, r *Repo) *SSHHost {
	t.Helper()
	host, user := signer(t), signer(t)
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(user.signer.PublicKey().Marshal()) {
			return nil, fmt.Errorf("nobody knows that key")
		}
		return nil, nil
	}}
	config.AddHostKey(host.signer)
	l := listen(t, "tcp", "127.0.0.1:0", func(c net.Conn) { serveSSH(c, config) })

	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: user.key}); err != nil {
		t.Fatal(err)
	}
	dir := Folder(t)
	h := &SSHHost{
		URL:        "ssh://git@" + l.Addr().String() + filepath.ToSlash(r.Dir),
		KnownHosts: filepath.Join(dir, "known_hosts"),
		Agent:      filepath.Join(dir, "agent"),
	}
	line := knownhosts.Line([]string{knownhosts.Normalize(l.Addr().String())}, host.signer.PublicKey())
	if err := os.WriteFile(h.KnownHosts, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listen(t, "unix", h.Agent, func(c net.Conn) { agent.ServeAgent(keys, c) })
	return h
}

type pair struct {
	key    ed25519.PrivateKey
	signer ssh.Signer
}

func signer(t testing.TB) pair {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{key, s}
}

// listen hands each connection to serve, until the test ends.
func listen(t testing.TB, network, address string, serve func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l
}

func serveSSH(c net.Conn, config *ssh.ServerConfig) {
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(requests) // ends with the connection
	for wanted := range channels {
		channel, requests, err := wanted.Accept()
		if err != nil {
			return
		}
		serveSession(channel, requests)
	}
}

// serveSession runs the one command that a session asks for.
func serveSession(channel ssh.Channel, requests <-chan *ssh.Request) {
	defer channel.Close()
	for req := range requests {
		var command struct{ Text string }
		if req.Type != "exec" || ssh.Unmarshal(req.Payload, &command) != nil {
			req.Reply(false, nil)
			continue
		}
		req.Reply(true, nil)
		program, path, _ := strings.Cut(command.Text, " ")
		status := struct{ Code uint32 }{}
		cmd := exec.Command("git", strings.TrimPrefix(program, "git-"), strings.Trim(path, "'"))
		cmd.Env = append(os.Environ(), Env()...)
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
		in, err := cmd.StdinPipe() // one that Wait does not wait for: the other side may leave it open
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return
		}
		go io.Copy(in, channel) // ends with the channel
		if cmd.Wait() != nil {
			status.Code = 1
		}
		channel.SendRequest("exit-status", false, ssh.Marshal(status))
		return
	}
}
