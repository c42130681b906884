// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSH serves the bare repositories below a directory over SSH, to one user key.
type SSH struct {
	root     string
	config   *ssh.ServerConfig
	listener net.Listener
	open     sync.WaitGroup
	// UserKey is the private key of the only user, PEM.
	UserKey []byte
	// KnownHosts is a line for the client's known_hosts file.
	KnownHosts string
}

// StartSSH serves the directory root on a free port of 127.0.0.1 until Close.
func StartSSH(root string) (*SSH, error) {
	_, host, err := newKey()
	if err != nil {
		return nil, err
	}
	userPEM, user, err := newKey()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for git clients: %w", err)
	}
	s := &SSH{root: root, listener: listener, UserKey: userPEM,
		KnownHosts: knownhosts.Line([]string{listener.Addr().String()}, host.PublicKey())}
	s.config = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if !slices.Equal(key.Marshal(), user.PublicKey().Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	s.config.AddHostKey(host)
	go s.accept()
	return s, nil
}

// newKey makes an Ed25519 key and returns it as PEM and as a signer.
func newKey() ([]byte, ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	return pem.EncodeToMemory(block), signer, err
}

// URL returns the SSH address of a repository.
func (s *SSH) URL(repository string) string {
	return "ssh://git@" + s.listener.Addr().String() + "/" + repository
}

// Close stops accepting and waits for the sessions in progress.
func (s *SSH) Close() error {
	err := s.listener.Close()
	s.open.Wait()
	return err
}

func (s *SSH) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.open.Go(func() { s.serve(conn) })
	}
}

// serve runs the sessions of one connection. What goes wrong in one is told to
// its client by the exit status or by hanging up.
func (s *SSH) serve(conn net.Conn) {
	defer conn.Close()
	client, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	defer client.Close()
	go ssh.DiscardRequests(requests)
	for next := range channels {
		if next.ChannelType() != "session" {
			_ = next.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, requests, err := next.Accept()
		if err != nil {
			return
		}
		s.session(channel, requests)
		channel.Close()
	}
}

// session runs the first command that it is asked for.
func (s *SSH) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		if request.Type != "exec" {
			_ = request.Reply(false, nil)
			continue
		}
		var exec struct{ Command string }
		if err := ssh.Unmarshal(request.Payload, &exec); err != nil {
			return
		}
		_ = request.Reply(true, nil)
		status := struct{ Code uint32 }{s.run(channel, exec.Command)}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
		return
	}
}

// run runs git-upload-pack or git-receive-pack on one of our repositories.
func (s *SSH) run(channel ssh.Channel, command string) uint32 {
	program, quoted, _ := strings.Cut(command, " ")
	if program != "git-upload-pack" && program != "git-receive-pack" {
		fmt.Fprintf(channel.Stderr(), "only git is served here, not %s\n", program)
		return 127
	}
	name := filepath.Clean("/" + strings.Trim(quoted, "'"))
	cmd := exec.Command("git", strings.TrimPrefix(program, "git-"), filepath.Join(s.root, name))
	cmd.Env = append(os.Environ(), environment()...)
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	input, err := cmd.StdinPipe()
	if err != nil {
		return 1
	}
	if err := cmd.Start(); err != nil {
		return 1
	}
	// Not waited for: git may end, as for a repository that is not there, while
	// the client still waits for the first word. Closing the channel ends it.
	go func() {
		_, _ = io.Copy(input, channel)
		input.Close()
	}()
	if err := cmd.Wait(); err != nil {
		return 1
	}
	return 0
}
