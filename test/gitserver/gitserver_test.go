// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// push makes a repository with one commit and returns the commit's id.
func push(t *testing.T, s *Server) (*Clone, string) {
	t.Helper()
	if err := s.Create("policies.git"); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(s.URL("policies.git"), "http://", "http://me:"+s.options.Password+"@", 1)
	clone, err := NewClone(filepath.Join(t.TempDir(), "work"), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := clone.Write("a/b.yaml", "one\n"); err != nil {
		t.Fatal(err)
	}
	id, err := clone.Commit("first")
	if err != nil {
		t.Fatal(err)
	}
	if err := clone.Push(false); err != nil {
		t.Fatal(err)
	}
	return clone, id
}

func TestHTTP(t *testing.T) {
	s, err := Start(t.TempDir(), Options{Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	clone, first := push(t, s)
	if got, err := git(clone.Dir, "ls-remote", "origin", "main"); err != nil || !strings.HasPrefix(got, first) {
		t.Errorf("the remote has %q, %v; pushed %s", got, err, first)
	}
	if _, err := git("", "ls-remote", s.URL("policies.git")); err == nil {
		t.Error("the repository was read without a password")
	}
}

func TestForcePush(t *testing.T) {
	s, err := Start(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	clone, first := push(t, s)
	for _, content := range []string{"two\n", "three\n"} {
		if err := clone.Write("a/b.yaml", content); err != nil {
			t.Fatal(err)
		}
		if _, err := clone.Commit(content); err != nil {
			t.Fatal(err)
		}
		if err := clone.Push(true); err != nil {
			t.Fatal(err)
		}
		if err := clone.Reset(first); err != nil {
			t.Fatal(err)
		}
	}
	if err := clone.Push(false); err == nil {
		t.Error("going back was possible without force")
	}
}

func TestSSH(t *testing.T) {
	root := t.TempDir()
	s, err := Start(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, first := push(t, s)
	server, err := StartSSH(root)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dir := t.TempDir()
	key, known := filepath.Join(dir, "key"), filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(key, server.UserKey, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(known, []byte(server.KnownHosts+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", "ssh -F none -i "+key+" -o IdentitiesOnly=yes -o UserKnownHostsFile="+known)
	if got, err := git("", "ls-remote", server.URL("policies.git"), "main"); err != nil || !strings.HasPrefix(got, first) {
		t.Errorf("the remote has %q, %v; pushed %s", got, err, first)
	}
	if _, err := git("", "ls-remote", server.URL("nothing.git")); err == nil {
		t.Error("a repository that is not there was listed")
	}
	if err := os.WriteFile(known, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_SSH_COMMAND", os.Getenv("GIT_SSH_COMMAND")+" -o StrictHostKeyChecking=yes -o BatchMode=yes")
	if _, err := git("", "ls-remote", server.URL("policies.git")); err == nil {
		t.Error("an unknown host key was accepted")
	}
}
