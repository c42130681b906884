// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"crypto/subtle"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Options of a Server. The zero value serves without a password.
type Options struct {
	// Password that HTTP clients must send, with any user name. Empty: none.
	Password string
}

// Server serves the bare repositories below a directory over HTTP.
type Server struct {
	root     string
	options  Options
	listener net.Listener
	http     *http.Server
}

// Start serves the directory root on a free port of 127.0.0.1 until Close.
func Start(root string, options Options) (*Server, error) {
	execPath, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("find git's programs: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for git clients: %w", err)
	}
	s := &Server{root: root, options: options, listener: listener}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(execPath)), "git-http-backend"),
		Env:  append(environment(), "GIT_PROJECT_ROOT="+root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=git"),
	}
	s.http = &http.Server{Handler: s.guard(backend), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(discard{}, "", 0)}
	go func() { _ = s.http.Serve(listener) }() // ends with Close, always with an error
	return s, nil
}

// guard refuses requests without the password.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		if s.options.Password != "" && subtle.ConstantTimeCompare([]byte(password), []byte(s.options.Password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "a password is needed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// URL returns the HTTP address of a repository.
func (s *Server) URL(repository string) string {
	return "http://" + s.listener.Addr().String() + "/" + repository
}

// Create makes an empty bare repository whose first branch is main.
func (s *Server) Create(repository string) error {
	dir := filepath.Join(s.root, repository)
	if _, err := git("", "init", "--quiet", "--bare", "--initial-branch=main", dir); err != nil {
		return err
	}
	for _, setting := range [][2]string{{"http.receivepack", "true"}, {"uploadpack.allowAnySHA1InWant", "true"}} {
		if _, err := git(dir, "config", setting[0], setting[1]); err != nil {
			return err
		}
	}
	return nil
}

// Close stops the server and drops its connections.
func (s *Server) Close() error { return s.http.Close() }

// discard swallows the complaints of the HTTP server about clients that hang up.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
