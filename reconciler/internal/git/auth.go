// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// connectTimeout bounds an SSH connection until it is authenticated.
const connectTimeout = 20 * time.Second

// String names the source in messages, without anything secret.
func (s Source) String() string {
	name := s.Repo
	if u, err := url.Parse(s.Repo); err == nil && u.Scheme != "" {
		name = u.Redacted()
	}
	if name == "" {
		name = "."
	}
	if s.Ref != "" {
		name += " at " + s.Ref
	}
	return name
}

// auth returns how to prove who we are; nil for anonymous HTTP.
func (s Source) auth() (transport.AuthMethod, error) {
	endpoint, err := transport.NewEndpoint(s.Repo)
	if err != nil {
		return nil, fmt.Errorf("%s is not an address that git knows", s)
	}
	switch endpoint.Protocol {
	case "ssh":
		return s.sshAuth(endpoint)
	case "http", "https":
		return s.httpAuth(endpoint)
	}
	return nil, fmt.Errorf("%s: use https, ssh or a directory", s)
}

// defaultUser is sent with a token where the URL names no user; servers that
// take tokens ignore it.
const defaultUser = "git"

func (s Source) httpAuth(endpoint *transport.Endpoint) (transport.AuthMethod, error) {
	if endpoint.Password != "" {
		return nil, fmt.Errorf("%s: the address holds a password, which ends up in logs and process lists; use --git-token-file", s)
	}
	if s.TokenFile == "" {
		return nil, nil
	}
	if ip := net.ParseIP(endpoint.Host); endpoint.Protocol != "https" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%s: a token is not sent without TLS; use https", s)
	}
	token, err := os.ReadFile(s.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	user := endpoint.User
	if user == "" {
		user = defaultUser
	}
	return &githttp.BasicAuth{Username: user, Password: strings.TrimSpace(string(token))}, nil
}

// strictSSH asks the host for a key of a kind that is known, so that a host
// with several keys is not mistaken for an unknown one, and bounds the time.
type strictSSH struct {
	gitssh.AuthMethod
	algorithms []string
}

// ClientConfig implements gitssh.AuthMethod.
func (a strictSSH) ClientConfig() (*ssh.ClientConfig, error) {
	config, err := a.AuthMethod.ClientConfig()
	if err != nil {
		return nil, err
	}
	config.HostKeyAlgorithms, config.Timeout = a.algorithms, connectTimeout
	return config, nil
}

func (s Source) sshAuth(endpoint *transport.Endpoint) (transport.AuthMethod, error) {
	var files []string
	if s.KnownHosts != "" {
		files = append(files, s.KnownHosts)
	}
	known, err := gitssh.NewKnownHostsDb(files...)
	if err != nil {
		return nil, fmt.Errorf("read the known SSH hosts (--git-known-hosts): %w", err)
	}
	port := endpoint.Port
	if port == 0 {
		port = gitssh.DefaultPort
	}
	user := endpoint.User
	if user == "" {
		user = defaultUser
	}
	hosts := gitssh.HostKeyCallbackHelper{HostKeyCallback: known.HostKeyCallback()}
	algorithms := known.HostKeyAlgorithms(net.JoinHostPort(endpoint.Host, fmt.Sprint(port)))
	if s.KeyFile == "" {
		agent, err := gitssh.NewSSHAgentAuth(user)
		if err != nil {
			return nil, fmt.Errorf("%s: no SSH agent answers; give --git-key-file", s)
		}
		agent.HostKeyCallbackHelper = hosts
		return strictSSH{agent, algorithms}, nil
	}
	key, err := gitssh.NewPublicKeysFromFile(user, s.KeyFile, "")
	if err != nil {
		return nil, fmt.Errorf("read SSH key %s: %w (a key with a passphrase must be in the SSH agent)", s.KeyFile, err)
	}
	key.HostKeyCallbackHelper = hosts
	return strictSSH{key, algorithms}, nil
}

// explain says in plain words why a remote could not be read.
func explain(s Source, err error) error {
	var dns *net.DNSError
	var key *knownhosts.KeyError
	var op *net.OpError
	reason := strings.Join(strings.Fields(err.Error()), " ")
	switch {
	case strings.HasPrefix(reason, s.String()), strings.HasPrefix(reason, Source{Repo: s.Repo}.String()):
		return err // said in our words already
	case errors.Is(err, context.Canceled):
		reason = "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		reason = "no answer in time"
	case errors.Is(err, transport.ErrRepositoryNotFound):
		reason = "there is no such repository"
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		reason = "the repository is empty"
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed),
		strings.Contains(reason, "unable to authenticate"):
		reason = "the server refuses our credentials"
	case errors.As(err, &dns):
		reason = "host " + dns.Name + " not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = "connection refused"
	case errors.As(err, &key) && len(key.Want) == 0, strings.Contains(reason, "key is unknown"):
		reason = "the host's SSH key is not known; add it with ssh-keyscan after checking it"
	case errors.As(err, &key), strings.Contains(reason, "key mismatch"):
		reason = "the host's SSH key is not the one that is known: the host was replaced, or somebody is in between"
	case errors.As(err, &op):
		reason = op.Err.Error()
	}
	return fmt.Errorf("%s: %s", s, reason)
}
