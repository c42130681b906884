// SPDX-License-Identifier: Apache-2.0

package gitserver

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Clone is a work tree to commit and push from.
type Clone struct {
	// Dir is the work tree.
	Dir string
}

// NewClone makes a work tree in dir whose remote is url. Nothing is fetched.
func NewClone(dir, url string) (*Clone, error) {
	if _, err := git("", "init", "--quiet", "--initial-branch=main", dir); err != nil {
		return nil, err
	}
	if _, err := git(dir, "remote", "add", "origin", url); err != nil {
		return nil, err
	}
	return &Clone{Dir: dir}, nil
}

// Write writes one file, with the directories above it.
func (c *Clone) Write(path, content string) error {
	full := filepath.Join(c.Dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return os.WriteFile(full, []byte(content), 0o644)
}

// Commit commits everything in the work tree and returns the commit's id.
func (c *Clone) Commit(message string) (string, error) {
	if _, err := git(c.Dir, "add", "--all"); err != nil {
		return "", err
	}
	if _, err := git(c.Dir, "commit", "--quiet", "--allow-empty", "--message", message); err != nil {
		return "", err
	}
	return git(c.Dir, "rev-parse", "HEAD")
}

// Push pushes the current commit to main of the remote. With force it may
// replace what is there.
func (c *Clone) Push(force bool) error {
	args := []string{"push", "--quiet", "origin", "HEAD:main"}
	if force {
		args = append(args, "--force")
	}
	_, err := git(c.Dir, args...)
	return err
}

// Reset moves the work tree to another commit.
func (c *Clone) Reset(revision string) error {
	_, err := git(c.Dir, "reset", "--quiet", "--hard", revision)
	return err
}

// git runs git in a directory and returns what it printed, trimmed.
func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), environment()...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// environment keeps the user's and the machine's settings out of git.
func environment() []string {
	return []string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=author", "GIT_AUTHOR_EMAIL=author@example.com",
		"GIT_COMMITTER_NAME=author", "GIT_COMMITTER_EMAIL=author@example.com",
	}
}
